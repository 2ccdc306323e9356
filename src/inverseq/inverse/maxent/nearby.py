"""Many searches at once for weights near those of a maximum: folds, and resampled data."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

from inverseq.forward.soft import SoftPlan
from inverseq.inverse.maxent.objective import Model, log_likelihoods_and_gradients
from inverseq.inverse.maxent.search import Solve, better, maximise, newton
from inverseq.inverse.soft_plans import factored

_PAIRS = 12
"""Steps and changes of slope that are remembered."""

_STEPS = 40
"""Steps of all together, before those that are left are searched for one by one."""

_HALVINGS = 10


@dataclass(frozen=True, eq=False)
class Maxima:
    """The most likely weights for each of R counts.

    Attributes:
        weights: `[F, R]` of the rewards.
        v: `[S, R]` their soft values.
        converged: `[R]` whether each search did.
    """

    weights: Float[np.ndarray, "F R"]
    v: Float[np.ndarray, "S R"]
    converged: Bool[np.ndarray, " R"]


def maximise_each(
    model: Model,
    counts: Float[np.ndarray, "S A R"],
    strength: float,
    start: Float[np.ndarray, "F R"],
    near: SoftPlan,
    *,
    tolerance: float = 1e-6,
    max_steps: int = 2000,
) -> Maxima:
    """The most likely weights for R counts that differ little.

    The second derivatives of their mean at `near` serve all of them. What each differs in is learnt
    on the way (BFGS with limited memory, Nocedal 1980, which begins with the inverse of that
    matrix).

    Args:
        model: The world and the design.
        counts: `[S, A, R]` weight of the decisions.
        strength: Of the prior, in decisions.
        start: `[F, R]` weights to start from.
        near: A plan for weights like these in the same world.
        tolerance: Largest gradient per decision at which a search has converged.
        max_steps: Evaluations at most, for those that are searched for one by one.
    """
    plan = factored(model.mdp, near)
    searches = _Searches(model, counts, strength, plan, start)
    memory = _Memory(newton(model, counts.mean(axis=2), strength, plan))
    going = np.flatnonzero(searches.residual > tolerance)
    for _ in range(_STEPS):
        if going.size == 0:
            break
        going = searches.descend(going, memory, tolerance)
    converged = searches.residual <= tolerance
    for r in np.flatnonzero(~converged):
        found = maximise(
            model,
            np.ascontiguousarray(counts[:, :, r]),
            strength,
            start=searches.weights[:, r],
            plan=plan,
            tolerance=tolerance,
            max_steps=max_steps,
        )
        searches.weights[:, r], searches.v[:, r] = found.weights, found.plan.v
        converged[r] = found.status.ok
    return Maxima(searches.weights, searches.v, converged)


class _Memory:
    """Steps and changes of slope, and the directions that follow from them."""

    def __init__(self, solve: Solve) -> None:
        self.solve = solve
        self.pairs: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []

    def add(self, step: Float[np.ndarray, "F R"], change: Float[np.ndarray, "F R"]) -> None:
        """Remember; columns that did not move, or curve the wrong way, teach nothing."""
        product = _inner(step, change)
        floor = 1e-12 * np.sqrt(_inner(step, step) * _inner(change, change))
        inverse = np.divide(1.0, product, out=np.zeros_like(product), where=product > floor)
        self.pairs = [*self.pairs[1 - _PAIRS :], (step, change, inverse)]

    def direction(
        self, slope: Float[np.ndarray, "F r"], chosen: Int[np.ndarray, " r"]
    ) -> Float[np.ndarray, "F r"]:
        """The steps that are to end these slopes (two loops, Nocedal and Wright 2006, 7.4)."""
        pairs = [(s[:, chosen], y[:, chosen], i[chosen]) for s, y, i in self.pairs]
        left, shares = slope, []
        for step, change, inverse in reversed(pairs):
            shares.append(inverse * _inner(step, left))
            left = left - shares[-1] * change
        made = self.solve(left)
        for (step, change, inverse), share in zip(pairs, reversed(shares), strict=True):
            made = made + (share - inverse * _inner(change, made)) * step
        return made


class _Searches:
    """Where R searches are; costs are minus the penalised likelihoods per decision."""

    def __init__(
        self,
        model: Model,
        counts: Float[np.ndarray, "S A R"],
        strength: float,
        plan: SoftPlan,
        start: Float[np.ndarray, "F R"],
    ) -> None:
        self.model, self.counts, self.plan = model, counts, plan
        self.total = np.maximum(counts.sum(axis=(0, 1)), 1e-300)
        self.penalty = strength * model.design.penalty
        self.weights = start.copy()
        self.v = np.repeat(plan.v[:, None], start.shape[1], axis=1)
        everyone = np.arange(start.shape[1])
        self.cost, self.slope, self.v = self._look(everyone, start)

    @property
    def residual(self) -> Float[np.ndarray, " R"]:
        """Largest entry of each gradient per decision."""
        return np.abs(self.slope).max(axis=0, initial=0.0)

    def descend(
        self, going: Int[np.ndarray, " r"], memory: _Memory, tolerance: float
    ) -> Int[np.ndarray, " left"]:
        """A step of each; those that go on: they found a better point, and may find more."""
        step = self.total[going] * memory.direction(self.slope[:, going], going)
        gain, share = _inner(step, self.slope[:, going]), np.ones(going.size)
        moved, turned = np.zeros_like(self.weights), np.zeros_like(self.weights)
        waiting = np.flatnonzero(gain > 0)
        for _ in range(_HALVINGS):
            chosen = going[waiting]
            tried = self.weights[:, chosen] - share[waiting] * step[:, waiting]
            cost, slope, v = self._look(chosen, tried)
            promised = share[waiting] * gain[waiting]
            took = better(cost, self.cost[chosen], promised, slope, self.slope[:, chosen])
            taken = chosen[took]
            moved[:, taken] = tried[:, took] - self.weights[:, taken]
            turned[:, taken] = (slope[:, took] - self.slope[:, taken]) * self.total[taken]
            self.weights[:, taken], self.cost[taken] = tried[:, took], cost[took]
            self.slope[:, taken], self.v[:, taken] = slope[:, took], v[:, took]
            waiting = waiting[~took]
            share[waiting] /= 2
            if waiting.size == 0:
                break
        memory.add(moved, turned)
        better_now = moved[:, going].any(axis=0)
        return going[better_now & (self.residual[going] > tolerance)]

    def _look(
        self, chosen: Int[np.ndarray, " r"], weights: Float[np.ndarray, "F r"]
    ) -> tuple[Float[np.ndarray, " r"], Float[np.ndarray, "F r"], Float[np.ndarray, "S r"]]:
        """Cost, slope and values of the chosen ones at `weights`."""
        value, gradient, v = log_likelihoods_and_gradients(
            self.model, self.counts[:, :, chosen], weights, self.plan, self.v[:, chosen]
        )
        pull, total = self.penalty @ weights, self.total[chosen]
        cost = (0.5 * _inner(weights, pull) - value) / total
        return cost, (pull - gradient) / total, v


def _inner(a: Float[np.ndarray, "F R"], b: Float[np.ndarray, "F R"]) -> Float[np.ndarray, " R"]:
    """Inner product of each column."""
    return np.einsum("fr,fr->r", a, b)
