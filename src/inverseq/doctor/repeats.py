"""Trajectories that repeat others: what leaks from training into test."""

from dataclasses import replace

import numpy as np
from jaxtyping import Bool, Float, Int

from inverseq.demonstrations import Demonstrations, concatenate
from inverseq.doctor.record import About, Finding, Severity
from inverseq.doctor.view import MOST_ROWS

RUN = 100
"""Decisions in a row that two trajectories must share to be called overlapping."""

_UNLIKELY = 1e-6
"""Repetitions that chance would make less often than this are taken for copies."""


def check_repeats(demonstrations: Demonstrations, train: Demonstrations | None) -> list[Finding]:
    """Exact duplicates and long shared runs: in the table, and between its training and test part.

    The parts are `train` and the table, or those that the trajectory column "split" names.
    """
    own = _duplicates(demonstrations) + _overlaps(demonstrations)
    parts = demonstrations.trajectories.get("split")
    if train is not None:
        # Joined, the rows are numbered anew; put back those that the tables know.
        known = [p.row(i) for p in (train, demonstrations) for i in range(p.num_decisions)]
        both = replace(concatenate([train, demonstrations]), rows=np.array(known))
        testing = np.arange(both.num_trajectories) >= train.num_trajectories
    elif parts is not None and {"train", "test"} <= set(parts.tolist()):
        both, testing = demonstrations, parts == "test"
    else:
        return own
    return own + _leaks(both, testing)


def _duplicates(demos: Demonstrations) -> list[Finding]:
    """Trajectories with the same states and actions as an earlier one."""
    first, number = _alike(demos)
    again = first[number] != np.arange(number.size)
    if not again.any():
        return []
    copies = again & (_expected_repeats(demos) < _UNLIKELY)
    severity, told = (Severity.WARNING, copies) if copies.any() else (Severity.NOTE, again)
    values = {"again": int(again.sum()), "trajectories": again.size}
    rows = _first_rows(demos, told)
    return [Finding(severity, About.REPEATED, int(told.sum()), rows, values)]


def _overlaps(demos: Demonstrations) -> list[Finding]:
    """Runs of many decisions that stand in two trajectories."""
    starts, shared = _shared_runs(demos)
    if not starts.size:
        return []
    own = demos.trajectory_of[starts]
    first, number = _alike(demos)
    fresh = ~np.isin(own, np.flatnonzero(first[number] != np.arange(number.size)))
    pieces = np.unique(own[shared & fresh])
    whole = np.unique(number[pieces])
    if whole.size < 2:  # only exact duplicates, which are told elsewhere
        return []
    rows = tuple(demos.row(int(i)) for i in starts[shared & fresh][:MOST_ROWS])
    return [Finding(Severity.WARNING, About.OVERLAPPING, pieces.size, rows, {"run": RUN})]


def _leaks(both: Demonstrations, testing: Bool[np.ndarray, " T"]) -> list[Finding]:
    """Test trajectories that repeat training ones, whole or in a long run."""
    _, number = _alike(both)
    repeated = testing & np.isin(number, number[~testing])
    copies = repeated & (_expected_repeats(both) < _UNLIKELY)
    starts, _ = _shared_runs(both)
    partly = np.zeros_like(testing)
    if starts.size:
        keys = _run_keys(both)[starts]
        test_run = testing[both.trajectory_of[starts]]
        leaking = test_run & np.isin(keys, keys[~test_run])
        partly[both.trajectory_of[starts[leaking]]] = True
    found, severity = copies | partly, Severity.WARNING
    if not found.any():
        found, severity = repeated, Severity.NOTE
    if not found.any():
        return []
    values = {"testing": int(testing.sum()), "run": RUN}
    rows = _first_rows(both, found)
    return [Finding(severity, About.LEAKING, int(found.sum()), rows, values)]


def _cells(demos: Demonstrations) -> Int[np.ndarray, " N"]:
    """One number per world, state and action of each row."""
    cells = demos.states * (demos.num_actions + 1)
    cells += demos.actions
    cells += 1
    if "world" in demos.trajectories:
        each = (demos.num_states + 1) * (demos.num_actions + 1)
        cells += (demos.units("world") * each)[demos.trajectory_of]
    return cells


def _alike(demos: Demonstrations) -> tuple[Int[np.ndarray, " K"], Int[np.ndarray, " T"]]:
    """First trajectory of each kind of equal ones, and the kind of each trajectory."""
    cells = _cells(demos)
    seen: dict[bytes, int] = {}
    first, number = [], []
    for trajectory, (begin, end) in enumerate(
        zip(demos.starts[:-1], demos.starts[1:], strict=True)
    ):
        kind = seen.setdefault(cells[begin:end].tobytes(), len(first))
        if kind == len(first):
            first.append(trajectory)
        number.append(kind)
    return np.array(first), np.array(number)


def _expected_repeats(demos: Demonstrations) -> Float[np.ndarray, " T"]:
    """How many trajectories equal to each one chance would make.

    Chance draws the first state, actions given states and next states given both, from the shares
    in the table (0.5 added to the actions).
    """
    cells = _cells(demos)
    place = cells // (demos.num_actions + 1)
    at = lambda keys: np.unique(keys, return_inverse=True)[1]  # noqa: E731
    times = lambda keys: np.bincount(keys)[keys].astype(float)  # noqa: E731
    state, pair = at(place), at(cells)
    step = at(pair * (int(state.max()) + 1) + np.append(state[1:], 0))
    surprise = -np.log(
        (times(pair) + 0.5) / (times(state) + 0.5 * max(demos.num_actions, 1))
    ) - np.where(np.append(demos.continues[1:], False), np.log(times(step) / times(pair)), 0.0)
    begins = demos.starts[:-1]
    log_share = np.log(times(at(state[begins])) / begins.size)
    total = np.add.reduceat(surprise, begins)
    return demos.num_trajectories * np.exp(log_share - total)


def _run_keys(demos: Demonstrations) -> np.ndarray:
    """`[N]` hash of the RUN decisions from each row on, a polynomial modulo 2^64.

    Rows too near the end of their trajectory have hashes that mean nothing.
    """
    block = _cells(demos).view(np.uint64)
    block += np.uint64(1)
    block *= np.uint64(0x9E3779B97F4A7C15)
    block ^= block >> np.uint64(29)
    # The sum of base^j times the j-th decision: of 2 k decisions from two sums of k, so that RUN
    # decisions take as many steps as RUN has binary digits.
    keys = np.zeros_like(block)
    factor, power, length, offset = 0xBF58476D1CE4E5B9, 1, 1, 0
    while offset < RUN:
        if RUN & length:
            keys[: keys.size - offset] += np.uint64(power) * block[offset:]
            power = power * factor % 2**64
            offset += length
        block[:-length] += np.uint64(factor) * block[length:]
        factor = factor * factor % 2**64
        length *= 2
    return keys


def _shared_runs(demos: Demonstrations) -> tuple[Int[np.ndarray, " K"], Bool[np.ndarray, " K"]]:
    """Rows with RUN decisions from there on in one trajectory; whether another shares them."""
    left = np.repeat(demos.starts[1:], np.diff(demos.starts))
    left -= np.arange(left.size)
    rows = np.flatnonzero(left >= RUN)
    shared = np.zeros(rows.size, dtype=bool)
    if not rows.size:
        return rows, shared
    keys = _run_keys(demos)[rows]
    ordered = np.sort(keys)
    twice = np.unique(ordered[1:][ordered[1:] == ordered[:-1]])
    if not twice.size:
        return rows, shared
    kind = np.minimum(np.searchsorted(twice, keys), twice.size - 1)
    again = np.flatnonzero(twice[kind] == keys)
    kind, own = kind[again], demos.trajectory_of[rows[again]]
    lowest = np.full(twice.size, demos.num_trajectories)
    highest = np.full(twice.size, -1)
    np.minimum.at(lowest, kind, own)
    np.maximum.at(highest, kind, own)
    shared[again] = (lowest != highest)[kind]
    return rows, shared


def _first_rows(demos: Demonstrations, mask: Bool[np.ndarray, " T"]) -> tuple[int, ...]:
    """Rows of the source with which the first few of the trajectories begin."""
    return tuple(demos.row(int(i)) for i in demos.starts[:-1][mask][:MOST_ROWS])
