"""Tabular inverse Q-learning: a reward from transitions alone, without a model of the world.

Not implicit Q-learning. Kalweit, Huegle, Werling and Boedecker, "Deep Inverse Q-learning with
Constraints" (NeurIPS 2020), Algorithm 1: visit counts rho, a shifted Q that foresees, the reward r
and the action values Q are learned side by side, one observed transition (s, a, s') at a time,

    rho(s, a) += 1,   pi = rho(s, .) / sum rho(s, .)
    Q^Sh(s, a) += alpha_Sh (gamma max Q(s', .) - Q^Sh(s, a))
    eta(s, b)   = log(pi(b) + eps) - Q^Sh(s, b)                        for all b
    r(s, a)    += alpha_r (eta(s, a) + mean over b != a of (r(s, b) - eta(s, b)) - r(s, a))
    Q(s, a)    += alpha_Q (r(s, a) + gamma max Q(s', .) - Q(s, a)).
"""

from dataclasses import asdict, dataclass
from typing import Literal

import numpy as np
from jaxtyping import Bool, Float

from inverseq._core.errors import InputError
from inverseq._core.status import Outcome, Status
from inverseq.inverse.planning import HardOptimum
from inverseq.inverse.problem import Problem
from inverseq.inverse.solution import Solution
from inverseq.inverse.values.iql_exact import fixed_point_of
from inverseq.inverse.values.iql_loop import Sampled, Steps, run_epochs
from inverseq.inverse.values.iql_transitions import Transitions, observed_transitions
from inverseq.mdp.backup import hard_value
from inverseq.policies import TabularPolicy, boltzmann
from inverseq.rewards import StateActionReward

Method = Literal["sample", "exact"]


@dataclass(frozen=True)
class Fading:
    """Step sizes that fade: each is multiplied by (1 + n / scale) ** -power at the n-th visit.

    n counts the earlier visits to the same state and action, over all epochs. For powers above 0.5
    and up to 1 the steps obey the conditions of Robbins and Monro (1951).

    Attributes:
        power: From 0 (constant) to 1.
        scale: In visits.
    """

    power: float = 1.0
    scale: float = 100.0

    def __post_init__(self) -> None:
        if not (0 <= self.power <= 1 and self.scale > 0):
            raise InputError(
                "a fading step needs a power from 0 to 1 and a scale above 0; got "
                f"power={self.power}, scale={self.scale}"
            )


@dataclass(frozen=True)
class IQL:
    """Inverse Q-learning (not implicit Q-learning), from transitions in their observed order.

    The world passed to `fit` is optional. Where it is given, its actions, terminal states and
    discount hold, and its probabilities are not read. Where it is not, all actions exist, and the
    solution carries the world that the same transitions show.

    The policy of the solution is the Boltzmann policy of Q. A row that the world ended is learned
    without looking ahead; rows without an action or a known next state are left out.

    Attributes:
        reward_step: alpha_r, in (0, 1]. A transition of weight w takes steps w times as large, at
            most 1.
        q_step: alpha_Q.
        shifted_step: alpha_Sh.
        epochs: Passes over the transitions.
        smoothing: eps, added to the shares of actions inside the logarithm; above 0.
        method: "sample" (the paper), or "exact": the fixed point that the sampled updates tend to
            as steps become small, solved directly (see `inverseq.inverse.values.iql_exact`).
        schedule: How step sizes fade; None keeps them, as in the paper.
        discount: gamma, where no world is given.
        tolerance: Stop after an epoch that changed no value by more than this, and fail where no
            epoch did. 0 makes all epochs and calls that the result, as the paper does; the status
            reports what the last one changed.
    """

    reward_step: float = 1e-4
    q_step: float = 1e-2
    shifted_step: float = 1e-2
    epochs: int = 100
    smoothing: float = 1e-6
    method: Method = "sample"
    schedule: Fading | None = None
    discount: float | None = None
    tolerance: float = 0.0

    def __post_init__(self) -> None:
        for name in ("reward_step", "q_step", "shifted_step"):
            check_step(name, getattr(self, name))
        if self.epochs < 1:
            raise InputError(f"epochs must be 1 or more; got {self.epochs}")
        if not (np.isfinite(self.smoothing) and self.smoothing > 0):
            raise InputError(
                f"smoothing must be above 0, or actions never taken have no finite reward; got "
                f"{self.smoothing}"
            )
        if self.method not in ("sample", "exact"):
            raise InputError(f'method must be "sample" or "exact"; got {self.method!r}')
        if not self.tolerance >= 0:
            raise InputError(f"tolerance must be 0 or more; got {self.tolerance}")

    def solve(self, problem: Problem) -> Solution:
        """The reward behind the transitions of `problem`; `fit` calls this.

        Raises:
            InputError: Only counts were given, there is no transition to learn from, the discount
                is missing, or a row does not fit the world.
        """
        transitions = observed_transitions(problem, self.discount)
        if self.method == "exact":
            return self._fixed_point(transitions)
        run = self.sample(transitions, problem)
        return self.solution(transitions, run.reward, run.q, self.status_of(run), run.changes)

    def solve_adding(
        self, problem: Problem, added: Float[np.ndarray, "S A"], *, unseen: bool = False
    ) -> Solution:
        """Where so many more decisions of each kind, or of each that was `unseen`, were made: for
        intervals.

        Raises:
            InputError: As `solve`, or these are sampled updates.
        """
        if self.method == "sample":
            raise InputError(
                "sampled updates leave the reward of what is seldom done near 0, where they begin, "
                'so that no interval of theirs holds: give IQL(method="exact")'
            )
        seen = observed_transitions(problem, self.discount)
        return self._fixed_point(seen.adding(np.where(unseen & (seen.counts > 0), 0.0, added)))

    def _fixed_point(self, transitions: Transitions) -> Solution:
        """What the updates tend to."""
        found = fixed_point_of(transitions, self.smoothing)
        return self.solution(transitions, found.reward, found.q, found.status, np.zeros(0))

    def solution(
        self,
        transitions: Transitions,
        reward: Float[np.ndarray, "S A"],
        q: Float[np.ndarray, "S A"],
        status: Status,
        trace: Float[np.ndarray, " epochs"],
    ) -> Solution:
        """What was learned, as a record."""
        mdp, visits = transitions.mdp, transitions.counts.sum(1)
        return Solution(
            solver="IQL",
            settings=asdict(self) | {"discount": mdp.discount},
            policy=TabularPolicy(boltzmann(q, mdp.allowed)),
            status=status,
            mdp=mdp,
            reward_function=StateActionReward(reward),
            planning=HardOptimum(),
            q=q,
            v=hard_value(q, mdp.allowed),
            visits=visits,
            num_parameters=int((mdp.allowed.sum(1) - 1)[visits > 0].sum()),
            trace=trace,
        )

    def sample(
        self,
        transitions: Transitions,
        problem: Problem,
        safe: Bool[np.ndarray, "S A"] | None = None,
        safe_step: float = 0.0,
    ) -> Sampled:
        """The sampled updates, with a constrained Q where `safe` actions are given."""
        progress, fading = problem.progress, self.schedule or Fading(power=0.0)
        steps = Steps(
            reward=self.reward_step,
            q=self.q_step,
            shifted=self.shifted_step,
            safe_q=safe_step,
            smoothing=self.smoothing,
            power=fading.power,
            scale=fading.scale,
        )
        report = None
        if progress is not None:
            report = lambda made: progress("inverse Q-learning", made, self.epochs)  # noqa: E731
        return run_epochs(
            transitions, steps, self.epochs, safe=safe, tolerance=self.tolerance, report=report
        )

    def status_of(self, run: Sampled) -> Status:
        """How a sampled run ended."""
        made, change = len(run.changes), float(run.changes[-1])
        if not np.isfinite(change):
            message = "values are no longer finite; lower the discount or the step sizes"
            return Status(Outcome.DIVERGED, made, change, message)
        if self.tolerance == 0:
            message = f"all {made} epochs made; the last one changed values by up to {change:.2g}"
            return Status(Outcome.CONVERGED, made, change, message)
        if change > self.tolerance:
            message = (
                "values still change by more than the tolerance in an epoch; raise epochs, let "
                'step sizes fade with schedule=Fading(), or use method="exact"'
            )
            return Status(Outcome.LIMIT, made, change, message)
        return Status(Outcome.CONVERGED, made, change)


def check_step(name: str, size: float) -> None:
    """Raise an `InputError` unless a step size lies in (0, 1]."""
    if not 0 < size <= 1:
        raise InputError(f"{name} must lie above 0 and be at most 1; got {size}")
