"""The labyrinth of Rosenberg and others: a binary maze of six branchings for mice."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Int

from inverseq._core.arrays import freeze
from inverseq.mdp import MDP
from inverseq.worlds.record import Drawing, World

LEVELS = 6
"""Branchings between the home node and the ends."""

ACTIONS = ("in_left", "in_right", "out_left", "out_right")
"""Names of the actions in the order of their numbers."""

WATER = 116
"""The node with the water port, an end of the maze at (14, 8)."""


@dataclass(frozen=True, eq=False)
class Tree:
    """The nodes of the labyrinth.

    Attributes:
        coordinates: `[127, 2]` (x, y) of each node, y from the top.
        parent: `[127]` the node on the way home; -1 at home.
        left: `[127]` the node that "in_left" leads to; -1 at an end.
        right: `[127]` the node that "in_right" leads to; -1 at an end.
    """

    coordinates: Int[np.ndarray, "S 2"]
    parent: Int[np.ndarray, " S"]
    left: Int[np.ndarray, " S"]
    right: Int[np.ndarray, " S"]

    def __post_init__(self) -> None:
        freeze(self, np.int64, "coordinates", "parent", "left", "right")


def labyrinth(discount: float = 0.9) -> World:
    """The labyrinth in which mice explored and found water, with 127 nodes.

    Geometry: Rosenberg, Zhang, Perona and Meister, "Mice in a labyrinth" (eLife 10:e66175, 2021).
    Numbers of nodes and names of actions are those of the decisions that Ke and others (SWIRL,
    ICML 2025) prepared from it: 0 is home, the children of node s are 2 s + 1 and 2 s + 2, and the
    actions are 0 in_left, 1 in_right, 2 out_left, 3 out_right. Three actions exist at a branching
    (one of the two ways out, by the side that the node lies on), one at an end, three at home,
    where out_right leaves the maze and comes back.

    There is no reward: it is what one wants to find out. Behaviour begins at home.

    Args:
        discount: gamma.
    """
    tree = _tree()
    states = len(tree.parent)
    every = np.arange(states)
    successors = np.repeat(every[:, None], len(ACTIONS), axis=1)
    allowed = np.zeros(successors.shape, dtype=bool)
    inner = tree.left >= 0
    for action, target in ((0, tree.left), (1, tree.right)):
        successors[inner, action] = target[inner]
        allowed[inner, action] = True
    # A node on the left side of its parent is left by "out_left".
    out = np.where(np.isin(every, tree.left), 2, 3)
    successors[every, out] = np.maximum(tree.parent, 0)
    allowed[every, out] = True
    mdp = MDP(
        successors=successors[:, :, None],
        probabilities=np.ones((*successors.shape, 1)),
        discount=discount,
        initial=np.eye(states)[0],
        allowed=allowed,
        coordinates=tree.coordinates.astype(float),
        action_names=ACTIONS,
    )
    return World(
        name="labyrinth",
        mdp=mdp,
        drawing=_drawing(tree),
        environment="inverseq/Labyrinth-v0",
        settings={"discount": float(discount)},
    )


def _tree() -> Tree:
    """The nodes, from the rules by which the maze is drawn and numbered.

    Each branching turns the corridor by a right angle and the corridors of two levels have the
    same length: 4, 4, 2, 2, 1, 1 cells. Of a node's two children the one further north or west has
    the smaller number. "Left" and "right" are those of someone who comes from the parent. These
    are the numbers of Rosenberg and others, in which the decisions are given, too.
    """
    states = 2 ** (LEVELS + 1) - 1
    place = np.zeros((states, 2), dtype=np.int64)
    heading = np.zeros((states, 2), dtype=np.int64)
    parent = np.full(states, -1)
    sides = np.full((states, 2), -1)
    place[0], heading[0] = (7, 7), (1, 0)  # home is reached from the west
    for node in range(2**LEVELS - 1):
        level = int(np.log2(node + 1))
        length = 2 ** ((LEVELS - 1 - level) // 2)
        left = np.array([heading[node, 1], -heading[node, 0]])
        first = np.array([0, -1]) if level % 2 == 0 else np.array([-1, 0])
        for number, turn in enumerate((first, -first)):
            child = 2 * node + 1 + number
            place[child] = place[node] + turn * length
            heading[child], parent[child] = turn, node
            sides[node, 0 if (turn == left).all() else 1] = child
    return Tree(place, parent, sides[:, 0], sides[:, 1])


def _drawing(tree: Tree) -> Drawing:
    """Corridors of one cell's width on a board of 15 x 15 cells, with the way in from the west."""
    blocked = np.ones((15, 15), dtype=bool)
    blocked[7, :8] = False
    ends = np.stack([tree.coordinates[tree.parent[1:]], tree.coordinates[1:]], axis=1)
    for (x0, y0), (x1, y1) in np.sort(ends, axis=1):
        blocked[y0 : y1 + 1, x0 : x1 + 1] = False
    marks = {"home": (0,), "water": (WATER,)}
    return Drawing(15, 15, blocked, marks, parents=tree.parent)
