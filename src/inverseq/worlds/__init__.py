"""Worlds to behave in. Each function gives a `World`: an MDP and how to draw it.

Importing this package registers their Gymnasium environments.
"""

from inverseq._core.lazy import loading
from inverseq.worlds.abandon import (
    goal_abandon,
    goal_abandon_demonstrations,
    goal_abandon_experts,
    goal_abandon_rewards,
)
from inverseq.worlds.environments import MDPEnv, register
from inverseq.worlds.files import read_mazes
from inverseq.worlds.game_boards import GridState
from inverseq.worlds.goals import boards_towards
from inverseq.worlds.grids import four_by_three, gridworld, maze
from inverseq.worlds.labyrinth_contexts import labyrinth_contexts
from inverseq.worlds.labyrinth_features import LABYRINTH_FEATURES, labyrinth_features
from inverseq.worlds.labyrinths import labyrinth
from inverseq.worlds.lever import (
    Rat,
    Silence,
    lever,
    lever_policy,
    rats,
    release_distribution,
)
from inverseq.worlds.lever_neurons import LeverSession, Neurons, lever_session
from inverseq.worlds.maze_contexts import (
    MAZE_CONTEXTS,
    MAZE_KINDS,
    MAZE_POSITIONS,
    maze_contexts,
)
from inverseq.worlds.maze_features import MAZE_FEATURES, maze_features
from inverseq.worlds.objectworld import (
    objectworld,
    objectworld_demonstrations,
    objectworld_expert,
)
from inverseq.worlds.placing import TURNS, place
from inverseq.worlds.record import Drawing, World
from inverseq.worlds.road_laws import Changing, Following
from inverseq.worlds.road_view import (
    GERMAN_RULES,
    KEEP_RIGHT,
    ROAD_ACTIONS,
    ROAD_FEATURES,
    SAFETY,
    RoadRules,
)
from inverseq.worlds.two_step import two_step

# These need JAX, which takes most of a second to load.
_HOME = {
    "GridWorldEnv": "game_environment",
    "GridWorldRules": "game_rules",
    "RANDOM_WALLS": "game_rules",
    "RANDOM_WIN": "game_rules",
    "RingRoad": "road_ring",
    "SumoRoadEnv": "road_sumo",
    "STATIC_WALLS": "game_rules",
    "board_world": "game_rules",
    "grid_simulator": "game_rules",
    "gymnasium_simulator": "any_environment",
    "ring_road": "road_ring",
    "sumo_road": "road_sumo",
}

__all__ = [
    "GERMAN_RULES",
    "KEEP_RIGHT",
    "LABYRINTH_FEATURES",
    "MAZE_CONTEXTS",
    "MAZE_FEATURES",
    "MAZE_KINDS",
    "MAZE_POSITIONS",
    "TURNS",
    "ROAD_ACTIONS",
    "ROAD_FEATURES",
    "SAFETY",
    "Changing",
    "Drawing",
    "Following",
    "GridState",
    "MDPEnv",
    "LeverSession",
    "Neurons",
    "Rat",
    "Silence",
    "RoadRules",
    "World",
    "boards_towards",
    "four_by_three",
    "goal_abandon",
    "goal_abandon_demonstrations",
    "goal_abandon_experts",
    "goal_abandon_rewards",
    "gridworld",
    "labyrinth",
    "labyrinth_contexts",
    "labyrinth_features",
    "lever",
    "lever_policy",
    "lever_session",
    "maze",
    "maze_contexts",
    "maze_features",
    "objectworld",
    "objectworld_demonstrations",
    "objectworld_expert",
    "rats",
    "release_distribution",
    "place",
    "read_mazes",
    "two_step",
    *_HOME,
]

__getattr__, __dir__ = loading(__name__, _HOME)

register()
