"""Trainings carried out: compiled once, several keys side by side, interrupted and carried on."""

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import Mesh, NamedSharding, PartitionSpec
from jaxtyping import Array, Key, PRNGKeyArray

from inverseq._core.devices import default_device
from inverseq._core.errors import FitError, InputError
from inverseq._core.status import Outcome, Status
from inverseq._core.store import load, save
from inverseq.training.failures import as_raised
from inverseq.training.loop import Course, Training, advance, begin
from inverseq.training.shown import Shown

Progress = Callable[[str, int, int], None]
"""Called with (what is done, steps done, steps in all)."""

Keys = PRNGKeyArray | Sequence[PRNGKeyArray] | Key[Array, " R"]
"""One JAX random key, or several in a sequence, such as `list(jax.random.split(key, 16))`; an array
of keys is told so, because a type checker cannot tell it from one key."""

begin_training = jax.jit(begin, static_argnames="course")
"""`begin`, compiled."""

# The training takes over the memory of the one before.
_advance = jax.jit(advance, static_argnames="course", donate_argnames="training")


@partial(jax.jit, static_argnames="course", donate_argnames="trainings")
def _advance_together(course: Course, trainings: Training, until: Any, shown: Any) -> Training:
    """Trainings along a leading axis as one program. A branch becomes a choice there: every move
    draws the beginning of a new game too.
    """
    return jax.vmap(lambda one: advance(course, one, until, shown))(trainings)


@dataclass(frozen=True, eq=False)
class Checkpoint:
    """Trainings as plain arrays.

    Attributes:
        settings: What was trained and where, in words; a training is carried on with the same only.
        leaves: `[R, ...]` the arrays of the `Training` of each key, in the order of its leaves.
    """

    settings: str
    leaves: tuple[np.ndarray, ...]


def carried_on(
    course: Course,
    trainings: list[Training],
    shown: Shown | None,
    stops: Iterable[int],
    *,
    together: bool | None = None,
) -> Iterator[tuple[int, list[Training]]]:
    """Trainings of several keys at each of some blocks, until all are done or have diverged; each
    has the numbers that it has alone.

    On processors every training has a thread of its own, as many at a time as there are cores: the
    compiled program holds no lock, branches that are not taken cost nothing, and the memory of one
    training stays in the cache of one core. On an accelerator all run as one vectorised program
    (the same numbers up to rounding), on as many of the machine as divide them evenly.

    Args:
        course: Who learns, how long and where.
        trainings: As `begin` made them, or a checkpoint; their memory is taken over.
        shown: Demonstrations; None for a rule that learns from its own play alone.
        stops: Numbers of blocks.
        together: Whether they run as one program; None decides as said.
    """
    if together is None:
        together = _devices()[0].platform != "cpu" and len(trainings) > 1
    with as_raised(), ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        for stop in stops:
            until = jnp.int32(stop)
            if together:
                stacked = _advance_together(course, divided(stack(trainings)), until, shown)
                trainings = unstack(stacked, len(trainings))
            else:
                go_on = lambda one, until=until: jax.block_until_ready(  # noqa: E731
                    _advance(course, one, until, shown)
                )
                trainings = list(pool.map(go_on, trainings))
            yield stop, trainings
            if all(bool(one.diverged) for one in trainings):
                return


def train(
    course: Course,
    keys: Sequence[PRNGKeyArray],
    shown: Shown | None = None,
    *,
    settings: str | None = None,
    checkpoint: str | os.PathLike | None = None,
    every: int = 50,
    progress: Progress | None = None,
    together: bool | None = None,
) -> list[Training]:
    """The training of each key, to its end or to its divergence.

    Args:
        course: Who learns, how long and where.
        keys: JAX random keys; they are consumed. The same key gives the same numbers.
        shown: Demonstrations; None for a rule that learns from its own play alone.
        settings: In words, kept with the checkpoint and compared when it is read; those of rule and
            loop where left out.
        checkpoint: File that the trainings are written to every so often, and carried on from where
            it exists; the result is exactly that of a training without interruption.
        every: Blocks between two writings, and between two calls of `progress`.
        progress: Told how far it is: moves of one training.
        together: Whether they run as one program, as for `carried_on`.

    Raises:
        InputError: The checkpoint is of another training.
    """
    loop = course.loop
    settings = settings or f"{course.rule!r} {loop!r}"
    trainings = [begin_training(course, key, shown) for key in keys]
    if course.simulator is not None:
        world = course.simulator.description or "a world without a description"
        settings = f"{settings} in {world}"
    if checkpoint is not None and Path(checkpoint).exists():
        trainings = _read(checkpoint, settings, trainings)
    done = max(int(one.block) for one in trainings)
    stops = [loop.blocks]
    if checkpoint is not None or progress is not None:
        stops = [min(stop + every, loop.blocks) for stop in range(done, loop.blocks, every)]
    for stop, reached in carried_on(course, trainings, shown, stops, together=together):
        trainings = reached
        if checkpoint is not None:
            leaves = map(np.asarray, jax.tree.leaves(stack(trainings)))
            save(Checkpoint(settings, tuple(leaves)), checkpoint)
        if progress is not None:
            progress("training", stop * loop.block, loop.blocks * loop.block)
    return trainings


def keys_in(keys: Keys) -> tuple[PRNGKeyArray, ...]:
    """One key or several as a tuple.

    Raises:
        InputError: It is an array of keys, or holds no key.
    """
    if isinstance(keys, jax.Array):
        if keys.ndim:
            raise InputError(
                f"give one key, or a list of keys: list(keys) of these {keys.shape[0]}"
            )
        return (keys,)
    if not keys:
        raise InputError("give one key or more")
    return tuple(keys)


def _devices() -> list[Any]:
    """Where is computed: all devices of the kind that is the default."""
    chosen = default_device()
    return jax.devices(None if chosen is None else chosen.platform)


def divided(trainings: Training) -> Training:
    """Trainings along a leading axis, as many on each of the devices, whose number divides them."""
    devices, (count, *_) = _devices(), trainings.block.shape
    used = max(n for n in range(1, len(devices) + 1) if count % n == 0)
    if used == 1:
        return trainings
    mesh = Mesh(np.array(devices[:used]), ("keys",))
    return jax.device_put(trainings, NamedSharding(mesh, PartitionSpec("keys")))


def stack(trainings: Sequence[Training]) -> Training:
    """Trainings as one tree of arrays with a leading axis."""
    return jax.tree.map(lambda *leaves: jnp.stack(leaves), *trainings)


def unstack(trainings: Training, count: int) -> list[Training]:
    """The trainings along a leading axis."""
    return [jax.tree.map(lambda leaf, i=i: leaf[i], trainings) for i in range(count)]


def training_status(
    course: Course, training: Training, *, what: str, remedy: str, accept_failure: bool
) -> Status:
    """How a training ended; its residual is the mean loss of the last block, of several networks
    that farthest from 0.

    Args:
        course: Of the training.
        training: The training.
        what: What was trained, for the message.
        remedy: What to try where it diverged.
        accept_failure: Return the status of a training that diverged instead of raising.

    Raises:
        FitError: It diverged and `accept_failure` is false.
    """
    loop, blocks = course.loop, int(training.block)
    last = [float(curve[blocks - 1]) for curve in training.curves.loss.values()]
    loss = max(last, key=abs) if blocks else float("nan")
    outcome, words = Outcome.CONVERGED, "All steps were made."
    if training.diverged:
        outcome, words = Outcome.DIVERGED, f"The loss grew to {loss:.3g}: {remedy}"
    elif blocks < loop.blocks:
        outcome, words = Outcome.LIMIT, "Stopped before its last step; carry it on."
    status = Status(outcome, blocks * loop.block, loss, words)
    if training.diverged and not accept_failure:
        raise FitError(f"{what}: {outcome} after {status.steps} moves. {words}")
    return status


def _read(path: str | os.PathLike, settings: str, begun: list[Training]) -> list[Training]:
    """The trainings in a checkpoint, after a check that they are these."""
    found = load(path, Checkpoint)
    if found.settings != settings:
        raise InputError(
            f"{path} is the checkpoint of a training with other settings:\n{found.settings}\n"
            f"not\n{settings}\nGive another file, or delete it to begin anew"
        )
    template = stack(begun)
    leaves, tree = jax.tree.flatten(template)
    if len(found.leaves[0]) != len(begun):
        raise InputError(
            f"{path} is the checkpoint of {len(found.leaves[0])} keys; got {len(begun)}"
        )
    shapes = [(leaf.shape, leaf.dtype) for leaf in leaves]
    if shapes != [(leaf.shape, leaf.dtype) for leaf in found.leaves]:
        raise InputError(f"{path} is the checkpoint of a training in another world")
    stacked = jax.tree.unflatten(tree, [jnp.asarray(leaf) for leaf in found.leaves])
    if not np.array_equal(stacked.seed, template.seed):
        raise InputError(f"{path} is the checkpoint of a training with another key")
    return unstack(stacked, len(begun))
