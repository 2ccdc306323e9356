"""Smoothing of a count table chosen by leaving out one unit after the other, all in one pass."""

from dataclasses import dataclass, fields

import numpy as np
from jaxtyping import Bool, Float, Int
from scipy.optimize import minimize

from inverseq._core.arrays import numbered
from inverseq._core.errors import InputError
from inverseq._core.iterate import fixed_point
from inverseq._core.status import Outcome, Status
from inverseq.decisions.alignment import align
from inverseq.decisions.counts import decision_weights
from inverseq.demonstrations.existing import existing
from inverseq.inverse.problem import Problem
from inverseq.policies.backoff import shared

_LOG_SMOOTHING = (-7.0, 9.0)
"""Bounds of the logarithm of a smoothing: from none to so much that counts say nothing."""
_MAX_STEPS = 200
_MOST_ASKED = 250_000
"""Decisions beyond which a smoothing is chosen on a part of the units (counts are of all)."""
_FEWEST_UNITS = 100
"""Units that such a part has at least."""
_LARGEST = int(np.iinfo(np.int64).max)


@dataclass(frozen=True, eq=False)
class Rows:
    """Weighted decisions and the pasts they followed.

    Attributes:
        columns: `[N, columns]` pasts, present state first.
        actions: `[N]` actions taken.
        weights: `[N]` their weights, above 0.
        units: `[N]` number of the unit (trajectory, session, subject) of each.
        exists: `[N, A]` the actions that exist at the present state.
    """

    columns: Int[np.ndarray, "N columns"]
    actions: Int[np.ndarray, " N"]
    weights: Float[np.ndarray, " N"]
    units: Int[np.ndarray, " N"]
    exists: Bool[np.ndarray, "N A"]

    def take(self, chosen: Bool[np.ndarray, " N"]) -> "Rows":
        """Some of the decisions."""
        return Rows(*(getattr(self, field.name)[chosen] for field in fields(self)))


def usable_rows(
    problem: Problem, columns: Int[np.ndarray, "N columns"], by: str
) -> tuple[Rows, Int[np.ndarray, " kept"]]:
    """The decisions with a known action and a weight above 0, and their numbers.

    Args:
        problem: With N decisions.
        columns: What each of them followed.
        by: What a unit is: "trajectory", "session", "subject" or any trajectory column.

    Raises:
        InputError: A decision does not fit the world, or none is left.
    """
    data, mdp = problem.decisions, problem.given_mdp
    if mdp is None:
        exists = existing(data, data.num_actions)
    else:
        _ = problem.counts  # says which row does not fit
        exists = mdp.allowed[align(data, mdp)]
    weights = decision_weights(problem.weights, data.num_decisions)
    kept = np.flatnonzero(data.acted & (weights > 0))
    if not kept.size:
        raise InputError("no decision has a known action and a weight above 0; nothing to count")
    units = data.units(by)[data.trajectory_of[kept]]
    at = kept if kept.size < weights.size else slice(None)  # no copies where all are kept
    return Rows(columns[at], data.actions[at], weights[at], units, exists[at]), kept


def tabulate(groups: Int[np.ndarray, " N"], rows: Rows) -> Float[np.ndarray, "M A"]:
    """Weight of each action in each of the groups of rows, which are numbered from 0."""
    num_actions = rows.exists.shape[1]
    cells = np.bincount(groups * np.int64(num_actions) + rows.actions, weights=rows.weights)
    made = np.zeros((int(groups.max()) + 1) * num_actions)
    made[: cells.size] = cells
    return made.reshape(-1, num_actions)


def luce(rows: Rows, smoothing: float, left_out: bool = False) -> Float[np.ndarray, "units A"]:
    """The w of p(a) proportional to w(a) among the actions that exist: maximum likelihood.

    Found by the minorise-maximise iteration of Hunter (2004), "MM algorithms for generalized
    Bradley-Terry models", equation 8; where all actions exist its first step is the answer.

    Args:
        rows: The decisions.
        smoothing: Decisions for each action added as if all actions had existed there.
        left_out: Give one row per unit, estimated from all other units.

    Returns:
        `[1, A]`, or `[units, A]` where `left_out`; rows sum to one.
    """
    if rows.exists.all():  # the usual case
        sets, kind = rows.exists[:1], np.zeros(rows.actions.size, dtype=np.int64)
    else:
        # Eight actions to a number: sorting whole rows takes longer than all else here.
        first, kind = _distinct(*np.packbits(rows.exists, axis=1).T.astype(np.int64))
        sets = rows.exists[first]
    chosen = np.bincount(rows.actions, weights=rows.weights, minlength=sets.shape[1])[None]
    visits = np.bincount(kind, weights=rows.weights, minlength=len(sets))[None]
    if left_out:
        chosen = np.maximum(chosen - tabulate(rows.units, rows), 0.0)
        cells = rows.units * len(sets) + kind
        own = np.bincount(cells, rows.weights, len(chosen) * len(sets)).reshape(-1, len(sets))
        visits = np.maximum(visits - own, 0.0)
    everywhere = np.ones((1, sets.shape[1]))
    members = np.concatenate([sets, everywhere])
    visits = np.concatenate([visits, np.full((len(visits), 1), smoothing * sets.shape[1])], axis=1)
    chosen = chosen + smoothing

    def step(share: np.ndarray) -> np.ndarray:
        within = share @ members.T
        rate = np.divide(visits, within, out=np.zeros_like(visits), where=within > 0) @ members
        share = np.divide(chosen, rate, out=np.zeros_like(share), where=rate > 0)
        return shared(share, np.ones_like(share, dtype=bool))

    start = np.full(chosen.shape, 1.0 / sets.shape[1])
    return fixed_point(step, start, tolerance=1e-12, max_steps=1000)[0]


@dataclass(frozen=True, eq=False)
class LeaveOut:
    """What the other units say about each decision that is not forced.

    Attributes:
        weights: `[N]` weight of the decision.
        actions: `[N]` number of actions that exist there.
        lowest: `[N]` probability of the action taken at the level below the first.
        chosen: `[levels, N]` weight of the action taken after the same past in other units.
        total: `[levels, N]` weight of all actions after the same past in other units.
    """

    weights: Float[np.ndarray, " N"]
    actions: Float[np.ndarray, " N"]
    lowest: Float[np.ndarray, " N"]
    chosen: Float[np.ndarray, "levels N"]
    total: Float[np.ndarray, "levels N"]


def leave_out(
    rows: Rows, levels: Int[np.ndarray, "N levels"], lowest: Float[np.ndarray, "units A"]
) -> LeaveOut:
    """Counts of the other units after the pasts of each decision.

    Args:
        rows: The decisions.
        levels: `[N, levels]` number of the past of each decision at each level, shortest first;
            a longer past determines the shorter ones and the actions that exist.
        lowest: `[units, A]` shares of the actions below the first level, from other units.
    """
    counted = [tabulate(level, rows) for level in levels.T]
    asked = _asked(rows.units)
    if asked is not None:
        rows, levels = rows.take(asked), levels[asked]
    free = rows.exists.sum(axis=1) > 1
    first, where = _distinct(rows.units, levels[:, -1], rows.actions)
    weights = np.bincount(where, weights=rows.weights)
    keep = free[first]
    unit, action, exists = rows.units[first], rows.actions[first], rows.exists[first]
    chosen, total = [], []
    for level, counts in zip(levels.T, counted, strict=True):
        past = level[first]
        group = _distinct(unit, past)[1]
        cell = _distinct(group, action)[1]
        own = np.bincount(group, weights=weights)[group]
        own_chosen = np.bincount(cell, weights=weights)[cell]
        chosen.append(np.maximum(counts[past, action] - own_chosen, 0.0)[keep])
        total.append(np.maximum(counts.sum(axis=1)[past] - own, 0.0)[keep])
    below = shared(lowest[unit], exists)[np.arange(len(unit)), action]
    return LeaveOut(
        weights[keep],
        exists.sum(axis=1)[keep].astype(float),
        below[keep],
        np.array(chosen),
        np.array(total),
    )


def _asked(units: Int[np.ndarray, " N"]) -> Bool[np.ndarray, " N"] | None:
    """The decisions that are foretold: of every k-th unit where there are very many, else all."""
    step = min(units.size // _MOST_ASKED, (int(units.max()) + 1) // _FEWEST_UNITS)
    return units % step == 0 if step > 1 else None


def choose_smoothing(
    data: LeaveOut, backoff: bool
) -> tuple[Float[np.ndarray, "levels 2"], Status, Float[np.ndarray, " steps"]]:
    """The smoothing under which the left-out decisions are most likely.

    Args:
        data: What the other units say.
        backoff: Whether a past may lean on the next shorter one; else on equal shares alone.

    Returns:
        `[levels, 2]` worth of the shorter past and of equal shares at each level, in decisions per
        action that exists; how the search ended; and the mean log-likelihood after each step.
    """
    levels = len(data.chosen)
    columns = slice(0, 2) if backoff else slice(1, 2)
    made = np.zeros((levels, 2))
    size = made[:, columns].size
    if not data.weights.size:  # every decision was forced: any smoothing predicts the same
        made[:, columns] = 1.0
        return made, Status(Outcome.CONVERGED), np.zeros(0)
    trace: list[float] = []
    latest = [np.nan]

    def loss(logs: np.ndarray) -> tuple[float, np.ndarray]:
        made[:, columns] = np.exp(logs).reshape(levels, -1)
        value, gradient = held_out_likelihood(data, made)
        latest[0] = value
        return -value, -gradient[:, columns].ravel()

    found = minimize(
        loss,
        np.zeros(size),
        jac=True,
        method="L-BFGS-B",
        bounds=[_LOG_SMOOTHING] * size,
        options={"maxiter": _MAX_STEPS},
        callback=lambda _: trace.append(latest[0]),
    )
    made[:, columns] = np.exp(found.x).reshape(levels, -1)
    # A line search that ends for lack of precision has found the optimum as well as it can be.
    outcome = Outcome.LIMIT if found.nit >= _MAX_STEPS else Outcome.CONVERGED
    residual = float(np.abs(found.jac).max())
    message = "" if outcome is Outcome.CONVERGED else "the smoothing is not settled; give one"
    return made, Status(outcome, int(found.nit), residual, message), np.array(trace)


def held_out_likelihood(
    data: LeaveOut, smoothing: Float[np.ndarray, "levels 2"]
) -> tuple[float, Float[np.ndarray, "levels 2"]]:
    """Mean log-likelihood of left-out decisions, and its slope in the logarithm of `smoothing`."""
    probability = data.lowest
    passed = []
    for (shorter, even), chosen, total in zip(smoothing, data.chosen, data.total, strict=True):
        denominator = total + data.actions * (shorter + even)
        lean = data.actions * shorter / denominator
        mixed = (chosen + even) / denominator + lean * probability
        in_shorter = lean * (probability - mixed)
        in_even = even * (1.0 - data.actions * mixed) / denominator
        passed.append((lean, in_shorter, in_even))
        probability = mixed
    share = data.weights / data.weights.sum()
    gradient = []
    slope = share / probability
    for lean, in_shorter, in_even in reversed(passed):
        gradient.append((slope @ in_shorter, slope @ in_even))
        slope = slope * lean
    return float(share @ np.log(probability)), np.array(gradient[::-1])


def _distinct(*labels: Int[np.ndarray, " N"]) -> tuple[np.ndarray, np.ndarray]:
    """First row and number of each distinct combination of labels, which count from 0."""
    key = np.zeros(labels[0].shape, dtype=np.int64)
    for label in labels:
        radix = int(label.max(initial=0)) + 1
        if int(key.max(initial=0)) >= _LARGEST // radix:
            key = numbered(key)[1]
        key = key * radix + label
    _, where = numbered(key)
    first = np.empty(int(where.max(initial=-1)) + 1, dtype=np.int64)
    first[where[::-1]] = np.arange(where.size)[::-1]
    return first, where
