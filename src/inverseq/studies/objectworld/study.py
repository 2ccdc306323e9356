"""Objectworld: what inverse Q-learning and maximum entropy find in 1 to 2,048 trajectories.

The experiment of Kalweit, Huegle, Werling and Boedecker (2020), Section 5.1, with the settings of
its released code, over several worlds instead of one; then what it did not ask: how good the
*reward* is, and what it is worth once the world has changed.

There are two recordings. "released" is that of the released code: a greedy expert of discount 0.99,
and the noise of the world written down as the expert's own actions. In the "honest" one actions are
as intended and the wind blows as the world says; its expert is Boltzmann in its optimal values, so
that behaviour shows the reward in a unit.
"""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
from jaxtyping import Float

from inverseq._core.errors import InputError
from inverseq.studies.objectworld import Board, Settings
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
    mean_and_error,
    score_table,
    transfer_table,
    world_table,
)
from inverseq.studies.run import Result, Rows
from inverseq.studies.shapes import plain
from inverseq.studies.study import Effort

RECORDINGS = ("released", "honest")


def run(settings: Settings, effort: Effort) -> Result:
    """Every method on every size of data in several worlds, and in changed ones.

    Raises:
        InputError: A number is out of range.
    """
    worlds, sizes = settings.worlds, tuple(sorted(set(settings.sizes)))
    if worlds < 1 or not sizes or sizes[0] < 1:
        raise InputError(f"need 1 or more worlds and trajectories; got {worlds} and {sizes}")
    if settings.transfer_size not in sizes:
        raise InputError(
            f"transfer_size must be one of the sizes {sizes}; got {settings.transfer_size}"
        )
    tasks = [
        (recording, effort.seed + w, sizes, settings.transfer_size, asdict(settings.board))
        for recording in RECORDINGS
        for w in range(worlds)
    ]
    done: list[OneWorld] = effort.each("worlds", in_one_world, tasks)
    made = _together(done, settings, sizes)
    released, honest = done[0], done[worlds]
    return Result(
        {
            "scores": score_table(made),
            "transfer": transfer_table(made),
            "worlds": world_table(made),
            **_wide(made),
        },
        {
            "errors": draw_errors(made),
            "transfer": draw_transfer(made),
            "values": draw_values(released.world, released.shown),
            "rewards": draw_rewards(honest.world, honest.shown),
        },
        (
            "Squared value difference as released, relative to the uniform policy, by number of "
            f"trajectories; means over {worlds} worlds. IAVI is the empirical policy (they differ "
            f"by {made.gap:.1g}). The expert itself scores {made.expert_squared[0].mean():.2f}: to "
            f"be better than the reference counts as error. MaxEnt takes {made.slower:.0f} times "
            "as long as IAVI.",
            "Loss of value under honest recording: uniform policy 1, optimum 0. Correlation of the "
            "reward with the true one: up to shaping. Loss in changed worlds: rewards of "
            f"{made.transfer_size} trajectories.",
        ),
        facts={
            "sizes": made.sizes,
            "uniform_squared": made.uniform[0],
            "uniform_squared_published": PUBLISHED_UNIFORM,
            "squared_published": PUBLISHED,
            "expert_squared": dict(zip(RECORDINGS, made.expert_squared.mean(1), strict=True)),
            "expert_loss": dict(zip(RECORDINGS, made.expert_loss.mean(1), strict=True)),
            "iavi_and_empirical_policy_differ_by": made.gap,
            "maxent_slower_than_iavi": made.slower,
        },
        long=("scores", "worlds"),
        record=made,
    )


def _wide(made: Objectworld) -> dict[str, Rows]:
    """Errors by method and size of data; the first beside what was published."""
    mean, error = mean_and_error(made.squared[0])
    squared: list[dict[str, Any]] = []
    for m, method in enumerate(made.methods):
        squared += [_line(made, method, mean[m]), _line(made, f"{method}, SE", error[m])]
        known = [made.published(method, size) for size in made.sizes]
        if any(value is not None for value in known):
            squared.append(_line(made, f"{method}, published", known))
    each = lambda values: [  # noqa: E731
        _line(made, method, line)
        for method, line in zip(made.methods, values.mean(-1), strict=True)
    ]
    return {"squared": squared, "loss": each(made.loss[1]), "reward": each(made.correlation)}


def _line(
    made: Objectworld, name: str, values: Sequence[float | None] | Float[np.ndarray, " N"]
) -> dict[str, Any]:
    """One row by size of data."""
    return plain({"method": name} | dict(zip(map(str, made.sizes), values, strict=True)))


def _together(done: Sequence[OneWorld], settings: Settings, sizes: tuple[int, ...]) -> Objectworld:
    """The record of all worlds, those of the first recording first."""
    honest = done[settings.worlds :]
    by_recording = (done[: settings.worlds], honest)
    every = lambda pick: np.array([[pick(one) for one in part] for part in by_recording])  # noqa: E731
    over_worlds = lambda pick: np.stack([pick(one) for one in honest], axis=-1)  # noqa: E731
    score = lambda name: np.moveaxis(every(lambda one: one.scores[name]), 1, -1)  # noqa: E731
    return Objectworld(
        recordings=RECORDINGS,
        methods=tuple(METHODS),
        sizes=sizes,
        changes=CHANGES,
        transfer_size=settings.transfer_size,
        as_released=settings.board == Board(),
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
    )
