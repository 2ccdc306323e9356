"""Maximum causal entropy: the reward whose soft optimum makes the observed decisions most likely.

Ziebart, Bagnell and Dey 2010 ("Modeling interaction via the principle of maximum causal entropy"),
here with an infinite discounted horizon (or discount 1 with ends), a prior on the reward, and exact
gradients: one linear solve with the transpose of (I - gamma P_pi).
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace

import numpy as np
from jaxtyping import Float
from scipy import sparse
from scipy.linalg import LinAlgError

from inverseq._core.errors import FitError, InputError
from inverseq._core.status import Outcome
from inverseq.decisions.counts import count
from inverseq.forward.soft import SoftPlan
from inverseq.inverse.maxent.expansion import MaxEntExpansion
from inverseq.inverse.maxent.nearby import maximise_each
from inverseq.inverse.maxent.objective import (
    Model,
    curvature,
    expected_visits,
    log_likelihood,
    policy_slopes,
)
from inverseq.inverse.maxent.search import Maximum, around, is_small, maximise, penalised
from inverseq.inverse.planning import SoftOptimum
from inverseq.inverse.problem import Problem, Refitted, Response
from inverseq.inverse.soft_plans import factored
from inverseq.inverse.solution import Solution
from inverseq.mdp.backup import action_values
from inverseq.policies import TabularPolicy
from inverseq.rewards.gauges import Gauge
from inverseq.rewards.linear import Prior, RewardOn, make_design

_TOO_MANY = (
    "second derivatives in {:,} weights do not fit into memory; take inverseq.bootstrap, or a "
    "reward on fewer features"
)


@dataclass(frozen=True)
class MaxEnt:
    """Maximum causal entropy inverse reinforcement learning (Ziebart and others 2010).

    pi(a | s) = exp(Q(s, a) - V(s)), Q = r + gamma E V, V = log sum exp Q: the temperature is 1, so
    the reward is in units of the temperature. The fit maximises the log-likelihood of the
    decisions minus strength / 2 * (what the prior charges).

    Attributes:
        reward: What the reward depends on: "states", "state-actions" that exist, or the
            "features" of the world. Only features can be carried to a world with other states, and
            only features share a reward between several worlds (on states, each world of a union
            has weights of its own).
        prior: "gaussian" charges the sum of squares; "smooth" (not for features) charges
            differences between neighbouring states, or, with history, between pasts of the same
            present state, plus a tenth of the Gaussian.
        strength: Weight of the prior in decisions; None chooses it from `strengths` by
            cross-validation on the training data.
        strengths: Candidates, in decisions.
        folds: Folds of that cross-validation.
        by: What is held out in it: "trajectory", "session", "subject", "world", any column.
        seed: Which random choice of folds.
        tolerance: Largest gradient per decision at which the fit has converged.
        max_steps: Evaluations of objective and gradient at most, per fit.

    Raises:
        InputError: A strength is negative or not finite, or there is none to try.
    """

    reward: RewardOn = "states"
    prior: Prior = "gaussian"
    strength: float | None = None
    strengths: tuple[float, ...] = (0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0)
    folds: int = 5
    by: str = "trajectory"
    seed: int = 0
    tolerance: float = 1e-6
    max_steps: int = 2000

    @property
    def picks(self) -> Gauge:
        """A Gaussian prior takes the smallest of equivalent rewards."""
        return Gauge("minimum-norm")

    def __post_init__(self) -> None:
        tried = self.strengths if self.strength is None else (self.strength,)
        if not tried or not all(0 <= s < np.inf for s in tried):
            raise InputError(
                "strength must be a number of decisions, 0 or more, and strengths some of them; "
                f"got strength={self.strength}, strengths={self.strengths}"
            )

    def solve(self, problem: Problem) -> Solution:
        """The solution of `problem`.

        Raises:
            InputError: The world lacks what the reward depends on, or there are fewer units than
                folds.
        """
        mdp = problem.mdp
        model = Model(mdp, make_design(mdp, self.reward, self.prior))
        settings = {**asdict(self), "discount": mdp.discount}
        counts = problem.counts.state_action
        if self.strength is None:
            strength, found, scores = self._choose(model, problem)
            settings["cross_validation"] = {f"{s:g}": v for s, v in scores.items()}
            settings["strength"] = strength
        else:
            start = None if problem.near is None else problem.near.parameters["weights"]
            found = self._maximise(model, counts, self.strength, start, None)
        return Solution(
            solver="MaxEnt",
            settings=settings,
            policy=TabularPolicy(found.plan.policy),
            status=found.status,
            mdp=mdp,
            reward_function=model.design.function(found.weights, mdp),
            planning=SoftOptimum(),
            q=found.plan.q,
            v=found.plan.v,
            visits=counts.sum(1),
            parameters={"weights": found.weights},
            num_parameters=found.weights.size,
            trace=found.trace,
        )

    def settle(self, problem: Problem) -> "MaxEnt":
        """The same with the strength of the prior chosen, once for fits to parts of `problem`."""
        if self.strength is not None:
            return self
        model = Model(problem.mdp, make_design(problem.mdp, self.reward, self.prior))
        strength, *_ = self._choose(model, problem)
        return replace(self, strength=strength)

    def log_prior(self, solution: Solution) -> float:
        """Logarithm of the prior of a solution, up to a constant."""
        weights = solution.parameters["weights"]
        if solution.mdp is None:
            raise InputError("the prior of this reward needs the world of its solution")
        design = make_design(solution.mdp, self.reward, self.prior)
        return -0.5 * solution.settings["strength"] * float(weights @ (design.penalty @ weights))

    def refit(self, counts: Float[np.ndarray, "S A R"], estimate: Solution) -> Refitted:
        """The most likely rewards for R counts, by Newton's method from those of `estimate`."""
        model, weights, plan = self._at(estimate)
        found = maximise_each(
            model,
            counts,
            estimate.settings["strength"],
            np.repeat(weights[:, None], counts.shape[2], axis=1),
            plan,
            tolerance=self.tolerance,
            max_steps=self.max_steps,
        )
        rewards = model.design.reward(found.weights, model.mdp)
        return Refitted(rewards, {"weights": found.weights.T}, found.converged)

    def response(self, estimate: Solution, counts: Float[np.ndarray, "S A"]) -> Response:
        """What one more decision of each kind does to the weights: the inverse of the exact second
        derivative of the penalised likelihood, times the slope of that decision's log probability.

        Raises:
            InputError: There are too many weights.
            FitError: The fit is at no maximum: the likelihood is flat or rises in some direction.
        """
        model, _, plan = self._at(estimate)
        plan = factored(model.mdp, plan)
        if not is_small(model):
            raise InputError(_TOO_MANY.format(model.design.num_weights))
        slopes = policy_slopes(model, plan)
        matrix = curvature(model, slopes, expected_visits(model.mdp, counts, plan), plan)
        try:
            solve = penalised(model, matrix, estimate.settings["strength"])
        except LinAlgError as error:
            raise FitError(
                "this fit is at no maximum of the penalised likelihood, so that its curvature says "
                "nothing of how sure it is; fit with a larger strength, or take inverseq.bootstrap"
            ) from error
        made = np.zeros((counts.size, model.design.num_weights))
        made[model.mdp.allowed.ravel()] = solve(slopes.T).T
        charge = estimate.settings["strength"] * model.design.penalty.toarray()
        return Response("weights", made, model.design.matrix, solve(solve(charge).T))

    def leaning(self, estimate: Solution, draws: Sequence[np.random.Generator]) -> Refitted:
        """By how much the weights move where what the prior expects of them is drawn from it, by
        the Fisher information at `estimate`.
        """
        model, _, plan = self._at(estimate)
        assert estimate.visits is not None  # as of all its solutions
        strength = float(estimate.settings["strength"])
        solve = around(model, strength, factored(model.mdp, plan), estimate.visits)
        moved = solve(np.sqrt(strength) * model.design.pulls(draws))
        rewards = model.design.reward(moved, model.mdp)
        return Refitted(rewards, {"weights": moved.T}, np.asarray(np.isfinite(moved).all(axis=0)))

    def expand(self, problem: Problem) -> MaxEntExpansion:
        """Its likelihood as a quadratic, for `Hierarchical`.

        Raises:
            InputError: There is no world, or it lacks what the reward depends on, or there are too
                many weights.
        """
        mdp = problem.mdp
        model = Model(mdp, make_design(mdp, self.reward, self.prior))
        if not is_small(model):
            raise InputError(_TOO_MANY.format(model.design.num_weights))
        return MaxEntExpansion(mdp, model)

    def _at(self, estimate: Solution) -> tuple[Model, Float[np.ndarray, " F"], SoftPlan]:
        """The model, weights and plan of a fit with these settings."""
        mdp, policy = estimate.mdp, estimate.policy
        assert mdp is not None  # see `solve` for all of these
        assert estimate.q is not None
        assert estimate.v is not None
        assert isinstance(policy, TabularPolicy)
        plan = SoftPlan(estimate.v, estimate.q, policy.table, estimate.status)
        model = Model(mdp, make_design(mdp, self.reward, self.prior))
        return model, estimate.parameters["weights"], plan

    def _choose(self, model: Model, problem: Problem) -> tuple[float, Maximum, dict[float, float]]:
        """The strength that predicts best in cross-validation, the fit to all with it, and what
        each strength scored: held-out nats per decision.

        From strong to weak, the fits to all and to all but a fold side by side, each beginning
        where it was before.
        """
        units, mdp = self._units(problem), model.mdp
        fold = np.random.default_rng(self.seed).permutation(units.shape[0]) % self.folds
        of_fold = sparse.csr_array(np.arange(self.folds)[:, None] == fold, dtype=np.float64)
        held_out = (of_fold @ units).toarray().T.reshape(*mdp.allowed.shape, self.folds)
        counts = held_out.sum(axis=2)
        parts = np.concatenate([counts[:, :, None], counts[:, :, None] - held_out], axis=2)
        strengths = sorted(self.strengths, reverse=True)
        begin = self._maximise(model, counts, strengths[0], None, None)
        if begin.status.outcome is Outcome.DIVERGED:
            return strengths[0], begin, {}
        plan, weights = begin.plan, np.repeat(begin.weights[:, None], self.folds + 1, axis=1)
        scores: dict[float, float] = {}
        found: dict[float, Maximum] = {}
        limits = {"tolerance": self.tolerance, "max_steps": self.max_steps}
        for number, strength in enumerate(strengths):
            each = maximise_each(model, parts, strength, weights, plan, **limits)
            weights = each.weights
            found[strength] = self._maximise(model, counts, strength, weights[:, 0], plan)
            plan = found[strength].plan
            q = action_values(mdp, model.design.reward(weights, mdp), each.v)[..., 1:]
            nats = log_likelihood(mdp, q, held_out).sum()
            scores[strength] = float(nats / max(counts.sum(), 1e-300))
            if problem.progress is not None:
                done, total = (number + 1) * self.folds, len(strengths) * self.folds
                problem.progress("cross-validation", done, total)
        best = max(scores, key=lambda s: scores[s])
        return best, found[best], scores

    def _units(self, problem: Problem) -> sparse.csr_array:
        """Counts per unit of the cross-validation."""
        counts = problem.counts
        if problem.demonstrations is None:
            counts.require_by(self.by, "MaxEnt")
        elif self.by != "trajectory":
            counts = count(problem.decisions, problem.mdp, weights=problem.weights, by=self.by)
        if counts.units is None:
            raise InputError(
                "these counts do not say which trajectory they come from, so the strength of the "
                "prior cannot be chosen by cross-validation: give MaxEnt(strength=1.0)"
            )
        if counts.units.shape[0] < max(self.folds, 2):
            raise InputError(
                f"{self.folds} folds by {self.by} need as many units; there are "
                f"{counts.units.shape[0]}. Give fewer folds, or MaxEnt(strength=1.0)"
            )
        return counts.units

    def _maximise(
        self,
        model: Model,
        counts: Float[np.ndarray, "S A"],
        strength: float,
        start: Float[np.ndarray, " F"] | None,
        plan: SoftPlan | None,
    ) -> Maximum:
        """`maximise` with these settings."""
        return maximise(
            model,
            counts,
            strength,
            start=start,
            plan=plan,
            tolerance=self.tolerance,
            max_steps=self.max_steps,
        )
