"""Objectworld: what inverse Q-learning and maximum entropy find in 1 to 2,048 trajectories.

The experiment of Kalweit, Huegle, Werling and Boedecker (2020), Section 5.1, with the settings of
its released code, over several worlds instead of one; then what it did not ask: how good the
*reward* is, and what it is worth once the world has changed.

There are two recordings. "released" is that of the released code: a greedy expert of discount 0.99,
and the noise of the world written down as the expert's own actions. In the "honest" one actions are
as intended and the wind blows as the world says; its expert is Boltzmann in its optimal values, so
that behaviour shows the reward in a unit.
"""

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from joblib import Parallel, delayed

from inverseq._core.errors import InputError
from inverseq._core.files import write_text
from inverseq.inverse.problem import Progress
from inverseq.studies.files import write_csv, write_png
from inverseq.studies.objectworld.figures import (
    draw_errors,
    draw_rewards,
    draw_transfer,
    draw_values,
)
from inverseq.studies.objectworld.fits import CHANGES, METHODS, OneWorld, in_one_world
from inverseq.studies.objectworld.record import (
    PUBLISHED,
    PUBLISHED_UNIFORM,
    Objectworld,
    score_table,
    transfer_table,
    world_table,
)

SIZES = (1, 4, 16, 32, 128, 512, 2048)
"""Numbers of trajectories, of 8 decisions each."""

RECORDINGS = ("released", "honest")


def objectworld(
    out: str | os.PathLike,
    *,
    seed: int = 0,
    worlds: int = 5,
    sizes: Sequence[int] = SIZES,
    transfer_size: int = 512,
    board: Mapping[str, Any] | None = None,
    jobs: int = -1,
    progress: Progress | None = None,
) -> Objectworld:
    """Write the tables `scores.csv`, `transfer.csv` and `worlds.csv`, the figures `values.png`,
    `rewards.png`, `errors.png` and `transfer.png`, and `objectworld.json` to a folder.

    Args:
        out: The folder; it is made where it does not exist.
        seed: The worlds are those of `seed`, `seed + 1` and so on.
        worlds: W.
        sizes: Numbers of trajectories.
        transfer_size: Which of them gives the rewards that are drawn, and carried to changed
            worlds.
        board: Arguments of `worlds.objectworld`, such as size and objects.
        jobs: Processes; -1 for all cores.
        progress: Called with (what is being done, steps done, steps in all).

    Raises:
        InputError: The folder cannot be written to, or a number is out of range.
    """
    chosen = tuple(sorted({int(n) for n in sizes}))
    if worlds < 1 or not chosen or chosen[0] < 1:
        raise InputError(f"need 1 or more worlds and trajectories; got {worlds} and {chosen}")
    if transfer_size not in chosen:
        raise InputError(f"transfer_size must be one of the sizes {chosen}; got {transfer_size}")
    tasks = [(recording, seed + w) for recording in RECORDINGS for w in range(worlds)]
    running = Parallel(n_jobs=jobs, return_as="generator")(
        delayed(in_one_world)(recording, number, chosen, transfer_size, dict(board or {}))
        for recording, number in tasks
    )
    done: list[OneWorld] = []
    for result in running:
        done.append(result)
        if progress is not None:
            progress("worlds", len(done), len(tasks))
    made = replace(_together(done, worlds, chosen, transfer_size), as_released=not board)
    return replace(made, files=_write(Path(out), made, done[0], done[worlds]))


def _together(
    done: Sequence[OneWorld], worlds: int, sizes: tuple[int, ...], transfer_size: int
) -> Objectworld:
    """The record of all worlds, those of the first recording first."""
    honest = done[worlds:]
    by_recording = (done[:worlds], honest)
    every = lambda pick: np.array([[pick(one) for one in part] for part in by_recording])  # noqa: E731
    over_worlds = lambda pick: np.stack([pick(one) for one in honest], axis=-1)  # noqa: E731
    score = lambda name: np.moveaxis(every(lambda one: one.scores[name]), 1, -1)  # noqa: E731
    return Objectworld(
        recordings=RECORDINGS,
        methods=tuple(METHODS),
        sizes=sizes,
        changes=CHANGES,
        transfer_size=transfer_size,
        as_released=False,
        uniform=every(lambda one: one.uniform),
        squared=score("squared"),
        loss=score("loss"),
        seconds=score("seconds"),
        converged=score("converged") > 0,
        expert_squared=every(lambda one: one.expert[0]),
        expert_loss=every(lambda one: one.expert[1]),
        correlation=over_worlds(lambda one: one.scores["correlation"]),
        error=over_worlds(lambda one: one.scores["error"]),
        transfer=over_worlds(lambda one: one.transfer),
        stale=over_worlds(lambda one: one.stale),
        informed=over_worlds(lambda one: one.informed),
        gap=max(one.gap for one in done),
        files=(),
    )


def _write(
    folder: Path, made: Objectworld, released: OneWorld, honest: OneWorld
) -> tuple[str, ...]:
    """Tables, figures and everything as JSON; the paths."""
    summary = {
        "sizes": made.sizes,
        "uniform_squared": made.uniform[0].tolist(),
        "uniform_squared_published": PUBLISHED_UNIFORM,
        "squared_published": PUBLISHED,
        "expert_squared": dict(zip(RECORDINGS, made.expert_squared.mean(1).tolist(), strict=True)),
        "expert_loss": dict(zip(RECORDINGS, made.expert_loss.mean(1).tolist(), strict=True)),
        "iavi_and_empirical_policy_differ_by": made.gap,
        "maxent_slower_than_iavi": made.slower,
        "scores": score_table(made),
        "transfer": transfer_table(made),
    }
    return (
        write_csv(folder / "scores.csv", score_table(made)),
        write_csv(folder / "transfer.csv", transfer_table(made)),
        write_csv(folder / "worlds.csv", world_table(made)),
        str(write_text(folder / "objectworld.json", json.dumps(summary, indent=2) + "\n")),
        write_png(folder / "errors.png", draw_errors(made)),
        write_png(folder / "transfer.png", draw_transfer(made)),
        write_png(folder / "values.png", draw_values(released.world, released.shown)),
        write_png(folder / "rewards.png", draw_rewards(honest.world, honest.shown)),
    )
