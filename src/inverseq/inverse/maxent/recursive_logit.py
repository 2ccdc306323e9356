"""One reward for trips to many destinations: the recursive logit, fitted for all goals at once.

log P(trip) = sum v(k, a) - V_d(first state), V_d the soft value of the way to destination d
(Fosgerau, Frejinger and Karlstrom 2013). It is maximum causal entropy without discounting, each
trip in a world that ends at its own destination. v = features . weights makes it the likelihood of
an exponential family over all ways, concave in the weights.
"""

from dataclasses import asdict, dataclass

import numpy as np

from inverseq._core.errors import InputError
from inverseq._core.status import Outcome, Status
from inverseq.decisions.goals import require_goal_features
from inverseq.inverse.maxent.route_model import RouteModel, Trips
from inverseq.inverse.planning import TowardsGoals, planned
from inverseq.inverse.problem import Problem
from inverseq.inverse.solution import Solution
from inverseq.rewards import FeatureReward, Reward
from inverseq.rewards.goals import GoalReward


@dataclass(frozen=True)
class RecursiveLogit:
    """A reward on the features of a network, shared by trips to any number of destinations.

    One factorisation of the network serves all destinations, and memory grows with the network.
    With `goal_features` each destination has a factorisation of its own, made anew in every step.
    Moves must be certain; the discount of the world is not used.

    `parameters` of the solution hold, beside "weights" `[F]`, those of goals last: "covariance"
    `[F, F]`, the inverse of the information; "robust" `[F, F]`, the sandwich over units;
    "elasticities" `[F, F]`, by how many per cent the total of feature f over all trips changes when
    feature g counts one per cent more; "expected" `[S, A]` and "taken" `[S, A]`, moves expected of
    these trips, and made.

    Attributes:
        goal: Column per trajectory that names the state where it ends.
        goal_features: What moves mean for the way to the destination, of
            `inverseq.GOAL_FEATURES`: "bearing" and "distance left". The network needs coordinates.
        strength: Weight of a Gaussian prior on the weights, in decisions.
        by: What is independent in "robust": "trajectory", "session", "subject" or any column.
        tolerance: Largest gradient per decision at which the fit has converged.
        max_steps: Newton steps at most.

    Raises:
        InputError: The strength is negative or not finite.
    """

    goal: str = "goal"
    goal_features: tuple[str, ...] = ()
    strength: float = 0.0
    by: str = "trajectory"
    tolerance: float = 1e-9
    max_steps: int = 100

    def __post_init__(self) -> None:
        if not 0 <= self.strength < np.inf:
            raise InputError(
                f"strength must be a number of decisions, 0 or more; got {self.strength}"
            )

    def solve(self, problem: Problem) -> Solution:
        """The most likely weights; `fit` calls this.

        Raises:
            InputError: The world has no features or uncertain moves (or no coordinates, where
                features of goals are asked for), a goal is no state or cannot
                be reached, a trip leaves the network or passes its goal, or no weights make every
                step cost something.
        """
        mdp = problem.mdp
        if mdp.features is None:
            raise InputError(
                "this network has no features, and the reward of RecursiveLogit depends on nothing "
                "else: give its table a column of numbers, a length for example"
            )
        require_goal_features(mdp, self.goal_features)
        trips = Trips.of(problem, self.goal)
        model = RouteModel(problem, trips, self.strength, self.goal_features)
        at, trace = model.start(), []
        status = Status(Outcome.LIMIT, 0, np.inf, "the search took max_steps; raise it")
        for step in range(self.max_steps):
            residual = float(np.abs(at.slope).max()) / trips.total
            trace.append(at.value / trips.total)
            if residual <= self.tolerance:
                status = Status(Outcome.CONVERGED, step, residual)
                break
            following = model.climb(at)
            if following is None:  # rounding allows no better
                done = residual <= 1e3 * self.tolerance
                words = "" if done else "no step improves the fit; give a strength above 0"
                status = Status(Outcome.CONVERGED if done else Outcome.LIMIT, step, residual, words)
                break
            at = following
        own, of_goals = np.split(at.weights, [model.features.shape[1]])
        reward: Reward = FeatureReward(own)
        if self.goal_features:
            reward = GoalReward(reward, self.goal, self.goal_features, of_goals)
        planning = TowardsGoals(self.goal)
        return Solution(
            solver="RecursiveLogit",
            settings=asdict(self),
            policy=planned(planning, mdp, reward).policy,
            status=status,
            mdp=mdp,
            reward_function=reward,
            planning=planning,
            visits=np.bincount(trips.states, trips.weights, mdp.num_states),
            parameters=model.parameters(at, problem.decisions.units(self.by)),
            num_parameters=at.weights.size,
            trace=np.array(trace),
        )

    def log_prior(self, solution: Solution) -> float:
        """Logarithm of the prior of a solution, up to a constant."""
        return -0.5 * self.strength * float((solution.parameters["weights"] ** 2).sum())
