"""The labyrinth of Rosenberg and others: a binary maze of six branchings for mice."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

from inverseq._core.arrays import frozen_array
from inverseq.mdp import MDP
from inverseq.worlds.record import Drawing, World

LEVELS = 6
"""Branchings between the home node and the ends."""

ACTIONS = ("in_left", "in_right", "out_left", "out_right")
"""Names of the actions in the order of their numbers."""

WATER = 100
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
        for name in ("coordinates", "parent", "left", "right"):
            object.__setattr__(self, name, frozen_array(getattr(self, name), np.int64, name))


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
    """The nodes, from the rules by which the maze is drawn.

    Each branching turns the corridor by a right angle and the corridors of two levels have the
    same length: 4, 4, 2, 2, 1, 1 cells. A node's first child lies to the left of someone who comes
    from its parent. "Left" in the name of an action is a side of the drawing instead: at even
    levels it goes the same way as the corridor two before, at odd levels the opposite way.
    """
    states = 2 ** (LEVELS + 1) - 1
    place = np.zeros((states, 2), dtype=np.int64)
    heading = np.zeros((states, 2), dtype=np.int64)
    parent = np.full(states, -1)
    sides = np.full((states, 2), -1)
    place[0], heading[0] = (7, 7), (1, 0)  # home is reached from the west
    for node in range(2**LEVELS - 1):
        level = int(np.log2(node + 1))
        along = heading[node]
        before = heading[parent[node]] if node else np.array([0, -1])
        left = before if level % 2 == 0 else -before
        turns = (np.array([along[1], -along[0]]), np.array([-along[1], along[0]]))
        for number, turn in enumerate(turns):
            child = 2 * node + 1 + number
            place[child] = place[node] + turn * 2 ** ((LEVELS - 1 - level) // 2)
            heading[child], parent[child] = turn, node
            sides[node, 0 if (turn == left).all() else 1] = child
    return Tree(place, parent, sides[:, 0], sides[:, 1])


def _drawing(tree: Tree) -> Drawing:
    """Corridors of one cell's width on a 15 x 15 board, and the thin walls between them."""
    entry = np.array([[[-1, 7], [7, 7]]])
    ways = np.stack([tree.coordinates[tree.parent[1:]], tree.coordinates[1:]], axis=1)
    corridors = np.concatenate([entry, ways]).astype(float)
    # One more column on the left stands for the way in from outside.
    used = np.zeros((15, 16), dtype=bool)
    right = np.zeros((15, 16), dtype=bool)  # open to the cell on the right
    down = np.zeros((15, 16), dtype=bool)
    for (x0, y0), (x1, y1) in np.sort(corridors, axis=1).astype(int):
        used[y0 : y1 + 1, x0 + 1 : x1 + 2] = True
        right[y0, x0 + 1 : x1 + 1] |= y0 == y1
        down[y0:y1, x0 + 1] |= x0 == x1
    return Drawing(
        width=15,
        height=15,
        blocked=~used[:, 1:],
        walls=_thin_walls(used, right, down),
        corridors=corridors,
        marks={"home": (0,), "water": (WATER,)},
    )


def _thin_walls(
    used: Bool[np.ndarray, "H W"], right: Bool[np.ndarray, "H W"], down: Bool[np.ndarray, "H W"]
) -> Float[np.ndarray, "K 2 2"]:
    """Sides of used cells that are not open, as segments; the first column of cells is x = -1."""
    padded = np.pad(used, 1)
    upright = (padded[1:-1, :-1] | padded[1:-1, 1:]) & ~np.pad(right, ((0, 0), (1, 0)))
    level = (padded[:-1, 1:-1] | padded[1:, 1:-1]) & ~np.pad(down, ((1, 0), (0, 0)))
    y, x = np.nonzero(upright)
    x, y = x - 1.5, y - 0.5
    sides = np.stack([np.stack([x, y], 1), np.stack([x, y + 1], 1)], axis=1)
    y, x = np.nonzero(level)
    x, y = x - 1.5, y - 0.5
    lids = np.stack([np.stack([x, y], 1), np.stack([x + 1, y], 1)], axis=1)
    walls = np.concatenate([sides, lids])
    return walls[(walls[:, :, 0] > -1.5).any(1)]  # the way in stays open
