"""Where decisions led, without holding the states of the following rows a second time."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Bool, Int, Shaped

from inverseq._core.arrays import freeze, frozen_array, require_shape
from inverseq._core.errors import InputError
from inverseq.demonstrations.arrays import plain_array

_BLOCK = 1 << 20  # numbers compared at once: no temporary as large as the states


@dataclass(frozen=True, eq=False)
class NextStates:
    """Next states of N decisions: that of the following row, but for K exceptions.

    Attributes:
        known: `[N]` whether it is known where the decision led.
        rows: `[K]` rows whose next state is not the state of the following row of their
            trajectory, in rising order: ends with a last observation, and gaps.
        states: `[K, ...]` these next states.
    """

    known: Bool[np.ndarray, " N"]
    rows: Int[np.ndarray, " K"]
    states: Shaped[np.ndarray, "K *features"]

    def __post_init__(self) -> None:
        freeze(self, bool, "known")
        freeze(self, np.int64, "rows")
        freeze(self, None, "states")

    def beside(self, states: Shaped[np.ndarray, "N *features"]) -> np.ndarray:
        """All next states as an array like `states`: -1, NaN or (in boxes of whole numbers) 0
        where they are unknown.
        """
        made = self._between(states, 0, len(states))
        made.setflags(write=False)
        return made

    def pieces(self, states: Shaped[np.ndarray, "N *features"]) -> Iterator[np.ndarray]:
        """What `beside` gives, some rows at a time, so that it is never held."""
        step = max(_BLOCK // max(states[:1].size, 1), 1)
        for first in range(0, len(states), step):
            yield self._between(states, first, min(first + step, len(states)))

    def _between(self, states: np.ndarray, first: int, end: int) -> np.ndarray:
        """All next states of the rows from `first` to before `end`."""
        made = np.empty_like(states[first:end])
        after = states[first + 1 : end + 1]
        made[: len(after)] = after
        made[~self.known[first:end]] = unknown(states)
        low, high = np.searchsorted(self.rows, (first, end))
        made[self.rows[low:high] - first] = self.states[low:high]
        return made

    def of(
        self, states: Shaped[np.ndarray, "N *features"], rows: Int[np.ndarray, " M"]
    ) -> Shaped[np.ndarray, "M *features"]:
        """Next states of some rows at which they are known, without those of the others."""
        made = states[np.minimum(rows + 1, len(states) - 1)]
        place = np.searchsorted(self.rows, rows)
        kept = np.append(self.rows, -1)[place] == rows
        made[kept] = self.states[place[kept]]
        return made

    def take(self, index: Int[np.ndarray, " M"]) -> "NextStates":
        """Those of the rows `index`, which are whole trajectories."""
        place = np.full(self.known.size, -1)
        place[self.rows] = np.arange(self.rows.size)
        rows = np.flatnonzero(place[index] >= 0)
        return NextStates(self.known[index], rows, self.states[place[index][rows]])

    def within(self, states: np.ndarray, starts: Int[np.ndarray, " T1"]) -> "NextStates":
        """The same for other states of the rows, or other bounds of trajectories.

        Raises:
            InputError: The states are more or fewer, or have another shape.
        """
        if self.known.size != len(states) or self.states.shape[1:] != states.shape[1:]:
            raise InputError(
                f"states have shape {[*states.shape]}, next states "
                f"{[self.known.size, *self.states.shape[1:]]}; give next_states like the states"
            )
        ends = starts[1:] - 1
        crossing = ends[self.known[ends] & ~np.isin(ends, self.rows)]
        rows = np.append(self.rows, crossing)
        order = np.argsort(rows)
        after = np.concatenate([self.states, states[crossing + 1]]).astype(states.dtype, copy=False)
        return NextStates(self.known, rows[order], after[order]) if crossing.size else self


def joined(parts: Sequence[NextStates]) -> NextStates:
    """Those of several demonstrations behind each other."""
    shifts = np.cumsum([0] + [part.known.size for part in parts])
    return NextStates(
        np.concatenate([part.known for part in parts]),
        np.concatenate([part.rows + shift for part, shift in zip(parts, shifts, strict=False)]),
        np.concatenate([part.states for part in parts]),
    )


def led_to(
    states: np.ndarray, starts: Int[np.ndarray, " T1"], given: Any, kept: NextStates | None
) -> NextStates:
    """Next states from an array that holds one for each row, or as they were kept.

    Args:
        states: `[N, ...]` states of the rows.
        starts: `[T + 1]` bounds of trajectories.
        given: `[N, ...]` next states, -1 or NaN where unknown; or None.
        kept: Those of other demonstrations with as many rows, where none are given.

    Raises:
        InputError: There is neither, shapes differ, or the type of the states cannot hold them.
    """
    if given is None and kept is not None:
        return kept.within(states, starts)
    if given is None:
        raise InputError(
            "next_states are missing; give them, or use Demonstrations.from_arrays, which takes "
            "them from the following rows. (A file of an earlier version does not hold them as "
            "this one reads them: read the table again.)"
        )
    following, absent = _read(states, given)
    last = np.zeros(len(states), dtype=bool)
    last[starts[1:] - 1] = True
    rows = np.flatnonzero(~absent & (last | _differs(states, following)))
    return NextStates(~absent, rows, following[rows])


def from_rows(
    states: np.ndarray,
    breaks: Bool[np.ndarray, " N"],
    last: Bool[np.ndarray, " N"],
    given: Any,
) -> tuple[NextStates, Bool[np.ndarray, " N"]]:
    """Next states from the following rows, or from an array where one is given.

    Args:
        states: `[N, ...]` states of the rows.
        breaks: `[N]` whether the row is not followed by the next one.
        last: `[N]` whether the row is the last of its trajectory.
        given: `[N, ...]` next states, -1 or NaN where the next row gives them; or None.

    Returns:
        The next states, and after which rows the recording turns out to have a gap: those whose
        next state is not the state of the next row.

    Raises:
        InputError: The shapes differ, or `given` does not fit the type of the states.
    """
    if given is None:
        return NextStates(~breaks, np.zeros(0, np.int64), states[:0]), np.zeros_like(breaks)
    following, absent = _read(states, given)
    differs = ~absent & _differs(states, following)
    rows = np.flatnonzero(differs | (last & ~absent))
    return NextStates(~absent | ~breaks, rows, following[rows]), differs & ~breaks


def unknown(states: np.ndarray) -> float:
    """What stands for an unknown state in an array like `states`."""
    if states.ndim == 1:
        return -1
    return np.nan if states.dtype.kind == "f" else 0


def finite_rows(values: np.ndarray) -> Bool[np.ndarray, " N"]:
    """Which rows of features hold nothing but finite numbers."""
    if values.dtype.kind != "f":
        return np.ones(len(values), dtype=bool)
    return np.asarray(np.isfinite(values).all(axis=tuple(range(1, values.ndim))))


def check_finite(demonstrations: Any) -> None:
    """Raise an `InputError` where a state holds a number that is not finite; it names the row."""
    finite = finite_rows(demonstrations.states)
    if not finite.all():
        row = demonstrations.row(int(np.argmin(finite)))
        raise InputError(f"row {row}: the state holds a number that is not finite")


def _read(states: np.ndarray, values: Any) -> tuple[np.ndarray, np.ndarray]:
    """Next states in the type of the states, and which rows are unknown in them."""
    given = plain_array(values, "next_states")
    require_shape(given, states.shape, "next_states", "N, ..." if states.ndim > 1 else "N")
    if states.ndim == 1:
        following = frozen_array(given, states.dtype, "next_states")
        return following, np.equal(following, -1)
    absent = ~finite_rows(given)
    if given.dtype.kind == "f" and states.dtype.kind != "f" and absent.any():
        wide = absent.reshape(-1, *[1] * (given.ndim - 1))
        given = np.where(wide, 0, given)
    return frozen_array(given, states.dtype, "next_states"), absent


def _differs(states: np.ndarray, following: np.ndarray) -> Bool[np.ndarray, " N"]:
    """Whether each next state is another than the state of the next row."""
    size = len(states)
    differs = np.ones(size, dtype=bool)
    axes = tuple(range(1, states.ndim))
    step = max(_BLOCK // max(states[:1].size, 1), 1)
    for first in range(0, size - 1, step):
        end = min(first + step, size - 1)
        differs[first:end] = (following[first:end] != states[first + 1 : end + 1]).any(axis=axes)
    return differs
