"""Trainings carried out: compiled once, several side by side, interrupted and carried on."""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Key, PRNGKeyArray

from inverseq._core.errors import FitError, InputError
from inverseq._core.status import Outcome, Status
from inverseq._core.store import load, save
from inverseq.forward.simulator import Simulator
from inverseq.forward.training import Learner, Loop, Training, advance, begin

Progress = Callable[[str, int, int], None]
"""Called with (what is done, steps done, steps in all)."""


@dataclass(frozen=True, eq=False)
class Checkpoint:
    """A training as plain arrays.

    Attributes:
        settings: What was trained and where, in words; a training is carried on with the same only.
        leaves: The arrays of its `Training`, in the order of its leaves.
    """

    settings: str
    leaves: tuple[np.ndarray, ...]


@lru_cache(maxsize=32)
def programs(
    learner: Learner, simulator: Simulator, loop: Loop
) -> tuple[Callable[[PRNGKeyArray], Training], Callable[[Training, Any], Training]]:
    """Compiled `begin(key)` and `advance(training, until)`, which takes over its argument's memory.

    The same three arguments give the same programs, so that they are compiled once.
    """
    start = jax.jit(lambda key: begin(learner, simulator, loop, key))
    go_on = jax.jit(
        lambda training, until: advance(learner, simulator, loop, training, until),
        donate_argnums=0,
    )
    return start, go_on


def train(
    learner: Learner,
    simulator: Simulator,
    loop: Loop,
    key: PRNGKeyArray,
    *,
    settings: str,
    checkpoint: str | os.PathLike | None = None,
    every: int = 50,
    progress: Progress | None = None,
) -> Training:
    """The training of one key, to its end or to its divergence.

    Args:
        learner: What learns.
        simulator: What it plays.
        loop: How long.
        key: JAX random key; it is consumed. The same key gives the same numbers.
        settings: In words, kept with the checkpoint and compared when it is read.
        checkpoint: File that the training is written to every so often, and carried on from where
            it exists; the result is exactly that of a training without interruption.
        every: Blocks between two writings, and between two calls of `progress`.
        progress: Told how far it is.

    Raises:
        InputError: The checkpoint is of another training.
    """
    settings = f"{settings} in {simulator.description or 'a world without a description'}"
    start, go_on = programs(learner, simulator, loop)
    training = start(key)
    if checkpoint is not None and Path(checkpoint).exists():
        training = _read(checkpoint, settings, training)
    if checkpoint is None and progress is None:
        return jax.block_until_ready(go_on(training, jnp.int32(loop.blocks)))
    done = int(training.block)
    while done < loop.blocks and not training.diverged:
        done = min(done + every, loop.blocks)
        training = jax.block_until_ready(go_on(training, jnp.int32(done)))
        if checkpoint is not None:
            save(
                Checkpoint(settings, tuple(map(np.asarray, jax.tree.leaves(training)))), checkpoint
            )
        if progress is not None:
            progress("training", done * loop.block, loop.blocks * loop.block)
    return training


def train_side_by_side(
    learner: Learner, simulator: Simulator, loop: Loop, keys: Key[Array, " R"]
) -> list[Training]:
    """The trainings of several keys, each with the numbers that `train` gives for its key.

    On processors every training has a thread of its own, as many at a time as there are cores: the
    compiled program holds no lock, branches that are not taken cost nothing, and the memory of one
    training stays in the cache of one core. On an accelerator all run as one vectorised program
    (the same numbers up to rounding).
    """
    start, go_on = programs(learner, simulator, loop)
    if jax.default_backend() == "cpu":

        def one(key: PRNGKeyArray) -> Training:
            return jax.block_until_ready(go_on(start(key), jnp.int32(loop.blocks)))

        with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
            return list(pool.map(one, keys))
    return train_vectorised(learner, simulator, loop, keys)


def train_vectorised(
    learner: Learner, simulator: Simulator, loop: Loop, keys: Key[Array, " R"]
) -> list[Training]:
    """The trainings of several keys as one program that advances them together.

    A branch becomes a choice there: every move draws the beginning of a new game too.
    """

    def whole(key: PRNGKeyArray) -> Training:
        return advance(learner, simulator, loop, begin(learner, simulator, loop, key), loop.blocks)

    together = jax.jit(jax.vmap(whole))(keys)
    return [jax.tree.map(lambda leaf, i=i: leaf[i], together) for i in range(len(keys))]


def training_status(loop: Loop, training: Training, *, remedy: str) -> Status:
    """How a training ended; its residual is the mean loss of the last block.

    Args:
        loop: Its settings.
        training: The training.
        remedy: What to try where it diverged.
    """
    blocks = int(training.block)
    loss = float(training.curves.loss[blocks - 1]) if blocks else float("nan")
    steps = blocks * loop.block
    if training.diverged:
        return Status(Outcome.DIVERGED, steps, loss, f"The loss grew to {loss:.3g}: {remedy}")
    if blocks < loop.blocks:
        return Status(Outcome.LIMIT, steps, loss, "Stopped before its last step; carry it on.")
    return Status(Outcome.CONVERGED, steps, loss, "All steps were made.")


def require_finished(what: str, status: Status) -> None:
    """Raise a `FitError` where a training diverged."""
    if status.outcome is Outcome.DIVERGED:
        raise FitError(f"{what}: {status.outcome} after {status.steps} moves. {status.message}")


def _read(path: str | os.PathLike, settings: str, template: Training) -> Training:
    """The training in a checkpoint, after a check that it is this one."""
    found = load(path, Checkpoint)
    if found.settings != settings:
        raise InputError(
            f"{path} is the checkpoint of a training with other settings:\n{found.settings}\n"
            f"not\n{settings}\nGive another file, or delete it to begin anew"
        )
    leaves, tree = jax.tree.flatten(template)
    shapes = [(leaf.shape, leaf.dtype) for leaf in leaves]
    if shapes != [(leaf.shape, leaf.dtype) for leaf in found.leaves]:
        raise InputError(f"{path} is the checkpoint of a training in another world")
    training = jax.tree.unflatten(tree, [jnp.asarray(leaf) for leaf in found.leaves])
    if not np.array_equal(training.seed, template.seed):
        raise InputError(f"{path} is the checkpoint of a training with another key")
    return training
