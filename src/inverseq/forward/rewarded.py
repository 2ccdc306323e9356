"""A world that pays a reward that was found, so that an agent can learn to want it there."""

from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp

from inverseq._core.errors import InputError
from inverseq.networks import module_of
from inverseq.rewards.observations import ObservationReward
from inverseq.training.simulator import Simulator


def rewarded(simulator: Simulator, reward: Any) -> Simulator:
    """The same world with a reward that was recovered from behaviour in place of its own.

    What is trained there shows what the reward is worth where the world has changed: gravity, the
    length of a pole, wind.

    Args:
        simulator: The world, changed or not, whose observations are those fitted to.
        reward: Of observations and actions, such as `reward_function` of a solution of `DIQL`.

    Raises:
        InputError: The reward is of another kind, or of other observations or actions. One that is
            read out of action values (of IQ-Learn) is none: its sum over any game, in any world, is
            largest for the policy that it was read out of.
    """
    if not isinstance(reward, ObservationReward):
        raise InputError(
            f"a {type(reward).__name__} does not say by itself what an action is worth where the "
            "world has changed; take a reward of observations and actions: that of DIQL"
        )
    network = reward.network
    wanted = tuple(network.observation_shape), network.num_actions
    found = tuple(simulator.observation_shape), simulator.num_actions
    if wanted != found or simulator.bounds is not None:
        raise InputError(
            f"the reward is one of observations {wanted[0]} and {wanted[1]} numbered actions, the "
            f"world has {found[0]} and {found[1]}: take a world like that of the demonstrations"
        )
    module: Any = module_of(network)

    def step(key: jax.Array, state: Any, action: jax.Array) -> tuple[Any, ...]:
        following, _, *ends = simulator.step(key, state, action)
        paid = module(simulator.observe(state))[action] / reward.policy.temperature
        return following, jnp.asarray(paid, jnp.float32), *ends

    return replace(
        simulator, step=step, description=f"{simulator.description}, paid by a recovered reward"
    )
