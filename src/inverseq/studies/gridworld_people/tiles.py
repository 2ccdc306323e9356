"""Walks through mazes as boards of tiles, as networks read them."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from jaxtyping import Bool, Int

from inverseq.demonstrations import Demonstrations
from inverseq.worlds import World
from inverseq.worlds.game_boards import FLOOR, PLAYER, WALL, WIN

BEHIND, AHEAD, BUMPED = 4, 5, 6
"""Tiles of the last move: where the player came from, where going on would lead, the wall that was
bumped into. Walls and the win keep their own tile behind and ahead."""

STEPS = np.array([[0, -1], [1, 0], [0, 1], [-1, 0]])


def as_boards(walks: Demonstrations, worlds: Mapping[str, World], *, past: bool) -> Demonstrations:
    """The same decisions with boards of tiles for states, [11, 11] here.

    Args:
        walks: In numbered cells of mazes, named by the column "world".
        worlds: The mazes.
        past: Whether the last move of the same round is on the board.
    """
    names = walks.trajectories["world"]
    shape = next(iter(worlds.values())).drawing.blocked.shape
    states, following = (np.zeros((walks.num_decisions, *shape), np.int8) for _ in range(2))
    first = np.isin(np.arange(walks.num_decisions), walks.starts[:-1])
    moved = walks.states != walks.next_states
    for name, world in worlds.items():
        here = np.flatnonzero((names == name)[walks.trajectory_of])
        cells = np.asarray(world.mdp.coordinates).astype(int)
        ground = np.where(world.drawing.blocked, WALL, FLOOR)
        x, y = cells[list(world.drawing.marks["goal"])].T
        ground[y, x] = WIN
        last = np.where(first[here] | (not past), -1, walks.actions[here - 1])
        now, then = walks.states[here], walks.next_states[here]
        states[here] = _boards(ground, cells[now], last, moved[here - 1])
        latest = walks.actions[here] if past else np.full(len(here), -1)
        following[here] = _boards(ground, cells[then], latest, moved[here])
    return replace(walks, states=states, next_states=following)


def _boards(
    ground: Int[np.ndarray, "H W"],
    cells: Int[np.ndarray, "n 2"],
    last: Int[np.ndarray, " n"],
    moved: Bool[np.ndarray, " n"],
) -> Int[np.ndarray, "n H W"]:
    """Boards with the player on its cell and the last move around it; -1 where there is none."""
    boards = np.repeat(ground[None], len(cells), axis=0)
    height, width = ground.shape

    def put(which: np.ndarray, at: np.ndarray, tile: int, on: int) -> None:
        x, y = at.T
        which = which & (x >= 0) & (x < width) & (y >= 0) & (y < height)
        rows = np.flatnonzero(which)
        rows = rows[boards[rows, y[rows], x[rows]] == on]
        boards[rows, y[rows], x[rows]] = tile

    step = STEPS[np.maximum(last, 0)]
    known = last >= 0
    put(known & moved, cells - step, BEHIND, FLOOR)
    put(known & moved, cells + step, AHEAD, FLOOR)
    put(known & ~moved, cells + step, BUMPED, WALL)
    boards[np.arange(len(cells)), cells[:, 1], cells[:, 0]] = PLAYER
    return boards


def turned_boards(walks: Demonstrations) -> Demonstrations:
    """The decisions eight times: on the board as it is, turned and mirrored."""
    states, following, actions = [], [], []
    for quarter in range(4):
        for mirrored in (False, True):
            turn = lambda b, q=quarter, m=mirrored: np.rot90(  # noqa: E731
                b[:, :, ::-1] if m else b, q, axes=(1, 2)
            )
            # A quarter turn to the left takes up to left; mirroring exchanges left and right.
            action = np.where(mirrored, (-walks.actions) % 4, walks.actions)
            states.append(turn(walks.states))
            following.append(turn(walks.next_states))
            actions.append((action - quarter) % 4)
    return Demonstrations.from_arrays(
        np.concatenate(states),
        np.concatenate(actions),
        next_states=np.concatenate(following),
        trajectory=np.concatenate(
            [walks.trajectory_of + i * walks.num_trajectories for i in range(8)]
        ),
        terminated=np.tile(walks.terminated, 8),
        action_names=walks.action_names,
    )
