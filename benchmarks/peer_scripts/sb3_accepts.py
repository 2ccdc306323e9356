"""What Stable-Baselines3 says of our environments, and of our agents in its `evaluate_policy`.

Read by an interpreter that has both packages: `python sb3_accepts.py`. Prints one line of JSON: of
each thing a name, and what was wrong with it ("" where nothing was).
"""

import json
import warnings
from collections.abc import Callable
from typing import Any

import gymnasium
import jax
import numpy as np
from stable_baselines3.common.env_checker import check_env
from stable_baselines3.common.env_util import make_vec_env
from stable_baselines3.common.evaluation import evaluate_policy

import inverseq as iq
import inverseq.worlds
from inverseq.forward import SAC, train_sac
from inverseq.training.loop import Loop

GAMES = 6


def environments() -> dict[str, Callable[[], gymnasium.Env]]:
    """Ours, by name: those that importing the worlds registers."""
    ids = sorted(name for name in gymnasium.registry if name.startswith("inverseq/"))
    made = {name: lambda name=name: gymnasium.make(name) for name in ids}
    game = "inverseq/GridWorldRandomWalls-v0"
    return made | {f"{game}, flat": lambda: gymnasium.make(game, observation="flat")}


def checked(make: Callable[[], gymnasium.Env]) -> str:
    """What `check_env` says against an environment, warnings too."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        try:
            check_env(make().unwrapped)
        except Exception as error:
            return f"{type(error).__name__}: {error}"
    return ""


def agents() -> dict[str, tuple[str, Any]]:
    """Solutions of every kind, with the environment that each plays."""
    small = iq.networks.FullyConnected((32, 32))
    maze = iq.worlds.maze(["..G", ".#.", "S.."]).mdp
    walks = iq.forward.simulate(
        maze, iq.forward.soft_policy_iteration(maze).policy, trajectories=100, steps=20, seed=0
    )
    rule = lambda seen: int(0.05 * seen[0] + 0.1 * seen[1] + seen[2] + 0.5 * seen[3] > 0)  # noqa: E731
    person = iq.play.HumanAgent(rule, num_actions=2)
    cart = iq.play.Orchestrator(gymnasium.make("CartPole-v1"), person).play(seed=0, games=2)
    lessons = iq.Lessons(500, 32, 1e-3)
    loop = Loop(64, 1, 32, test_games=0, learn_from=32)
    swing = iq.worlds.gymnasium_simulator("Pendulum-v1")
    swung = train_sac(SAC(small, loop, batch=32), swing, jax.random.key(0))
    fit = iq.fit
    table, line = "inverseq/Maze-v0", "CartPole-v1"
    data = cart.demonstrations
    deep = iq.IQLearn(0, small, temperature=1.0, alpha=50.0, discount=0.99, lessons=lessons)
    return {
        "IAVI": (table, fit(walks, iq.IAVI(), maze)),
        "counts after one action": (table, fit(walks, iq.CountTable(2), maze)),
        "IQ-Learn": (line, fit(data, deep)),
        "cloning": (line, fit(data, iq.BehaviourCloning(0, small, lessons))),
        "soft actor-critic": ("Pendulum-v1", swung),
    }


def evaluated(name: str, fitted: Any, side_by_side: int) -> str:
    """Whether `evaluate_policy` plays as we do: the returns of each game are those of our own play
    where the best action is never tied.
    """
    try:
        games = make_vec_env(name, n_envs=side_by_side, seed=0)
        agent = iq.play.QAgent(fitted, seed=0)
        theirs, _ = evaluate_policy(agent, games, GAMES, return_episode_rewards=True)
        drawn, _ = evaluate_policy(agent, games, GAMES, deterministic=False)
        if side_by_side > 1:
            return "" if len(theirs) == GAMES and np.isfinite([*theirs, drawn]).all() else "lost"
        ours = played(name, fitted)
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return "" if np.allclose(theirs, ours, rtol=1e-4) else f"{theirs} are not our {ours}"


def played(name: str, fitted: Any) -> list[float]:
    """Returns of the same games, played by `get_action`."""
    # As Stable-Baselines3 seeds: the first game, and those that follow go on from there.
    environment, agent = gymnasium.make(name), iq.play.QAgent(fitted, seed=0)
    seed: int | None = 0
    earned = []
    for _ in range(GAMES):
        seen, _ = environment.reset(seed=seed)
        seed, over, total = None, False, 0.0
        while not over:
            seen, reward, ended, cut, _ = environment.step(agent.get_action(seen))
            agent.inform_result(seen, float(reward), ended, cut)
            over, total = ended or cut, total + float(reward)
        earned.append(total)
    return earned


if __name__ == "__main__":
    found = {f"check_env, {name}": checked(make) for name, make in environments().items()}
    for kind, (place, fitted) in agents().items():
        for count in (1, 3):
            told = f"evaluate_policy, {kind} in {place}, {count} at once"
            found[told] = evaluated(place, fitted, count)
    print(json.dumps(found))
