"""What was observed: trajectories of decisions, ragged, on flat axes."""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import IntEnum
from functools import cached_property
from typing import Any

import numpy as np
from jaxtyping import Bool, Int, Shaped

from inverseq._core.arrays import frozen_array, require_shape
from inverseq._core.errors import InputError


class Ending(IntEnum):
    """What comes after a row. Four different facts."""

    CONTINUES = 0
    """The next row of the trajectory is the next decision."""
    TERMINATED = 1
    """The world ended the trajectory."""
    TRUNCATED = 2
    """A limit, or the end of the table, ended the trajectory."""
    GAP = 3
    """The recording has a hole: the next row does not go on from this one."""


@dataclass(frozen=True, eq=False)
class Demonstrations:
    """Trajectories of states and actions, one row per decision, N rows in T trajectories.

    Attributes:
        states: `[N]` whole numbers for a finite world, or features `[N, ...]`.
        actions: `[N]` whole numbers; -1 where the action is missing.
        next_states: Like `states`; -1 (or NaN) where unknown.
        endings: `[N]` what comes after each row, as `Ending`.
        starts: `[T + 1]` rows `starts[i]` to `starts[i + 1] - 1` are trajectory i.
        time: `[N]` seconds or any unit of the table, or None.
        rows: `[N]` row of the source (1 is the first), for messages, or None.
        decisions: Further columns per decision, each `[N]`.
        trajectories: Columns per trajectory, each `[T]`: "subject", "session", "world", anything.
        state_names: Names of the states; empty where they are numbers.
        action_names: Names of the actions; empty where they are numbers.
        source: Where the rows came from, for messages and the report.

    Raises:
        InputError: Lengths disagree, a number is negative where it may not be, or there are no
            rows; the message names the row.
    """

    states: Shaped[np.ndarray, "N *features"]
    actions: Int[np.ndarray, " N"]
    next_states: Shaped[np.ndarray, "N *features"]
    endings: Int[np.ndarray, " N"]
    starts: Int[np.ndarray, " T1"]
    time: Shaped[np.ndarray, " N"] | None = None
    rows: Int[np.ndarray, " N"] | None = None
    decisions: Mapping[str, np.ndarray] = field(default_factory=dict)
    trajectories: Mapping[str, np.ndarray] = field(default_factory=dict)
    state_names: tuple[str, ...] = ()
    action_names: tuple[str, ...] = ()
    source: str = "arrays"

    def __post_init__(self) -> None:
        put = lambda name, value: object.__setattr__(self, name, value)  # noqa: E731
        kind = np.int64 if np.asarray(self.states).ndim == 1 else np.float64
        for name in ("states", "next_states"):
            put(name, frozen_array(getattr(self, name), kind, name))
        put("actions", frozen_array(self.actions, np.int64, "actions"))
        put("endings", frozen_array(self.endings, np.int8, "endings"))
        put("starts", frozen_array(self.starts, np.int64, "starts"))
        if self.rows is not None:
            put("rows", frozen_array(self.rows, np.int64, "rows"))
        if self.time is not None:
            put("time", frozen_array(self.time, np.float64, "time"))
        put("decisions", _columns(self.decisions))
        put("trajectories", _columns(self.trajectories))
        for name in ("state_names", "action_names"):
            put(name, tuple(map(str, getattr(self, name))))
        _check_demonstrations(self)

    @classmethod
    def from_arrays(
        cls,
        states: Any,
        actions: Any,
        *,
        next_states: Any = None,
        trajectory: Any = None,
        terminated: Any = None,
        **fields: Any,
    ) -> "Demonstrations":
        """Demonstrations from equally long arrays in time order.

        Args:
            states: `[N]` whole numbers or `[N, ...]` features.
            actions: `[N]` whole numbers, -1 for missing.
            next_states: `[N]` or None: the next row's state, unknown at the end of a trajectory.
                Where it disagrees with the next row of the same trajectory, the recording has a
                gap there.
            trajectory: `[N]` label of the trajectory of each row (equal labels must be adjacent),
                or None for one trajectory.
            terminated: `[N]` bool, whether the world ended the trajectory after the row.
            **fields: Any further field of `Demonstrations`.

        Raises:
            InputError: As for `Demonstrations`.
        """
        kind = np.int64 if np.asarray(states).ndim == 1 else np.float64
        states = frozen_array(states, kind, "states")
        size = len(states)
        actions = frozen_array(actions, np.int64, "actions")
        require_shape(actions, (size,), "actions", "N")
        labels = np.zeros(size, np.int64) if trajectory is None else np.asarray(trajectory)
        require_shape(labels, (size,), "trajectory", "N")
        begins = np.ones(size, dtype=bool)
        begins[1:] = labels[1:] != labels[:-1]
        starts = np.append(np.flatnonzero(begins), size)
        if np.unique(labels).size != starts.size - 1:
            raise InputError(
                "rows of a trajectory must be adjacent; sort the table by trajectory and time"
            )
        last = np.append(begins[1:], True)[:size]
        ended = np.zeros(size, bool) if terminated is None else np.asarray(terminated, dtype=bool)
        require_shape(ended, (size,), "terminated", "N")
        following, gap = _next_states(states, last | ended, next_states)
        endings = np.where(gap, Ending.GAP, Ending.CONTINUES)
        endings[last] = Ending.TRUNCATED
        endings[ended] = Ending.TERMINATED
        known = {k: np.asarray(v) for k, v in fields.pop("trajectories", {}).items()}
        if trajectory is not None:
            known.setdefault("trajectory", labels[starts[:-1]])
        return cls(states, actions, following, endings, starts, trajectories=known, **fields)

    @property
    def num_decisions(self) -> int:
        """N, rows with and without a known action."""
        return len(self.actions)

    @property
    def num_trajectories(self) -> int:
        """T."""
        return len(self.starts) - 1

    @property
    def num_states(self) -> int:
        """Number of states: of their names, or one more than the largest number seen."""
        if self.state_names:
            return len(self.state_names)
        return int(max(self.states.max(initial=-1), self.next_states.max(initial=-1))) + 1

    @property
    def num_actions(self) -> int:
        """Number of actions: of their names, or one more than the largest number seen."""
        return len(self.action_names) or int(self.actions.max(initial=-1)) + 1

    @property
    def acted(self) -> Bool[np.ndarray, " N"]:
        """Whether the action of each row is known."""
        return self.actions >= 0

    @property
    def terminated(self) -> Bool[np.ndarray, " N"]:
        """Whether the world ended the trajectory after each row."""
        return self.endings == Ending.TERMINATED

    @cached_property
    def trajectory_of(self) -> Int[np.ndarray, " N"]:
        """Trajectory of each row."""
        return np.repeat(np.arange(self.num_trajectories), np.diff(self.starts))

    @cached_property
    def step(self) -> Int[np.ndarray, " N"]:
        """Position of each row in its trajectory, from 0."""
        return np.arange(self.num_decisions) - self.starts[self.trajectory_of]

    @cached_property
    def continues(self) -> Bool[np.ndarray, " N"]:
        """Whether each row goes on from the row before it."""
        before = np.append([int(Ending.TRUNCATED)], self.endings[:-1])
        return before == Ending.CONTINUES

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of states, actions, next states and trajectory bounds, for the report."""
        digest = hashlib.sha256()
        for array in (self.states, self.actions, self.next_states, self.starts):
            digest.update(repr((array.shape, str(array.dtype))).encode())
            digest.update(array.tobytes())
        return digest.hexdigest()

    def row(self, index: int) -> int:
        """Row of the source (1 is the first) that decision `index` came from, for messages."""
        return int(index) + 1 if self.rows is None else int(self.rows[index])

    def take(self, chosen: Any) -> "Demonstrations":
        """The trajectories that `chosen` (a mask `[T]` or numbers of trajectories) picks, in order.

        Raises:
            InputError: Nothing is picked, there is no such trajectory, or the mask is too short.
        """
        picked = np.asarray(chosen)
        if picked.dtype == bool:
            require_shape(picked, (self.num_trajectories,), "chosen", "T")
            picked = np.flatnonzero(picked)
        picked = frozen_array(picked, np.int64, "chosen")
        if ((picked < 0) | (picked >= self.num_trajectories)).any():
            raise InputError(
                f"trajectories are numbered 0 to {self.num_trajectories - 1}; got {picked.tolist()}"
            )
        lengths = np.diff(self.starts)[picked]
        starts = np.concatenate([[0], np.cumsum(lengths)])
        index = np.repeat(self.starts[picked] - starts[:-1], lengths) + np.arange(starts[-1])
        at = lambda array: None if array is None else array[index]  # noqa: E731
        return replace(
            self,
            states=self.states[index],
            actions=self.actions[index],
            next_states=self.next_states[index],
            endings=self.endings[index],
            starts=starts,
            time=at(self.time),
            rows=at(np.arange(1, self.num_decisions + 1) if self.rows is None else self.rows),
            decisions={k: v[index] for k, v in self.decisions.items()},
            trajectories={k: v[picked] for k, v in self.trajectories.items()},
        )

    def select(self, **values: Any) -> "Demonstrations":
        """The trajectories whose columns equal `values`; a list means any of them.

        Raises:
            InputError: A column does not exist, or nothing matches.
        """
        mask = np.ones(self.num_trajectories, dtype=bool)
        for name, wanted in values.items():
            column = self.trajectories.get(name)
            if column is None:
                raise InputError(f"no trajectory column {name!r}; there are {[*self.trajectories]}")
            several = isinstance(wanted, list | tuple | set | range | np.ndarray)
            wanted = list(wanted) if several else [wanted]
            # As text where one side is: a text cut or a number rounded to fit would match wrongly.
            text = column.dtype.kind == "U" or any(isinstance(w, str) for w in wanted)
            asked = [str(w) for w in wanted] if text else wanted
            mask &= np.isin(column.astype(str) if text else column, np.array(asked))
        if not mask.any():
            raise InputError(f"no trajectory has {values}")
        return self.take(mask)

    def units(self, by: str = "trajectory") -> Int[np.ndarray, " T"]:
        """Number of the unit (trajectory, session, subject, any column) of each trajectory.

        Raises:
            InputError: There is no such column.
        """
        if by == "trajectory":
            return np.arange(self.num_trajectories)
        # Sessions of two subjects may carry the same number: a session belongs to its subject.
        nested = by == "session" and "subject" in self.trajectories
        columns = ["subject", by] if nested else [by]
        missing = [c for c in columns if c not in self.trajectories]
        if missing:
            raise InputError(
                f"cannot group by {by}: no such column; there are trajectory and "
                f"{[*self.trajectories]}"
            )
        parts = zip(*(self.trajectories[c] for c in columns), strict=True)
        keys = np.array(["\x1f".join(map(str, part)) for part in parts])
        return np.unique(keys, return_inverse=True)[1]

    def split(
        self, test: float, by: str = "trajectory", seed: int = 0
    ) -> tuple["Demonstrations", "Demonstrations"]:
        """Two parts (train, test) that share no unit.

        Args:
            test: Share of the units in the second part, in (0, 1); at least one, never all.
            by: "trajectory", "session", "subject" or any trajectory column.
            seed: Which random choice.

        Raises:
            InputError: There are fewer than two units.
        """
        if not 0 < test < 1:
            raise InputError(f"test must be a share between 0 and 1; got {test}")
        fold = self._shuffled(by, seed)
        count = int(fold.max()) + 1
        cut = min(max(round(test * count), 1), count - 1)
        return self.take(fold >= cut), self.take(fold < cut)

    def fold(
        self, k: int, by: str = "trajectory", seed: int = 0
    ) -> Iterator[tuple["Demonstrations", "Demonstrations"]]:
        """`k` pairs (train, test); every unit is in exactly one test part.

        Raises:
            InputError: There are fewer units than folds.
        """
        fold = self._shuffled(by, seed)
        if not 2 <= k <= int(fold.max()) + 1:
            raise InputError(
                f"{k} folds by {by} need 2 or more folds and as many units; there are "
                f"{int(fold.max()) + 1}"
            )
        for number in range(k):
            yield self.take(fold % k != number), self.take(fold % k == number)

    def _shuffled(self, by: str, seed: int) -> Int[np.ndarray, " T"]:
        """A random rank of each trajectory's unit."""
        units = self.units(by)
        count = int(units.max()) + 1
        if count < 2:
            raise InputError(
                f"there is only one {by}: nothing can be held out. Add trajectories, or group by "
                "something finer"
            )
        return np.random.default_rng(seed).permutation(count)[units]


def _columns(columns: Mapping[str, Any]) -> dict[str, np.ndarray]:
    """Read-only columns; texts become arrays of text, so that they can be saved."""
    made = {}
    for name, values in columns.items():
        array = np.asarray(values)
        if array.dtype.kind not in "biufU":
            array = np.array([str(v) for v in array])
        made[str(name)] = frozen_array(array, array.dtype, str(name))
    return made


def _next_states(
    states: np.ndarray, breaks: np.ndarray, given: Any
) -> tuple[np.ndarray, np.ndarray]:
    """Next state of each row, and whether the recording has a gap after it.

    Without a column the next row's state is taken; with one, a row whose next state is not the
    state of the next row ends before a gap.
    """
    unknown = -1 if states.dtype.kind == "i" else np.nan
    from_rows = np.full_like(states, unknown)
    from_rows[:-1] = states[1:]
    from_rows[breaks] = unknown
    if given is None:
        return from_rows, np.zeros(len(states), dtype=bool)
    following = frozen_array(given, states.dtype, "next_states").copy()
    require_shape(following, states.shape, "next_states", "N, ...")
    absent = following == -1 if states.dtype.kind == "i" else np.isnan(following)
    following = np.where(absent, from_rows, following)
    differs = following != from_rows
    if states.ndim > 1:
        differs = differs.reshape(len(states), -1).any(1)
    return following, differs & ~breaks


def _check_demonstrations(demos: Demonstrations) -> None:
    """Raise an `InputError` for arrays that do not make demonstrations."""
    size = len(demos.actions)
    if size == 0:
        raise InputError(f"{demos.source} holds no decisions")
    for name in ("states", "next_states", "endings", "time", "rows"):
        array = getattr(demos, name)
        if array is not None and len(array) != size:
            raise InputError(f"{name} has {len(array)} rows, actions {size}")
    if demos.starts[0] != 0 or demos.starts[-1] != size or (np.diff(demos.starts) <= 0).any():
        raise InputError("starts must rise from 0 to the number of rows; no trajectory is empty")
    low = demos.actions < -1
    if demos.states.ndim == 1:
        low |= (demos.states < 0) | (demos.next_states < -1)
    if low.any():
        row = int(np.argmax(low))
        raise InputError(
            f"row {demos.row(row)}: state {demos.states[row]}, action {demos.actions[row]}, next "
            f"state {demos.next_states[row]}: numbers start at 0 (-1 marks a missing action or an "
            "unknown next state)"
        )
    for columns, length in ((demos.decisions, size), (demos.trajectories, len(demos.starts) - 1)):
        for name, values in columns.items():
            if len(values) != length:
                raise InputError(f"column {name!r} has {len(values)} entries, expected {length}")
