"""Experts trained by deep Q-learning, and their games as data sets that Minari opens."""

import shutil
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from inverseq import plot
from inverseq._core.store import save
from inverseq.demonstrations import Demonstrations
from inverseq.forward.dqn import TrainedDQN
from inverseq.forward.sac import SAC, TrainedSAC
from inverseq.play.recording import Recording
from inverseq.plot.style import GREY
from inverseq.policies.policy import Policy
from inverseq.readers.minari import minari_packages, write_minari
from inverseq.studies.experts import Settings
from inverseq.studies.experts.tasks import (
    Task,
    careless,
    played,
    tasks_of,
    train_expert,
)
from inverseq.studies.run import Result
from inverseq.studies.shapes import plain
from inverseq.studies.study import Effort


def run(settings: Settings, effort: Effort) -> Result:
    """An expert of each task, and how well it does.

    Raises:
        InputError: There is no such task, or Minari or what a task needs is not installed.
    """
    tasks = tasks_of(settings.tasks)
    minari_packages()  # which is needed last
    rows, tests, sentences, files = [], [], [], {}
    curves: dict[str, tuple[np.ndarray, np.ndarray, float]] = {}
    for number, task in enumerate(tasks):
        effort.say("experts", number, len(tasks))
        expert, trained = train_expert(task, settings.steps, effort.seed)
        games = shown_by(task, expert, settings.games, effort.seed)
        chance = by_chance(task, expert, settings.games, effort.seed)
        learned = 0
        if trained is not None:
            block = trained.settings.loop.block
            learned = block * len(trained.earned)
            moves = block * np.arange(1, len(trained.earned) + 1)
            curves[task.short] = moves, trained.earned, float(games.rewards.mean())
            tests += [
                plain({"task": task.name, "moves": int(made), "return": float(earned)}, 1)
                for made, earned in zip(moves, trained.earned, strict=True)
            ]
        told = {
            "task": task.name,
            "return": games.rewards.mean(),
            "deviation": games.rewards.std(),
            "least": games.rewards.min(),
            "at random": chance.rewards.mean(),
            "games": games.num_games,
            "moves learned from": learned,
        }
        rows.append(plain(told, 1))
        sentences.append(
            f"{task.name}: {games.rewards.mean():.1f} in {games.num_games} games, "
            f"{f'learned in {learned:,} moves' if learned else 'a controller that nobody trained'}"
            f"; whoever acts at random gets {chance.rewards.mean():.1f}."
        )
        files |= written(task, trained, games)
    effort.say("experts", len(tasks), len(tasks))
    figures = {"learning": drawn(curves)} if curves else {}
    tables = {"experts": rows} | ({"learning": tests} if tests else {})
    return Result(tables, figures, tuple(sentences), files=files)


def drawn(curves: Mapping[str, tuple[np.ndarray, np.ndarray, float]]) -> Figure:
    """Returns in the tests on the way of those who were trained, and in the games that are kept."""
    figure, axes = plot.canvas(3.0 * len(curves), 2.6, columns=len(curves))
    for ax, (name, (moves, earned, kept)) in zip(axes, curves.items(), strict=True):
        ax.plot(moves / 1000, earned)
        ax.axhline(kept, color=GREY, ls="--", lw=1)
        ax.set_title(name)
        ax.set_xlabel("thousands of moves learned from")
        ax.set_ylabel("return")
    return figure


def shown_by(task: Task, expert: Policy, games: int, seed: int) -> Recording:
    """Games of an expert."""
    return played(task, expert, games, 1000 + seed)


def by_chance(task: Task, expert: Policy, games: int, seed: int) -> Recording:
    """The same games of whoever acts at random."""
    return shown_by(task, careless(task, expert, 1.0), games, seed)


def written(
    task: Task, trained: TrainedDQN | TrainedSAC | None, games: Recording
) -> dict[str, Callable[[Path], Any]]:
    """What writes the data set of an expert, and its network where it has one."""
    files: dict[str, Callable[[Path], Any]] = {
        data_set(task): partial(_write_games, task, games.demonstrations)
    }
    if trained is not None:
        learned = trained.policy if isinstance(trained, TrainedSAC) else trained.trained
        files[network_file(task)] = partial(save, learned)
    return files


def network_file(task: Task) -> str:
    """File of the network of a task's expert."""
    return f"{task.short}-expert.npz"


def data_set(task: Task) -> str:
    """Id of the data set of a task's expert."""
    return f"{task.short}-expert-v0"


def _algorithm(task: Task) -> str:
    """How the expert of a task learns."""
    if task.expert is None:
        return "the controller of Gymnasium"
    return "SAC" if isinstance(task.expert, SAC) else "DQN"


def _write_games(task: Task, games: Demonstrations, place: Path) -> None:
    """The data set, in place of an earlier one of the study."""
    shutil.rmtree(place, ignore_errors=True)
    write_minari(
        games,
        place.name,
        folder=place.parent,
        environment=task.name,
        algorithm_name=_algorithm(task),
        author="inverseq",
        description=f"Games of an expert of {task.name}, the best action taken.",
    )
