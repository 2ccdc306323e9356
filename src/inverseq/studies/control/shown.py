"""What is learned from: games of an expert, some of them, thinned out; and what is learned."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float

from inverseq._core.errors import InputError
from inverseq._core.store import load
from inverseq.demonstrations import Demonstrations
from inverseq.inverse.deep.cloning import BehaviourCloning
from inverseq.inverse.deep.diql import DIQL
from inverseq.inverse.deep.iq_learn import IQLearn
from inverseq.inverse.problem import Solver
from inverseq.inverse.solution import Solution
from inverseq.networks import TrainedNetwork
from inverseq.policies.network import NetworkPolicy
from inverseq.policies.policy import FinitePolicy
from inverseq.readers.minari import read_minari
from inverseq.studies.control import Settings
from inverseq.studies.experts.study import data_set, network_file, shown_by
from inverseq.studies.experts.tasks import (
    DISCOUNT,
    NETWORK,
    LanderController,
    Task,
    simulator_of_task,
    train_expert,
)
from inverseq.training.lessons import Lessons

_CHANCE_GAMES = 20
"""Games played at random, to know what they bring."""
TEMPERATURE = {"Acrobot-v1": 0.01}
"""Of the policy that IQ-Learn finds, as published; of the others:"""
COLD = 0.001
IQ_LEARN, LS_IQ = "IQ-Learn", "LS-IQ"


@dataclass(frozen=True, eq=False)
class Expert:
    """An expert of a task, and what it is measured by.

    Attributes:
        policy: What it does.
        num_actions: A.
        games: Its games, whole.
        earned: Its mean return.
        chance: The mean return of whoever acts at random.
    """

    policy: FinitePolicy
    num_actions: int
    games: Demonstrations
    earned: float
    chance: float

    def normalised(self, returns: Float[np.ndarray, " R"]) -> Float[np.ndarray, " R"]:
        """Returns where chance is 0 and the expert 1."""
        return (returns - self.chance) / (self.earned - self.chance)


def expert_of(task: Task, settings: Settings, seed: int) -> Expert:
    """The expert of a task: from the folder of the study of experts, or trained now.

    Raises:
        InputError: The folder does not hold it, or it has fewer games than are to be learned from.
    """
    count = max(settings.sizes)
    if settings.experts:
        folder = Path(settings.experts)
        if not (folder / data_set(task)).is_dir():
            raise InputError(
                f"{folder} holds no {data_set(task)}: inverseq study experts --out {folder} writes "
                "it, or leave experts out to train one now"
            )
        games = read_minari(folder / data_set(task))
        policy = (
            LanderController()
            if task.expert is None
            else NetworkPolicy(load(folder / network_file(task), TrainedNetwork), 1.0)
        )
        _, chance = shown_by(task, policy, _CHANCE_GAMES, seed)
    else:
        policy, _ = train_expert(task, settings.expert_steps, seed)
        recording, chance = shown_by(task, policy, max(count, _CHANCE_GAMES), seed)
        games = recording.demonstrations
    if games.num_trajectories < count:
        raise InputError(
            f"{games.num_trajectories} games of {task.name} are there, and {count} are to be "
            "learned from: give inverseq study experts more --games"
        )
    earned = np.add.reduceat(games.decisions["reward"], games.starts[:-1])
    actions = simulator_of_task(task).num_actions
    return Expert(policy, actions, games, float(earned.mean()), float(chance.rewards.mean()))


def thinned(games: Demonstrations, count: int, every: int, seed: int) -> Demonstrations:
    """Every so many-th transition of the first games, each game from a row of its own on."""
    first = np.random.default_rng(seed).integers(every, size=count)
    starts = games.starts
    rows = np.concatenate(
        [
            np.arange(
                starts[n] + min(first[n], starts[n + 1] - starts[n] - 1), starts[n + 1], every
            )
            for n in range(count)
        ]
    )
    return Demonstrations.from_arrays(
        games.states[rows],
        games.actions[rows],
        next_states=games.next_states[rows],
        trajectory=games.trajectory_of[rows],
        terminated=games.terminated[rows],
        action_names=games.action_names,
        source=f"{games.source}, every {every}th move",
    )


def weights_of(shown: Demonstrations, count: int) -> Float[np.ndarray, " N"]:
    """Weights that leave only the first games to be drawn: the same compiled program for all."""
    return (shown.trajectory_of < count).astype(float)


def solvers_of(
    task: Task, settings: Settings, actions: int, seed: int
) -> Mapping[str, Solver[Solution]]:
    """What learns, by name, all with the same network; IQ-Learn as published, but for its ends.

    Raises:
        InputError: A solver has no such name.
    """
    slow = Lessons(settings.lessons or 20_000, 32, 1e-4, "constant")
    fast = Lessons(settings.lessons or 5_000, 32, 1e-3)
    told: dict[str, Any] = {"network": NETWORK, "num_actions": actions}
    cold = TEMPERATURE.get(task.name, COLD)
    known: dict[str, Solver[Solution]] = {
        IQ_LEARN: IQLearn(seed, discount=DISCOUNT, temperature=cold, lessons=slow, **told),
        LS_IQ: IQLearn(
            seed,
            distance="least-squares",
            discount=DISCOUNT,
            temperature=0.01,
            lessons=fast,
            **told,
        ),
        "DIQL": DIQL(seed, DISCOUNT, held_out=0.0, lessons=fast, **told),
        "cloning": BehaviourCloning(seed, lessons=fast, **told),
    }
    if unknown := [name for name in settings.solvers if name not in known]:
        raise InputError(f"there is no solver {unknown[0]!r} here; there are {[*known]}")
    return {name: known[name] for name in settings.solvers}
