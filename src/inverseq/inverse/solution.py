"""The record of a fit that finds one policy, and everything that is asked of it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Bool, Float, Shaped

from inverseq._core.arrays import freeze, frozen_array
from inverseq._core.display import Fact, Shown
from inverseq._core.perhaps import Perhaps
from inverseq._core.status import Status
from inverseq.demonstrations import Demonstrations
from inverseq.inverse.covariates import CovariatePolicy, CovariateReward
from inverseq.inverse.planning import KnownPlanning, Planning
from inverseq.mdp import MDP
from inverseq.policies import Policy, TabularPolicy
from inverseq.policies.each import EachPolicy
from inverseq.policies.learning import LearnerPolicy
from inverseq.policies.neighbours import NeighbourPolicy
from inverseq.policies.network import NetworkPolicy
from inverseq.policies.routes import RoutePolicy
from inverseq.policies.safe import SafePolicy
from inverseq.policies.squashed import SquashedPolicy
from inverseq.policies.steered import KnownHabit, SteeredPolicy
from inverseq.rewards import FeatureReward, Reward, StateActionReward, StateReward
from inverseq.rewards.each import EachReward
from inverseq.rewards.goals import GoalReward
from inverseq.rewards.nearer import NearerReward
from inverseq.rewards.network import NetworkReward
from inverseq.rewards.observations import ObservationReward
from inverseq.rewards.read_out import ReadOutReward
from inverseq.rewards.squashed import SquashedReadOut

KnownPolicy = (
    TabularPolicy
    | KnownHabit
    | SteeredPolicy
    | RoutePolicy
    | NetworkPolicy
    | SquashedPolicy
    | SafePolicy
    | NeighbourPolicy
    | EachPolicy
    | CovariatePolicy
    | LearnerPolicy
)
"""Policies that can be read from a file without being named."""
KnownReward = (
    StateReward
    | StateActionReward
    | FeatureReward
    | NetworkReward
    | ReadOutReward
    | SquashedReadOut
    | ObservationReward
    | EachReward
    | CovariateReward
    | GoalReward
    | NearerReward
)
"""Rewards that can be read from a file without being named."""

if TYPE_CHECKING:  # which of them it is, whoever chose the solver knows
    AnyPolicy = TabularPolicy | Any
    AnyReward = Any
else:
    AnyPolicy = Policy | KnownPolicy
    AnyReward = Reward | KnownReward | None


@dataclass(frozen=True, eq=False)
class Solution(Shown):
    """What a solver found.

    Attributes:
        solver: Name of the solver.
        settings: Its settings, and what it chose itself (a strength picked by cross-validation).
        policy: What is done at each decision: a `TabularPolicy` (it reads like an array `[S, A]`),
            one that knows pasts or contexts, one that a reward steers, a network, or any other
            record with the methods of `inverseq.policies.Policy`.
        status: How the fit ended.
        mdp: The world fitted in; None where the solver needs none.
        reward_function: What is wanted, as a record that says what it depends on; None where the
            solver finds no reward.
        planning: How the agent plans for its reward; None where it has none.
        q: `[S, A]` action values of that reward, or None.
        v: `[S]` state values, or None.
        visits: `[S]` weight of the decisions seen in each state; 0 marks states where nothing but
            the smoothing speaks. None where states are not those of an MDP.
        parameters: Free parameters by name, such as the weights of the features.
        num_parameters: How many numbers were free in the fit.
        trace: `[steps]` objective or residual while fitting.
        provenance: Version, seed, hash of the data and the like, filled in by `fit`.
    """

    solver: str
    settings: Mapping[str, Any]
    policy: AnyPolicy
    status: Status
    mdp: Perhaps[MDP] = None
    reward_function: AnyReward = None
    planning: Planning | KnownPlanning | None = None
    q: Perhaps[Float[np.ndarray, "S A"]] = None
    v: Perhaps[Float[np.ndarray, " S"]] = None
    visits: Perhaps[Float[np.ndarray, " S"]] = None
    parameters: Mapping[str, np.ndarray] = field(default_factory=dict)
    num_parameters: int = 0
    trace: Float[np.ndarray, " steps"] = field(default_factory=lambda: np.zeros(0))
    provenance: Mapping[str, Any] = field(default_factory=dict, metadata={"content": False})

    def __post_init__(self) -> None:
        freeze(self, np.float64, "q", "v", "visits", "trace")
        read_only = {
            # A single number stays one.
            k: frozen_array(v, v.dtype, k).reshape(v.shape)
            for k, v in self.parameters.items()
        }
        object.__setattr__(self, "parameters", read_only)

    def _facts(self) -> Iterable[Fact]:
        wanted = self.reward_function
        return (
            ("solver", self.solver),
            ("status", str(self.status.outcome)),
            ("states", None if self.mdp is None else self.mdp.num_states),
            ("actions", self.num_actions),
            ("parameters", self.num_parameters),
            ("decisions", self.provenance.get("decisions")),
            ("policy", type(self.policy).__name__),
            ("reward", "none" if wanted is None else type(wanted).__name__),
        )

    @cached_property
    def reward(self) -> Perhaps[Float[np.ndarray, "S A"]]:
        """`[S, A]` the reward in the states of the world, in units of the temperature of a
        Boltzmann policy; None where there is no world or no reward.
        """
        if self.mdp is None or self.reward_function is None:
            return None
        return frozen_array(self.reward_function.table(self.mdp), np.float64, "reward")

    @property
    def intentions(self) -> "tuple[Solution, ...]":
        """Itself: there is one intention."""
        return (self,)

    @property
    def num_intentions(self) -> int:
        """One."""
        return 1

    @property
    def num_actions(self) -> int | None:
        """A, or None where actions are continuous."""
        return self.policy.num_actions

    @property
    def present_only(self) -> bool:
        """Whether a decision depends on its own row alone."""
        remembers = self.mdp is not None and self.mdp.history is not None
        return self.policy.present_only and not remembers

    def exists(self, demonstrations: Demonstrations) -> Bool[np.ndarray, "N A"]:
        """The actions that exist at each decision; all of them where no world says which.

        Raises:
            InputError: A decision does not fit the world.
        """
        return self.policy.exists(demonstrations, self.mdp)

    def probabilities(self, demonstrations: Demonstrations) -> Float[np.ndarray, "N A"]:
        """As `inverseq.action_probabilities`."""
        return self.policy.probabilities(demonstrations, self.mdp)

    def log_likelihoods(self, demonstrations: Demonstrations) -> Float[np.ndarray, " N"]:
        """Logarithm of the probability (density) of each action taken; 0 where missing."""
        return self.policy.log_likelihoods(demonstrations, self.mdp)

    def beliefs(self, demonstrations: Demonstrations) -> Float[np.ndarray, "N 1"]:
        """1: there is one intention."""
        return np.ones((demonstrations.num_decisions, 1))

    def act(
        self, rng: np.random.Generator, demonstrations: Demonstrations
    ) -> Shaped[np.ndarray, "N *D"]:
        """An action drawn at each decision."""
        return self.policy.act(rng, demonstrations, self.mdp)
