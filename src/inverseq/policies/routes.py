"""Routes to destinations: many goals in one network, with one factorisation for all of them.

With certain moves and without discounting, the soft optimum towards a goal d is linear in z =
exp(V): z(d) = 1 and z(k) = sum_a exp(v(k, a)) z(k'), the recursive logit (Fosgerau, Frejinger and
Karlstrom 2013, "A link based network route choice model with unrestricted choice set"). With M the
matrix of exp(v) and N = (I - M)^-1, the solution for every goal is a column of the same inverse,

    z_d(k) = N(k, d) / N(d, d),

because N(k, d) counts the ways from k to d and around from d to d (a first passage, then returns).
So one factorisation of I - M serves all goals, and the transposed systems of gradients as well.
Where what a move is worth depends on the goal, M is another for each, and so is its factorisation,
which is made when it is asked for and not kept.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from jaxtyping import Float, Int
from scipy import sparse

from inverseq._core.arrays import freeze
from inverseq._core.errors import InputError
from inverseq._core.factors import Factor, sparse_lu
from inverseq.decisions.alignment import align
from inverseq.decisions.goals import goal_features, goals_of
from inverseq.demonstrations import Demonstrations
from inverseq.mdp import MDP
from inverseq.policies.policy import FinitePolicy

_CELLS = 2_000_000
"""Entries of an array with a column per goal; goals are taken so many at a time."""
_RESIDUAL = 1e-8
_ROUNDING = 1e-12


@dataclass(frozen=True, eq=False)
class Network:
    """The moves of a world in which every move is certain, E of them.

    Attributes:
        num_states: S.
        pairs: `[E]` s * A + a of each move.
        tails: `[E]` where it begins.
        heads: `[E]` where it leads.
    """

    num_states: int
    pairs: Int[np.ndarray, " E"]
    tails: Int[np.ndarray, " E"]
    heads: Int[np.ndarray, " E"]

    @classmethod
    def of(cls, mdp: MDP) -> "Network":
        """The moves of a world.

        Raises:
            InputError: Some move is not certain.
        """
        matrix = mdp.transition_matrix
        ways = np.diff(matrix.indptr)
        if (ways > 1).any():
            s, a = divmod(int(np.argmax(ways > 1)), mdp.num_actions)
            name = mdp.state_names[s] if mdp.state_names else str(s)
            raise InputError(
                f"action {a} at state {name} leads to several states; routes to destinations are "
                "planned where moves are certain. Take MaxEnt in worlds with a goal each"
            )
        pairs = np.flatnonzero(ways)
        return cls(mdp.num_states, pairs, pairs // mdp.num_actions, matrix.indices.astype(np.int64))

    @cached_property
    def groups(self) -> sparse.csr_array:
        """`[S, E]` sums over the moves that begin in each state."""
        edges = np.arange(self.pairs.size)
        ones = np.ones(edges.size)
        return sparse.csr_array((ones, (self.tails, edges)), (self.num_states, edges.size))

    def matrix(self, weights: Float[np.ndarray, " E"]) -> sparse.csr_array:
        """`[S, S]` with `weights` at the moves; those between the same states add up."""
        shape = (self.num_states, self.num_states)
        return sparse.coo_array((weights, (self.tails, self.heads)), shape).tocsr()

    def chunks(self, count: int, width: int = 1) -> Iterator[slice]:
        """So many goals, as many at a time as arrays of `width` numbers per move and goal allow."""
        most = max(1, _CELLS // max(self.pairs.size * width, self.num_states))
        for first in range(0, count, most):
            yield slice(first, min(first + most, count))


Added = Callable[[np.ndarray], np.ndarray]
"""From goals `[G]` to what each move is worth more on the way to each of them, `[E, G]`."""


def adding(
    mdp: MDP, network: Network, names: tuple[str, ...], weights: Float[np.ndarray, " P"]
) -> Added | None:
    """What features of goals add to what moves are worth; None where there are none."""
    if not names:
        return None
    return lambda goals: goal_features(mdp, network.tails, network.heads, goals, names) @ weights


@dataclass(frozen=True, eq=False)
class Ways:
    """What M says of all goals.

    Attributes:
        network: The moves.
        values: `[E]` what each move is worth, whatever the goal.
        added: From goals `[G]` to what moves are worth more on the way to each, `[E, G]`; None
            where that is nothing.
        factor: Solves with I - M and its transpose, where M is the same for all goals.
    """

    network: Network
    values: Float[np.ndarray, " E"]
    added: Added | None
    factor: Factor | None

    @classmethod
    def of(
        cls, network: Network, values: Float[np.ndarray, " E"], added: Added | None = None
    ) -> "Ways":
        """For moves of these values.

        Raises:
            InputError: The matrix is singular: walking in circles costs nothing.
        """
        if added is not None:
            return cls(network, values, added, None)
        try:
            factor = sparse_lu(network.matrix(np.exp(values)), 1.0)
        except InputError as error:  # of a process that should end
            raise InputError(ENDLESS) from error
        return cls(network, values, None, factor)

    def towards(self, goals: Int[np.ndarray, " G"]) -> "Towards | None":
        """exp(V) for some goals; None where it has no bound, because circles are worth walking."""
        size, here = self.network.num_states, np.arange(goals.size)
        unit = np.zeros((size, goals.size))
        unit[goals, here] = 1.0
        if self.factor is not None:
            factor, lift = self.factor, np.exp(self.values)[:, None]
        else:
            assert self.added is not None  # as `of` has made it
            lift = np.exp(self.values[:, None] + self.added(goals))
            try:
                factor = _one_for_each([sparse_lu(self.network.matrix(m), 1.0) for m in lift.T])
            except InputError:
                return None
        inverse = factor(unit, False)
        with np.errstate(all="ignore"):
            z = inverse / inverse[goals, here]
            ahead = self.network.groups @ (lift * z[self.network.heads])
            ahead[goals, here] = 1.0
            wrong = np.abs(ahead - z) > _RESIDUAL * np.abs(z) + _ROUNDING * np.abs(z).min(0)
        if not np.isfinite(z).all() or (z < 0).any() or wrong.any():
            return None
        return Towards(self.network, goals, unit, lift, factor, z)


def _one_for_each(factors: list[Factor]) -> Factor:
    """Solves column by column, each goal with its own; more columns begin with the first again."""

    def solve(right: np.ndarray, transposed: bool) -> np.ndarray:
        made = np.empty_like(right)
        for number, factor in enumerate(factors):
            mine = slice(number, None, len(factors))
            made[:, mine] = factor(np.ascontiguousarray(right[:, mine]), transposed)
        return made

    return solve


@dataclass(frozen=True, eq=False)
class Towards:
    """exp(V) of G goals, and what is linear in it.

    Attributes:
        network: The moves.
        goals: `[G]` states of the goals.
        unit: `[S, G]` 1 at each goal.
        lift: `[E, 1]` exp(v) of each move, or `[E, G]` where it depends on the goal.
        factor: Solves with I - M, or that of each goal, and the transpose.
        z: `[S, G]` exp(V); 0 where the goal cannot be reached.
    """

    network: Network
    goals: Int[np.ndarray, " G"]
    unit: Float[np.ndarray, "S G"]
    lift: Float[np.ndarray, "E G1"]
    factor: Factor
    z: Float[np.ndarray, "S G"]

    def solve(self, right: Float[np.ndarray, "S G"]) -> Float[np.ndarray, "S G"]:
        """(I - M_d)^-1 for each goal, M_d being M without the moves out of it; 0 at the goals.

        By the formula of Sherman and Morrison: N b - z_d (N b)(d) where b(d) = 0.
        """
        found = self.factor(right, False)
        return found - self.z * found[self.goals, np.arange(self.goals.size)]

    def solve_transposed(self, right: Float[np.ndarray, "S G"]) -> Float[np.ndarray, "S G"]:
        """The same with the transpose, 0 at the goals: N'g - (N'e_d - e_d) (z_d . g)."""
        both = np.concatenate([right, self.unit], axis=1)
        found, back = np.split(self.factor(both, True), 2, axis=1)
        found = found - (back - self.unit) * (self.z * right).sum(0)
        found[self.goals, np.arange(self.goals.size)] = 0.0
        return found

    def chances(self) -> Float[np.ndarray, "E G"]:
        """Probability of each move where it begins; 0 where there is no way, and at the goals."""
        ahead = self.lift * self.z[self.network.heads]
        here = self.z[self.network.tails]
        made = np.divide(ahead, here, out=np.zeros_like(ahead), where=here > 0)
        return np.where(self.network.tails[:, None] == self.goals, 0.0, made)


def is_certain(mdp: MDP) -> bool:
    """Whether every move of a world leads to one state."""
    return bool((np.diff(mdp.transition_matrix.indptr) <= 1).all())


ENDLESS = (
    "walking in circles, or staying, is worth more than any end here: every step must cost "
    "something. Give a feature that is 1 for every move, those that stay included (a length of 0 "
    "costs nothing)"
)
"""What is wrong where values have no bound."""


@dataclass(frozen=True, eq=False)
class RoutePolicy(FinitePolicy):
    """What is done on the way to the destination that each trajectory names.

    Attributes:
        values: `[S, A]` what each move is worth, in nats, whatever the destination.
        goal: Column per trajectory with the destination.
        goal_features: P of `GOAL_FEATURES`, by which moves are worth more on the way to it.
        goal_weights: `[P]` what a unit of each is worth.
    """

    values: Float[np.ndarray, "S A"]
    goal: str
    goal_features: tuple[str, ...] = ()
    goal_weights: Float[np.ndarray, " P"] = field(default_factory=lambda: np.zeros(0))

    def __post_init__(self) -> None:
        freeze(self, np.float64, "values", "goal_weights")

    @property
    def num_actions(self) -> int:
        """A."""
        return self.values.shape[1]

    def probabilities(
        self, demonstrations: Demonstrations, mdp: MDP | None
    ) -> Float[np.ndarray, "N A"]:
        """The chances of each decision's moves, on the way to its own destination; 0 in rows
        without an action at the destination.

        Raises:
            InputError: There is no network or destination, a decision does not fit, is made at its
                destination or where there is no way to it, or values have no bound.
        """
        if mdp is None:
            raise InputError("routes need their network: give it with mdp=...")
        states, network = align(demonstrations, mdp), Network.of(mdp)
        goals = goals_of(demonstrations, mdp, self.goal)[demonstrations.trajectory_of]
        made = np.zeros((states.size, self.num_actions))
        added = adding(mdp, network, self.goal_features, self.goal_weights)
        ways = Ways.of(network, self.values.ravel()[network.pairs], added)
        wanted, which = np.unique(goals, return_inverse=True)
        place = np.full(mdp.num_states * mdp.num_actions, -1)
        place[network.pairs] = np.arange(network.pairs.size)
        moves = place.reshape(mdp.num_states, -1)[states]
        for part in network.chunks(wanted.size):
            towards = ways.towards(wanted[part])
            if towards is None:
                raise InputError(ENDLESS)
            rows = np.flatnonzero((which >= part.start) & (which < part.stop))
            chances = towards.chances()[moves[rows], (which[rows] - part.start)[:, None]]
            made[rows] = np.where(moves[rows] >= 0, chances, 0.0)
        idle = ~demonstrations.acted  # an arrival, written as a row: nothing is decided there
        goals = np.where(idle, -1, goals)
        require_ways(demonstrations, states, goals, idle | (made.sum(1) > 0), mdp)
        return made


def require_ways(
    demonstrations: Demonstrations,
    states: Int[np.ndarray, " N"],
    goals: Int[np.ndarray, " N"],
    way: np.ndarray,
    mdp: MDP,
) -> None:
    """Raise an `InputError` naming the first decision that is made at its destination, or from
    where no way leads there (`way` is false).
    """
    name = lambda s: mdp.state_names[s] if mdp.state_names else str(s)  # noqa: E731
    for wrong, why in (
        (states == goals, "is made at its destination {goal}, where the trip ends; end it there"),
        (~way, "is made at {state}, from which no way leads to its destination {goal}"),
    ):
        if wrong.any():
            first = int(np.argmax(wrong))
            told = why.format(state=name(states[first]), goal=name(goals[first]))
            raise InputError(
                f"row {demonstrations.row(first)}: the decision {told} ({int(wrong.sum())} such "
                "rows)"
            )
