"""Worlds to behave in. Each function gives a `World`: an MDP and how to draw it.

Importing this package registers their Gymnasium environments.
"""

from inverseq.worlds.abandon import (
    goal_abandon,
    goal_abandon_demonstrations,
    goal_abandon_experts,
    goal_abandon_rewards,
)
from inverseq.worlds.environments import MDPEnv, register
from inverseq.worlds.grids import four_by_three, gridworld, maze
from inverseq.worlds.labyrinth_features import LABYRINTH_FEATURES, labyrinth_features
from inverseq.worlds.labyrinths import labyrinth
from inverseq.worlds.maze_features import MAZE_FEATURES, maze_features
from inverseq.worlds.objectworld import (
    objectworld,
    objectworld_demonstrations,
    objectworld_expert,
)
from inverseq.worlds.record import Drawing, World

__all__ = [
    "LABYRINTH_FEATURES",
    "MAZE_FEATURES",
    "Drawing",
    "MDPEnv",
    "World",
    "four_by_three",
    "goal_abandon",
    "goal_abandon_demonstrations",
    "goal_abandon_experts",
    "goal_abandon_rewards",
    "gridworld",
    "labyrinth",
    "labyrinth_features",
    "maze",
    "maze_features",
    "objectworld",
    "objectworld_demonstrations",
    "objectworld_expert",
]

register()
