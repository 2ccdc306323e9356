"""Agents that learn while they play, one compiled step at a time.

They make training visible and interruptible, in any environment. A whole training as one compiled
program, hundreds of times faster, is that of `forward.train_dqn` and of `fit` with `IQLearn`.
"""

from dataclasses import replace
from functools import partial
from typing import Any

import gymnasium
import jax
import numpy as np
from gymnasium import spaces

from inverseq._core.errors import FitError, InputError
from inverseq.demonstrations import Demonstrations
from inverseq.forward.dqn import DQN
from inverseq.inverse.deep.iq_learn import IQLearn
from inverseq.networks import FullyConnected, TrainedNetwork, trained_network
from inverseq.play.agents import Agent
from inverseq.training.replay import Replay, empty_replay
from inverseq.training.rule import Learner, Player, Rule, learn, untaught
from inverseq.training.shown import Shown, shown_in


class DQNAgent(Agent):
    """Deep Q-learning in any environment with discrete actions.

    Observations that are arrays are seen as they are; whole numbers as one-hot.

    Args:
        environment: Where it is to play; its spaces shape the network.
        settings: Those of `DQN`; of its loop only the size of the replay and the moves before the
            first training step matter here.
        seed: Of the network, and of all random choices.

    Raises:
        InputError: Observations are neither arrays nor whole numbers.
    """

    def __init__(self, environment: gymnasium.Env, settings: DQN, seed: int):
        self.shape, num_actions = _sizes(environment)
        super().__init__(num_actions, seed)
        self.settings = settings
        key_begin, self._key_act, self._key_learn = jax.random.split(jax.random.key(seed), 3)
        self._learner = untaught(settings, key_begin, self.shape, num_actions)
        # In NumPy, which writes one move in place.
        nothing = empty_replay(settings.loop.capacity, self.shape, num_actions)
        self._seen = jax.tree.map(np.array, nothing.moves)
        self._moves = self._lessons = 0
        self._last: tuple[np.ndarray, int, np.ndarray] | None = None

    def get_action(self, observation: Any) -> int:
        """The best action, or a random one with probability epsilon."""
        seen, exist = seen_as(observation, self.shape), self.exist
        moves = np.int32(self._moves)
        action = int(_act(self.settings, self._key_act, moves, self._learner, seen, exist, moves))
        self._last = seen, action, exist
        return action

    def inform_result(
        self, next_observation: Any, reward: float, terminated: bool, truncated: bool
    ) -> None:
        """Remember the move.

        Raises:
            InputError: No action was asked for before.
        """
        if self._last is None:
            raise InputError("inform_result tells of an action that get_action gave; ask for one")
        following = seen_as(next_observation, self.shape)
        seen, action, exist = self._last
        over = terminated or truncated
        move = (seen, action, reward, following, terminated, over, exist, self.exist)
        columns: Any = self._seen
        for column, value in zip(columns, move, strict=True):
            column[self._moves % len(column)] = value
        self._moves += 1
        self._last = None

    def train(self) -> float | None:
        """One training step, once enough moves are stored; None before.

        Raises:
            FitError: The loss is not finite.
        """
        if self._moves < self.settings.loop.learn_from:
            return None
        stored: Any = np.int32(self._moves)
        number, replay = np.int32(self._lessons), Replay(self._seen, stored)
        self._learner, loss = _learn(
            self.settings, self._key_learn, number, self._learner, None, replay
        )
        self._lessons += 1
        return _finite(loss, "DQNAgent")

    def trained(self) -> TrainedNetwork:
        """What it has learned so far, for `QAgent` or to be saved."""
        network = self.settings.network
        return trained_network(network, self._learner.networks["q"], self.shape, self.num_actions)


class IQLearnAgent(Agent):
    """IQ-Learn from an expert's moves; its own are played with what it has learned so far.

    Actions are drawn with probability proportional to exp(Q / temperature). Training is offline, as
    in the study: after n training steps it has learned what `fit` with `lessons.steps = n` has
    where the step size is constant.

    Args:
        environment: Where it is to play.
        settings: Those of `IQLearn`, with the discount.
        demonstrations: Of the expert, with observations of the environment as states.

    Raises:
        InputError: The demonstrations are of other observations, or the settings do not fit them.
    """

    def __init__(
        self, environment: gymnasium.Env, settings: IQLearn, demonstrations: Demonstrations
    ):
        shape, num_actions = _sizes(environment)
        super().__init__(num_actions, settings.seed)
        if demonstrations.states.shape[1:] != shape:
            raise InputError(
                f"the environment shows observations of shape {shape}, the demonstrations hold "
                f"{demonstrations.states.shape[1:]}"
            )
        self.shape = shape
        self.settings = replace(settings, discount=settings.discount_of(None))
        # Without the seed, so that several seeds share what is compiled.
        self._rule, self._shown = replace(self.settings, seed=0), shown_in(demonstrations)
        key = jax.random.key(settings.seed)
        for_networks, self._key_learn = jax.random.split(key)
        self._key_act = jax.random.fold_in(key, 1)
        self._learner = untaught(self._rule, for_networks, shape, num_actions)
        self._moves = self._lessons = 0

    def get_action(self, observation: Any) -> int:
        """An action drawn at the temperature of the settings."""
        self._moves += 1
        seen, number = seen_as(observation, self.shape), np.int32(self._moves)
        return int(_act(self._rule, self._key_act, number, self._learner, seen, self.exist, None))

    def train(self) -> float | None:
        """One training step on the expert's moves; None once all of the settings' are made.

        Raises:
            FitError: The loss is not finite.
        """
        if self._lessons >= self.settings.lessons.steps:
            return None
        number = np.int32(self._lessons)
        self._learner, loss = _learn(
            self._rule, self._key_learn, number, self._learner, self._shown, None
        )
        self._lessons += 1
        return _finite(loss, "IQLearnAgent")

    def trained(self) -> TrainedNetwork:
        """What it has learned so far, for `QAgent` or to be saved."""
        network = self.settings.network or FullyConnected()
        module = self._learner.networks["q"].module
        return trained_network(network, module, self.shape, self.num_actions)


def _finite(loss: Any, who: str) -> float:
    """The loss of a training step.

    Raises:
        FitError: It is not finite.
    """
    if not np.isfinite(loss):
        raise FitError(
            f"{who} diverged: the loss is {float(loss)}. Try a lower learning_rate, a lower "
            "discount, or for DQN a target network (target_every)"
        )
    return float(loss)


def seen_as(observation: Any, shape: tuple[int, ...]) -> np.ndarray:
    """An observation as a float32 array of `shape`; a whole number becomes one-hot."""
    if np.ndim(observation) == 0:
        return np.eye(1, shape[0], int(observation), dtype=np.float32)[0]
    return np.asarray(observation, dtype=np.float32)


def _sizes(environment: gymnasium.Env) -> tuple[tuple[int, ...], int]:
    """Shape of what a network sees in an environment, and the number of actions.

    Raises:
        InputError: Observations are neither arrays nor whole numbers that count from 0.
    """
    space, actions = environment.observation_space, environment.action_space
    if not isinstance(actions, spaces.Discrete):
        raise InputError(f"actions must be Discrete; they are {actions}")
    if isinstance(space, spaces.Discrete):
        if space.start != 0:
            raise InputError(f"observations that are numbers must count from 0; they are {space}")
        return (int(space.n),), int(actions.n)
    if space.shape is None:
        raise InputError(f"a network reads arrays or whole numbers; observations are {space}")
    return space.shape, int(actions.n)


@partial(jax.jit, static_argnames="rule")
def _act(
    rule: Player, key: jax.Array, number: Any, learner: Learner, seen: Any, exist: Any, moves: Any
) -> jax.Array:
    """Action number `number`, with a key of its own."""
    return rule.act(jax.random.fold_in(key, number), learner, seen[None], exist[None], moves)[0]


@partial(jax.jit, static_argnames="rule")
def _learn(
    rule: Rule,
    key: jax.Array,
    number: Any,
    learner: Learner,
    shown: Shown | None,
    replay: Replay | None,
) -> tuple[Learner, Any]:
    """Training step number `number`, with a key of its own."""
    learner, losses = learn(rule, jax.random.fold_in(key, number), learner, shown, replay)
    return learner, losses["q"]
