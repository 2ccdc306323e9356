"""Worlds to behave in. Each function gives a `World`: an MDP and how to draw it."""

from inverseq.worlds.grids import four_by_three, gridworld, maze
from inverseq.worlds.labyrinths import labyrinth
from inverseq.worlds.record import Drawing, World

__all__ = ["Drawing", "World", "four_by_three", "gridworld", "labyrinth", "maze"]
