"""No foresight: each decision by the features of the next move alone, and at times by chance.

p(a | s) = (1 - lapse) exp(w . phi(s, a)) / Z(s) + lapse / (number of actions that exist). The
weights, and the share of lapses, are the most likely ones; there is no prior. It is what a planner
for a reward on features is to be compared with.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from scipy.optimize import minimize

from inverseq._core.errors import InputError
from inverseq._core.status import Outcome, Status
from inverseq.inverse.planning import Greedily
from inverseq.inverse.problem import Problem
from inverseq.inverse.solution import Solution
from inverseq.mdp.paths import Nearer
from inverseq.policies import boltzmann, uniform
from inverseq.rewards import FeatureReward
from inverseq.rewards.nearer import NearerReward, looked_at

_LAPSE_LOGITS = (-15.0, 5.0)
_FIRST_LOGIT = -3.0


@dataclass(frozen=True)
class Greedy:
    """An agent without foresight, whose reward is linear in the features of the world.

    With `nearer` it is the yardstick of every planner: a walker along the straight line, or the
    shortest path, with a temperature, and with the habits that features tell, such as "turn" and
    "reversal" of `inverseq.worlds.maze_features`.

    Attributes:
        nearer: What a move is judged by beside the features: the steps by which it shortens the way
            to the nearest end, along the "path" or the "line", walls left out of account. The world
            then needs no features.
        lapse: Whether it lapses: takes any action that exists, equally often, with a probability
            that is fitted too.
        tolerance: Largest gradient per decision at which the fit has converged.
    """

    nearer: Nearer | None = None
    lapse: bool = False
    tolerance: float = 1e-5

    def solve(self, problem: Problem) -> Solution:
        """The most likely weights and lapses.

        Raises:
            InputError: The world is missing, or has no features (with `nearer`: no ends).
        """
        mdp, counts = problem.mdp, problem.counts.state_action
        if mdp.features is None and self.nearer is None:
            raise InputError(
                "this world has no features, and Greedy looks at nothing else; give "
                'MDP(features=[S, A, F]), or Greedy(nearer="path")'
            )
        phi = looked_at(mdp, self.nearer, 0 if mdp.features is None else mdp.features.shape[2])
        size = phi.shape[2]
        start = np.append(np.zeros(size), [_FIRST_LOGIT] * self.lapse)
        numbers, status = start, Status(Outcome.CONVERGED)
        if start.size:
            bounds = [(None, None)] * size + [_LAPSE_LOGITS] * self.lapse
            found = minimize(
                lambda x: _cost(x, phi, counts, mdp.allowed),
                start,
                jac=True,
                method="L-BFGS-B",
                bounds=bounds,
                options={"gtol": self.tolerance},
            )
            numbers = found.x
            outcome = Outcome.CONVERGED if found.success else Outcome.LIMIT
            status = Status(outcome, int(found.nit), float(np.abs(found.jac).max()), found.message)
        share = _share(numbers, size)
        reward: FeatureReward | NearerReward = FeatureReward(numbers[:size])
        if self.nearer is not None:
            reward = NearerReward(self.nearer, numbers[:size])
        planning = Greedily(share)
        policy, plan = planning.plan(mdp, reward.table(mdp))
        assert plan is not None  # of `Greedily`
        return Solution(
            solver="Greedy",
            settings={"nearer": self.nearer, "lapse": share, "tolerance": self.tolerance},
            policy=policy,
            status=status,
            mdp=mdp,
            reward_function=reward,
            planning=planning,
            q=plan.q,
            v=plan.v,
            visits=counts.sum(1),
            parameters={"weights": numbers[:size]},
            num_parameters=start.size,
        )


def _share(numbers: Float[np.ndarray, " X"], size: int) -> float:
    """The share of lapses: the number behind the weights, if there is one, is its logit."""
    return float(1 / (1 + np.exp(-numbers[-1]))) if numbers.size > size else 0.0


def _cost(
    x: Float[np.ndarray, " X"],
    phi: Float[np.ndarray, "S A F"],
    counts: Float[np.ndarray, "S A"],
    allowed: np.ndarray,
) -> tuple[float, Float[np.ndarray, " X"]]:
    """Minus the log-likelihood per decision, and its gradient."""
    size = phi.shape[2]
    lapse, choice = _share(x, size), boltzmann(phi @ x[:size], allowed)
    policy = (1 - lapse) * choice + lapse * uniform(allowed)
    log_likelihood = (counts * np.log(np.where(counts > 0, policy, 1.0))).sum()
    # Each decision counts for the weights as far as it was no lapse.
    meant = counts * (1 - lapse) * choice / np.where(policy > 0, policy, 1.0)
    missing = meant - choice * meant.sum(1, keepdims=True)
    slope = np.einsum("sa,saf->f", missing, phi)
    if x.size > size:
        slope = np.append(slope, (counts - meant).sum() - lapse * counts.sum())
    return -log_likelihood / counts.sum(), -slope / counts.sum()
