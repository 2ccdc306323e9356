"""Training a network on demonstrations, block by block, for solvers that build on networks."""

from collections.abc import Callable
from typing import NamedTuple

import jax
import numpy as np
from jaxtyping import Float

from inverseq._core.errors import InputError
from inverseq._core.status import Outcome, Status
from inverseq.demonstrations import Demonstrations
from inverseq.inverse.deep.network_rows import rows_of
from inverseq.inverse.deep.network_training import (
    Learning,
    Lessons,
    Loss,
    advance,
    begin,
    mean_losses,
    unpacked,
)
from inverseq.inverse.problem import Problem
from inverseq.networks import Network, TrainedNetwork, trained_network

_BLOCKS = 20
"""Pieces of a training, after which progress is reported and held-out decisions are scored."""
_EXPLODED = 1e3
"""A loss this many times as large as at the beginning is no longer one of learning."""


REMEDY = (
    'lower learning_rate, raise temperature, take value="soft" and distance="chi-square", or bound '
    "the rewards with reward_bound"
)
"""What to try where a training diverged."""


class Taught(NamedTuple):
    """A network after its lessons."""

    network: TrainedNetwork
    absorbing: float
    """Reward of every step after the world has ended a game."""
    status: Status
    trace: Float[np.ndarray, " blocks"]


def teach(
    problem: Problem,
    network: Network,
    lessons: Lessons,
    loss: Loss,
    seed: int,
    *,
    num_actions: int | None = None,
    score: Callable[[TrainedNetwork], float] | None = None,
) -> Taught:
    """Train a network on the demonstrations of a problem.

    Args:
        problem: With features as states.
        network: Settings.
        lessons: How to learn.
        loss: What to minimise. Compiled anew for every new function, so give a method of settings
            that can be hashed, or a function of a module.
        seed: Of the network and the order of the transitions.
        num_actions: A; None takes the largest action seen.
        score: Called after each block of steps with the network so far; that of the highest score
            is returned. None returns the last.

    Raises:
        InputError: The demonstrations cannot be learned from.
    """
    if problem.given_mdp is not None:
        raise InputError(
            "states are features, so there is no world to look them up in: leave mdp out"
        )
    rows = rows_of(problem.decisions, problem.weights)
    actions = _num_actions(problem.decisions, num_actions)
    shape = rows.observations.shape[1:]
    learning = begin(lessons, network, shape, actions, jax.random.key(seed))

    def record(learning: Learning) -> TrainedNetwork:
        module = unpacked(network, shape, actions, learning.numbers).module
        return trained_network(network, module, shape, actions)

    best, best_score = None, -np.inf
    for block in range(1, _BLOCKS + 1):
        learning = advance(
            lessons, loss, network, actions, rows, learning, lessons.steps * block // _BLOCKS
        )
        if problem.progress is not None:
            problem.progress("network", int(learning.step), lessons.steps)
        if bool(learning.diverged):
            break
        if score is not None and (found := score(record(learning))) > best_score:
            best, best_score = record(learning), found
    absorbing = float(unpacked(network, shape, actions, learning.numbers).absorbing)
    trace = mean_losses(learning, lessons.steps)
    status = status_of(learning, trace)
    return Taught(best or record(learning), absorbing, status, trace)


def status_of(learning: Learning, trace: Float[np.ndarray, " blocks"]) -> Status:
    """How a training ended: learned to its end, or diverged."""
    steps, last = int(learning.step), float(trace[-1])
    if bool(learning.diverged):
        return Status(Outcome.DIVERGED, steps, last, f"the loss is not finite: {REMEDY}")
    if abs(last) > _EXPLODED * max(1.0, abs(float(trace[0]))):
        return Status(Outcome.DIVERGED, steps, last, f"the loss grew to {last:.3g}: {REMEDY}")
    return Status(Outcome.CONVERGED, steps, last, f"all {steps} steps made")


def _num_actions(demonstrations: Demonstrations, given: int | None) -> int:
    """The number of actions; names or masks say it, or the largest one seen."""
    seen = int(demonstrations.actions.max()) + 1
    wanted = given if given is not None else max(demonstrations.num_actions, seen)
    if seen > wanted:
        raise InputError(f"num_actions is {wanted}, but action {seen - 1} was seen")
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
