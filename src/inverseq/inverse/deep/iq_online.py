"""IQ-Learn beside its own play: online, or offline with tests on the way, in one compiled program.

Where the settings need no rows of the learner (`IQLearn.online` is false), its play is only
watched: what is learned is of the demonstrations, as in Algorithm 2 of the 2023 study.
"""

import os
from dataclasses import asdict, dataclass, replace
from functools import lru_cache, partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Key, PRNGKeyArray

from inverseq._core.arrays import frozen_array
from inverseq._core.errors import InputError
from inverseq.demonstrations import Demonstrations
from inverseq.forward.dqn import noisy
from inverseq.forward.replay import Replay, sample
from inverseq.forward.simulator import Simulator
from inverseq.forward.trainer import (
    Progress,
    require_finished,
    train,
    train_side_by_side,
    training_status,
)
from inverseq.forward.training import Learner, Loop, Training
from inverseq.inverse.deep.iq_learn import IQLearn
from inverseq.inverse.deep.network_fit import REMEDY
from inverseq.inverse.deep.network_rows import Batch, rows_of
from inverseq.inverse.deep.network_training import begin, improve, unpacked
from inverseq.inverse.solution import Solution
from inverseq.networks import FullyConnected, trained_network


@dataclass(frozen=True, eq=False)
class TrainedIQLearn:
    """What IQ-Learn came to beside its own play.

    Attributes:
        solution: With a `NetworkPolicy`.
        loss: `[blocks]` mean loss of the training steps of each block.
        ratio: `[blocks]` mean distance ratio of the test games after each block, lost games counted
            with the moves of the limit; NaN where not tested.
        won: `[blocks]` share of the test games that were won.
        moves: `[blocks]` mean moves of the test games.
        earned: `[blocks]` mean sum of rewards of the test games.
    """

    solution: Solution
    loss: Float[np.ndarray, " blocks"]
    ratio: Float[np.ndarray, " blocks"]
    won: Float[np.ndarray, " blocks"]
    moves: Float[np.ndarray, " blocks"]
    earned: Float[np.ndarray, " blocks"]

    def __post_init__(self) -> None:
        for name in ("loss", "ratio", "won", "moves", "earned"):
            object.__setattr__(self, name, frozen_array(getattr(self, name), np.float64, name))


class _State(NamedTuple):
    """What an IQ-Learn learner carries along."""

    numbers: Float[Array, " P"]
    optimiser: Any


def train_iq_learn(
    settings: IQLearn,
    demonstrations: Demonstrations,
    simulator: Simulator,
    loop: Loop,
    key: PRNGKeyArray,
    *,
    checkpoint: str | os.PathLike | None = None,
    accept_failure: bool = False,
    progress: Progress | None = None,
) -> TrainedIQLearn:
    """Learn from demonstrations beside own play in a world.

    Args:
        settings: Of the learning; of its lessons the number of steps, and its seed, do not matter.
        demonstrations: Of the expert, with observations of the simulator as states.
        simulator: The world, such as `worlds.grid_simulator(worlds.RANDOM_WALLS)`.
        loop: How many moves are played, how often a training step is made, and tests.
        key: JAX random key; it is consumed. The same key gives the same numbers.
        checkpoint: File that the training is written to now and then, and carried on from where it
            exists, with exactly the result of one that was not interrupted.
        accept_failure: Return a training that diverged instead of raising.
        progress: Called with (what is done, moves made, moves in all).

    Raises:
        InputError: The demonstrations are not of this world, the discount is missing, or the
            checkpoint is of another training.
        FitError: The loss grew beyond all bounds and `accept_failure` is false.
    """
    learner = iq_learner(replace(settings, seed=0), demonstrations, simulator, loop)
    training = train(
        learner,
        simulator,
        loop,
        key,
        settings=f"{replace(settings, seed=0)!r} {loop!r} {demonstrations.fingerprint}",
        checkpoint=checkpoint,
        progress=progress,
    )
    return _record(settings, demonstrations, simulator, loop, training, accept_failure)


def train_iq_learns(
    settings: IQLearn,
    demonstrations: Demonstrations,
    simulator: Simulator,
    loop: Loop,
    keys: Key[Array, " R"],
    *,
    accept_failure: bool = False,
) -> tuple[TrainedIQLearn, ...]:
    """`train_iq_learn` for each of several keys, side by side on all cores or on an accelerator.

    Raises:
        InputError: As for `train_iq_learn`.
        FitError: One of them diverged and `accept_failure` is false.
    """
    learner = iq_learner(replace(settings, seed=0), demonstrations, simulator, loop)
    done = train_side_by_side(learner, simulator, loop, keys)
    return tuple(
        _record(settings, demonstrations, simulator, loop, one, accept_failure) for one in done
    )


@lru_cache(maxsize=8)
def iq_learner(
    settings: IQLearn, demonstrations: Demonstrations, simulator: Simulator, loop: Loop
) -> Learner:
    """IQ-Learn as four pure functions. It acts by its policy at the temperature of the settings,
    while it learns and while it is tested. The same arguments give the same learner, so that its
    programs are compiled once.

    Raises:
        InputError: The demonstrations are not of this world, or the discount is missing.
    """
    shape, actions = simulator.observation_shape, simulator.num_actions
    if demonstrations.states.shape[1:] != shape:
        raise InputError(
            f"the demonstrations hold observations of shape {demonstrations.states.shape[1:]}, the "
            f"simulator shows {shape}"
        )
    if demonstrations.actions.max() >= actions:
        raise InputError(
            f"the demonstrations hold action {demonstrations.actions.max()}, the simulator has "
            f"actions 0 to {actions - 1}"
        )
    settled = replace(settings, discount=settings.discount_of(None))
    lessons = replace(settled.lessons, steps=loop.blocks * loop.learn_steps)
    network, rows = settled.network or FullyConnected(), rows_of(demonstrations)
    unpack = partial(unpacked, network, shape, actions)

    def start(key: PRNGKeyArray) -> _State:
        learning = begin(lessons, network, shape, actions, key)
        return _State(learning.numbers, learning.optimiser)

    def test(key: PRNGKeyArray, state: _State, observations: jax.Array) -> jax.Array:
        for_noise, for_draw = jax.random.split(key)
        seen = noisy(for_noise, observations, lessons.noise)
        q = jax.vmap(unpack(state.numbers).module)(seen)
        return jax.random.categorical(for_draw, q / settled.temperature).astype(jnp.int32)

    def act(
        key: PRNGKeyArray, state: _State, observation: jax.Array, moves: jax.Array
    ) -> jax.Array:
        del moves
        return test(key, state, observation[None])[0]

    def learn(key: PRNGKeyArray, state: _State, replay: Replay) -> tuple[_State, jax.Array]:
        for_own, for_step = jax.random.split(key)
        own = None
        if settled.online:
            lived = sample(for_own, replay, lessons.batch, discount=settled.gamma)
            own = Batch(
                lived.observations,
                lived.actions,
                lived.next_observations,
                lived.discounts == 0,
                lived.observations,
            )
        after, loss = improve(lessons, settled.loss, unpack, rows, for_step, state, own)
        return _State(*after), loss

    return Learner(start, act, learn, test)


def _record(
    settings: IQLearn,
    demonstrations: Demonstrations,
    simulator: Simulator,
    loop: Loop,
    training: Training,
    accept_failure: bool,
) -> TrainedIQLearn:
    """The record of a training."""
    status = training_status(loop, training, remedy=REMEDY)
    if not accept_failure:
        require_finished("IQLearn", status)
    shape, actions = simulator.observation_shape, simulator.num_actions
    network = settings.network or FullyConnected()
    numbers = unpacked(network, shape, actions, training.learner.numbers)
    trained = trained_network(network, numbers.module, shape, actions)
    curves = {name: np.asarray(curve) for name, curve in training.curves._asdict().items()}
    solution = Solution(
        solver="IQLearn",
        settings=asdict(settings) | {"loop": asdict(loop)},
        policy=settings.policy_of(trained, float(numbers.absorbing)),
        status=status,
        num_parameters=sum(array.size for array in trained.arrays),
        trace=curves["loss"],
        provenance={"source": demonstrations.source, "data_sha256": demonstrations.fingerprint},
    )
    return TrainedIQLearn(solution, **curves)
