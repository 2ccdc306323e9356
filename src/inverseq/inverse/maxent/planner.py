"""A planner as people and animals may be: how far ahead, how strictly, and how often by chance.

Q is that of a soft optimum, or of a hard one, V = max Q; choices are Boltzmann in Q, but for a
share of lapses, p = (1 - lapse) pi + lapse / (number of actions that exist). The temperature is the
size of the reward. The discount is the one under which the training data are most likely (its
profile).
"""

from dataclasses import asdict, dataclass, replace
from typing import Literal, NamedTuple, get_args

import numpy as np
from jaxtyping import Float
from scipy.optimize import minimize

from inverseq._core.errors import InputError
from inverseq._core.status import Outcome, Status
from inverseq.forward import policy_iteration
from inverseq.forward.soft import SoftPlan
from inverseq.inverse.maxent.objective import Model
from inverseq.inverse.maxent.search import maximise
from inverseq.inverse.planning import HardOptimum, SoftOptimum, lapsing
from inverseq.inverse.problem import Problem
from inverseq.inverse.soft_plans import solve_adjoint
from inverseq.inverse.solution import Solution
from inverseq.mdp import MDP
from inverseq.policies import boltzmann, greedy
from inverseq.rewards.linear import RewardOn, make_design

Optimum = Literal["soft", "hard"]

_LAPSE_LOGITS = (-12.0, 3.0)
_FIRST_LOGIT = -3.5


@dataclass(frozen=True)
class Planner:
    """A reward that an agent plans for, with the discount chosen by the fit.

    With `optimum="soft"`, no lapse and one discount it is `MaxEnt` under a prior of given strength.

    Attributes:
        reward: What the reward depends on: "states", "state-actions" or "features".
        optimum: "soft" (V = log sum exp Q: it counts on choosing freely later on) or "hard" (V =
            max Q: it counts on choosing the best).
        lapse: Whether it takes any action that exists, equally often, with a probability that is
            fitted too.
        discounts: Candidates; the world's own where left out. More than one count as a parameter.
        strength: Weight of the Gaussian prior, in decisions.
        tolerance: Largest gradient per decision at which the fit has converged.
        max_steps: Evaluations at most, for each discount.

    Raises:
        InputError: A number is out of range, or the optimum neither soft nor hard.
    """

    reward: RewardOn = "features"
    optimum: Optimum = "soft"
    lapse: bool = False
    discounts: tuple[float, ...] = ()
    strength: float = 1.0
    tolerance: float = 1e-5
    max_steps: int = 500

    def __post_init__(self) -> None:
        if self.optimum not in get_args(Optimum):
            raise InputError(f"optimum must be one of {get_args(Optimum)}; got {self.optimum!r}")
        if not 0 <= self.strength < np.inf or not all(0 <= d <= 1 for d in self.discounts):
            raise InputError(
                "strength must be a number of decisions, 0 or more, and discounts lie between 0 "
                f"and 1; got {self.strength} and {self.discounts}"
            )

    def solve(self, problem: Problem) -> Solution:
        """The most likely reward and discount; `fit` calls this.

        Raises:
            InputError: The world lacks what the reward depends on.
        """
        counts = problem.counts.state_action
        near = None if problem.near is None else problem.near.parameters["weights"]
        found: dict[float, _Found] = {}
        tried = self.discounts or (problem.mdp.discount,)
        for number, discount in enumerate(tried):
            mdp = replace(problem.mdp, discount=discount)
            found[discount] = self._at(mdp, counts, near)
            if found[discount].status.ok:
                near = found[discount].numbers[: found[discount].size]
            if problem.progress is not None:
                problem.progress("discounts", number + 1, len(tried))
        best = max(found, key=lambda d: found[d].value)
        chosen = found[best]
        weights = chosen.numbers[: chosen.size]
        design = make_design(chosen.mdp, self.reward, "gaussian")
        reward = design.function(weights, chosen.mdp)
        lapse = _share(chosen.numbers, chosen.size)
        planning = SoftOptimum(lapse) if self.optimum == "soft" else HardOptimum(lapse)
        profile = {f"{d:g}": one.value / max(float(counts.sum()), 1.0) for d, one in found.items()}
        return Solution(
            solver="Planner",
            settings=asdict(self) | {"discount": best, "lapse": lapse, "profile": profile},
            policy=planning.policy(chosen.plan.q, chosen.mdp),
            status=chosen.status,
            mdp=chosen.mdp,
            reward_function=reward,
            planning=planning,
            q=chosen.plan.q,
            v=chosen.plan.v,
            visits=counts.sum(1),
            parameters={"weights": weights},
            num_parameters=chosen.numbers.size + (len(tried) > 1),
        )

    def settle(self, problem: Problem) -> "Planner":
        """The same with the discount chosen, once for fits to parts of `problem`."""
        if len(self.discounts) < 2:
            return self
        return replace(self, discounts=(float(self.solve(problem).settings["discount"]),))

    def log_prior(self, solution: Solution) -> float:
        """Logarithm of the prior of a solution, up to a constant."""
        return -0.5 * self.strength * float((solution.parameters["weights"] ** 2).sum())

    def _at(
        self, mdp: MDP, counts: Float[np.ndarray, "S A"], near: Float[np.ndarray, " F"] | None
    ) -> "_Found":
        """The most likely numbers under one discount."""
        model = Model(mdp, make_design(mdp, self.reward, "gaussian"))
        how = {"tolerance": self.tolerance, "max_steps": self.max_steps}
        soft = maximise(model, counts, self.strength, start=near, **how)
        if soft.status.outcome is Outcome.DIVERGED and near is not None:
            soft = maximise(model, counts, self.strength, **how)
        total = max(float(counts.sum()), 1e-300)
        size = soft.weights.size
        value = float(soft.trace[-1]) * total if soft.trace.size else -np.inf
        if (self.optimum == "soft" and not self.lapse) or not soft.status.ok:
            return _Found(mdp, soft.weights, size, soft.plan, value, soft.status)
        search = _Search(self, model, counts)
        start = np.append(soft.weights, [_FIRST_LOGIT] * self.lapse)
        made = minimize(
            search,
            start,
            jac=True,
            method="L-BFGS-B",
            bounds=[(None, None)] * size + [_LAPSE_LOGITS] * self.lapse,
            options={"gtol": self.tolerance, "ftol": 1e-12, "maxfun": self.max_steps},
        )
        done = made.success and made.nfev < self.max_steps
        outcome = Outcome.CONVERGED if done else Outcome.LIMIT
        slope = float(np.abs(made.jac).max(initial=0.0))
        words = "" if done else "Give more max_steps, or a stronger prior."
        status = Status(outcome, int(made.nfev), slope, words)
        plan = search.plan_of(made.x[:size])
        return _Found(mdp, made.x, size, plan, -float(made.fun) * total, status)


class _Found(NamedTuple):
    """What is most likely under one discount: weights and perhaps the logit of lapses."""

    mdp: MDP
    numbers: Float[np.ndarray, " X"]
    size: int
    plan: SoftPlan
    value: float
    status: Status


def _share(numbers: Float[np.ndarray, " X"], size: int) -> float:
    """The share of lapses: the number behind the weights, if there is one, is its logit."""
    return float(1 / (1 + np.exp(-numbers[-1]))) if numbers.size > size else 0.0


class _Search:
    """Minus the penalised log-likelihood per decision, and its slope."""

    def __init__(self, settings: Planner, model: Model, counts: Float[np.ndarray, "S A"]) -> None:
        self.settings, self.model, self.counts = settings, model, counts
        self.total = max(float(counts.sum()), 1e-300)
        self.near: SoftPlan | None = None

    def plan_of(self, weights: Float[np.ndarray, " F"]) -> SoftPlan:
        """Values, and the policy that values ahead are averaged with."""
        if self.settings.optimum == "soft":
            return self.model.plan(weights, self.near)
        mdp = self.model.mdp
        best = policy_iteration(mdp, self.model.design.reward(weights, mdp))
        return SoftPlan(best.values, best.q, greedy(best.q, mdp.allowed), best.status)

    def __call__(self, x: Float[np.ndarray, " X"]) -> tuple[float, Float[np.ndarray, " X"]]:
        """Cost and slope: that in Q is what was meant less what is expected, as in `Greedy`; that
        in the reward adds what values ahead change, one adjoint solve.
        """
        mdp, design, size = self.model.mdp, self.model.design, self.model.design.num_weights
        weights, lapse = x[:size], _share(x, size)
        plan = self.plan_of(weights)
        if not plan.status.ok:
            return 1e10, np.zeros_like(x)
        choice = boltzmann(plan.q, mdp.allowed)
        policy = lapsing(choice, mdp.allowed, lapse)
        taken = self.counts > 0
        if not (policy[taken] > 0).all():  # further down than numbers reach
            return 1e10, np.zeros_like(x)
        value = float((self.counts * np.log(np.where(taken, policy, 1.0))).sum())
        meant = self.counts * (1 - lapse) * choice / np.where(policy > 0, policy, 1.0)
        excess = meant - choice * meant.sum(1, keepdims=True)
        slope = excess
        if mdp.discount > 0:
            right = mdp.discount * (mdp.transition_matrix.T @ excess.ravel())
            adjoint, plan = solve_adjoint(mdp, plan, right)
            slope = excess + plan.policy * adjoint[:, None]
        self.near = plan if self.settings.optimum == "soft" else None
        gradient = design.matrix.T @ slope.ravel() - self.settings.strength * weights
        cost = 0.5 * self.settings.strength * float(weights @ weights) - value
        if x.size > size:
            gradient = np.append(gradient, (self.counts - meant).sum() - lapse * self.counts.sum())
        return cost / self.total, -gradient / self.total
