"""An agent that plays what was fitted or trained."""

from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Bool, Float

from inverseq._core.errors import InputError
from inverseq.forward.dqn import TrainedDQN
from inverseq.inverse.network_policy import NetworkPolicy
from inverseq.inverse.solution import Solution
from inverseq.networks import TrainedNetwork, module_of
from inverseq.play.agents import Agent, board_of
from inverseq.policies import boltzmann, greedy

Fitted = Solution | NetworkPolicy | TrainedDQN | TrainedNetwork | np.ndarray
"""What has action values."""

_Values = Callable[[Any], tuple[Float[np.ndarray, " A"], Bool[np.ndarray, " A"]]]


class QAgent(Agent):
    """Plays by action values Q.

    Observations are states of the fitted world where Q is a table `[S, A]`. Where it is a network,
    they have the shape it was trained on; boards of the GridWorld game may also be one-hot or flat.

    Args:
        fitted: A `Solution` (of any solver that gives action values), a `NetworkPolicy`, a
            `TrainedDQN`, a `TrainedNetwork`, or a table `[S, A]`.
        seed: Which random choices.
        temperature: Actions are drawn with probability proportional to exp(Q / temperature), Q in
            units of the fitted policy's own temperature, so that 1 plays as the demonstrations
            were explained. None takes the best action; actions that tie share equally.

    Raises:
        InputError: The solution has no action values, or its states are not what is observed.
    """

    def __init__(self, fitted: Fitted, seed: int, temperature: float | None = None):
        self._values, num_actions = _values_of(fitted)
        super().__init__(num_actions, seed)
        self.temperature = temperature

    def get_action(self, observation: Any) -> int:
        """The best action, or one drawn at the temperature."""
        q, allowed = (row[None] for row in self._values(observation))
        if self.temperature is None:
            chances = greedy(q, allowed)[0]
        else:
            chances = boltzmann(q, allowed, self.temperature)[0]
        return int(self.rng.choice(self.num_actions, p=chances))


def _values_of(fitted: Fitted) -> tuple[_Values, int]:
    """Action values and existing actions of an observation, and how many actions there are."""
    if isinstance(fitted, np.ndarray):
        return _table(fitted, np.ones(fitted.shape, dtype=bool)), fitted.shape[1]
    if isinstance(fitted, TrainedDQN):
        return _values_of(fitted.trained)
    if isinstance(fitted, TrainedNetwork):
        return _network(fitted, 1.0), fitted.num_actions
    if isinstance(fitted, NetworkPolicy):
        return _network(fitted.network, fitted.temperature), fitted.network.num_actions
    if isinstance(fitted.policy, NetworkPolicy):
        return _values_of(fitted.policy)
    if fitted.q is None or fitted.mdp is None:
        raise InputError(
            f"this {fitted.solver} solution has no action values to play by; fit one that has, "
            "such as IQLearn or MaxEnt"
        )
    if fitted.mdp.history is not None or fitted.mdp.worlds is not None:
        raise InputError(
            "what is observed is the state of one world without its past; this solution was fitted "
            "to a world with history or to several worlds"
        )
    return _table(fitted.q, fitted.mdp.allowed), fitted.mdp.num_actions


def _table(q: Float[np.ndarray, "S A"], allowed: Bool[np.ndarray, "S A"]) -> _Values:
    return lambda state: (q[int(state)], allowed[int(state)])


def _network(trained: TrainedNetwork, temperature: float) -> _Values:
    module = module_of(trained)
    shape = tuple(trained.observation_shape)
    every = np.ones(trained.num_actions, dtype=bool)

    def values(observation: Any) -> tuple[np.ndarray, np.ndarray]:
        seen = np.asarray(observation, dtype=np.float32)
        if seen.shape != shape and len(shape) == 2:
            seen = board_of(seen, shape[1]).astype(np.float32)
        if seen.shape != shape:
            raise InputError(f"the network was trained on shape {shape}; observed is {seen.shape}")
        return np.asarray(
            _evaluate(module, jnp.asarray(seen)), dtype=np.float64
        ) / temperature, every

    return values


@jax.jit
def _evaluate(module: eqx.Module, observation: jax.Array) -> jax.Array:
    """Action values of one observation; compiled once for networks of the same form."""
    return module(observation)  # pyright: ignore[reportCallIssue]
