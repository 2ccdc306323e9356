"""Trainings and tests of the GridWorld study: DQN, IQ-Learn and cloning in one grid type."""

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import lru_cache, partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from inverseq.demonstrations import Demonstrations
from inverseq.forward.dqn import DQN, train_dqn
from inverseq.inverse.deep.cloning import BehaviourCloning
from inverseq.inverse.deep.iq_learn import IQLearn
from inverseq.inverse.deep.iq_online import train_iq_learn
from inverseq.inverse.fit import fit
from inverseq.networks import FullyConnected, module_of
from inverseq.play.experts import expert_games
from inverseq.policies.network import NetworkPolicy
from inverseq.studies.gridworld import Settings
from inverseq.studies.gridworld.record import (
    CLONING_NAME,
    DQN_NAME,
    FAITHFUL,
    IQ_NAME,
    Grid,
    Trial,
)
from inverseq.studies.study import Effort
from inverseq.training.games import Games, play_games
from inverseq.training.loop import Loop
from inverseq.training.noise import noisy
from inverseq.worlds.game_rules import grid_simulator

_NONE = np.zeros((1, 0))


def yardsticks(grid: Grid, *, seed: int, boards: int) -> tuple[Trial, Trial]:
    """A random agent and the expert, on the boards that everybody is tested on."""

    def at_random(key: jax.Array, observations: jax.Array, _: jax.Array | None) -> jax.Array:
        return jax.random.randint(key, observations.shape[:1], 0, 4)

    played = [
        jax.jit(lambda key, s=s: play_games(s, at_random, key, games=boards))(_test_key(seed))
        for s in _simulators(grid)
    ]
    # Both play the same games, so that what is left is the shortest way over the straight one.
    straight = np.asarray(played[0].ratio / played[1].ratio, dtype=np.float64)
    ones = np.ones(1)
    bare = {"loss": _NONE, "tests": _NONE, "block": 0, "policies": (), "cpu": 0.0, "wall": 0.0}
    random = _scored(grid, "", "random", [played], **bare)
    made = Trial(grid.name, "", "expert", straight.mean(keepdims=True), ones, ones, **bare)
    return random, made


def train_grid(
    grid: Grid,
    preset: str,
    demonstrations: Demonstrations,
    settings: Settings,
    *,
    seed: int,
    done: Callable[[Trial], None] | None = None,
) -> tuple[Trial, Trial, Trial]:
    """DQN, IQ-Learn and cloning with one preset, each with R seeds.

    IQ-Learn and cloning see the demonstrations and nothing else: no reward, and of the games that
    IQ-Learn plays on the way it only sees how well they go (`IQLearn.online` is false).

    Args:
        grid: Grid type, with its budget.
        preset: `FAITHFUL` or `OURS`.
        demonstrations: Games of a person or of the expert, with tiles as states.
        settings: How many seeds, steps and lessons, and on how many boards all are tested.
        seed: The first seed.
        done: Called with each trial.
    """
    seeds, boards, lessons = settings.seeds, settings.boards, settings.lessons
    simulator = grid_simulator(grid.rules)
    keys = list(jax.random.split(jax.random.key(seed), seeds))
    faithful = preset == FAITHFUL
    steps = grid.steps if faithful else min(settings.best_steps, grid.steps)
    deep = DQN.study(steps) if faithful else DQN.best(steps)
    inverse = IQLearn.study(seed, steps) if faithful else IQLearn.best(seed, lessons)
    loop = Loop(steps if faithful else 4 * lessons)
    cloning = cloning_beside(inverse)
    noise = inverse.lessons.noise

    def trial(method: str, train: Callable[[], Any], heat: float | None) -> Trial:
        before = time.process_time(), time.perf_counter()
        policies, loss, tests, block = train()
        spent = time.process_time() - before[0], time.perf_counter() - before[1]
        played = [
            judged(grid, policy, heat, noise, seed=seed, boards=boards) for policy in policies
        ]
        found = _scored(
            grid,
            preset,
            method,
            played,
            loss=loss,
            tests=tests,
            block=block,
            policies=tuple(policies),
            cpu=spent[0],
            wall=spent[1],
        )
        if done is not None:
            done(found)
        return found

    def by_reward() -> tuple:
        made = train_dqn(deep, simulator, keys, accept_failure=True)
        policies = [NetworkPolicy(one.trained, 1.0, deep.discount, "hard") for one in made]
        return policies, _rows(made, "loss"), _rows(made, "ratio"), deep.loop.learn_steps

    def by_demonstrations() -> tuple:
        made = train_iq_learn(inverse, demonstrations, simulator, loop, keys, accept_failure=True)
        policies = [one.solution.policy for one in made]
        return policies, _rows(made, "loss"), _rows(made, "ratio"), loop.learn_steps

    def by_cloning() -> tuple:
        made = [
            fit(demonstrations, replace(cloning, seed=seed + r), accept_failure=True)
            for r in range(seeds)
        ]
        return [s.policy for s in made], np.zeros((seeds, 0)), np.zeros((seeds, 0)), 0

    drawn = inverse.temperature if faithful else None
    return (
        trial(DQN_NAME, by_reward, None),
        trial(IQ_NAME, by_demonstrations, drawn),
        trial(CLONING_NAME, by_cloning, None),
    )


def cloning_beside(inverse: IQLearn) -> BehaviourCloning:
    """Behaviour cloning with the network and lessons of an IQ-Learn."""
    return BehaviourCloning(
        inverse.seed,
        network=inverse.network or FullyConnected(),
        lessons=inverse.lessons,
        num_actions=4,
    )


def data_curve(
    grid: Grid, settings: Settings, effort: Effort
) -> dict[str, Float[np.ndarray, "sizes R 2"]]:
    """Distance ratios of our IQ-Learn and cloning by the number of demonstrated games.

    Every seed has demonstrations of its own.

    Returns:
        By method, `[sizes, R, 2]`: over the Manhattan distance, and over the shortest way.
    """
    seed, sizes, seeds = effort.seed, settings.sizes, settings.curve_seeds
    inverse = IQLearn.best(seed, settings.lessons)
    solvers = {IQ_NAME: inverse, CLONING_NAME: cloning_beside(inverse)}
    made = {name: np.zeros((len(sizes), seeds, 2)) for name in solvers}
    for i, size in enumerate(sizes):
        for r in range(seeds):
            games = expert_games(
                grid.rules, games=size, seed=seed + 1000 * (r + 1), ties="straight"
            )
            for name, solver in solvers.items():
                policy = fit(games, replace(solver, seed=seed + r)).policy
                assert isinstance(policy, NetworkPolicy)
                played = judged(grid, policy, None, 0.0, seed=seed, boards=settings.boards)
                made[name][i, r] = [float(games.ratio.mean()) for games in played]
            effort.say("curve", i * seeds + r + 1, len(sizes) * seeds)
    return made


def judged(
    grid: Grid,
    policy: NetworkPolicy,
    heat: float | None,
    noise: float,
    *,
    seed: int,
    boards: int,
) -> tuple[Games, Games]:
    """How a network plays new boards; its ratio over the Manhattan distance, over the shortest way.

    Args:
        grid: Grid type.
        policy: The network.
        heat: Temperature at which actions are drawn, in the network's units; None for the best.
        noise: Uniform noise on what it sees.
        seed: Of the boards; the same for everybody.
        boards: How many.
    """
    play = lambda s: _player(s, boards, heat, noise)(module_of(policy.network), _test_key(seed))  # noqa: E731
    first, second = map(play, _simulators(grid))
    return first, second


@lru_cache(maxsize=64)
def _player(simulator: Any, boards: int, heat: float | None, noise: float) -> Any:
    """The compiled test of a network given as a module, once for the same arguments."""

    def act(module: Any, key: jax.Array, observations: jax.Array, _: jax.Array | None) -> jax.Array:
        for_noise, for_draw = jax.random.split(key)
        q = jax.vmap(module)(noisy(for_noise, observations, noise))
        if heat is None:
            return jnp.argmax(q, axis=1).astype(jnp.int32)
        return jax.random.categorical(for_draw, q / heat).astype(jnp.int32)

    return jax.jit(
        lambda module, key: play_games(simulator, partial(act, module), key, games=boards)
    )


@lru_cache(maxsize=16)
def _of_rules(rules: Any) -> tuple:
    """The game with the straight way in the ratio, and with the shortest."""
    simulator = grid_simulator(rules)
    return simulator, replace(simulator, straight_moves=simulator.best_moves)


def _simulators(grid: Grid) -> tuple:
    return _of_rules(grid.rules)


def _test_key(seed: int) -> jax.Array:
    """Of the boards of the test, apart from those of the training."""
    return jax.random.key(seed + 1_000_003)


def _scored(
    grid: Grid, preset: str, method: str, played: Sequence[Sequence[Games]], **rest: Any
) -> Trial:
    """A trial from the games of every seed."""
    mean = lambda i, name: np.array([float(getattr(p[i], name).mean()) for p in played])  # noqa: E731
    return Trial(
        grid.name, preset, method, mean(0, "ratio"), mean(1, "ratio"), mean(0, "won"), **rest
    )


def _rows(made: Sequence[Any], name: str) -> Float[np.ndarray, "R blocks"]:
    """One curve of every training."""
    return np.stack([getattr(one, name) for one in made])
