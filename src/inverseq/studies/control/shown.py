"""What is learned from: games of an expert, some of them, thinned out; and what is learned."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float

from inverseq._core.errors import InputError
from inverseq._core.store import load
from inverseq.demonstrations import Demonstrations
from inverseq.forward.sac import SAC
from inverseq.inverse.deep.cloning import BehaviourCloning
from inverseq.inverse.deep.diql import DIQL
from inverseq.inverse.deep.iq_learn import IQLearn
from inverseq.inverse.problem import Solver
from inverseq.inverse.solution import Solution
from inverseq.networks import FullyConnected, TrainedNetwork
from inverseq.policies.network import NetworkPolicy
from inverseq.policies.policy import Policy
from inverseq.policies.squashed import SquashedPolicy
from inverseq.readers.minari import read_minari
from inverseq.studies.control import Settings
from inverseq.studies.control.choosing import Chosen
from inverseq.studies.experts.study import by_chance, data_set, network_file, shown_by
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
IQ_LEARN, LS_IQ, LINEAR, CHOSEN = "IQ-Learn", "LS-IQ", ", linear", ", chosen"
_ALPHAS = (0.5, 5.0, 50.0)
"""Strengths of chi-square, in temperatures, from which held-out decisions choose."""


@dataclass(frozen=True, eq=False)
class Expert:
    """An expert of a task, and what it is measured by.

    Attributes:
        policy: What it does.
        num_actions: A; D where actions are continuous.
        games: Its games, whole.
        earned: Its mean return.
        chance: The mean return of whoever acts at random.
    """

    policy: Policy
    num_actions: int
    games: Demonstrations
    earned: float
    chance: float

    def normalised(self, returns: Float[np.ndarray, " R"]) -> Float[np.ndarray, " R"]:
        """Returns where chance is 0 and the expert 1; NaN where the expert does as chance does."""
        gained = self.earned - self.chance
        return (returns - self.chance) / (gained if gained else np.nan)


def expert_of(task: Task, settings: Settings, seed: int) -> Expert:
    """The expert of a task: from the folder of the study of experts, or trained now.

    Raises:
        InputError: The folder does not hold it, or it has fewer games than are to be learned from.
    """
    return _expert(task, settings.experts, settings.expert_steps, max(settings.sizes), seed)


@lru_cache(maxsize=8)
def _expert(task: Task, kept: str, steps: int, count: int, seed: int) -> Expert:
    """The expert of a task, once for all parts of the study."""
    if kept:
        folder = Path(kept)
        if not (folder / data_set(task)).is_dir():
            raise InputError(
                f"{folder} holds no {data_set(task)}: inverseq study experts --out {folder} writes "
                "it, or leave experts out to train one now"
            )
        games = read_minari(folder / data_set(task))
        policy = _kept(task, folder)
    else:
        policy, _ = train_expert(task, steps, seed)
        games = shown_by(task, policy, max(count, _CHANCE_GAMES), seed).demonstrations
    chance = by_chance(task, policy, _CHANCE_GAMES, seed)
    if games.num_trajectories < count:
        raise InputError(
            f"{games.num_trajectories} games of {task.name} are there, and {count} are to be "
            "learned from: give inverseq study experts more --games"
        )
    earned = np.add.reduceat(games.decisions["reward"], games.starts[:-1])
    actions = simulator_of_task(task).num_actions
    return Expert(policy, actions, games, float(earned.mean()), float(chance.rewards.mean()))


def _kept(task: Task, folder: Path) -> Policy:
    """The expert of a task in the folder of the study of experts."""
    if task.expert is None:
        return LanderController()
    if isinstance(task.expert, SAC):
        return load(folder / network_file(task), SquashedPolicy)
    return NetworkPolicy(load(folder / network_file(task), TrainedNetwork), 1.0)


def thinned(games: Demonstrations, count: int, every: int, seed: int) -> Demonstrations:
    """Every so many-th transition of some games, drawn anew for each seed, each game from a row of
    its own on.
    """
    rng = np.random.default_rng(seed)
    starts, rows, number = games.starts.tolist(), [], []
    for place, game in enumerate(rng.permutation(games.num_trajectories)[:count].tolist()):
        first = min(int(rng.integers(every)), starts[game + 1] - starts[game] - 1)
        rows.append(np.arange(starts[game] + first, starts[game + 1], every))
        number.append(np.full(len(rows[-1]), place))
    taken = np.concatenate(rows)
    return Demonstrations.from_arrays(
        games.states[taken],
        games.actions[taken],
        next_states=games.next_states[taken],
        trajectory=np.concatenate(number),
        terminated=games.terminated[taken],
        action_names=games.action_names,
        source=f"{games.source}, every {every}th move",
    )


def weights_of(shown: Demonstrations, count: int) -> Float[np.ndarray, " N"]:
    """Weights that leave only the first games to be drawn: the same compiled program for all."""
    return (shown.trajectory_of < count).astype(float)


def solvers_of(
    task: Task, settings: Settings, actions: int, seed: int
) -> Mapping[str, Solver[Solution]]:
    """What learns, by name, all with the same network but those that are linear; IQ-Learn with
    the published loss, in units of its temperature, but for its ends.

    Raises:
        InputError: A solver has no such name.
    """
    fast = Lessons(settings.lessons or 5_000, 32, 1e-3)
    told: dict[str, Any] = {"network": NETWORK, "num_actions": actions}
    inverse = IQLearn(
        seed, discount=DISCOUNT, temperature=1.0, alpha=task.alpha, lessons=fast, **told
    )
    clone = BehaviourCloning(seed, lessons=fast, **told)
    line, quick = FullyConnected(()), replace(fast, learning_rate=5e-2)
    linear = replace(inverse, network=line, lessons=quick)
    known: dict[str, Solver[Solution]] = {
        IQ_LEARN: inverse,
        IQ_LEARN + LINEAR: linear,
        IQ_LEARN + CHOSEN: Chosen(
            [replace(one, alpha=alpha) for one in (linear, inverse) for alpha in _ALPHAS], seed
        ),
        LS_IQ: IQLearn(
            seed,
            distance="least-squares",
            discount=DISCOUNT,
            temperature=0.01,
            lessons=fast,
            **told,
        ),
        "DIQL": DIQL(seed, DISCOUNT, held_out=0.0, lessons=fast, **told),
        "cloning": clone,
        "cloning" + LINEAR: replace(clone, network=line, lessons=quick),
    }
    if unknown := [name for name in settings.solvers if name not in known]:
        raise InputError(f"there is no solver {unknown[0]!r} here; there are {[*known]}")
    return {name: known[name] for name in settings.solvers}
