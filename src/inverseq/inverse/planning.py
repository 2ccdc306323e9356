"""How an agent plans for its reward: a small record, asked wherever the reward is planned anew."""

from dataclasses import dataclass
from typing import NamedTuple, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Bool, Float

from inverseq._core.errors import InputError
from inverseq._core.iterate import fixed_point
from inverseq._core.status import Outcome, Status
from inverseq.forward import policy_iteration
from inverseq.forward.soft import SoftPlan, soft_plan
from inverseq.inverse.soft_plans import soft_plans
from inverseq.mdp import MDP
from inverseq.mdp.backup import action_values, hard_value, soft_value
from inverseq.policies import Policy, TabularPolicy, boltzmann, uniform
from inverseq.policies.routes import Network, RoutePolicy
from inverseq.policies.steered import Habit, KnownHabit, SteeredPolicy
from inverseq.rewards import Reward


class Planned(NamedTuple):
    """What an agent does for a reward, and the values behind it; None where each trajectory has
    values of its own.
    """

    policy: Policy
    plan: SoftPlan | None


@runtime_checkable
class Planning(Protocol):
    """A way to plan in a finite world."""

    def plan(self, mdp: MDP, reward: Float[np.ndarray, "S A"]) -> Planned:
        """What the agent does in `mdp` for this reward."""
        ...

    def values(
        self, mdp: MDP, rewards: Float[np.ndarray, "S A R"], near: SoftPlan
    ) -> tuple[Float[np.ndarray, "S R"], Float[np.ndarray, "S A R"]]:
        """State and action values of many rewards that differ little from that of `near`."""
        ...

    def policy(self, q: Float[np.ndarray, "S A"], mdp: MDP) -> Policy:
        """What is done where actions have these values."""
        ...


@runtime_checkable
class Plans(Protocol):
    """Optional duty of a reward that one table `[S, A]` does not tell: it is planned for in parts,
    animal by animal, or added to on the way to each goal.
    """

    def planned(self, mdp: MDP, planning: Planning) -> Planned:
        """What is done by an agent that plans like this for one table."""
        ...


def planned(planning: Planning, mdp: MDP, reward: Reward) -> Planned:
    """What an agent does in `mdp` for a reward."""
    if isinstance(reward, Plans):
        return reward.planned(mdp, planning)
    return planning.plan(mdp, reward.table(mdp))


def lapsing(
    policy: Float[np.ndarray, "S A"], allowed: Bool[np.ndarray, "S A"], lapse: float
) -> Float[np.ndarray, "S A"]:
    """The policy, but for a share of the decisions any action that exists, equally often."""
    return policy if lapse == 0 else (1 - lapse) * policy + lapse * uniform(allowed)


@dataclass(frozen=True)
class SoftOptimum:
    """The soft optimum: V = log sum exp Q, and exp(Q - V) is the policy (maximum entropy).

    Attributes:
        lapse: Share of the decisions at which any action that exists is taken, equally often.
    """

    lapse: float = 0.0

    def plan(self, mdp: MDP, reward: Float[np.ndarray, "S A"]) -> Planned:
        """By Newton's method."""
        found = soft_plan(mdp, reward)
        return Planned(TabularPolicy(lapsing(found.policy, mdp.allowed, self.lapse)), found)

    def values(
        self, mdp: MDP, rewards: Float[np.ndarray, "S A R"], near: SoftPlan
    ) -> tuple[Float[np.ndarray, "S R"], Float[np.ndarray, "S A R"]]:
        """With one factorisation for all."""
        v, found = soft_plans(mdp, rewards, near)
        if not found.all():
            raise InputError(
                f"the values of replicate {int(np.argmin(found)) + 1} grow without end; lower the "
                "discount or make every step cost more"
            )
        return v, action_values(mdp, rewards, v)

    def policy(self, q: Float[np.ndarray, "S A"], mdp: MDP) -> Policy:
        """Boltzmann in the values, but for the lapses."""
        return TabularPolicy(lapsing(boltzmann(q, mdp.allowed), mdp.allowed, self.lapse))


@dataclass(frozen=True)
class HardOptimum:
    """Boltzmann in the optimal values, V = max Q: a noisy reading of an optimal agent's values.

    Attributes:
        lapse: As that of `SoftOptimum`.
    """

    lapse: float = 0.0

    def plan(self, mdp: MDP, reward: Float[np.ndarray, "S A"]) -> Planned:
        """By policy iteration."""
        best = policy_iteration(mdp, reward)
        policy = boltzmann(best.q, mdp.allowed)
        made = self.policy(best.q, mdp)
        return Planned(made, SoftPlan(best.values, best.q, policy, best.status))

    def values(
        self, mdp: MDP, rewards: Float[np.ndarray, "S A R"], near: SoftPlan
    ) -> tuple[Float[np.ndarray, "S R"], Float[np.ndarray, "S A R"]]:
        """By value iteration at once."""
        start = np.repeat(near.v[:, None], rewards.shape[2], axis=1)
        v, status, _ = fixed_point(
            lambda v: hard_value(action_values(mdp, rewards, v), mdp.allowed),
            start,
            tolerance=1e-9,
            max_steps=100_000,
        )
        if not status.ok:
            raise InputError(f"the replicates could not be planned: {status.message}")
        return v, action_values(mdp, rewards, v)

    def policy(self, q: Float[np.ndarray, "S A"], mdp: MDP) -> Policy:
        """Boltzmann in the values, but for the lapses."""
        return TabularPolicy(lapsing(boltzmann(q, mdp.allowed), mdp.allowed, self.lapse))


@dataclass(frozen=True, eq=False)
class OnHabit:
    """A soft optimum that pulls away from a habit.

    Attributes:
        habit: What is usually done.
    """

    habit: Habit | KnownHabit

    def plan(self, mdp: MDP, reward: Float[np.ndarray, "S A"]) -> Planned:
        """The values of the soft optimum, on top of the habit."""
        found = soft_plan(mdp, reward)
        return Planned(self.policy(found.q, mdp), found)

    def values(
        self, mdp: MDP, rewards: Float[np.ndarray, "S A R"], near: SoftPlan
    ) -> tuple[Float[np.ndarray, "S R"], Float[np.ndarray, "S A R"]]:
        """With one factorisation for all."""
        return SoftOptimum().values(mdp, rewards, near)

    def policy(self, q: Float[np.ndarray, "S A"], mdp: MDP) -> Policy:
        """The habit, steered by the values.

        Raises:
            InputError: The habit is one of other states.
        """
        return SteeredPolicy(self.habit.within(mdp), np.where(mdp.allowed, q, 0.0))


@dataclass(frozen=True)
class Greedily:
    """No foresight: Boltzmann in the reward of the next move alone, and at times by chance.

    Attributes:
        lapse: Share of the decisions at which any action that exists is taken, equally often.
    """

    lapse: float = 0.0

    def plan(self, mdp: MDP, reward: Float[np.ndarray, "S A"]) -> Planned:
        """The reward is all that an action is worth."""
        policy = self.policy(reward, mdp)
        v = soft_value(reward, mdp.allowed)
        return Planned(policy, SoftPlan(v, reward, policy.table, Status(Outcome.CONVERGED)))

    def values(
        self, mdp: MDP, rewards: Float[np.ndarray, "S A R"], near: SoftPlan
    ) -> tuple[Float[np.ndarray, "S R"], Float[np.ndarray, "S A R"]]:
        """The rewards themselves."""
        return soft_value(rewards, mdp.allowed), rewards

    def policy(self, q: Float[np.ndarray, "S A"], mdp: MDP) -> TabularPolicy:
        """Boltzmann in the values but for the lapses."""
        return TabularPolicy(lapsing(boltzmann(q, mdp.allowed), mdp.allowed, self.lapse))


@dataclass(frozen=True)
class TowardsGoals:
    """The undiscounted soft optimum of a network in which each trajectory ends at its own goal.

    Attributes:
        goal: Column per trajectory with the destination.
    """

    goal: str

    def plan(self, mdp: MDP, reward: Float[np.ndarray, "S A"]) -> Planned:
        """Values are found when it is known which goals are asked for."""
        return Planned(self.policy(reward, mdp), None)

    def values(
        self, mdp: MDP, rewards: Float[np.ndarray, "S A R"], near: SoftPlan
    ) -> tuple[Float[np.ndarray, "S R"], Float[np.ndarray, "S A R"]]:
        """None: there are as many as goals."""
        raise InputError("values are those of a destination each; ask for probabilities")

    def policy(self, q: Float[np.ndarray, "S A"], mdp: MDP) -> RoutePolicy:
        """What is done where moves are worth `q` themselves, their ways not counted.

        Raises:
            InputError: Some move of the network is not certain.
        """
        Network.of(mdp)
        return RoutePolicy(q, self.goal)


KnownPlanning = SoftOptimum | HardOptimum | OnHabit | Greedily | TowardsGoals
"""Those that can be read from a file without being named."""
