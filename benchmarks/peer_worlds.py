"""What all packages are given side by side: a world, decisions made in it, and what is held out."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from inverseq.datasets import load
from inverseq.decisions.counts import count
from inverseq.demonstrations import Demonstrations
from inverseq.forward import policy_iteration, simulate, soft_policy_iteration
from inverseq.inverse.fit import fit
from inverseq.inverse.values.iavi import IAVI
from inverseq.mdp import MDP
from inverseq.policies import boltzmann
from inverseq.worlds import gridworld, objectworld
from inverseq.worlds.grids import STUDY_WALLS

SMOOTHING = 0.5
"""Decisions added to each action that exists, wherever shares of actions are wanted."""


@dataclass(frozen=True)
class Task:
    """Decisions to explain.

    Attributes:
        name: For the table.
        mdp: The world; its `reward` is the true one, or None where nobody knows it.
        train: Decisions to fit.
        held_out: Decisions to predict.
        from_step: First decision of a trajectory to score.
        expert: `[S, A]` policy that made the decisions, or None where nobody knows it.
    """

    name: str
    mdp: MDP
    train: Demonstrations
    held_out: Demonstrations
    from_step: int = 0
    expert: np.ndarray | None = None


def grid(expert: str, width: int = 10, trajectories: int = 200, discount: float = 0.9) -> Task:
    """A walled board with a reward of its own in every cell and one goal that ends the game.

    Rewards of cells are drawn from a normal distribution of mean -2 and standard deviation 0.5, in
    units of the temperature; the goal pays 20. An action drawn at random is carried out one time
    in ten. Every trajectory begins anywhere and runs until the goal.

    Args:
        expert: "soft": decisions follow the soft optimum (what maximum entropy assumes); "hard":
            the Boltzmann policy of the optimal action values (what IAVI assumes).
        width: Cells each way; 10 has the walls of the study board.
        trajectories: For training; half as many again are held out.
        discount: gamma.
    """
    walls = STUDY_WALLS if width == 10 else ()
    wins = [(width - 1, width - 1)]
    world = gridworld(width, width, walls, wins, wind=0.1, discount=discount)
    mdp = world.mdp
    reward = np.random.default_rng(0).normal(-2, 0.5, mdp.num_states)
    reward[mdp.terminal] = 20.0
    mdp = replace(mdp, reward=np.repeat(reward[:, None], mdp.num_actions, axis=1))
    if expert == "soft":
        policy = soft_policy_iteration(mdp).policy
    else:
        policy = boltzmann(policy_iteration(mdp).q, mdp.allowed)
    made = [
        simulate(mdp, policy, trajectories=number, steps=1000, seed=seed)
        for number, seed in ((trajectories, 1), (trajectories // 2, 2))
    ]
    return Task(f"{width} x {width} grid, {expert} expert", mdp, made[0], made[1], 0, policy)


def objects(small: bool = False, discount: float = 0.9) -> Task:
    """A small Objectworld of the IAVI paper: wind, no end, a reward of nearby objects.

    The reward is worth five times the temperature, and decisions follow the soft optimum.

    Args:
        small: 4 cells each way and few trajectories.
        discount: gamma.
    """
    size, number, trajectories = (4, 3, 40) if small else (12, 8, 300)
    mdp = objectworld(0, size=size, objects=number, discount=discount).mdp
    mdp = replace(mdp, reward=5 * np.asarray(mdp.reward))
    policy = soft_policy_iteration(mdp).policy
    made = [
        simulate(mdp, policy, trajectories=count, steps=length, seed=seed)
        for count, length, seed in ((trajectories, 120, 1), (trajectories // 2, 20, 2))
    ]
    return Task(f"{size} x {size} Objectworld", mdp, made[0], made[1], 0, policy)


def mice(trajectories: int | None = None) -> Task:
    """Mice in the labyrinth of 127 places, with the published split.

    Args:
        trajectories: For training; all of them where left out.
    """
    data = load("mice")
    assert isinstance(data.mdp, MDP)
    test = np.asarray(data.demonstrations.trajectories["split"]) == "test"
    made = data.demonstrations
    train = made.take(np.flatnonzero(~test)[:trajectories])
    return Task("mice in the labyrinth", data.mdp, train, made.take(test), data.score_from_step)


def write(task: Task, inputs: Path, answers: Path) -> None:
    """Two files of plain arrays: what a fit may know, and what it is scored with.

    Terminal states, and actions that do not exist, are written as staying where one is.
    """
    mdp, made = task.mdp, task.train
    states, actions = mdp.allowed.shape
    transitions = mdp.transition_matrix.toarray().reshape(states, actions, states)
    s, a = np.nonzero(transitions.sum(2) == 0)
    transitions[s, a, s] = 1.0
    smoothed = fit(count(made, mdp), IAVI(smoothing=SMOOTHING), mdp).policy
    known = _known(made)
    np.savez(
        inputs,
        transitions=transitions,
        allowed=mdp.allowed,
        terminal=mdp.terminal,
        initial=mdp.initial,
        features=np.eye(states),
        policy=smoothed,
        discount=mdp.discount,
        smoothing=SMOOTHING,
        **known,
    )
    truth = {} if mdp.reward is None else {"reward": mdp.reward}
    np.savez(answers, **_known(task.held_out), **truth)


def _known(made: Demonstrations) -> dict[str, np.ndarray]:
    """The decisions as flat arrays; a next state that nobody wrote down is left out with its row.

    Only last rows of trajectories can lack it, in data without holes.
    """
    use = (made.next_states >= 0) & (made.actions >= 0)
    sizes = np.bincount(made.trajectory_of[use], minlength=made.num_trajectories)
    return {
        "states": made.states[use],
        "actions": made.actions[use],
        "next_states": made.next_states[use],
        "starts": np.append(0, np.cumsum(sizes)),
    }
