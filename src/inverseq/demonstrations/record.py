"""What was observed: trajectories of decisions, ragged, on flat axes."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from jaxtyping import Bool, Int, Shaped

from inverseq._core.arrays import frozen_array, require_shape
from inverseq._core.display import Fact, Shown, data_frame
from inverseq._core.errors import InputError
from inverseq._core.perhaps import Perhaps
from inverseq.demonstrations.arrays import (
    read_actions,
    read_columns,
    read_states,
    require_lengths,
)
from inverseq.demonstrations.columns import all_columns, facts, first_rows
from inverseq.demonstrations.endings import Ending
from inverseq.demonstrations.existing import after, read_allowed, require_numbers
from inverseq.demonstrations.following import NextStates, finite_rows, led_to
from inverseq.demonstrations.grouping import held_out, shuffled, unit_numbers
from inverseq.demonstrations.rows import in_time_order
from inverseq.demonstrations.spaces import Box, Finite, number_of, require_names

_NOTHING: Mapping[str, Any] = {}
_INSTEAD = {
    "starts": "trajectory=[...], the label of the trajectory of each row",
    "endings": "terminated=[...] and gap=[...]",
    "following": "next_states=[...]",
}
"""Fields of the record that `from_arrays` makes, and what it makes them from."""


@dataclass(frozen=True, eq=False, init=False)
class Demonstrations(Shown):
    """Trajectories of states and actions, one row per decision, N rows in T trajectories.

    It is made from `states, actions, next_states, endings, starts` and the fields below. Next
    states are kept only where the following row does not give them, so also in a copy with others.

    Attributes:
        states: `[N]` whole numbers for a finite world, or features `[N, ...]` in the type given.
        actions: `[N]` whole numbers, -1 where the action is missing; or, where actions are
            continuous, `[N, D]` fractions, NaN where missing.
        endings: `[N]` what comes after each row, as `Ending`.
        starts: `[T + 1]` rows `starts[i]` to `starts[i + 1] - 1` are trajectory i.
        following: The next states as they are kept; read them as `next_states`.
        time: `[N]` seconds or any unit of the table, or None.
        rows: `[N]` row of the source (1 is the first), for messages, or None.
        decisions: Further columns per decision, each `[N]`.
        trajectories: Columns per trajectory, each `[T]`: "subject", "session", "world", anything.
        state_names: Names of the states; empty where they are numbers or features.
        action_names: Names of the actions; empty where they are numbers or continuous.
        feature_names: `[D]` names of the components of states `[N, D]`, or empty.
        action_feature_names: `[D]` names of the components of actions `[N, D]`, or empty.
        allowed: `[N, A]` which actions exist at each decision, where states are features; None
            where all do. Where states are numbers, the world says it.
        source: Where the rows came from, for messages and the report.

    Raises:
        InputError: Lengths disagree, a number is negative where it may not be, an action was taken
            that does not exist, or there are no rows; the message names the row.
    """

    states: Shaped[np.ndarray, "N *features"]
    actions: Shaped[np.ndarray, "N *components"]
    endings: Int[np.ndarray, " N"]
    starts: Int[np.ndarray, " T1"]
    following: NextStates
    time: Perhaps[Shaped[np.ndarray, " N"]]
    rows: Perhaps[Int[np.ndarray, " N"]]
    decisions: Mapping[str, np.ndarray]
    trajectories: Mapping[str, np.ndarray]
    state_names: tuple[str, ...]
    action_names: tuple[str, ...]
    feature_names: tuple[str, ...]
    action_feature_names: tuple[str, ...]
    allowed: Perhaps[Bool[np.ndarray, "N A"]]
    source: str

    def __init__(
        self,
        states: Any,
        actions: Any,
        next_states: Any = None,
        endings: Any = (),
        starts: Any = (),
        time: Any = None,
        rows: Any = None,
        decisions: Any = _NOTHING,
        trajectories: Any = _NOTHING,
        state_names: Any = (),
        action_names: Any = (),
        source: str = "arrays",
        *,
        feature_names: Any = (),
        action_feature_names: Any = (),
        following: NextStates | None = None,
        allowed: Any = None,
    ) -> None:
        put = lambda name, value: object.__setattr__(self, name, value)  # noqa: E731
        put("source", str(source))
        put("states", read_states(states))
        put("actions", read_actions(actions))
        put("endings", frozen_array(endings, np.int8, "endings"))
        put("starts", frozen_array(starts, np.int64, "starts"))
        put("rows", None if rows is None else frozen_array(rows, np.int64, "rows"))
        put("time", None if time is None else frozen_array(time, np.float64, "time"))
        put("decisions", read_columns(decisions, "decisions"))
        put("trajectories", read_columns(trajectories, "trajectories"))
        for name, values in (
            ("state_names", state_names),
            ("action_names", action_names),
            ("feature_names", feature_names),
            ("action_feature_names", action_feature_names),
        ):
            put(name, tuple(map(str, values)))
        if not self.actions.size:
            raise InputError(f"{self.source} holds no decisions")
        per_row = {name: getattr(self, name) for name in ("states", "endings", "time", "rows")}
        require_lengths(self.actions, per_row, self.starts, self.decisions, self.trajectories)
        require_names("state", self.states, self.state_names, self.feature_names)
        require_names("action", self.actions, self.action_names, self.action_feature_names)
        put("following", led_to(self.states, self.starts, next_states, following))
        require_numbers(self.states, self.actions, self.following, self.row)
        mask = read_allowed(allowed, self.states, self.actions, self.action_names, self.row)
        put("allowed", mask)

    @classmethod
    def from_arrays(
        cls,
        states: Any,
        actions: Any,
        *,
        next_states: Any = None,
        trajectory: Any = None,
        terminated: Any = None,
        gap: Any = None,
        **fields: Any,
    ) -> "Demonstrations":
        """Demonstrations from equally long arrays in time order.

        Args:
            states: `[N]` whole numbers or `[N, ...]` features.
            actions: `[N]` whole numbers, -1 for missing; or `[N, D]` continuous, NaN for missing.
            next_states: `[N]` or None: the next row's state, unknown at the end of a trajectory.
                Where it disagrees with the next row of the same trajectory, the recording has a
                gap there.
            trajectory: `[N]` label of the trajectory of each row (equal labels must be adjacent),
                or None for one trajectory.
            terminated: `[N]` bool, whether the world ended the trajectory after the row.
            gap: `[N]` bool, whether the recording has a hole after the row.
            **fields: Any further field of `Demonstrations`.

        Raises:
            InputError: As for `Demonstrations`.
        """
        for name, instead in _INSTEAD.items():
            if name in fields:
                raise InputError(f"from_arrays takes no {name}; give {instead}")
        columns = read_columns(fields.pop("trajectories", _NOTHING), "trajectories")
        rows, labels = in_time_order(states, actions, next_states, trajectory, terminated, gap)
        if trajectory is not None:
            columns.setdefault("trajectory", labels)
        return cls(trajectories=columns, **rows, **fields)

    @property
    def num_decisions(self) -> int:
        """N, rows with and without a known action."""
        return len(self.actions)

    @property
    def num_trajectories(self) -> int:
        """T."""
        return len(self.starts) - 1

    @property
    def next_states(self) -> Shaped[np.ndarray, "N *features"]:
        """Where each decision led, like `states`: -1, NaN or (in boxes of whole numbers) 0 where
        unknown. A new array, made from the following rows, each time it is asked for.
        """
        return self.following.beside(self.states)

    @property
    def next_known(self) -> Bool[np.ndarray, " N"]:
        """Whether it is known where each decision led."""
        return self.following.known

    @property
    def next_allowed(self) -> Bool[np.ndarray, "N A"] | None:
        """Which actions exist where each decision led: those of the following row, all of them
        where that is not where it led. A new array, as `next_states`; None where all exist.
        """
        return after(self.allowed, self.following)

    @property
    def acted(self) -> Bool[np.ndarray, " N"]:
        """Whether the action of each row is known."""
        return self.actions >= 0 if self.actions.ndim == 1 else finite_rows(self.actions)

    @cached_property
    def state_space(self) -> Finite | Box:
        """What states are."""
        if self.states.ndim > 1:
            return Box(self.states.shape[1:], str(self.states.dtype), self.feature_names)
        names = self.state_names
        seen = max(self.states.max(initial=-1), self.following.states.max(initial=-1))
        return Finite(len(names) or int(seen) + 1, names)

    @cached_property
    def action_space(self) -> Finite | Box:
        """What actions are."""
        if self.actions.ndim > 1:
            names = self.action_feature_names
            return Box(self.actions.shape[1:], str(self.actions.dtype), names)
        names = self.action_names
        known = len(names) if self.allowed is None else self.allowed.shape[1]
        return Finite(known or int(self.actions.max(initial=-1)) + 1, names)

    @property
    def num_states(self) -> int:
        """Number of states: of their names, or one more than the largest number seen.

        Raises:
            InputError: States are features.
        """
        return number_of(self.state_space, "states")

    @property
    def num_actions(self) -> int:
        """Number of actions: of their names, or one more than the largest number seen.

        Raises:
            InputError: Actions are continuous.
        """
        return number_of(self.action_space, "actions")

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
        arrays = [self.states, self.actions, self.states, self.starts]
        if self.states.ndim > 1 and self.states.dtype.kind != "f":
            arrays.append(self.next_known)
        if self.allowed is not None:
            arrays.append(self.allowed)
        for place, array in enumerate(arrays):
            digest.update(repr((array.shape, str(array.dtype))).encode())
            pieces = self.following.pieces(array) if place == 2 else (array,)  # next states
            for piece in pieces:
                digest.update(piece.reshape(-1).data)
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
            following=self.following.take(index),
            allowed=at(self.allowed),
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
        return unit_numbers(self.trajectories, self.num_trajectories, by)

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
        apart = held_out(self.units(by), test, by, seed)
        return self.take(~apart), self.take(apart)

    def fold(
        self, k: int, by: str = "trajectory", seed: int = 0
    ) -> Iterator[tuple["Demonstrations", "Demonstrations"]]:
        """`k` pairs (train, test); every unit is in exactly one test part.

        Raises:
            InputError: There are fewer units than folds.
        """
        fold = shuffled(self.units(by), by, seed)
        if not 2 <= k <= int(fold.max()) + 1:
            raise InputError(
                f"{k} folds by {by} need 2 or more folds and as many units; there are "
                f"{int(fold.max()) + 1}"
            )
        for number in range(k):
            yield self.take(fold % k != number), self.take(fold % k == number)

    def to_pandas(self) -> Any:
        """A pandas data frame with one row per decision, names in place of numbers.

        Raises:
            InputError: pandas is not installed, or a column has the name of another.
        """
        return data_frame(all_columns(self))

    def _facts(self) -> Iterable[Fact]:
        return facts(self)

    def _head(self) -> Sequence[Mapping[str, Any]]:
        return first_rows(self)
