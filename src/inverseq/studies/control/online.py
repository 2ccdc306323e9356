"""IQ-Learn and LS-IQ beside their own play, from the fewest demonstrations."""

from collections.abc import Mapping
from functools import partial
from typing import Any

import jax
import numpy as np
from jaxtyping import Float

from inverseq import plot
from inverseq.evaluate.intervals import interquartile_mean
from inverseq.forward.sac import SAC
from inverseq.inverse.deep.iq_actor import Actor
from inverseq.inverse.deep.iq_learn import IQLearn
from inverseq.inverse.deep.iq_online import train_iq_learn
from inverseq.plot.style import GREY, SERIES
from inverseq.studies.control import Settings
from inverseq.studies.control.rewards import compared_games, correlation, identified, middle
from inverseq.studies.control.shown import IQ_LEARN, LS_IQ, Expert, expert_of, thinned
from inverseq.studies.experts.tasks import (
    DISCOUNT,
    NETWORK,
    Task,
    simulator_of_task,
    task_of,
    tasks_of,
)
from inverseq.studies.run import Result
from inverseq.studies.shapes import plain
from inverseq.studies.study import Effort
from inverseq.training.lessons import Lessons
from inverseq.training.loop import Loop

_TESTS = 10
"""Tests on the way."""
Curves = Mapping[str, Float[np.ndarray, "R tests"]]


def run(settings: Settings, effort: Effort) -> Result:
    """Returns in each task by the moves made."""
    tasks = [(task.name,) for task in tasks_of(settings.tasks)]
    fewest = min(settings.sizes)
    found = effort.each("tasks", partial(of_task, settings, effort.seed), tasks)
    figure, axes = plot.canvas(3.2 * len(tasks), 2.8, columns=len(tasks))
    rows: list[dict[str, Any]] = []
    said = []
    rewards: list[dict[str, Any]] = []
    for ax, [name], (expert, curves, agreed) in zip(axes, tasks, found, strict=True):
        rewards += agreed
        moves = loop_of(settings).block * np.arange(1, loop_of(settings).blocks + 1)
        for hue, (solver, tested) in zip(SERIES, curves.items(), strict=False):
            lost = np.isnan(tested)
            earned = np.where(lost, expert.chance, tested)
            bands = [interquartile_mean(column) for column in earned.T]
            rows += [
                plain(
                    {
                        "task": name,
                        "solver": solver,
                        "moves": int(made),
                        "return": float(band.estimate),
                        "low": float(band.low),
                        "high": float(band.high),
                        "best": float(column.max()),
                        "of the expert": float(expert.normalised(np.atleast_1d(band.estimate))[0]),
                        "diverged": int(gone.sum()),
                    },
                    3,
                )
                for made, band, column, gone in zip(moves, bands, earned.T, lost.T, strict=True)
            ]
            ax.plot(moves, earned.T, color=hue, lw=0.7, alpha=0.4)
            ax.plot(moves, [band.estimate for band in bands], color=hue, lw=2, label=solver)
            gone = int(lost[:, -1].sum())
            told = f"; {gone} diverged, and count as chance from there on" if gone else ""
            said.append(
                f"{name}, {solver} beside its own play from {fewest} demonstration"
                f"{'s' * (fewest > 1)}: "
                f"{float(bands[-1].estimate):.1f} after {moves[-1]:,} moves; at its best each of "
                f"{len(earned)} trainings came to {', '.join(f'{e:.0f}' for e in earned.max(1))}; "
                f"the expert {expert.earned:.1f}{told}."
            )
        ax.axhline(expert.earned, color=GREY, ls="--", lw=1, label="expert")
        ax.set_title(task_of(name).short)
        ax.set_xlabel("moves of its own")
        ax.set_ylabel("return")
    handles, labels = axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=3, fontsize=7.5, frameon=False)
    return Result({"learning": rows, "rewards": rewards}, {"learning": figure}, tuple(said))


def loop_of(settings: Settings) -> Loop:
    """A training step after every move, as published."""
    steps = settings.online_steps
    return Loop(
        steps,
        training_freq=1,
        learn_steps=max(steps // _TESTS, 1),
        test_games=min(5, settings.games),
        capacity=steps,
        learn_from=min(32, steps),
    )


def of_task(
    settings: Settings, seed: int, name: str
) -> tuple[Expert, Curves, list[dict[str, Any]]]:
    """The expert of a task; the returns in the tests of each training by solver, NaN from where a
    training diverged; and how well the reward found by each agrees with the true one.
    """
    task = task_of(name)
    expert = expert_of(task, settings, seed)
    judged = compared_games(task, expert, min(settings.games, 6), seed)
    curves, rewards = {}, []
    for solver, rule in online_settings(task, expert.num_actions).items():
        if solver not in settings.solvers:
            continue
        earned, sums, told = [], [], []
        for number in range(settings.seeds):
            trained = train_iq_learn(
                rule,
                thinned(expert.games, min(settings.sizes), task.every, seed + number),
                simulator_of_task(task),
                loop_of(settings),
                jax.random.key(seed + number),
                accept_failure=True,
            )
            earned.append(trained.earned)
            sums.append(correlation(judged, trained.solution.reward_function))
            told.append(identified(judged, trained.solution))
        curves[solver] = np.array(earned)
        agreed = {"correlation": middle(sums), "identified": middle(told)}
        rewards.append(plain({"task": name, "solver": solver, **agreed}, 3))
    return expert, curves, rewards


def online_settings(task: Task, actions: int) -> dict[str, IQLearn]:
    """What learns, by name. IQ-Learn has the form "value", and holds down the rewards of its own
    moves too.
    """
    continuous = isinstance(task.expert, SAC)
    network = task.expert.network if isinstance(task.expert, SAC) else NETWORK
    told: dict[str, Any] = {
        "network": network,
        "discount": DISCOUNT,
        "temperature": 0.1,
        # Continuous actions are judged better by a critic that comes to rest.
        "lessons": Lessons(batch=128, learning_rate=1e-3, schedule="cosine")
        if continuous
        else Lessons(batch=32, learning_rate=1e-3, schedule="constant"),
    }
    told |= {"actor": Actor(network, 1e-3)} if continuous else {"num_actions": actions}
    return {
        IQ_LEARN: IQLearn(0, form="value", penalised="all", **told),
        LS_IQ: IQLearn(0, distance="least-squares", **told),
    }
