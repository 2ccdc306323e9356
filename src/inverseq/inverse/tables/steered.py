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
from scipy import sparse
from scipy.optimize import minimize

from inverseq._core.errors import InputError
from inverseq._core.status import Outcome, Status
from inverseq.decisions.alignment import align
from inverseq.decisions.counts import decision_weights
from inverseq.demonstrations import Demonstrations
from inverseq.inverse.maxent.objective import Model
from inverseq.inverse.planning import OnHabit
from inverseq.inverse.problem import Problem, Solver, settled
from inverseq.inverse.soft_plans import solve_adjoint
from inverseq.inverse.solution import Solution
from inverseq.inverse.tables.count_table import CountTable
from inverseq.policies.steered import Habit, SteeredPolicy, steer
from inverseq.rewards.linear import RewardOn, make_design


@dataclass(frozen=True)
class Steered:
    """A reward that steers a habit.

    The habit is counted in all decisions. While the reward is fitted, the habit of each decision
    is that of the other units, so that the reward does not make up for what the table has learnt
    by heart.

    Attributes:
        habit: Finds what is usually done: `CountTable`, `ColumnTable`, `ColumnLogit`, or another
            solver whose policy is an `inverseq.policies.steered.Habit`.
        reward: What the reward depends on: "states", "state-actions" or "features".
        strength: Weight of the Gaussian prior on the reward's weights, in decisions.
        folds: Parts whose habit is counted in the other parts.
        by: What the parts are made of: "trajectory", "session", "subject" or any column.
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
        if self.folds < 2:
            raise InputError(f"folds must be 2 or more; got {self.folds}")

    def settle(self, problem: Problem) -> "Steering":
        """The same with the habit counted, once for fits to parts of `problem`.

        Raises:
            InputError: The world is missing or has a discount of 1, there are fewer units than
                folds, or the habit is none or gives a decision no probability.
        """
        data, mdp = problem.decisions, problem.mdp
        if mdp.discount >= 1:
            raise InputError("Steered needs a discount below 1: give mdp a smaller discount")
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
            InputError: As for `settle`, or the world lacks what the reward depends on.
        """
        return self.settle(problem).solve(problem)


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
        return self if problem.decisions is self.decisions else self.settings.settle(problem)

    def solve(self, problem: Problem) -> Solution:
        """The reward behind the weighted decisions of `problem`."""
        if problem.decisions is not self.decisions:
            return self.settle(problem).solve(problem)
        mdp, data = problem.mdp, problem.decisions
        settings = self.settings
        model = Model(mdp, make_design(mdp, settings.reward, "gaussian"))
        weights = decision_weights(problem.weights, data.num_decisions)
        states = self.states
        rows = np.flatnonzero(data.acted & (weights > 0))
        search = Search(
            model,
            settings.strength,
            self.log_habit[rows],
            states[rows],
            data.actions[rows],
            weights[rows],
        )
        near = problem.near
        start = np.zeros(model.design.num_weights) if near is None else near.parameters["weights"]
        status = search.run(start, settings.tolerance, settings.max_steps)
        found, plan = search.best, search.plan
        assert plan is not None
        habit = self.habit.policy
        assert isinstance(habit, Habit)  # as `settle` has seen
        planning = OnHabit(habit)
        return Solution(
            solver="Steered",
            settings=asdict(settings) | {"discount": mdp.discount},
            policy=planning.policy(plan.q, mdp),
            status=status,
            mdp=mdp,
            reward_function=model.design.function(found, mdp),
            planning=planning,
            q=plan.q,
            v=plan.v,
            visits=np.bincount(states[rows], weights[rows], mdp.num_states),
            parameters={**self.habit.parameters, "weights": found},
            # The habit's numbers were fitted to the same decisions.
            num_parameters=found.size + self.habit.num_parameters,
            trace=np.array(search.trace),
        )

    def fitted_probabilities(self, solution: Solution) -> Float[np.ndarray, "N A"]:
        """What a solution expects at the N decisions, their habit from the other units.

        It is what `solve` makes likely, so that a search that alternates between the two rises.
        """
        policy = solution.policy
        assert isinstance(policy, SteeredPolicy)
        return np.exp(steer(self.log_habit, policy.q[self.states]))

    def log_prior(self, solution: Solution) -> float:
        """Logarithm of the prior of a solution, up to a constant."""
        return -0.5 * self.settings.strength * float((solution.parameters["weights"] ** 2).sum())


class Search:
    """Penalised log-likelihood per decision as a function of the reward's weights."""

    def __init__(
        self,
        model: Model,
        strength: float,
        log_habit: Float[np.ndarray, "N A"],
        states: Int[np.ndarray, " N"],
        actions: Int[np.ndarray, " N"],
        weights: Float[np.ndarray, " N"],
    ) -> None:
        self.model, self.strength = model, strength
        self.log_habit, self.states, self.actions, self.weights = (
            log_habit,
            states,
            actions,
            weights,
        )
        self.total = max(float(weights.sum()), 1.0)
        place = (states, np.arange(states.size))
        shape = (model.mdp.num_states, states.size)
        self.sums = sparse.csr_array((weights, place), shape=shape)
        self.counts = np.zeros((shape[0], model.mdp.num_actions))
        np.add.at(self.counts, (states, actions), weights)
        self.best, self.plan, self.cost = np.zeros(0), None, np.inf
        self.trace: list[float] = []

    def run(self, start: Float[np.ndarray, " F"], tolerance: float, max_steps: int) -> Status:
        """Climb from `start`; never ends below it."""
        found = minimize(
            self,
            start,
            jac=True,
            method="L-BFGS-B",
            options={"maxfun": max_steps, "maxiter": max_steps, "gtol": tolerance, "ftol": 1e-15},
        )
        slope = float(np.abs(found.jac).max(initial=0.0))
        # A search that ends for lack of precision has found the optimum as well as it can be.
        settled = slope <= tolerance or len(self.trace) < max_steps
        outcome = Outcome.CONVERGED if settled else Outcome.LIMIT
        message = "" if settled else "Give more max_steps, or a stronger prior."
        return Status(outcome, len(self.trace), slope, message)

    def __call__(self, weights: Float[np.ndarray, " F"]) -> tuple[float, Float[np.ndarray, " F"]]:
        """Cost and slope.

        The gradient in Q(s, a) is E(s, a), what was done less what is expected; that in r(s, a) is
        E + pi * y with (I - gamma P_pi)' y = gamma P' E, as for MaxEnt.
        """
        mdp, design = self.model.mdp, self.model.design
        plan = self.model.plan(weights, self.plan)
        if not plan.status.ok:
            return np.inf, np.zeros_like(weights)
        values = np.where(mdp.allowed, plan.q - plan.v[:, None], 0.0)
        logs = steer(self.log_habit, values[self.states])
        rows = np.arange(self.actions.size)
        likelihood = float(self.weights @ logs[rows, self.actions])
        excess = self.counts - self.sums @ np.exp(logs)
        slope = excess
        if mdp.discount > 0:
            right = mdp.discount * (mdp.transition_matrix.T @ excess.ravel())
            adjoint, plan = solve_adjoint(mdp, plan, right)
            slope = excess + plan.policy * adjoint[:, None]
        gradient = design.matrix.T @ slope.ravel() - self.strength * weights
        cost = (0.5 * self.strength * float(weights @ weights) - likelihood) / self.total
        self.trace.append(-cost * self.total)
        if cost <= self.cost:
            self.best, self.cost = weights.copy(), cost
            self.plan = plan
        return cost, -gradient / self.total
