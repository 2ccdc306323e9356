"""A reward on top of a habit: what is wanted beyond what is usually done.

p(a | past) = h(a | past) exp(Q(s, a)) / Z, with h a table of counts and Q = r + gamma E V,
V = log sum exp Q, the action values of a reward as in maximum causal entropy. It is the product of
two experts, the habit and the plan; with a habit of equal shares it is `MaxEnt`. A default policy
that rewards pull away from is that of linearly solvable control (Todorov 2009), and of its use for
habits (Piray and Daw 2021).
"""

from dataclasses import asdict, dataclass, field

import numpy as np
from jaxtyping import Float, Int

from inverseq._core.errors import InputError
from inverseq._core.status import Status
from inverseq.decisions.alignment import align
from inverseq.decisions.counts import decision_weights
from inverseq.demonstrations import Demonstrations
from inverseq.inverse.maxent.objective import Model
from inverseq.inverse.maxent.search import maximise
from inverseq.inverse.planning import OnHabit
from inverseq.inverse.problem import Problem, Solver, settled
from inverseq.inverse.solution import Solution
from inverseq.inverse.tables.column_logit import ColumnLogit
from inverseq.inverse.tables.count_table import CountTable
from inverseq.inverse.tables.steered_search import Search
from inverseq.mdp import MDP
from inverseq.policies.steered import Habit, SteeredPolicy, steer
from inverseq.rewards.linear import RewardOn, make_design


@dataclass(frozen=True)
class Steered:
    """A reward that steers a habit.

    The habit is counted in all decisions. While the reward is fitted, the habit of each decision
    is that of the other units, so that the reward does not make up for what the table has learnt
    by heart. A regression (`ColumnLogit`) may be fitted `jointly` instead: what is usually done
    *beside* the plan, which is what can be carried to worlds where the plan is another.

    Attributes:
        habit: Finds what is usually done: `CountTable`, `ColumnTable`, `ColumnLogit`, or another
            solver whose policy is an `inverseq.policies.steered.Habit`.
        reward: What the reward depends on: "states", "state-actions" or "features".
        strength: Weight of the Gaussian prior on the reward's weights, in decisions.
        folds: Parts whose habit is counted in the other parts.
        by: What the parts are made of: "trajectory", "session", "subject" or any column.
        jointly: Whether the weights of a `ColumnLogit` are fitted together with the reward's.
        seed: Which random parts.
        tolerance: Largest gradient per decision at which the fit has converged.
        max_steps: Evaluations of objective and gradient at most.

    Raises:
        InputError: A number is out of range, or the habit is no solver.
    """

    habit: Solver[Solution] = field(default_factory=lambda: CountTable(2))
    reward: RewardOn = "features"
    strength: float = 1.0
    folds: int = 10
    by: str = "trajectory"
    jointly: bool = False
    seed: int = 0
    tolerance: float = 1e-5
    max_steps: int = 200

    def __post_init__(self) -> None:
        habit: object = self.habit
        if isinstance(habit, type) or not isinstance(habit, Solver):
            raise InputError(
                f"a habit is CountTable(2), ColumnTable(...) or ColumnLogit(...); got {habit!r}"
            )
        if not 0 <= self.strength < np.inf:
            raise InputError(f"strength must be a number of decisions; got {self.strength}")
        if self.jointly and not isinstance(habit, ColumnLogit):
            raise InputError(
                f"only the weights of a regression are fitted jointly: give ColumnLogit(...) or "
                f"jointly=False; got {habit!r}"
            )
        if self.folds < 2:
            raise InputError(f"folds must be 2 or more; got {self.folds}")

    def settle(self, problem: Problem) -> "Steering | Steered":
        """As `counted`; as it is where the habit is fitted with the reward."""
        return self if self.jointly else self.counted(problem)

    def counted(self, problem: Problem) -> "Steering":
        """The same with the habit counted, once for fits to parts of `problem`.

        Raises:
            InputError: The world is missing or has a discount of 1, there are fewer units than
                folds, or the habit is none or gives a decision no probability.
        """
        data, mdp = problem.decisions, problem.mdp
        _require_discount(mdp)
        habit = settled(self.habit, problem)
        whole = habit.solve(problem)
        if not isinstance(whole.policy, Habit):
            raise InputError(
                f"{type(habit).__name__} does not say what is usually done in other worlds too, as "
                "a habit must: take CountTable(2), ColumnTable(...) or ColumnLogit(...)"
            )
        units = data.units(self.by)
        count = int(units.max()) + 1
        if count < self.folds:
            raise InputError(
                f"{self.folds} folds by {self.by} need as many units; there are {count}. Give "
                "Steered(folds=...) fewer"
            )
        fold = (np.random.default_rng(self.seed).permutation(count) % self.folds)[units]
        weights = decision_weights(problem.weights, data.num_decisions)
        shares = np.zeros((data.num_decisions, mdp.num_actions))
        for part in range(self.folds):
            held_out = fold == part
            rows = held_out[data.trajectory_of]
            rest = Problem(data.take(~held_out), mdp, None, weights[~rows])
            shares[rows] = habit.solve(rest).probabilities(data.take(held_out))
        acted = np.flatnonzero(data.acted & (weights > 0))
        never = shares[acted, data.actions[acted]] == 0
        if never.any():
            row = int(acted[np.argmax(never)])
            raise InputError(
                f"row {data.row(row)}: the habit of the other units gives action "
                f"{data.actions[row]} no probability, which no reward can raise: give the habit "
                "some smoothing"
            )
        with np.errstate(divide="ignore"):
            return Steering(self, data, whole, np.log(shares), align(data, mdp))

    def solve(self, problem: Problem) -> Solution:
        """The reward behind `problem`; `fit` calls this.

        Raises:
            InputError: As for `counted`, or the world lacks what the reward depends on.
        """
        return self._together(problem) if self.jointly else self.counted(problem).solve(problem)

    def log_prior(self, solution: Solution) -> float:
        """Logarithm of the prior of a solution, up to a constant."""
        prior = -0.5 * self.strength * float((solution.parameters["weights"] ** 2).sum())
        policy = solution.policy
        if self.jointly and isinstance(self.habit, ColumnLogit):
            assert isinstance(policy, SteeredPolicy)  # as found by `solve`
            prior += self.habit.log_prior_of(policy.habit)
        return prior

    def _together(self, problem: Problem) -> Solution:
        """The reward and the weights of the habit, in one search."""
        assert isinstance(self.habit, ColumnLogit)  # as `__post_init__` has seen
        data, mdp = problem.decisions, problem.mdp
        _require_discount(mdp)
        regression, kept = self.habit.regression(problem)
        model = Model(mdp, make_design(mdp, self.reward, "gaussian"))
        rows, states = regression.rows, align(data, mdp)
        placed = (states[kept], rows.actions, rows.weights)
        search = Search(model, self.strength, *placed, regression=regression)
        near = None if problem.near is None else problem.near.parameters["weights"]
        first = maximise(model, search.counts, self.strength, start=near)
        start = np.append(first.weights, np.zeros(regression.strength.size))
        status = search.run(start, self.tolerance, self.max_steps)
        weights, more = np.split(search.best, [model.design.num_weights])
        habit = self.habit.solution(problem, regression, more, status, np.zeros(0))
        visits = np.bincount(placed[0], placed[2], mdp.num_states)
        return _solution(self, search, weights, habit, status, visits)


def _require_discount(mdp: MDP) -> None:
    """Raise an `InputError` where nothing is discounted."""
    if mdp.discount >= 1:
        raise InputError("Steered needs a discount below 1: give mdp a smaller discount")


def _solution(
    settings: Steered,
    search: Search,
    weights: Float[np.ndarray, " F"],
    habit: Solution,
    status: Status,
    visits: Float[np.ndarray, " S"],
) -> Solution:
    """What was found, as a solution."""
    mdp, plan, usual = search.model.mdp, search.plan, habit.policy
    assert plan is not None  # the search has looked somewhere
    assert isinstance(usual, Habit)  # as `counted` has seen
    planning = OnHabit(usual)
    return Solution(
        solver="Steered",
        settings=asdict(settings) | {"discount": mdp.discount},
        policy=planning.policy(plan.q, mdp),
        status=status,
        mdp=mdp,
        reward_function=search.model.design.function(weights, mdp),
        planning=planning,
        q=plan.q,
        v=plan.v,
        visits=visits,
        parameters={**habit.parameters, "weights": weights},
        # The habit's numbers were fitted to the same decisions.
        num_parameters=weights.size + habit.num_parameters,
        trace=np.array(search.trace),
    )


@dataclass(frozen=True, eq=False)
class Steering:
    """`Steered` for decisions whose habit is known.

    Attributes:
        settings: Of the fit.
        decisions: The N decisions.
        habit: What is usually done, from all decisions.
        log_habit: `[N, A]` what is usually done at each decision, from the other units.
        states: `[N]` state of each decision in the world.
    """

    settings: Steered
    decisions: Demonstrations
    habit: Solution
    log_habit: Float[np.ndarray, "N A"]
    states: Int[np.ndarray, " N"]

    def settle(self, problem: Problem) -> "Steering":
        """This; or, for other decisions, one whose habit is counted in those."""
        return self if problem.decisions is self.decisions else self.settings.counted(problem)

    def solve(self, problem: Problem) -> Solution:
        """The reward behind the weighted decisions of `problem`."""
        if problem.decisions is not self.decisions:
            return self.settings.counted(problem).solve(problem)
        mdp, data = problem.mdp, problem.decisions
        settings = self.settings
        model = Model(mdp, make_design(mdp, settings.reward, "gaussian"))
        weights = decision_weights(problem.weights, data.num_decisions)
        states = self.states
        rows = np.flatnonzero(data.acted & (weights > 0))
        placed = (states[rows], data.actions[rows], weights[rows])
        search = Search(model, settings.strength, *placed, log_habit=self.log_habit[rows])
        near = problem.near
        start = np.zeros(model.design.num_weights) if near is None else near.parameters["weights"]
        status = search.run(start, settings.tolerance, settings.max_steps)
        visits = np.bincount(states[rows], weights[rows], mdp.num_states)
        return _solution(settings, search, search.best, self.habit, status, visits)

    def fitted_probabilities(self, solution: Solution) -> Float[np.ndarray, "N A"]:
        """What a solution expects at the N decisions, their habit from the other units.

        It is what `solve` makes likely, so that a search that alternates between the two rises.
        """
        policy = solution.policy
        assert isinstance(policy, SteeredPolicy)
        return np.exp(steer(self.log_habit, policy.q[self.states]))

    def log_prior(self, solution: Solution) -> float:
        """Logarithm of the prior of a solution, up to a constant."""
        return self.settings.log_prior(solution)
