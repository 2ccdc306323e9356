"""The finite Markov decision process as lists of successors."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Int
from scipy import sparse

from inverseq._core.arrays import frozen_array, require_finite, require_shape
from inverseq._core.display import Fact, Shown
from inverseq._core.errors import InputError
from inverseq._core.linear import System, prepare
from inverseq._core.perhaps import Perhaps
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


@dataclass(frozen=True, eq=False, init=False)
class MDP(Shown):
    """A finite Markov decision process: what a world is, and nothing about behaviour in it.

    S states, A actions, B successors of a state and action at most, F features, D coordinates.

    It is made from `successors, probabilities` or from `transitions`, and the fields below.

    Attributes:
        transitions: `[S * A, S]` sparse, row s * A + a: the probabilities of the next states. They
            sum to 1 for every allowed action of a state that is not terminal. An entry of 0 is
            padding; entries keep the order in which they were given.
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

    transitions: sparse.csr_array
    discount: float
    initial: Float[np.ndarray, " S"]
    terminal: Bool[np.ndarray, " S"]
    allowed: Bool[np.ndarray, "S A"]
    reward: Perhaps[Float[np.ndarray, "S A"]]
    features: Perhaps[Float[np.ndarray, "S A F"]]
    feature_names: tuple[str, ...]
    coordinates: Perhaps[Float[np.ndarray, "S D"]]
    state_names: tuple[str, ...]
    action_names: tuple[str, ...]
    history: Perhaps[History]
    worlds: Perhaps[Worlds]
    notes: Mapping[str, Any]

    def __init__(
        self,
        successors: Any = None,
        probabilities: Any = None,
        discount: Any = None,
        initial: Any = None,
        terminal: Any = None,
        allowed: Any = None,
        reward: Any = None,
        features: Any = None,
        feature_names: Iterable[str] = (),
        coordinates: Any = None,
        state_names: Iterable[str] = (),
        action_names: Iterable[str] = (),
        history: History | None = None,
        worlds: Worlds | None = None,
        notes: Mapping[str, Any] | None = None,
        *,
        transitions: sparse.csr_array | None = None,
    ) -> None:
        put = lambda name, value: object.__setattr__(self, name, value)  # noqa: E731
        if transitions is None and (successors is None or probabilities is None):
            raise InputError("an MDP needs successors and probabilities, or transitions")
        if successors is not None or probabilities is not None:
            if transitions is not None:  # a copy with others of one kind: those of the other stay
                known = build.padded(transitions)
                successors = known[0] if successors is None else successors
                probabilities = known[1] if probabilities is None else probabilities
            transitions = build.listed(successors, probabilities)
        put("transitions", build.frozen_transitions(transitions))
        states, actions = self.num_states, self.num_actions
        put("terminal", _optional(terminal, np.zeros(states, bool), bool, "terminal", "S"))
        put("allowed", _optional(allowed, np.ones((states, actions), bool), bool, "allowed"))
        start = np.where(self.terminal, 0.0, 1.0) if not self.terminal.all() else np.ones(states)
        put("initial", _optional(initial, start / start.sum(), np.float64, "initial", "S"))
        for name, value, shape, letters in (
            ("reward", reward, (states, actions), "S, A"),
            ("features", features, (states, actions, None), "S, A, F"),
            ("coordinates", coordinates, (states, None), "S, D"),
        ):
            if value is not None:
                value = frozen_array(value, np.float64, name)
                require_shape(value, shape, name, letters)
                require_finite(value, name)
            put(name, value)
        put("discount", _number(discount, "discount"))
        for name, names in (
            ("feature_names", feature_names),
            ("state_names", state_names),
            ("action_names", action_names),
        ):
            put(name, tuple(map(str, names)))
        for name, value in (("history", history), ("worlds", worlds), ("notes", notes or {})):
            put(name, value)
        _check_mdp(self)

    @property
    def num_states(self) -> int:
        """S."""
        return self.transitions.shape[1]

    @property
    def num_actions(self) -> int:
        """A."""
        return self.transitions.shape[0] // self.transitions.shape[1]

    @property
    def successors(self) -> Int[np.ndarray, "S A B"]:
        """`[S, A, B]` next states; where `probabilities` is 0 the entry is padding.

        Raises:
            InputError: So many successors of each pair do not fit into memory.
        """
        return self._padded[0]

    @property
    def probabilities(self) -> Float[np.ndarray, "S A B"]:
        """`[S, A, B]` the probabilities of `successors`.

        Raises:
            InputError: So many successors of each pair do not fit into memory.
        """
        return self._padded[1]

    @cached_property
    def _padded(self) -> tuple[np.ndarray, np.ndarray]:
        """`successors` and `probabilities`: views of the lists where these are equally long."""
        return build.padded(self.transitions)

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
        lists = self.transitions
        rows = build.rows_of(lists)
        live = (lists.data > 0) & (self.allowed & ~self.terminal[:, None]).ravel()[rows]
        counts = np.bincount(rows[live], minlength=lists.shape[0])
        pointer = np.concatenate([[0], np.cumsum(counts)]).astype(np.int32)
        return sparse.csr_array((lists.data[live], lists.indices[live], pointer), lists.shape)

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
    rows, lists, actions = build.rows_of(mdp.transitions), mdp.transitions, mdp.num_actions
    require_finite(lists.data, "transitions")
    outside = (lists.indices < 0) | (lists.indices >= mdp.num_states)
    if outside.any():
        entry = int(np.argmax(outside))
        s, a = divmod(int(rows[entry]), actions)
        raise InputError(
            f"state {s}, action {a} leads to state {lists.indices[entry]}, which is outside the "
            f"world: states are numbered 0 to {mdp.num_states - 1}"
        )
    if not mdp.allowed.any(1).all():
        s = int(np.argmin(mdp.allowed.any(1)))
        raise InputError(f"state {s} has no allowed action; allow one (staying put, for example)")
    totals = np.bincount(rows, lists.data, minlength=lists.shape[0]).reshape(mdp.allowed.shape)
    wrong = np.abs(totals - 1) > _PROBABILITY_TOLERANCE
    wrong.ravel()[rows[lists.data < 0]] = True
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
