"""One reward for 25 mazes of 10 x 10: 75,000 decisions, 9 features, memory of the last move."""

from dataclasses import replace
from typing import Any

import numpy as np

from benchmarks.measure import cpu_seconds, row, seconds
from inverseq import Demonstrations, InputError, MaxEnt, fit
from inverseq.analysis import Plan, analyse
from inverseq.analysis.findings import Findings
from inverseq.forward import simulate, soft_policy_iteration
from inverseq.mdp import MDP, unite
from inverseq.worlds import World, maze, maze_features

FEATURES = (
    *("step", "turn", "turn at corner", "turn unforced", "reversal", "blocked"),
    *("obstacle beside", "border beside", "along wall"),
)
WEIGHTS = np.array([-0.8, -0.7, -0.3, -0.3, -2.0, -1.5, -0.4, 0.3, 0.2])


def random_maze(rng: np.random.Generator, side: int) -> World:
    """Obstacles on a quarter of the cells, and a way from the start to the goal."""
    while True:
        cells = np.where(rng.random((side, side)) < 0.25, "#", ".")
        cells[0, 0], cells[tuple(rng.integers(side // 2, side, 2))] = "S", "G"
        try:
            return maze(["".join(line) for line in cells], discount=0.95)
        except InputError:
            continue


def behaviour(
    mazes: int, decisions: int, side: int = 10
) -> tuple[Demonstrations, MDP, dict[str, World]]:
    """Walks by known weights, as many decisions in each maze, and the mazes: as a union with
    features, and as boards.
    """
    rng = np.random.default_rng(0)
    worlds, boards, states, actions, trips, names = {}, {}, [], [], [], []
    for number in range(mazes):
        world = random_maze(rng, side)
        mdp = maze_features(world, FEATURES)
        assert mdp.features is not None  # made so
        assert mdp.history is not None
        policy = soft_policy_iteration(mdp, mdp.features @ WEIGHTS).policy
        made = simulate(mdp, policy, trajectories=decisions, steps=100, seed=number)
        kept = made.take(np.cumsum(np.diff(made.starts)) <= decisions)
        worlds[f"maze {number}"] = mdp
        boards[f"maze {number}"] = replace(world, mdp=replace(world.mdp, reward=None))
        states.append(mdp.history.base[kept.states])
        actions.append(kept.actions)
        trips.append(kept.trajectory_of + len(names))
        names += [f"maze {number}"] * kept.num_trajectories
    data = Demonstrations.from_arrays(
        np.concatenate(states),
        np.concatenate(actions),
        trajectory=np.concatenate(trips),
        trajectories={"world": names},
    )
    return data, unite(worlds), boards


def run(small: bool = False) -> list[dict[str, Any]]:
    """The fit of one reward, and eight models by cross-validation, mazes left out."""
    data, mdp, boards = behaviour(*((3, 300, 6) if small else (25, 3000)))
    solver = MaxEnt("features", strength=1.0)
    ours = cpu_seconds(lambda: fit(data, solver, mdp), 1 if small else 2)
    what = f"one reward, {mdp.num_states:,} states of mazes, {data.num_decisions:,} decisions"
    off = np.abs(fit(data, solver, mdp).parameters["weights"] - WEIGHTS).max()
    found: list[Findings] = []
    plan = Plan(world=boards, cross_validate=True, by="world", folds=3 if small else 5)
    compared = cpu_seconds(lambda: found.append(analyse(data, plan)), 1)
    scores = {each.key: each.score.mean for each in found[0].scores}
    best = max(scores, key=lambda key: scores[key])
    told = f"{plan.folds}-fold comparison of {len(scores)} models on mazes left out"
    return [
        row(what, f"{seconds(ours)} CPU, {off:.2f} off", target="3 s", met=small or ours < 3),
        row(
            told,
            f"{seconds(compared)} CPU, best {best} with {scores[best]:.3f} nats",
            target="60 s",
            met=small or compared < 60,
        ),
    ]
