"""IQ-Learn beside its own play: online, or offline with tests on the way, in one compiled program.

Where the settings need no rows of the learner (`IQLearn.online` is false), its play is only
watched: what is learned is of the demonstrations, as in Algorithm 2 of the 2023 study.
"""

import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import overload

import jax
from jaxtyping import PRNGKeyArray

from inverseq._core.errors import InputError
from inverseq.demonstrations import Demonstrations
from inverseq.demonstrations.existing import existing
from inverseq.inverse.deep.iq_actor import ActorRule, actor_rule, unseeded
from inverseq.inverse.deep.iq_learn import IQLearn
from inverseq.inverse.deep.network_fit import REMEDY
from inverseq.inverse.solution import Solution
from inverseq.training.loop import Course, Loop, Training
from inverseq.training.record import Measured, measured_in
from inverseq.training.shown import shown_in
from inverseq.training.simulator import Simulator
from inverseq.training.trainer import (
    Keys,
    Progress,
    keys_in,
    train,
    training_status,
)


@dataclass(frozen=True, eq=False, kw_only=True)
class TrainedIQLearn(Measured):
    """What IQ-Learn came to beside its own play, and what was measured on the way.

    Attributes:
        solution: With a `NetworkPolicy`, or a `SquashedPolicy` where actions are continuous.
    """

    solution: Solution


@overload
def train_iq_learn(
    settings: IQLearn,
    demonstrations: Demonstrations,
    simulator: Simulator,
    loop: Loop,
    key: PRNGKeyArray,
    *,
    checkpoint: str | os.PathLike | None = ...,
    accept_failure: bool = ...,
    progress: Progress | None = ...,
) -> TrainedIQLearn: ...
@overload
def train_iq_learn(
    settings: IQLearn,
    demonstrations: Demonstrations,
    simulator: Simulator,
    loop: Loop,
    key: Sequence[PRNGKeyArray],
    *,
    checkpoint: str | os.PathLike | None = ...,
    accept_failure: bool = ...,
    progress: Progress | None = ...,
) -> tuple[TrainedIQLearn, ...]: ...
def train_iq_learn(
    settings: IQLearn,
    demonstrations: Demonstrations,
    simulator: Simulator,
    loop: Loop,
    key: Keys,
    *,
    checkpoint: str | os.PathLike | None = None,
    accept_failure: bool = False,
    progress: Progress | None = None,
) -> TrainedIQLearn | tuple[TrainedIQLearn, ...]:
    """Learn from demonstrations beside own play in a world.

    Args:
        settings: Of the learning; of its lessons the number of steps, and its seed, do not matter.
        demonstrations: Of the expert, with observations of the simulator as states.
        simulator: The world, such as `worlds.grid_simulator(worlds.RANDOM_WALLS)`.
        loop: How many moves are played, how often a training step is made, and tests.
        key: JAX random key, or several in a list, as for `forward.train_dqn`. They are consumed;
            the same key gives the same numbers.
        checkpoint: File that the training is written to now and then, and carried on from where it
            exists, with exactly the result of one that was not interrupted.
        accept_failure: Return a training that diverged instead of raising.
        progress: Called with (what is done, moves made, moves in all).

    Returns:
        What was learned; of several keys a tuple.

    Raises:
        InputError: The demonstrations are not of this world, the discount is missing, or the
            checkpoint is of another training.
        FitError: The loss grew beyond all bounds and `accept_failure` is false.
    """
    check_world(demonstrations, simulator)
    rule = replace(settings, seed=0, discount=settings.discount_of(None))
    lessons = replace(rule.lessons, steps=loop.blocks * loop.learn_steps)
    acting = actor_rule(replace(settings, discount=rule.discount), demonstrations, simulator.bounds)
    learns = replace(rule, lessons=lessons) if acting is None else unseeded(acting, lessons)
    course = Course.played(learns, loop, simulator)
    trainings = train(
        course,
        keys_in(key),
        shown_in(demonstrations),
        settings=f"{rule!r} {loop!r} {demonstrations.fingerprint}",
        checkpoint=checkpoint,
        progress=progress,
    )
    made = tuple(
        _record(course, acting or settings, settings, demonstrations, one, accept_failure)
        for one in trainings
    )
    return made[0] if isinstance(key, jax.Array) else made


def check_world(demonstrations: Demonstrations, simulator: Simulator) -> None:
    """Raise an `InputError` where demonstrations are not of the world."""
    shape, actions = simulator.observation_shape, simulator.num_actions
    if demonstrations.states.shape[1:] != shape:
        raise InputError(
            f"the demonstrations hold observations of shape {demonstrations.states.shape[1:]}, the "
            f"simulator shows {shape}"
        )
    continuous = simulator.bounds is not None
    if (demonstrations.actions.ndim > 1) != continuous:
        kinds = ("continuous", "numbered")
        theirs, its = kinds if not continuous else kinds[::-1]
        raise InputError(
            f"actions of the demonstrations are {theirs}, those of the simulator {its}: take games "
            "of this world"
        )
    if continuous:
        return
    if demonstrations.actions.max() >= actions:
        raise InputError(
            f"the demonstrations hold action {demonstrations.actions.max()}, the simulator has "
            f"actions 0 to {actions - 1}"
        )
    existing(demonstrations, actions)  # of as many actions


def _record(
    course: Course,
    learned: IQLearn | ActorRule,
    settings: IQLearn,
    demonstrations: Demonstrations,
    training: Training,
    accept_failure: bool,
) -> TrainedIQLearn:
    """The record of a training."""
    status = training_status(
        course, training, what="IQLearn", remedy=REMEDY, accept_failure=accept_failure
    )
    measured = measured_in(training)
    solution = learned.solution(course, training.learner, status, measured["losses"]["q"])
    solution = replace(
        solution,
        settings=asdict(settings) | {"loop": asdict(course.loop)},
        provenance={"source": demonstrations.source, "data_sha256": demonstrations.fingerprint},
    )
    return TrainedIQLearn(solution=solution, **measured)
