"""Worlds to measure in."""

import numpy as np

from inverseq.mdp import MDP

MOVES = ((0, -1), (1, 0), (0, 1), (-1, 0), (0, 0))


def windy_grid(width: int, discount: float, wind: float = 0.3) -> MDP:
    """A square of width^2 cells without walls, four moves and staying; with probability `wind`
    any of the five is carried out instead (the wind of the Objectworld in the IAVI paper).
    """
    states = np.arange(width * width, dtype=np.int32)
    x, y = states % width, states // width
    inside = lambda c: np.clip(c, 0, width - 1)  # noqa: E731
    targets = np.stack([inside(y + b) * width + inside(x + a) for a, b in MOVES], axis=1)
    chances = np.full((5, 5), wind / 5) + (1 - wind) * np.eye(5)
    return MDP(
        successors=np.repeat(targets[:, None, :], 5, axis=1),
        probabilities=np.repeat(chances[None], len(states), axis=0),
        discount=discount,
    )


def random_graph(states: int, discount: float, seed: int = 0) -> MDP:
    """Five actions that lead to one random state each: no direct solver likes it."""
    rng = np.random.default_rng(seed)
    return MDP(
        successors=rng.integers(0, states, (states, 5, 1), dtype=np.int32),
        probabilities=np.ones((states, 5, 1)),
        discount=discount,
    )


def some_policy(mdp: MDP, seed: int = 0) -> np.ndarray:
    """A policy that takes every action somewhat."""
    weight = np.random.default_rng(seed).random((mdp.num_states, mdp.num_actions)) + 0.1
    return weight / weight.sum(axis=1, keepdims=True)
