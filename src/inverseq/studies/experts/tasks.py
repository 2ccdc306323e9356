"""The tasks, how an expert of each learns, and what it is played with."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from types import SimpleNamespace
from typing import Any

import jax
import numpy as np
from jaxtyping import Float

from inverseq._core.errors import InputError
from inverseq.demonstrations import Demonstrations
from inverseq.forward.dqn import DQN, TrainedDQN, train_dqn
from inverseq.mdp import MDP
from inverseq.networks import FullyConnected
from inverseq.play.fitted import tempered
from inverseq.play.recording import Recording
from inverseq.play.side_by_side import play_side_by_side
from inverseq.policies.network import NetworkPolicy
from inverseq.policies.policy import FinitePolicy
from inverseq.training.loop import Loop
from inverseq.training.simulator import Simulator
from inverseq.worlds.any_environment import gymnasium_simulator

NETWORK = FullyConnected((64, 64))
DISCOUNT = 0.99


@dataclass(frozen=True)
class Task:
    """A task of Gymnasium.

    Attributes:
        name: Id of its environment.
        every: Demonstrations are thinned out to every so many-th move, as published.
        expert: How an expert learns; None where Gymnasium's own controller is the expert.
        published: Returns of IQ-Learn offline by number of demonstrations, on earlier versions of
            the environments, read by eye from Figure 2 of Garg and others (2021).
    """

    name: str
    every: int
    expert: DQN | None
    published: Mapping[int, float] = field(hash=False)

    @property
    def short(self) -> str:
        """The name without its version."""
        return self.name.rpartition("-v")[0]


def _expert(steps: int, discount: float = DISCOUNT) -> DQN:
    """Double deep Q-learning over three moves, tested twenty times."""
    loop = Loop(
        steps,
        training_freq=1,
        learn_steps=steps // 20,
        test_games=3,
        capacity=steps,
        learn_from=1000,
    )
    return DQN(
        NETWORK,
        loop,
        discount,
        learning_rate=1e-3,
        schedule="cosine",
        batch=64,
        epsilon_decay=0.9995,
        epsilon_floor=0.03,
        target_every=250,
        double=True,
        n_step=3,
    )


TASKS = (
    Task("CartPole-v1", 20, _expert(30_000, 0.98), {1: 460.0}),
    Task("Acrobot-v1", 5, _expert(40_000), {1: -77.5}),
    Task("LunarLander-v3", 5, None, {1: 142.0, 3: 240.0, 7: 280.0}),
)


def task_of(name: str) -> Task:
    """The task of a name.

    Raises:
        InputError: There is none.
    """
    for task in TASKS:
        if name in (task.name, task.short):
            return task
    raise InputError(f"there is no task {name!r}; there are {[task.name for task in TASKS]}")


def tasks_of(names: Sequence[str]) -> list[Task]:
    """The tasks of these names, after a look whether each can be played here: to be told of that
    after an hour of training would be late.

    Raises:
        InputError: There is none of a name, or what it needs is not installed.
    """
    tasks = [task_of(name) for name in names]
    for task in tasks:
        simulator_of_task(task)
    return tasks


@lru_cache(maxsize=8)
def simulator_of_task(task: Task) -> Simulator:
    """The task to be played; one for all, so that what is compiled is shared."""
    return gymnasium_simulator(task.name)


def train_expert(task: Task, steps: int, seed: int) -> tuple[FinitePolicy, TrainedDQN | None]:
    """The expert of a task, trained in its own number of moves where `steps` is 0; or Gymnasium's
    controller, that nobody trained.
    """
    settings = task.expert
    if settings is None:
        return LanderController(), None
    if steps:
        loop = replace(
            settings.loop,
            steps=steps,
            learn_steps=max(steps // 20, 1),
            capacity=steps,
            learn_from=min(1000, steps // 2),
        )
        settings = replace(settings, loop=loop)
    trained = train_dqn(settings, simulator_of_task(task), jax.random.key(seed))
    return NetworkPolicy(trained.trained, 1.0), trained


def played(task: Task, player: FinitePolicy, games: int, seed: int) -> Recording:
    """Whole games of a task, the best action taken (of a policy of its own, one that it draws)."""
    simulator = simulator_of_task(task)
    drawn = 1.0 if isinstance(player, Careless) else None
    limit = 10**9  # games end by themselves
    return play_side_by_side(
        simulator, player, games=games, moves=limit, seed=seed, temperature=drawn
    )


@dataclass(frozen=True, eq=False)
class LanderController(FinitePolicy):
    """The controller of LunarLander that comes with Gymnasium, written by hand."""

    @property
    def num_actions(self) -> int:
        """A."""
        return 4

    @property
    def observation_shape(self) -> tuple[int, ...]:
        """Of one observation."""
        return (8,)

    def probabilities(
        self, demonstrations: Demonstrations, mdp: MDP | None
    ) -> Float[np.ndarray, "N A"]:
        """1 for what it does."""
        discrete: Any = SimpleNamespace(unwrapped=SimpleNamespace(continuous=False))
        heuristic = _heuristic()
        actions = [heuristic(discrete, seen) for seen in demonstrations.states]
        return np.eye(4)[np.array(actions)]


@lru_cache(maxsize=1)
def _heuristic() -> Callable[[Any, np.ndarray], Any]:
    """Gymnasium's controller; what it needs is not installed everywhere."""
    simulator_of_task(task_of("LunarLander-v3"))  # says what to install
    from gymnasium.envs.box2d.lunar_lander import heuristic

    return heuristic


@dataclass(frozen=True, eq=False)
class Careless(FinitePolicy):
    """The best action of an expert, and now and then any.

    Attributes:
        expert: Whose.
        actions: A.
        share: Of actions that are drawn from all.
    """

    expert: FinitePolicy
    actions: int
    share: float

    @property
    def num_actions(self) -> int:
        """A."""
        return self.actions

    def probabilities(
        self, demonstrations: Demonstrations, mdp: MDP | None
    ) -> Float[np.ndarray, "N A"]:
        """Of each decision."""
        best = tempered(self.expert.probabilities(demonstrations, mdp), None)
        return (1 - self.share) * best + self.share / self.num_actions
