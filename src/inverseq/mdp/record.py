"""The finite Markov decision process as padded successor lists."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Int
from scipy import sparse

from inverseq._core.arrays import frozen_array, require_finite, require_shape
from inverseq._core.display import Fact, Shown
from inverseq._core.errors import InputError
from inverseq._core.linear import System, prepare
from inverseq.mdp import build
from inverseq.mdp.history import History, Memory, check_history, history_fields

_PROBABILITY_TOLERANCE = 1e-6


@dataclass(frozen=True, eq=False)
class Worlds:
    """Which states of a united MDP belong to which world.

    Attributes:
        names: Names of the W worlds.
        offsets: `[W + 1]` world w holds the states `offsets[w]` to `offsets[w + 1] - 1` (states
            without history, where the MDP has one).
    """

    names: tuple[str, ...]
    offsets: Int[np.ndarray, " W1"]

    def __post_init__(self) -> None:
        object.__setattr__(self, "offsets", frozen_array(self.offsets, np.int64, "offsets"))
        if len(set(self.names)) < len(self.names):
            raise InputError(f"two worlds have the same name: {list(self.names)}")


@dataclass(frozen=True, eq=False)
class MDP(Shown):
    """A finite Markov decision process: what a world is, and nothing about behaviour in it.

    S states, A actions, B successors of a state and action at most, F features, D coordinates.

    Attributes:
        successors: `[S, A, B]` next states; where `probabilities` is 0 the entry is padding.
        probabilities: `[S, A, B]` their probabilities; they sum to 1 for every allowed action of a
            state that is not terminal.
        discount: gamma, in [0, 1]; 1 only where a terminal state can be reached from every state.
        initial: `[S]` probabilities of the first state; uniform over states that are not terminal
            where left out.
        terminal: `[S]` the process ends after these states: their value is their reward, received
            once. None where left out.
        allowed: `[S, A]` the actions that exist at each state. All where left out.
        reward: `[S, A]` expected reward of taking an action, or None where it is unknown.
        features: `[S, A, F]` what a reward may depend on, or None.
        feature_names: Their names.
        coordinates: `[S, D]` where to draw each state, or None.
        state_names: Names of the states (of the states without history, where there is one).
        action_names: Names of the actions.
        history: What the states remember, or None.
        worlds: Which states belong to which world of a union, or None.
        notes: How the MDP came about, for the report (the smoothing of an estimate, for example).

    Raises:
        InputError: Shapes disagree, probabilities do not sum to one, a successor is outside the
            world, a number is not finite, or the discount does not fit.
    """

    successors: Int[np.ndarray, "S A B"]
    probabilities: Float[np.ndarray, "S A B"]
    discount: float
    # Left out means a default array, so that readers of the record never meet None here.
    initial: Float[np.ndarray, " S"] = None  # pyright: ignore[reportAssignmentType]
    terminal: Bool[np.ndarray, " S"] = None  # pyright: ignore[reportAssignmentType]
    allowed: Bool[np.ndarray, "S A"] = None  # pyright: ignore[reportAssignmentType]
    reward: Float[np.ndarray, "S A"] | None = None
    features: Float[np.ndarray, "S A F"] | None = None
    feature_names: tuple[str, ...] = ()
    coordinates: Float[np.ndarray, "S D"] | None = None
    state_names: tuple[str, ...] = ()
    action_names: tuple[str, ...] = ()
    history: History | None = None
    worlds: Worlds | None = None
    notes: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        put = lambda name, value: object.__setattr__(self, name, value)  # noqa: E731
        put("successors", frozen_array(self.successors, np.int32, "successors"))
        put("probabilities", frozen_array(self.probabilities, np.float64, "probabilities"))
        require_shape(self.successors, (None, None, None), "successors", "S, A, B")
        states, actions, _ = self.successors.shape
        require_shape(self.probabilities, self.successors.shape, "probabilities", "S, A, B")
        if states == 0 or actions == 0:
            raise InputError("an MDP needs at least one state and one action")
        put("terminal", _optional(self.terminal, np.zeros(states, bool), bool, "terminal", "S"))
        put("allowed", _optional(self.allowed, np.ones((states, actions), bool), bool, "allowed"))
        start = np.where(self.terminal, 0.0, 1.0) if not self.terminal.all() else np.ones(states)
        put("initial", _optional(self.initial, start / start.sum(), np.float64, "initial", "S"))
        for name, shape, letters in (
            ("reward", (states, actions), "S, A"),
            ("features", (states, actions, None), "S, A, F"),
            ("coordinates", (states, None), "S, D"),
        ):
            if (value := getattr(self, name)) is not None:
                array = frozen_array(value, np.float64, name)
                require_shape(array, shape, name, letters)
                require_finite(array, name)
                put(name, array)
        put("discount", _number(self.discount, "discount"))
        for name in ("feature_names", "state_names", "action_names"):
            put(name, tuple(map(str, getattr(self, name))))
        _check_mdp(self)

    @property
    def num_states(self) -> int:
        """S."""
        return self.successors.shape[0]

    @property
    def num_actions(self) -> int:
        """A."""
        return self.successors.shape[1]

    def _facts(self) -> Iterable[Fact]:
        features, worlds, past = self.features, self.worlds, self.history
        return (
            ("states", self.num_states),
            ("actions", self.num_actions),
            ("terminal states", int(self.terminal.sum()) or None),
            ("features", None if features is None else features.shape[2]),
            ("worlds", None if worlds is None else len(worlds.names)),
            (
                "memory",
                None if past is None else f"of {past.length} {past.of}",
            ),
            ("discount", self.discount),
            ("reward", "unknown" if self.reward is None else "known"),
        )

    @cached_property
    def transition_matrix(self) -> sparse.csr_array:
        """`[S * A, S]` transition probabilities, row s * A + a.

        Rows are empty where the process ends or an action does not exist, so that
        `reward + discount * (transition_matrix @ v)` is a backup.
        """
        live = (self.probabilities > 0) & (self.allowed & ~self.terminal[:, None])[:, :, None]
        rows = live.reshape(-1, live.shape[2])
        counts = rows.sum(1)
        columns = self.successors.reshape(rows.shape)[rows]
        values = self.probabilities.reshape(rows.shape)[rows]
        pointer = np.concatenate([[0], np.cumsum(counts)]).astype(np.int32)
        shape = (self.num_states * self.num_actions, self.num_states)
        return sparse.csr_array((values, columns, pointer), shape=shape)

    def expected(self, values: Float[np.ndarray, "S *R"]) -> Float[np.ndarray, "S A *R"]:
        """`E[values[next state]]` for every state and action; 0 where the process ends."""
        flat = self.transition_matrix @ values
        return flat.reshape(self.num_states, self.num_actions, *values.shape[1:])

    def under_policy(self, policy: Float[np.ndarray, "S A"]) -> sparse.csr_array:
        """`[S, S]` transition probabilities when actions follow `policy`."""
        states, actions = policy.shape
        pointer = np.arange(0, states * actions + 1, actions, dtype=np.int32)
        choice = sparse.csr_array(
            (policy.ravel(), np.arange(states * actions, dtype=np.int32), pointer),
            shape=(states, states * actions),
        )
        return choice @ self.transition_matrix

    @cached_property
    def uniform_system(self) -> System:
        """I - discount * P where every allowed action is equally likely, ready to be solved.

        It does not depend on behaviour, so one factorisation serves every fit in this world.
        """
        uniform = self.allowed / self.allowed.sum(axis=1, keepdims=True)
        return prepare(self.under_policy(uniform), self.discount)

    def with_history(self, length: int, of: Memory = "states") -> "MDP":
        """The MDP whose states are the last `length` states (`of="states"`) or the present state
        and the last `length - 1` actions (`of="actions"`).

        Raises:
            InputError: The MDP has a history already, or the history is too long to number.
        """
        check_history(length, of, self.history is not None)
        return self if length == 1 else MDP(**history_fields(self, length, of))

    @classmethod
    def from_dense(
        cls,
        transitions: Float[np.ndarray, "S A S"],
        *,
        discount: float,
        **fields: Any,
    ) -> "MDP":
        """An MDP from the full array P[s, a, s'].

        Args:
            transitions: `[S, A, S]` probabilities.
            discount: gamma.
            **fields: Any further field of `MDP`.

        Raises:
            InputError: As for `MDP`.
        """
        return cls(**build.fields_from_dense(transitions), discount=discount, **fields)

    @classmethod
    def from_table(
        cls, table: Any, *, discount: float, num_actions: int = 0, **fields: Any
    ) -> "MDP":
        """An MDP from rows (state, action, next_state, probability) and, if present, reward.

        Args:
            table: A mapping from these column names to equally long arrays, or a frame. States and
                actions are whole numbers from 0, or names, which are then numbered in sorted order.
            discount: gamma.
            num_actions: A, where there are more actions than occur.
            **fields: Any further field of `MDP`. A pair (state, action) without a row does not
                exist; a state without any row is terminal.

        Raises:
            InputError: A column is missing or a row cannot be used; the message names the row.
        """
        made = build.fields_from_table(table, num_actions)
        return cls(**{**made, "discount": discount, **fields})

    @classmethod
    def from_gymnasium(cls, environment: Any, *, discount: float = 0.99) -> "MDP":
        """An MDP from a Gymnasium environment that publishes its transitions as `P` (toy text).

        Args:
            environment: An environment with `unwrapped.P[state][action]`, a list of
                (probability, next state, reward, terminated).
            discount: gamma.

        Raises:
            InputError: The environment does not publish its transitions.
        """
        return cls(**build.fields_from_gymnasium(environment), discount=discount)

    @classmethod
    def estimate(
        cls,
        demonstrations: Any,
        *,
        discount: float,
        smoothing: float = 0.0,
        num_states: int = 0,
        num_actions: int = 0,
        **fields: Any,
    ) -> "MDP":
        """An MDP from what was seen to happen, where no simulator is at hand.

        P(s' | s, a) = (n(s, a, s') + smoothing * q(s' | s)) / (n(s, a) + smoothing), where q is the
        share of next states seen from s under any action. A pair (s, a) never taken follows q, and
        a state never left stays where it is.

        Args:
            demonstrations: `Demonstrations` with integer states.
            discount: gamma.
            smoothing: Weight of q, in observations. It is kept in `notes`.
            num_states: States of the world at least, where other data may hold more than these.
            num_actions: Actions of the world at least.
            **fields: Any further field of `MDP`.

        Raises:
            InputError: States are features, or no transition was observed.
        """
        made = build.fields_from_demonstrations(demonstrations, smoothing, num_states, num_actions)
        return cls(**{**made, "discount": discount, **fields})


def _optional(value: Any, default: np.ndarray, dtype: Any, name: str, letters: str = "S, A") -> Any:
    """The field's array, or `default` where it was left out."""
    if value is None:
        return frozen_array(default, dtype, name)
    array = frozen_array(value, dtype, name)
    require_shape(array, default.shape, name, letters)
    return array


def _number(value: Any, name: str) -> float:
    """The field's number."""
    try:
        return float(value)
    except (TypeError, ValueError) as error:
        raise InputError(f"{name} must be a number; got {value!r}") from error


def _check_mdp(mdp: MDP) -> None:
    """Raise an `InputError` for numbers that do not make a Markov decision process."""
    require_finite(mdp.probabilities, "probabilities")
    outside = (mdp.successors < 0) | (mdp.successors >= mdp.num_states)
    if outside.any():
        s, a, b = (int(i) for i in np.argwhere(outside)[0])
        raise InputError(
            f"state {s}, action {a} leads to state {mdp.successors[s, a, b]}, which is outside the "
            f"world: states are numbered 0 to {mdp.num_states - 1}"
        )
    if not mdp.allowed.any(1).all():
        s = int(np.argmin(mdp.allowed.any(1)))
        raise InputError(f"state {s} has no allowed action; allow one (staying put, for example)")
    totals = mdp.probabilities.sum(2)
    wrong = (np.abs(totals - 1) > _PROBABILITY_TOLERANCE) | (mdp.probabilities < 0).any(2)
    wrong &= mdp.allowed & ~mdp.terminal[:, None]
    if wrong.any():
        s, a = (int(i) for i in np.argwhere(wrong)[0])
        raise InputError(
            f"probabilities of state {s}, action {a} must be non-negative and sum to 1; they sum "
            f"to {totals[s, a]:.6g} ({int(wrong.sum())} such pairs). Normalise them, or mark the "
            "action as not allowed or the state as terminal."
        )
    require_finite(mdp.initial, "initial")
    if abs(mdp.initial.sum() - 1) > _PROBABILITY_TOLERANCE or (mdp.initial < 0).any():
        raise InputError(f"initial must be probabilities; they sum to {mdp.initial.sum():.6g}")
    if not 0 <= mdp.discount <= 1:
        raise InputError(f"discount must lie between 0 and 1; got {mdp.discount:g}")
    if mdp.discount == 1 and not build.ends_surely(mdp.transition_matrix, mdp.terminal):
        raise InputError(
            "a discount of 1 needs a terminal state that can be reached from every state, else "
            "values are infinite. Lower the discount (0.99, say) or mark terminal states."
        )
    for names, count, what in (
        (mdp.action_names, mdp.num_actions, "action_names"),
        (mdp.state_names, _named_states(mdp), "state_names"),
        (mdp.feature_names, 0 if mdp.features is None else mdp.features.shape[2], "feature_names"),
    ):
        if names and len(names) != count:
            raise InputError(f"{what} has {len(names)} names for {count}")


def _named_states(mdp: MDP) -> int:
    """How many states have names: those without history, where there is one."""
    return mdp.num_states if mdp.history is None else mdp.history.num_base_states
