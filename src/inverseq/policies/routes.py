"""Routes to destinations: many goals in one network, with one factorisation for all of them.

With certain moves and without discounting, the soft optimum towards a goal d is linear in z =
exp(V): z(d) = 1 and z(k) = sum_a exp(v(k, a)) z(k'), the recursive logit (Fosgerau, Frejinger and
Karlstrom 2013, "A link based network route choice model with unrestricted choice set"). With M the
matrix of exp(v) and N = (I - M)^-1, the solution for every goal is a column of the same inverse,

    z_d(k) = N(k, d) / N(d, d),

because N(k, d) counts the ways from k to d and around from d to d (a first passage, then returns).
So one factorisation of I - M serves all goals, and the transposed systems of gradients as well.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Float, Int
from scipy import sparse

from inverseq._core.arrays import freeze
from inverseq._core.errors import InputError
from inverseq._core.factors import Factor, sparse_lu
from inverseq.decisions.alignment import align
from inverseq.decisions.goals import goals_of
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


@dataclass(frozen=True, eq=False)
class Ways:
    """What M says of all goals.

    Attributes:
        network: The moves.
        lift: `[E]` exp(v) of each move.
        factor: Solves with I - M and its transpose.
    """

    network: Network
    lift: Float[np.ndarray, " E"]
    factor: Factor

    @classmethod
    def of(cls, network: Network, values: Float[np.ndarray, " E"]) -> "Ways":
        """For moves of these values.

        Raises:
            InputError: The matrix is singular: walking in circles costs nothing.
        """
        lift = np.exp(values)
        try:
            return cls(network, lift, sparse_lu(network.matrix(lift), 1.0))
        except InputError as error:  # of a process that should end
            raise InputError(ENDLESS) from error

    def towards(self, goals: Int[np.ndarray, " G"]) -> "Towards | None":
        """exp(V) for some goals; None where it has no bound, because circles are worth walking."""
        size, here = self.network.num_states, np.arange(goals.size)
        unit = np.zeros((size, goals.size))
        unit[goals, here] = 1.0
        inverse = self.factor(unit, False)
        with np.errstate(all="ignore"):
            z = inverse / inverse[goals, here]
            ahead = self.network.groups @ (self.lift[:, None] * z[self.network.heads])
            ahead[goals, here] = 1.0
            wrong = np.abs(ahead - z) > _RESIDUAL * np.abs(z) + _ROUNDING * np.abs(z).min(0)
        if not np.isfinite(z).all() or (z < 0).any() or wrong.any():
            return None
        return Towards(self, goals, unit, inverse[goals, here], z)


@dataclass(frozen=True, eq=False)
class Towards:
    """exp(V) of G goals, and what is linear in it.

    Attributes:
        ways: The network.
        goals: `[G]` their states.
        unit: `[S, G]` 1 at each goal.
        returns: `[G]` N(d, d).
        z: `[S, G]` exp(V); 0 where the goal cannot be reached.
    """

    ways: Ways
    goals: Int[np.ndarray, " G"]
    unit: Float[np.ndarray, "S G"]
    returns: Float[np.ndarray, " G"]
    z: Float[np.ndarray, "S G"]

    def solve(self, right: Float[np.ndarray, "S G"]) -> Float[np.ndarray, "S G"]:
        """(I - M_d)^-1 for each goal, M_d being M without the moves out of it; 0 at the goals.

        By the formula of Sherman and Morrison: N b - z_d (N b)(d) where b(d) = 0.
        """
        found = self.ways.factor(right, False)
        return found - self.z * found[self.goals, np.arange(self.goals.size)]

    def solve_transposed(self, right: Float[np.ndarray, "S G"]) -> Float[np.ndarray, "S G"]:
        """The same with the transpose, 0 at the goals: N'g - (N'e_d - e_d) (z_d . g)."""
        both = np.concatenate([right, self.unit], axis=1)
        found, back = np.split(self.ways.factor(both, True), 2, axis=1)
        found = found - (back - self.unit) * (self.z * right).sum(0)
        found[self.goals, np.arange(self.goals.size)] = 0.0
        return found

    def chances(self) -> Float[np.ndarray, "E G"]:
        """Probability of each move where it begins; 0 where there is no way, and at the goals."""
        network = self.ways.network
        ahead = self.ways.lift[:, None] * self.z[network.heads]
        here = self.z[network.tails]
        made = np.divide(ahead, here, out=np.zeros_like(ahead), where=here > 0)
        return np.where(network.tails[:, None] == self.goals, 0.0, made)


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
        values: `[S, A]` what each move is worth, in nats.
        goal: Column per trajectory with the destination.
    """

    values: Float[np.ndarray, "S A"]
    goal: str

    def __post_init__(self) -> None:
        freeze(self, np.float64, "values")

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
        ways = Ways.of(network, self.values.ravel()[network.pairs])
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
