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
from inverseq.forward.sac import SAC, TrainedSAC, train_sac
from inverseq.mdp import MDP
from inverseq.networks import FullyConnected
from inverseq.play.fitted import tempered
from inverseq.play.recording import Recording
from inverseq.play.side_by_side import play_side_by_side
from inverseq.policies.network import NetworkPolicy
from inverseq.policies.policy import FinitePolicy, Policy
from inverseq.policies.squashed import ContinuousPolicy, SquashedPolicy
from inverseq.training.loop import Loop
from inverseq.training.simulator import Simulator
from inverseq.worlds.any_environment import gymnasium_simulator

NETWORK, WIDE = FullyConnected((64, 64)), FullyConnected((128, 128))
DISCOUNT = 0.99


@dataclass(frozen=True)
class Task:
    """A task of Gymnasium.

    Attributes:
        name: Id of its environment.
        every: Demonstrations are thinned out to every so many-th move, as published.
        expert: How an expert learns; None where Gymnasium's own controller is the expert.
        alpha: Published strength of chi-square, in units of the published temperature.
        published: Returns of IQ-Learn offline by number of demonstrations, on earlier versions of
            the environments, read by eye from Figure 2 of Garg and others (2021).
    """

    name: str
    every: int
    expert: DQN | SAC | None
    alpha: float
    published: Mapping[int, float] = field(hash=False)

    @property
    def short(self) -> str:
        """The name without its version."""
        return self.name.rpartition("-v")[0]


def _loop(steps: int) -> Loop:
    """A training step after every move, and twenty tests."""
    return Loop(
        steps,
        training_freq=1,
        learn_steps=max(steps // 20, 1),
        test_games=3,
        capacity=steps,
        learn_from=min(1000, steps // 2),
    )


def _expert(steps: int, learning_rate: float = 1e-3, network: FullyConnected = NETWORK) -> DQN:
    """Double deep Q-learning over three moves."""
    return DQN(
        network,
        _loop(steps),
        DISCOUNT,
        learning_rate=learning_rate,
        schedule="cosine",
        batch=64,
        epsilon_decay=0.9995,
        epsilon_floor=0.03,
        target_every=250,
        double=True,
        n_step=3,
    )


TASKS = (
    # Smaller networks and steps hold the pole up too, but most of them let the cart drift away.
    Task("CartPole-v1", 20, _expert(30_000, 3e-3, WIDE), 500.0, {1: 460.0}),
    Task("Acrobot-v1", 5, _expert(40_000), 50.0, {1: -77.5}),
    Task("LunarLander-v3", 5, None, 500.0, {1: 142.0, 3: 240.0, 7: 280.0}),
    Task("Pendulum-v1", 1, SAC(NETWORK, _loop(20_000), DISCOUNT, 1e-3, 128), 50.0, {}),
    Task("Hopper-v5", 1, SAC(WIDE, _loop(500_000), DISCOUNT, 1e-3, 128), 50.0, {}),
    Task("HalfCheetah-v5", 1, SAC(WIDE, _loop(500_000), DISCOUNT, 1e-3, 128), 50.0, {}),
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


def numbered_tasks(names: Sequence[str]) -> list[Task]:
    """The same of tasks whose actions are numbered.

    Raises:
        InputError: Actions of one are continuous, or as for `tasks_of`.
    """
    tasks = tasks_of(names)
    for task in tasks:
        if isinstance(task.expert, SAC):
            raise InputError(
                f"actions of {task.name} are continuous, and offline this study learns of numbered "
                "ones: give --tasks without it, or learn beside its own play, inverseq study "
                "control online"
            )
    return tasks


@lru_cache(maxsize=8)
def simulator_of_task(task: Task) -> Simulator:
    """The task to be played; one for all, so that what is compiled is shared."""
    return gymnasium_simulator(task.name)


def train_expert(
    task: Task, steps: int, seed: int
) -> tuple[Policy, TrainedDQN | TrainedSAC | None]:
    """The expert of a task, trained in its own number of moves where `steps` is 0; or Gymnasium's
    controller, that nobody trained.
    """
    settings = task.expert
    if settings is None:
        return LanderController(), None
    if steps:
        settings = replace(settings, loop=_loop(steps))
    simulator, key = simulator_of_task(task), jax.random.key(seed)
    if isinstance(settings, SAC):
        actor = train_sac(settings, simulator, key)
        return actor.policy, actor
    trained = train_dqn(settings, simulator, key)
    return NetworkPolicy(trained.trained, 1.0), trained


def played(task: Task, player: Policy, games: int, seed: int) -> Recording:
    """Whole games of a task, the best action taken (of a policy of its own, one that it draws)."""
    simulator = simulator_of_task(task)
    drawn = 1.0 if isinstance(player, Careless | Reckless) else None
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
def _heuristic() -> Callable[..., Any]:
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


@dataclass(frozen=True, eq=False)
class Reckless(ContinuousPolicy):
    """The middle action of an expert of continuous actions, and now and then any.

    Attributes:
        expert: Whose.
        share: Of actions that are drawn from all.
    """

    expert: SquashedPolicy
    share: float

    def log_likelihoods(
        self, demonstrations: Demonstrations, mdp: MDP | None
    ) -> Float[np.ndarray, " N"]:
        """It has no density: the expert's action has a probability."""
        raise InputError("who takes one action again and again has no density")

    def act(
        self, rng: np.random.Generator, demonstrations: Demonstrations, mdp: MDP | None
    ) -> Float[np.ndarray, "N D"]:
        """The expert's action, or any."""
        wanted = self.best(demonstrations, mdp)
        anything = rng.uniform(self.expert.low, self.expert.high, wanted.shape)
        return np.where(rng.random((len(wanted), 1)) < self.share, anything, wanted)

    def best(self, demonstrations: Demonstrations, mdp: MDP | None) -> Float[np.ndarray, "N D"]:
        """The expert's action."""
        return self.expert.best(demonstrations, mdp)


def careless(task: Task, expert: Policy, share: float) -> Policy:
    """Who takes the expert's best action, and now and then any."""
    if isinstance(expert, SquashedPolicy):
        return Reckless(expert, share)
    assert isinstance(expert, FinitePolicy)
    return Careless(expert, simulator_of_task(task).num_actions, share)
