"""Experts trained by deep Q-learning, and their games as data sets that Minari opens."""

import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np

from inverseq import plot
from inverseq._core.store import save
from inverseq.demonstrations import Demonstrations
from inverseq.forward.dqn import TrainedDQN
from inverseq.networks import TrainedNetwork
from inverseq.play.recording import Recording
from inverseq.policies.network import NetworkPolicy
from inverseq.readers.minari import write_minari
from inverseq.studies.experts import Settings
from inverseq.studies.experts.tasks import Careless, Task, played, task_of, train_expert
from inverseq.studies.run import Result
from inverseq.studies.shapes import plain
from inverseq.studies.study import Effort


def run(settings: Settings, effort: Effort) -> Result:
    """An expert of each task, and how well it does."""
    tasks = [task_of(name) for name in settings.tasks]
    rows, sentences, files = [], [], {}
    figure, axes = plot.canvas(3.0 * len(tasks), 2.6, columns=len(tasks))
    for number, (task, ax) in enumerate(zip(tasks, axes, strict=True)):
        effort.say("experts", number, len(tasks))
        expert = train_expert(task, settings.steps, effort.seed)
        games, chance = shown_by(task, expert.trained, settings.games, effort.seed)
        moves = expert.settings.loop.block * np.arange(1, len(expert.earned) + 1)
        ax.plot(moves, expert.earned)
        ax.set_title(task.short)
        ax.set_xlabel("moves learned from")
        ax.set_ylabel("return")
        told = {
            "task": task.name,
            "return": games.rewards.mean(),
            "deviation": games.rewards.std(),
            "least": games.rewards.min(),
            "at random": chance.rewards.mean(),
            "games": games.num_games,
            "moves learned from": int(moves[-1]),
        }
        rows.append(plain(told, 1))
        sentences.append(
            f"{task.name}: {games.rewards.mean():.1f} in {games.num_games} games, after "
            f"{moves[-1]:,} moves; whoever acts at random gets {chance.rewards.mean():.1f}."
        )
        files |= written(task, expert, games)
    effort.say("experts", len(tasks), len(tasks))
    return Result({"experts": rows}, {"learning": figure}, tuple(sentences), files=files)


def shown_by(
    task: Task, expert: TrainedNetwork, games: int, seed: int
) -> tuple[Recording, Recording]:
    """Games of an expert, and of whoever acts at random in the same task."""
    any_action = Careless(NetworkPolicy(expert, 1.0), 1.0)
    return tuple(played(task, who, games, 1000 + seed) for who in (expert, any_action))  # pyright: ignore[reportReturnType]


def written(task: Task, expert: TrainedDQN, games: Recording) -> dict[str, Callable[[Path], Any]]:
    """What writes the network and the data set of an expert."""
    return {
        f"{task.short}-expert.npz": partial(save, expert.trained),
        data_set(task): partial(_write_games, task, games.demonstrations),
    }


def data_set(task: Task) -> str:
    """Id of the data set of a task's expert."""
    return f"{task.short}-expert-v0"


def _write_games(task: Task, games: Demonstrations, place: Path) -> None:
    """The data set, in place of an earlier one of the study."""
    shutil.rmtree(place, ignore_errors=True)
    environment = gymnasium.make(task.name)
    write_minari(
        games,
        place.name,
        folder=place.parent,
        environment=environment,
        algorithm_name="DQN of inverseq",
        author="inverseq",
        description=f"Games of an expert of {task.name}, the best action taken.",
    )
    environment.close()
