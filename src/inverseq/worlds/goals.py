"""Boards on which each trajectory goes to a place of its own."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from inverseq._core.arrays import names_or_numbers
from inverseq._core.errors import InputError, argument
from inverseq.decisions.goals import require_goals
from inverseq.demonstrations import Demonstrations
from inverseq.worlds.placing import homes_of
from inverseq.worlds.record import World


def boards_towards(
    demonstrations: Demonstrations, world: World | Mapping[str, World], goal: str
) -> tuple[Demonstrations, dict[str, World]]:
    """Boards on which each trajectory ends at its own goal, whatever goals were drawn on them.

    Args:
        demonstrations: With a column per trajectory that names a place of its board, by the letter
            that stands there alone, or by the number of its state.
        world: The board, or boards by name, which each trajectory names in the column "world".
        goal: The column.

    Returns:
        The demonstrations with their board and goal as their world ("board, goal"; the board alone
        where it has one goal only), and these worlds, without rewards.

    Raises:
        InputError: There is no such column, or it holds what is no place of the board; the message
            names the row.
    """
    values = require_goals(demonstrations, goal)
    boards = {world.name: world} if isinstance(world, World) else dict(world)
    alone = np.full(demonstrations.num_trajectories, next(iter(boards)))
    homes = alone if isinstance(world, World) else homes_of(demonstrations, boards)
    states = np.zeros(values.size, dtype=np.int64)
    known = {name: _places(board) for name, board in boards.items()}
    for number, (home, value) in enumerate(zip(homes.tolist(), values.tolist(), strict=True)):
        if str(value) not in known[home]:
            row = demonstrations.row(int(demonstrations.starts[number]))
            raise InputError(
                f"row {row}: {argument('goal', goal)} names {str(value)!r}, which is no place of "
                f"{home}: give the number of a state, 0 to {boards[home].mdp.num_states - 1}, or a "
                "letter that stands on the board once"
            )
        states[number] = known[home][str(value)]
    pairs = {*zip(homes.tolist(), states.tolist(), strict=True)}
    several = {home for home in boards if sum(home == other for other, _ in pairs) > 1}
    made, called = {}, {}
    for home, state in sorted(pairs):
        first = int(np.argmax((homes == home) & (states == state)))
        called[home, state] = f"{home}, {values[first]}" if home in several else home
        made[called[home, state]] = _ending(boards[home], called[home, state], state)
    names = [called[pair] for pair in zip(homes.tolist(), states.tolist(), strict=True)]
    there = {**demonstrations.trajectories, "world": np.array(names)}
    return replace(demonstrations, trajectories=there), made


def _places(board: World) -> dict[str, int]:
    """State of each place by its name: the number of the state, or a letter that is there once."""
    numbers = names_or_numbers((), board.mdp.num_states)
    marks = {name: each[0] for name, each in board.drawing.marks.items() if len(each) == 1}
    return {name: state for state, name in enumerate(numbers)} | marks


def _ending(board: World, name: str, goal: int) -> World:
    """The board with one goal."""
    terminal = np.arange(board.mdp.num_states) == goal
    initial = np.where(terminal, 0.0, board.mdp.initial)
    if initial.sum() == 0:
        initial = np.where(terminal, 0.0, 1.0)
    mdp = replace(board.mdp, terminal=terminal, initial=initial / initial.sum(), reward=None)
    marks = {**board.drawing.marks, "goal": (goal,)}
    return replace(board, name=name, mdp=mdp, drawing=replace(board.drawing, marks=marks))
