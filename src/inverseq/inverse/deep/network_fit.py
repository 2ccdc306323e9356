"""Training networks on demonstrations, block by block, for solvers that build on networks."""

from typing import NamedTuple

import jax
import numpy as np
from jaxtyping import Bool, Float

from inverseq._core.errors import InputError
from inverseq._core.status import Outcome, Status
from inverseq.demonstrations import Demonstrations
from inverseq.demonstrations.existing import existing
from inverseq.inverse.problem import Problem
from inverseq.networks import Network
from inverseq.training.lessons import Lessons
from inverseq.training.loop import Course, Loop, Training
from inverseq.training.rule import Best, Learner, Rule
from inverseq.training.shown import Shown, shown_in
from inverseq.training.trainer import begin_training, carried_on

TRACED = 100
"""Blocks of a training, each with a mean loss in the trace."""
_PIECES = 20
"""Pieces of a training, after which progress is reported."""
_EXPLODED = 1e3
"""A loss this many times as large as at the beginning is no longer one of learning."""


REMEDY = (
    'lower learning_rate, raise temperature, take value="soft" and distance="chi-square", or bound '
    "the rewards with reward_bound"
)
"""What to try where a training diverged."""


class Taught(NamedTuple):
    """What was learned in lessons."""

    course: Course
    learner: Learner
    status: Status
    trace: Float[np.ndarray, " blocks"]


def teach(
    problem: Problem,
    rule: Rule,
    lessons: Lessons,
    seed: int,
    num_actions: int | None = None,
    *,
    components: int | None = None,
    next_safe: Bool[np.ndarray, "N A"] | None = None,
    judged: Float[np.ndarray, " N"] | None = None,
    remedy: str = REMEDY,
) -> Taught:
    """Train networks on the demonstrations of a problem.

    Args:
        problem: With features as states.
        rule: How to learn; equal rules share what was compiled for them.
        lessons: How long.
        seed: Of the networks and the order of the transitions.
        num_actions: A; None takes the largest action seen.
        components: D, for a rule of continuous actions.
        next_safe: `[N, A]` what is safe where each decision led, for rules that ask.
        judged: `[N]` weight of each decision in telling when a network knew most; NaN where it is
            not asked.
        remedy: What to try where it diverges.

    Raises:
        InputError: The demonstrations cannot be learned from.
    """
    course, shown = enrolled(
        problem, rule, lessons, num_actions, next_safe, judged, components=components
    )
    steps = lessons.steps
    begun = training = begin_training(course, jax.random.key(seed), shown)
    stops = [steps * piece // _PIECES for piece in range(1, _PIECES + 1)]
    for _, [training] in carried_on(course, [begun], shown, stops):
        if problem.progress is not None:
            problem.progress("network", int(training.block), steps)
    return taught_in(course, training, remedy)


def enrolled(
    problem: Problem,
    rule: Rule,
    lessons: Lessons,
    num_actions: int | None,
    next_safe: Bool[np.ndarray, "N A"] | None = None,
    judged: Float[np.ndarray, " N"] | None = None,
    *,
    components: int | None = None,
) -> tuple[Course, Shown]:
    """Who learns how long, and from which transitions; arguments as for `teach`.

    Raises:
        InputError: The demonstrations cannot be learned from.
    """
    if problem.given_mdp is not None:
        raise InputError(
            "states are features, so there is no world to look them up in: leave mdp out"
        )
    # Of other rules continuous actions are refused.
    numbered = 0 if components is not None else problem.decisions.num_actions
    shown = shown_in(problem.decisions, problem.weights, next_safe, judged)
    shape = shown.pool.shape
    actions = components or _num_actions(problem.decisions, numbered, num_actions)
    return Course(rule, Loop.of_lessons(lessons.steps), shape, actions), shown


def taught_in(course: Course, training: Training, remedy: str) -> Taught:
    """What a training came to, and what to try where it diverged."""
    trace = mean_losses(training, course.loop.blocks)
    return Taught(course, training.learner, _status(training, trace, remedy), trace)


def mean_losses(training: Training, steps: int) -> Float[np.ndarray, " blocks"]:
    """Mean loss, of all networks together, of each block of a training of `steps` steps that was
    reached.
    """
    made = int(training.block)
    losses = np.sum([np.asarray(curve) for curve in training.curves.loss.values()], axis=0)
    block = np.arange(made) * TRACED // steps
    sums, counts = (np.bincount(block, w, minlength=1) for w in (losses[:made], None))
    return sums[counts > 0] / counts[counts > 0]


def _status(training: Training, trace: Float[np.ndarray, " blocks"], remedy: str) -> Status:
    """How a training ended: learned to its end, or diverged."""
    steps, last = int(training.block), float(trace[-1])
    if bool(training.diverged):
        return Status(Outcome.DIVERGED, steps, last, f"the loss is not finite: {remedy}")
    if abs(last) > _EXPLODED * max(1.0, abs(float(trace[0]))):
        return Status(Outcome.DIVERGED, steps, last, f"the loss grew to {last:.3g}: {remedy}")
    told = f"all {steps} steps made"
    for name, best in training.learner.targets.items():
        if isinstance(best, Best):
            told += (
                f"; {name} as it was after {int(best.learned)}, when held-out decisions were "
                f"likeliest ({-float(best.nats):.3f} nats each)"
            )
    return Status(Outcome.CONVERGED, steps, last, told)


def _num_actions(demonstrations: Demonstrations, numbered: int, given: int | None) -> int:
    """The number of actions; names or masks say it, or the largest one seen."""
    seen = int(demonstrations.actions.max()) + 1
    wanted = given if given is not None else max(numbered, seen)
    if seen > wanted:
        raise InputError(f"num_actions is {wanted}, but action {seen - 1} was seen")
    existing(demonstrations, wanted)  # of as many actions
    return wanted


def numbered(problem: Problem, network: Network | None) -> bool:
    """Whether states are numbers, to be fitted as a table.

    Raises:
        InputError: They are, and a network was given.
    """
    if problem.demonstrations is not None and problem.demonstrations.states.ndim > 1:
        return False
    if network is not None:
        raise InputError(
            "numbered states are fitted as a table: leave network out, or give features as states"
        )
    return True
