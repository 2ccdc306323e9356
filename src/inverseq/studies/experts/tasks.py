"""The tasks, how an expert of each learns, and what it is played with."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache

import jax
import numpy as np
from jaxtyping import Float

from inverseq._core.errors import InputError
from inverseq.demonstrations import Demonstrations
from inverseq.forward.dqn import DQN, TrainedDQN, train_dqn
from inverseq.mdp import MDP
from inverseq.networks import FullyConnected, TrainedNetwork
from inverseq.play.recording import Recording
from inverseq.play.side_by_side import play_side_by_side
from inverseq.policies.network import NetworkPolicy, network_q
from inverseq.policies.policy import FinitePolicy
from inverseq.policies.tabular import greedy
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
        expert: How an expert learns.
        published: Returns of IQ-Learn offline by number of demonstrations, on earlier versions of
            the environments, read by eye from Figure 2 of Garg and others (2021).
    """

    name: str
    every: int
    expert: DQN
    published: Mapping[int, float] = field(hash=False)

    @property
    def short(self) -> str:
        """The name without its version."""
        return self.name.rpartition("-v")[0]


def _expert(steps: int, network: FullyConnected, learning_rate: float, decay: float) -> DQN:
    """Double deep Q-learning over three moves, with a test in each tenth."""
    loop = Loop(
        steps,
        training_freq=2,
        learn_steps=steps // 20,
        test_games=3,
        capacity=min(steps, 100_000),
        learn_from=1000,
    )
    return DQN(
        network,
        loop,
        DISCOUNT,
        learning_rate,
        batch=64,
        epsilon_decay=decay,
        epsilon_floor=0.03,
        target_every=500,
        double=True,
        n_step=3,
    )


TASKS = (
    Task("CartPole-v1", 20, _expert(40_000, NETWORK, 5e-4, 0.9995), {1: 460.0}),
    Task("Acrobot-v1", 5, _expert(40_000, NETWORK, 5e-4, 0.9995), {1: -77.5}),
    Task(
        "LunarLander-v3",
        5,
        _expert(200_000, FullyConnected((128, 128)), 5e-4, 0.99985),
        {1: 142.0, 3: 240.0, 7: 280.0},
    ),
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


@lru_cache(maxsize=8)
def simulator_of_task(task: Task) -> Simulator:
    """The task to be played; one for all, so that what is compiled is shared."""
    return gymnasium_simulator(task.name)


def train_expert(task: Task, steps: int, seed: int) -> TrainedDQN:
    """Train the expert of a task, in its own number of moves where `steps` is 0."""
    settings = task.expert
    if steps:
        learn_steps = max(steps // 20, 1)
        loop = replace(
            settings.loop, steps=steps, learn_steps=learn_steps, learn_from=min(1000, steps // 2)
        )
        settings = replace(settings, loop=loop)
    return train_dqn(settings, simulator_of_task(task), jax.random.key(seed))


def played(task: Task, player: TrainedNetwork | FinitePolicy, games: int, seed: int) -> Recording:
    """Whole games of a task, the best action taken (of a policy of its own, one that it draws)."""
    simulator = simulator_of_task(task)
    drawn = 1.0 if isinstance(player, Careless) else None
    limit = 10**9  # games end by themselves
    return play_side_by_side(
        simulator, player, games=games, moves=limit, seed=seed, temperature=drawn
    )


@dataclass(frozen=True, eq=False)
class Careless(FinitePolicy):
    """The best action of an expert, and now and then any.

    Attributes:
        expert: Its action values.
        share: Of actions that are drawn from all.
    """

    expert: NetworkPolicy
    share: float

    @property
    def num_actions(self) -> int:
        """A."""
        return self.expert.num_actions

    @property
    def observation_shape(self) -> tuple[int, ...]:
        """Of one observation."""
        return self.expert.observation_shape

    def probabilities(
        self, demonstrations: Demonstrations, mdp: MDP | None
    ) -> Float[np.ndarray, "N A"]:
        """Of each decision."""
        q = network_q(self.expert, demonstrations.states)
        best = greedy(q, np.ones(q.shape, dtype=bool))
        return (1 - self.share) * best + self.share / self.num_actions
