"""What is learned from: games of an expert, some of them, thinned out; and what is learned."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float

from inverseq._core.errors import InputError
from inverseq._core.store import load
from inverseq.demonstrations import Demonstrations
from inverseq.inverse.deep.cloning import BehaviourCloning
from inverseq.inverse.deep.diql import DIQL
from inverseq.inverse.deep.iq_learn import IQLearn
from inverseq.inverse.problem import Solver
from inverseq.networks import TrainedNetwork
from inverseq.readers.minari import read_minari
from inverseq.studies.control import Settings
from inverseq.studies.experts.study import data_set, shown_by
from inverseq.studies.experts.tasks import DISCOUNT, NETWORK, Task, train_expert
from inverseq.training.lessons import Lessons

TAUGHT = {"CartPole-v1": 5000, "Acrobot-v1": 5000, "LunarLander-v3": 20_000}
"""Training steps of each solver."""
IQ_LEARN, LS_IQ, CLONING = "IQ-Learn", "LS-IQ", "cloning"


@dataclass(frozen=True, eq=False)
class Expert:
    """An expert of a task, and what it is measured by.

    Attributes:
        network: Its action values.
        games: Its games, whole.
        earned: Its mean return.
        chance: The mean return of whoever acts at random.
    """

    network: TrainedNetwork
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
        network = load(folder / f"{task.short}-expert.npz", TrainedNetwork)
        _, chance = shown_by(task, network, 20, seed)
        games = read_minari(folder / data_set(task))
    else:
        network = train_expert(task, settings.expert_steps, seed).trained
        recording, chance = shown_by(task, network, max(count, 20), seed)
        games = recording.demonstrations
    if games.num_trajectories < count:
        raise InputError(
            f"{games.num_trajectories} games of {task.name} are there, and {count} are to be "
            "learned from: give inverseq study experts more --games"
        )
    earned = np.add.reduceat(games.decisions["reward"], games.starts[:-1])
    return Expert(network, games, float(earned.mean()), float(chance.rewards.mean()))


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


def solvers_of(task: Task, lessons: int, actions: int, seed: int) -> Mapping[str, Solver]:
    """What learns, by name; all with the same network and lessons."""
    steps = lessons or TAUGHT[task.name]
    of_values = Lessons(steps, 32, 1e-3)
    given = {"discount": DISCOUNT, "num_actions": actions}
    return {
        IQ_LEARN: IQLearn(seed, NETWORK, temperature=0.01, lessons=of_values, **given),
        LS_IQ: IQLearn(
            seed, NETWORK, "least-squares", temperature=0.01, lessons=of_values, **given
        ),
        "DIQL": DIQL(seed, network=NETWORK, held_out=0.0, lessons=of_values, **given),
        CLONING: BehaviourCloning(seed, NETWORK, of_values, num_actions=actions),
    }
