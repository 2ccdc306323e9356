"""IQ-Learn beside its own play, from one demonstration."""

from dataclasses import replace
from functools import partial
from typing import Any

import jax
import numpy as np
from jaxtyping import Float

from inverseq import plot
from inverseq.evaluate.intervals import interquartile_mean
from inverseq.inverse.deep.iq_learn import IQLearn
from inverseq.inverse.deep.iq_online import train_iq_learn
from inverseq.plot.style import GREY, SERIES
from inverseq.studies.control import Settings
from inverseq.studies.control.shown import TEMPERATURE, Expert, expert_of, thinned
from inverseq.studies.experts.tasks import DISCOUNT, NETWORK, simulator_of_task, task_of
from inverseq.studies.run import Result
from inverseq.studies.shapes import plain
from inverseq.studies.study import Effort
from inverseq.training.lessons import Lessons
from inverseq.training.loop import Loop

_TESTS = 10
"""Tests on the way."""


def run(settings: Settings, effort: Effort) -> Result:
    """Returns of each task by the moves made."""
    tasks = [(task_of(name).name,) for name in settings.tasks]
    found = effort.each("tasks", partial(of_task, settings, effort.seed), tasks)
    figure, axes = plot.canvas(3.0 * len(tasks), 2.8, columns=len(tasks))
    rows: list[dict[str, Any]] = []
    said = []
    for ax, [name], (expert, curves) in zip(axes, tasks, found, strict=True):
        loop = loop_of(settings)
        moves = loop.block * np.arange(1, curves.shape[1] + 1)
        bands = [interquartile_mean(column) for column in curves.T]
        rows += [
            plain(
                {
                    "task": name,
                    "moves": int(made),
                    "return": band.estimate,
                    "low": band.low,
                    "high": band.high,
                    "of the expert": float(expert.normalised(band.estimate[None])[0]),
                },
                3,
            )
            for made, band in zip(moves, bands, strict=True)
        ]
        ax.plot(moves, curves.T, color=SERIES[0], lw=0.7, alpha=0.4)
        ax.plot(moves, [band.estimate for band in bands], color=SERIES[0], lw=2, label="IQ-Learn")
        ax.axhline(expert.earned, color=GREY, ls="--", lw=1, label="expert")
        ax.set_title(task_of(name).short)
        ax.set_xlabel("moves of its own")
        ax.set_ylabel("return")
        ax.legend(fontsize=7.5)
        said.append(
            f"{name}, beside its own play from one demonstration: {bands[-1].estimate:.1f} after "
            f"{moves[-1]:,} moves, {np.max([b.estimate for b in bands]):.1f} at its best; the "
            f"expert {expert.earned:.1f}."
        )
    return Result({"learning": rows}, {"learning": figure}, tuple(said))


def loop_of(settings: Settings) -> Loop:
    """A training step after every move, as published."""
    steps = settings.online_steps
    return Loop(
        steps,
        training_freq=1,
        learn_steps=max(steps // _TESTS, 1),
        test_games=5,
        capacity=steps,
        learn_from=min(64, steps),
    )


def of_task(
    settings: Settings, seed: int, name: str
) -> tuple[Expert, Float[np.ndarray, "R tests"]]:
    """The expert of a task, and the returns in the tests of each training."""
    task, curves = task_of(name), []
    expert = expert_of(task, replace(settings, sizes=(1,)), seed)
    for number in range(settings.seeds):
        shown = thinned(expert.games, 1, task.every, seed + number)
        trained = train_iq_learn(
            online_settings(expert.num_actions),
            shown,
            simulator_of_task(task),
            loop_of(settings),
            jax.random.key(seed + number),
            accept_failure=True,
        )
        curves.append(np.nan_to_num(trained.earned, nan=expert.chance))
    return expert, np.array(curves)


def online_settings(actions: int) -> IQLearn:
    """The form "value", with rewards of the learner's own moves held down too."""
    return IQLearn(
        0,
        NETWORK,
        form="value",
        penalised="all",
        temperature=TEMPERATURE,
        discount=DISCOUNT,
        lessons=Lessons(batch=32, learning_rate=1e-3, schedule="constant"),
        num_actions=actions,
    )
