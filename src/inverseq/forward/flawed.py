"""Agents that want a reward and are not what solvers take them for: short-sighted, lapsing, set in
their ways, still learning, or wrong about the world.
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from jaxtyping import Float
from scipy import sparse

from inverseq._core.errors import InputError
from inverseq.demonstrations import Demonstrations
from inverseq.forward.planning import soft_policy_iteration
from inverseq.forward.simulation import beginnings, walk, written
from inverseq.mdp import MDP
from inverseq.mdp.backup import action_values, soft_value
from inverseq.policies import boltzmann, uniform

_NODES = 24
"""Discounts that stand for a hyperbola."""


@dataclass(frozen=True)
class Flawed:
    """A soft planner with flaws; without any, it is what `MaxEnt` takes agents for.

    Flaws add up. The reward is in units of the temperature.

    Attributes:
        discount: What it plans with, in place of the world's (myopic where lower).
        hyperbola: k > 0: what comes in t steps is worth 1 / (1 + k t), by the mean of planners with
            discounts u^k, u even between 0 and 1 (Kurth-Nelson and Redish 2009).
        sweeps: Backups that its values have had, from 0: it has not learnt yet what is far away.
        slip: Share of its actions that it believes to be carried out as any other.
        lapse: Share of decisions made at random.
        perseveration: What doing the same again is worth to it, in nats.

    Raises:
        InputError: A number is out of range, or sweeps and a hyperbola come together.
    """

    discount: float | None = None
    hyperbola: float = 0.0
    sweeps: int | None = None
    slip: float = 0.0
    lapse: float = 0.0
    perseveration: float = 0.0

    def __post_init__(self) -> None:
        for name, highest in (("discount", 1.0), ("slip", 1.0), ("lapse", 1.0)):
            value = getattr(self, name)
            if value is not None and not 0 <= value <= highest:
                raise InputError(f"{name} must lie between 0 and 1; got {value}")
        if not 0 <= self.hyperbola < np.inf or not np.isfinite(self.perseveration):
            raise InputError("hyperbola must be 0 or more, and perseveration a number")
        if self.sweeps is not None and (self.sweeps < 0 or self.hyperbola):
            raise InputError("sweeps must be 0 or more, and go with one discount: no hyperbola")

    def policy(self, mdp: MDP, reward: Any = None) -> Float[np.ndarray, "S A"]:
        """`[S, A]` what it does where nothing was done before.

        Args:
            mdp: The world as it is.
            reward: `[S, A]` what it wants; the world's own where left out.

        Raises:
            InputError: There is no reward, or no plan: its values are infinite.
        """
        wanted = mdp.reward if reward is None else np.asarray(reward, dtype=np.float64)
        if wanted is None:
            raise InputError("nothing says what is wanted: give reward=, or a world that has one")
        planned = boltzmann(self._values(self._believed(mdp), wanted), mdp.allowed)
        return (1 - self.lapse) * planned + self.lapse * uniform(mdp.allowed)

    def behave(
        self, mdp: MDP, reward: Any = None, *, trajectories: int, steps: int, seed: int
    ) -> Demonstrations:
        """What it does in the world as it is, from its beginnings; as `simulate`.

        Raises:
            InputError: A number is below 1, there is no reward, or no plan.
        """
        if trajectories < 1 or steps < 1:
            raise InputError(f"need 1 or more of each; got {trajectories} and {steps}")
        again = 1 + np.expm1(self.perseveration) * np.eye(mdp.num_actions)
        again = np.vstack([again, np.ones(mdp.num_actions)])  # last: nothing was done yet
        acts = np.cumsum(self.policy(mdp, reward) * again[:, None], axis=2)
        rng = np.random.default_rng(seed)
        state = beginnings(mdp, trajectories, rng)
        lengths = np.full(trajectories, steps)
        rows = walk(mdp, acts, lambda *before: before[-1], rng, state, lengths)
        return written(mdp, rows[:6])

    def _believed(self, mdp: MDP) -> MDP:
        """The world as it takes it to be."""
        discount = mdp.discount if self.discount is None else self.discount
        if not self.slip:
            return replace(mdp, discount=discount)
        share = uniform(mdp.allowed)
        states, actions = mdp.allowed.shape
        pairs = np.arange(states * actions)
        mean = sparse.csr_array((share.ravel(), (pairs // actions, pairs)), (states, pairs.size))
        spread = sparse.csr_array((mdp.allowed.ravel() * 1.0, (pairs, pairs // actions)))
        mixed = self.slip * (spread @ (mean @ mdp.transitions))
        believed = (1 - self.slip) * mdp.transitions + mixed
        return replace(mdp, discount=discount, transitions=sparse.csr_array(believed))

    def _values(self, mdp: MDP, reward: Float[np.ndarray, "S A"]) -> Float[np.ndarray, "S A"]:
        """What actions are worth to it."""
        if self.sweeps is not None:
            v = np.zeros(mdp.num_states)
            for _ in range(self.sweeps):
                v = soft_value(action_values(mdp, reward, v), mdp.allowed)
            return action_values(mdp, reward, v)
        if not self.hyperbola:
            return _planned(mdp, reward)
        points, weights = np.polynomial.legendre.leggauss(_NODES)
        q = np.zeros_like(reward)
        for point, weight in zip(points, weights, strict=True):
            discount = ((point + 1) / 2) ** self.hyperbola
            q += weight / 2 * _planned(replace(mdp, discount=float(discount)), reward)
        return q


def _planned(mdp: MDP, reward: Float[np.ndarray, "S A"]) -> Float[np.ndarray, "S A"]:
    """What actions are worth to a planner.

    Raises:
        InputError: They are worth no number.
    """
    plan = soft_policy_iteration(mdp, reward)
    if not plan.status.ok:
        raise InputError(
            f"this agent has no plan ({plan.status.message}): give it a lower discount"
        )
    return plan.q
