"""What a walk through the labyrinth may be worth: features that mean the same at many nodes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from jaxtyping import Bool, Float, Int

from inverseq._core.errors import InputError
from inverseq.mdp import MDP
from inverseq.worlds.labyrinths import ACTIONS
from inverseq.worlds.record import World

LABYRINTH_FEATURES: dict[str, str] = {
    "depth": "going in, from each level",
    "turn": "which way to turn: right, straight on, back",
    "alternation": "the same turn as the last one, or the other",
    "ends": "out of an end: across to its neighbour, or back into it",
    "ports": "arriving at water or home, leaving the maze, coming nearer to water",
    "turns": "each move after each sequence of moves, wherever it is made",
    "patterns": "the same at each level",
    "places": "arriving at each node",
}
"""Groups of features, and what they are about."""

IN_LEFT, IN_RIGHT, OUT_LEFT, OUT_RIGHT, LEAVE, NOTHING = range(6)
"""Kinds of moves."""

_MOVES = ("in left", "in right", "out left", "out right", "leave", "start")

LEFT, RIGHT, STRAIGHT, BACK, UNKNOWN = range(5)
_TURN_AFTER = np.array(
    [  # the move made:    in left   in right  out left  out right leave    (nothing)
        [LEFT, RIGHT, BACK, BACK, BACK, UNKNOWN],  # after in left
        [LEFT, RIGHT, BACK, BACK, BACK, UNKNOWN],  # after in right
        [BACK, STRAIGHT, RIGHT, RIGHT, RIGHT, UNKNOWN],  # after out left
        [STRAIGHT, BACK, LEFT, LEFT, LEFT, UNKNOWN],  # after out right
        [LEFT, RIGHT, BACK, BACK, BACK, UNKNOWN],  # after leaving and coming back
        [UNKNOWN] * 6,  # at the beginning
    ]
)
"""The turn of the body, by the move before and the move made: branchings are T-shaped."""

Group = tuple[list[str], np.ndarray]
"""Names and values `[S, 4, F]` of some features."""


def labyrinth_features(
    world: World, groups: Sequence[str] | None = None, *, history: int = 3
) -> MDP:
    """The labyrinth with the last nodes remembered, and features of each move in it.

    The result is `world.mdp.with_history(history)` with features that are tied: apart from the
    places and the water, they mean the same in every part of the maze, so that what is learnt in
    one half can be said of the other. "Left" and "right" are the animal's own. Entries are 0 or 1
    but for "nearer water", and 0 for actions that do not exist.

    - depth: "in from level 0" to "in from level 5": going in there, not out.
    - turn: "right" (not left), "straight" (from one branch across into the other), "back in" and
      "back out" (a reversal at a branching).
    - alternation: "same turn", "other turn": a left or right turn after a left or right turn.
    - ends: "across from end", "back to end": going in again after coming out of an end.
    - ports: "water", "home": arriving there; "leave": out of the maze; "nearer water": steps by
      which the move brings water nearer.
    - turns: each move after each sequence of up to `history` - 1 moves, such as
      "in left, in right > out right" (oldest first).
    - patterns: each move at each level after each such sequence, the empty one included, such as
      "level 2, in left, in right > out right".
    - places: "at 0" to "at 126": arriving at that node.

    The last three nest: under a Gaussian prior the weights of long sequences are shrunk towards
    those of shorter ones, and those towards what is common to all levels.

    Args:
        world: `worlds.labyrinth(discount)`.
        groups: Which of `LABYRINTH_FEATURES`, in which order; all where left out.
        history: Nodes remembered, the present one included. Alternation needs 3.

    Raises:
        InputError: The world is no labyrinth, the history is too short to know a turn, or a group
            is unknown.
    """
    if world.mdp.action_names != ACTIONS or world.mdp.history is not None:
        raise InputError(
            f"labyrinth_features needs the labyrinth, without history; {world.name} has the "
            f"actions {world.mdp.action_names}. Use worlds.labyrinth"
        )
    if history < 2:
        raise InputError(f"a turn needs a history of 2 nodes or more; got {history}")
    chosen = [*LABYRINTH_FEATURES] if groups is None else [str(group) for group in groups]
    if unknown := [group for group in chosen if group not in LABYRINTH_FEATURES]:
        raise InputError(
            f"no group of labyrinth features {unknown[0]!r}; there are {[*LABYRINTH_FEATURES]}"
        )
    mdp = replace(world.mdp, reward=None).with_history(history)
    walk = _walk(world, mdp)
    made = [_GROUPS[group](walk) for group in chosen]
    names = [name for part, _ in made for name in part]
    features = np.concatenate([values for _, values in made], axis=2)
    return replace(mdp, features=features, feature_names=tuple(names))


def move_kinds(
    world: World, before: Int[np.ndarray, "..."], after: Int[np.ndarray, "..."]
) -> Int[np.ndarray, "..."]:
    """Kind of each move between neighbours in the labyrinth.

    Args:
        world: `worlds.labyrinth()`.
        before: Nodes, -1 where there is none.
        after: Nodes; of the same shape, or one that broadcasts with it.

    Returns:
        For each pair IN_LEFT, IN_RIGHT (away from home, by the side of one who comes from there),
        OUT_LEFT, OUT_RIGHT (back, by the side that was left), LEAVE (from home to home), NOTHING
        (where there is no node before).
    """
    assert world.drawing.parents is not None  # the labyrinth has no loops
    right = np.zeros(world.mdp.num_states, dtype=bool)
    inner = world.mdp.allowed[:, 1]
    right[world.mdp.successors[inner, 1, 0]] = True
    before, after = np.broadcast_arrays(before, after)
    inward = world.drawing.parents[after] == before
    kind = np.where(inward, IN_LEFT + right[after], OUT_LEFT + right[before])
    kind = np.where(before == after, LEAVE, kind)
    return np.where(before < 0, NOTHING, kind)


@dataclass(frozen=True, eq=False)
class _Walk:
    """Every move from every state that remembers.

    Attributes:
        exists: `[S, 4]` the moves that exist.
        level: `[S, 1]` branchings between home and the present node.
        levels: Largest level of the maze.
        move: `[S, 4]` the kind of each move.
        past: `[S, 1]` each, the kinds of the moves before, the last one first.
        before: `[S, 1]` the node before the present one, -1 for none.
        end: `[127]` which nodes are ends.
        arrive: `[S, 4]` the node arrived at.
        nearer: `[S, 4]` steps by which water comes nearer.
        water: The node with the water port.
    """

    exists: Bool[np.ndarray, "S 4"]
    level: Int[np.ndarray, "S 1"]
    levels: int
    move: Int[np.ndarray, "S 4"]
    past: tuple[Int[np.ndarray, "S 1"], ...]
    before: Int[np.ndarray, "S 1"]
    end: Bool[np.ndarray, " nodes"]
    arrive: Int[np.ndarray, "S 4"]
    nearer: Int[np.ndarray, "S 4"]
    water: int

    @property
    def turn(self) -> Int[np.ndarray, "S 4"]:
        """The turn of each move."""
        return _TURN_AFTER[self.past[0], self.move]

    @property
    def last_turn(self) -> Int[np.ndarray, "S 1"]:
        """The turn of the move before it."""
        if len(self.past) < 2:
            return np.full(self.level.shape, UNKNOWN)
        return _TURN_AFTER[self.past[1], self.past[0]]

    @property
    def inward(self) -> Bool[np.ndarray, "S 4"]:
        """The moves that lead away from home."""
        return self.move <= IN_RIGHT

    def named(self, features: Mapping[str, np.ndarray]) -> Group:
        """Features given one by one, 0 where the move does not exist."""
        values = [np.where(self.exists, value, 0.0) for value in features.values()]
        return list(features), np.stack(values, axis=-1)

    def one_hot(self, keys: np.ndarray) -> tuple[np.ndarray, Float[np.ndarray, "S 4 K"]]:
        """The different rows of `keys` `[S, 4, k]` of moves that exist, and which has which."""
        state, action = np.nonzero(self.exists)
        rows, place = np.unique(keys[state, action], axis=0, return_inverse=True)
        values = np.zeros((*self.exists.shape, len(rows)))
        values[state, action, place.ravel()] = 1.0
        return rows, values

    def sequences(self, length: int, with_level: bool) -> Group:
        """One feature per level (if asked), sequence of `length` moves, and move after it."""
        columns = [*self.past[:length][::-1], self.move]
        columns = [self.level, *columns] if with_level else columns
        keys = np.stack([np.broadcast_to(c, self.move.shape) for c in columns], axis=-1)
        rows, values = self.one_hot(keys)
        names = []
        for row in rows:
            words = [f"level {row[0]}"] if with_level else []
            words += [_MOVES[kind] for kind in row[with_level:-1]]
            names.append(f"{', '.join(words)} > {_MOVES[row[-1]]}")
        return names, values


def _walk(world: World, mdp: MDP) -> _Walk:
    """What the features are made of."""
    assert mdp.history is not None  # made so by the only caller
    assert world.drawing.parents is not None  # the labyrinth has no loops
    parents = world.drawing.parents
    water = world.drawing.marks["water"][0]
    above = [_way_home(parents, node) for node in range(len(parents))]
    level = np.array([len(way) - 1 for way in above])
    shared = np.array([len(set(way) & set(above[water])) for way in above])
    to_water = (level + 1 - shared) + (level[water] + 1 - shared)
    base = mdp.history.base[:, None]
    arrive = mdp.history.base[mdp.successors[:, :, 0]]
    nodes = [base, *np.split(mdp.history.previous, mdp.history.length - 1, axis=1)]
    return _Walk(
        exists=mdp.allowed,
        level=level[base],
        levels=int(level.max()),
        move=move_kinds(world, base, arrive),
        past=tuple(move_kinds(world, b, a) for a, b in pairwise(nodes)),
        before=nodes[1],
        end=~world.mdp.allowed[:, 1],
        arrive=arrive,
        nearer=to_water[base] - to_water[arrive],
        water=water,
    )


def _way_home(parents: Int[np.ndarray, " nodes"], node: int) -> list[int]:
    """The nodes from `node` to home."""
    way = [node]
    while parents[way[-1]] >= 0:
        way.append(int(parents[way[-1]]))
    return way


def _depth(walk: _Walk) -> Group:
    return walk.named(
        {f"in from level {n}": walk.inward & (walk.level == n) for n in range(walk.levels)}
    )


def _turn(walk: _Walk) -> Group:
    back = (walk.turn == BACK) & (walk.level < walk.levels)  # an end leaves no choice
    return walk.named(
        {
            "right": walk.turn == RIGHT,
            "straight": walk.turn == STRAIGHT,
            "back in": back & walk.inward,
            "back out": back & ~walk.inward,
        }
    )


def _alternation(walk: _Walk) -> Group:
    both = (walk.last_turn <= RIGHT) & (walk.turn <= RIGHT)
    return walk.named(
        {
            "same turn": both & (walk.turn == walk.last_turn),
            "other turn": both & (walk.turn != walk.last_turn),
        }
    )


def _ends(walk: _Walk) -> Group:
    from_end = (walk.before >= 0) & walk.end[walk.before]
    return walk.named(
        {
            "across from end": from_end & (walk.turn == STRAIGHT),
            "back to end": from_end & (walk.turn == BACK),
        }
    )


def _ports(walk: _Walk) -> Group:
    leave = walk.move == LEAVE
    return walk.named(
        {
            "water": walk.arrive == walk.water,
            "home": (walk.arrive == 0) & ~leave,
            "leave": leave,
            "nearer water": walk.nearer,
        }
    )


def _turns(walk: _Walk) -> Group:
    return _joined([walk.sequences(n, False) for n in range(1, len(walk.past) + 1)])


def _patterns(walk: _Walk) -> Group:
    return _joined([walk.sequences(n, True) for n in range(len(walk.past) + 1)])


def _places(walk: _Walk) -> Group:
    rows, values = walk.one_hot(walk.arrive[:, :, None])
    return [f"at {node}" for (node,) in rows], values


def _joined(parts: Sequence[Group]) -> Group:
    """Several groups as one."""
    return [n for names, _ in parts for n in names], np.concatenate([v for _, v in parts], axis=2)


_GROUPS = {
    "depth": _depth,
    "turn": _turn,
    "alternation": _alternation,
    "ends": _ends,
    "ports": _ports,
    "turns": _turns,
    "patterns": _patterns,
    "places": _places,
}
