"""The likelihood of trips to destinations as a function of the weights of features."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int
from scipy.linalg import cho_factor, cho_solve

from inverseq._core.errors import InputError
from inverseq.decisions.alignment import align, check_existing
from inverseq.decisions.counts import decision_weights
from inverseq.decisions.goals import goal_features, goals_of
from inverseq.demonstrations import Demonstrations
from inverseq.inverse.maxent.search import better
from inverseq.inverse.problem import Problem
from inverseq.mdp import MDP
from inverseq.policies.routes import ENDLESS, Network, Towards, Ways, adding, require_ways
from inverseq.rewards.tables import features_of

_SHORTEST = 2.0**-30
_SAME = 1e-9
"""Share of a feature's size below which its spread is put down to rounding."""


@dataclass(frozen=True, eq=False)
class Trips:
    """Decisions on the way to destinations.

    Attributes:
        network: The moves.
        goals: `[G]` states of the destinations that occur.
        which: `[N]` destination of each decision, from 0.
        states: `[N]` where it was made.
        moves: `[N]` move of the network.
        weights: `[N]` above 0.
        rows: `[N]` its row among all decisions.
    """

    network: Network
    goals: Int[np.ndarray, " G"]
    which: Int[np.ndarray, " N"]
    states: Int[np.ndarray, " N"]
    moves: Int[np.ndarray, " N"]
    weights: Float[np.ndarray, " N"]
    rows: Int[np.ndarray, " N"]

    @property
    def total(self) -> float:
        """Weight of all decisions."""
        return float(self.weights.sum())

    @classmethod
    def of(cls, problem: Problem, column: str) -> "Trips":
        """The trips of a problem.

        Raises:
            InputError: As `RecursiveLogit.solve`.
        """
        data, mdp = problem.decisions, problem.mdp
        network, states = Network.of(mdp), align(data, mdp)
        goals = goals_of(data, mdp, column)[data.trajectory_of]
        check_existing(data, mdp, states)
        weights = decision_weights(problem.weights, data.num_decisions)
        rows = np.flatnonzero(data.acted & (weights > 0))
        if not rows.size:
            raise InputError("no decision has a known action and a weight above 0")
        place = np.full(mdp.num_states * mdp.num_actions, -1)
        place[network.pairs] = np.arange(network.pairs.size)
        moves = place[states * mdp.num_actions + np.maximum(data.actions, 0)]
        _require_inside(data, mdp, network, states, moves)
        reached, which = np.unique(goals[rows], return_inverse=True)
        acting = np.where(data.acted, goals, -1)
        require_ways(data, states, acting, np.ones(acting.size, dtype=bool), mdp)
        return cls(
            network=network,
            goals=reached,
            which=which,
            states=states[rows],
            moves=moves[rows],
            weights=weights[rows],
            rows=rows,
        )

    def require_ways(self, data: Demonstrations, mdp: MDP, way: Bool[np.ndarray, " N"]) -> None:
        """Raise an `InputError` naming the first decision from where no way leads on."""
        known = np.ones(data.num_decisions, dtype=bool)
        known[self.rows] = way
        states, goals = np.zeros(known.size, np.int64), np.full(known.size, -1)
        states[self.rows], goals[self.rows] = self.states, self.goals[self.which]
        require_ways(data, states, goals, known, mdp)


def _require_inside(
    data: Demonstrations, mdp: MDP, network: Network, states: np.ndarray, moves: np.ndarray
) -> None:
    """Raise an `InputError` naming the first move that the network does not have."""
    led = data.next_states
    led = np.where(led >= 0, led + states - data.states, -1)
    head = np.where(moves >= 0, network.heads[moves], -1)
    wrong = data.acted & ((moves < 0) | ((led >= 0) & (head != led)))
    if not wrong.any():
        return
    first = int(np.argmax(wrong))
    name = lambda s: mdp.state_names[s] if mdp.state_names else str(s)  # noqa: E731
    action = data.actions[first]
    told = mdp.action_names[action] if mdp.action_names else str(action)
    ends = f"leads to {name(head[first])}" if head[first] >= 0 else "does not exist, nothing does"
    goes = f", and the trip goes to {name(led[first])}" if led[first] >= 0 else ""
    raise InputError(
        f"row {data.row(first)}: the trip leaves the network: {told} at {name(states[first])} "
        f"{ends}{goes} ({int(wrong.sum())} such rows). Correct the row, or give the network the way"
    )


class Point(NamedTuple):
    """Weights, their penalised log-likelihood, its slope, and the moves expected of the trips."""

    weights: Float[np.ndarray, " F"]
    value: float
    slope: Float[np.ndarray, " F"]
    ways: Ways
    expected: Float[np.ndarray, " E"]


class RouteModel:
    """The penalised log-likelihood of trips as a function of weights."""

    def __init__(
        self, problem: Problem, trips: Trips, strength: float, of_goals: tuple[str, ...] = ()
    ) -> None:
        mdp, network = problem.mdp, trips.network
        assert mdp.features is not None  # as `solve` has seen
        self.problem, self.trips, self.network, self.strength = problem, trips, network, strength
        size = mdp.features.shape[2]
        self.features = features_of(mdp, size).reshape(-1, size)[network.pairs]
        self.of_goals, self.size = of_goals, size + len(of_goals)
        self.taken = np.bincount(trips.moves, trips.weights, network.pairs.size)
        self.order = np.argsort(trips.which, kind="stable")
        counts = np.bincount(trips.which, minlength=trips.goals.size)
        self.bounds = np.concatenate([[0], np.cumsum(counts)])

    @cached_property
    def squares(self) -> Float[np.ndarray, " F"]:
        """Totals of the squared features of the moves that were made."""
        made = np.zeros(self.size)
        for part in self.network.chunks(self.trips.goals.size, self.size):
            rows, which = self._rows(part)
            seen = self._features(part)[self.trips.moves[rows], which]
            made += self.trips.weights[rows] @ seen**2
        return made

    def start(self) -> Point:
        """Weights under which every step costs something.

        Raises:
            InputError: There are none that are easily found, or somewhere no way leads on.
        """
        cost = -np.log(max(int(np.bincount(self.network.tails).max(initial=1)), 2))
        target = np.full(len(self.features), cost)
        direction = np.linalg.lstsq(self.features, target, rcond=None)[0]
        direction = np.append(direction, np.zeros(len(self.of_goals)))
        for much in (1.5, 3.0, 6.0, 12.0, 24.0):
            at = self.look(much * direction, first=True)
            if at is not None:
                return at
        raise InputError(ENDLESS)

    def climb(self, at: Point) -> Point | None:
        """One Newton step, halved until it leads up; None where none does."""
        step = self._solved(self.information(at), at.slope)
        gain, share = float(step @ at.slope), 1.0
        while share > _SHORTEST:
            point = self.look(at.weights + share * step)
            if point is not None and better(
                -point.value, -at.value, share * gain, point.slope, at.slope
            ):
                return point
            share /= 2
        return None

    def look(self, weights: Float[np.ndarray, " F"], first: bool = False) -> Point | None:
        """The likelihood there; None where values have no bound.

        With f the visits that enter a state less those that leave it, the slope in V_d is f, and in
        the value of a move what u = (I - M_d)'^-1 (f / z_d) sends through it.
        """
        own = self.features.shape[1]
        added = adding(self.problem.mdp, self.network, self.of_goals, weights[own:])
        ways = Ways.of(self.network, self.features @ weights[:own], added)
        total, expected, slope = 0.0, np.zeros(len(self.features)), -self.strength * weights
        width = self.size if self.of_goals else 1
        for part in self.network.chunks(self.trips.goals.size, width):
            towards = ways.towards(self.trips.goals[part])
            if towards is None:
                return None
            rows, which = self._rows(part)
            moves, weight = self.trips.moves[rows], self.trips.weights[rows]
            ahead = towards.z[self.network.heads[moves], which]
            here = towards.z[self.trips.states[rows], which]
            if first:
                way = np.ones(self.trips.rows.size, dtype=bool)
                way[rows] = (ahead > 0) & (here > 0)
                self.trips.require_ways(self.problem.decisions, self.problem.mdp, way)
            with np.errstate(divide="ignore"):
                gain = np.log(ahead) - np.log(here)
            if not np.isfinite(gain).all():  # further away than numbers can tell
                return None
            features, sent = self._features(part), self._sent(towards, part)
            seen = features[moves, which]
            total += float(weight @ (seen @ weights + gain))
            slope += weight @ seen + self._summed(features, sent)
            expected -= sent.sum(1)
        value = total - 0.5 * self.strength * float(weights @ weights)
        return Point(weights, value, slope, ways, expected)

    def _features(self, part: slice) -> Float[np.ndarray, "E G F"]:
        """Features of each move on the way to some goals; where goals have none, a view."""
        goals, network = self.trips.goals[part], self.network
        shape = (network.pairs.size, goals.size)
        own = np.broadcast_to(self.features[:, None], (*shape, self.features.shape[1]))
        if not self.of_goals:
            return own
        mdp = self.problem.mdp
        added = goal_features(mdp, network.tails, network.heads, goals, self.of_goals)
        return np.concatenate([own, added], axis=2)

    def _summed(
        self, features: Float[np.ndarray, "E G F"], moves: Float[np.ndarray, "E G"]
    ) -> Float[np.ndarray, " F"]:
        """Totals of the features over so many moves."""
        if not self.of_goals:
            return self.features.T @ moves.sum(1)
        return np.einsum("egf,eg->f", features, moves)

    def information(self, at: Point) -> Float[np.ndarray, "F F"]:
        """Minus the second derivative of the log-likelihood: the covariance of the features of all
        ways to each goal, as a sum over moves of that of what a move decides.
        """
        made = np.zeros((self.size, self.size))
        for part, towards, slopes in self._slopes(at):
            visits = np.maximum(-self._sent(towards, part), 0.0)
            ahead, here = slopes[self.network.heads], slopes[self.network.tails]
            # The derivative of log pi_d of each move.
            rows = np.sqrt(visits)[..., None] * (self._features(part) + ahead - here)
            flat = rows.reshape(-1, self.size)
            made += flat.T @ flat
        return made

    def parameters(
        self, at: Point, units: Int[np.ndarray, " T"]
    ) -> dict[str, Float[np.ndarray, "..."]]:
        """What `RecursiveLogit` says of its parameters."""
        data, mdp, trips = self.problem.decisions, self.problem.mdp, self.trips
        size, information = self.size, self.information(at)
        scores, totals = np.zeros((trips.rows.size, size)), np.zeros(size)
        for part, towards, slopes in self._slopes(at):
            rows, which = self._rows(part)
            moves, features = trips.moves[rows], self._features(part)
            totals -= self._summed(features, self._sent(towards, part))
            scores[rows] = (
                features[moves, which]
                + slopes[self.network.heads[moves], which]
                - slopes[trips.states[rows], which]
            )
        unit = units[data.trajectory_of[trips.rows]]
        each = np.zeros((int(units.max()) + 1, size))
        np.add.at(each, unit, trips.weights[:, None] * scores)
        covariance = self._solved(information, np.eye(size))
        with np.errstate(divide="ignore", invalid="ignore"):
            elastic = information * at.weights / totals[:, None]
        return {
            "weights": at.weights,
            "covariance": covariance,
            "robust": covariance @ (each.T @ each) @ covariance,
            "elasticities": np.nan_to_num(elastic, posinf=0.0, neginf=0.0),
            "expected": self._as_table(at.expected, mdp),
            "taken": self._as_table(self.taken, mdp),
        }

    def _rows(self, part: slice) -> tuple[np.ndarray, np.ndarray]:
        """The decisions of some goals, and which of these each is on the way to."""
        rows = self.order[self.bounds[part.start] : self.bounds[part.stop]]
        return rows, self.trips.which[rows] - part.start

    def _sent(self, towards: Towards, part: slice) -> Float[np.ndarray, "E G"]:
        """Minus the expected visits of each move: what u sends through it."""
        rows, which = self._rows(part)
        heads, tails = self.network.heads[self.trips.moves[rows]], self.trips.states[rows]
        shape, weights = towards.z.shape, self.trips.weights[rows]
        cells = lambda s: np.bincount(  # noqa: E731
            s * shape[1] + which, weights, shape[0] * shape[1]
        ).reshape(shape)
        flow = cells(heads) - cells(tails)
        flow[towards.goals, np.arange(shape[1])] = 0.0
        right = np.divide(flow, towards.z, out=np.zeros_like(flow), where=flow != 0)
        u = towards.solve_transposed(right)
        return u[self.network.tails] * towards.lift * towards.z[self.network.heads]

    def _slopes(self, at: Point) -> Iterator[tuple[slice, Towards, Float[np.ndarray, "S G F"]]]:
        """Derivatives of V_d in the weights: expected features of the way from each state."""
        for part in self.network.chunks(self.trips.goals.size, self.size):
            towards = at.ways.towards(self.trips.goals[part])
            assert towards is not None  # it was found to have bounds
            made, features = np.zeros((*towards.z.shape, self.size)), self._features(part)
            ahead = towards.lift * towards.z[self.network.heads]
            for number in range(self.size):
                right = self.network.groups @ (features[..., number] * ahead)
                right[towards.goals, np.arange(towards.goals.size)] = 0.0
                found, z = towards.solve(right), towards.z
                made[..., number] = np.divide(found, z, out=np.zeros_like(z), where=z > 0)
            yield part, towards, made

    def _solved(
        self, information: Float[np.ndarray, "F F"], right: Float[np.ndarray, "F *R"]
    ) -> Float[np.ndarray, "F *R"]:
        """The information and the prior's, solved for.

        Raises:
            InputError: Some features cannot be told apart.
        """
        matrix = information + self.strength * np.eye(len(information))
        scale = np.sqrt(np.diag(matrix))
        most = np.sqrt(self.squares)
        if not (scale > _SAME * most).all():
            raise InputError(_ALIKE)
        correlated = matrix / np.outer(scale, scale)
        if np.linalg.eigvalsh(correlated)[0] < _SAME:
            raise InputError(_ALIKE)
        root = cho_factor(correlated)
        return (cho_solve(root, (right.T / scale).T).T / scale).T

    def _as_table(self, moves: Float[np.ndarray, " E"], mdp: MDP) -> Float[np.ndarray, "S A"]:
        """Numbers of moves by state and action."""
        made = np.zeros(mdp.num_states * mdp.num_actions)
        made[self.network.pairs] = moves
        return made.reshape(mdp.num_states, -1)


_ALIKE = (
    "these trips cannot tell some features apart: one of them, or a sum of them, is the same for "
    "all ways to each destination. Leave it out, or give a strength above 0"
)
