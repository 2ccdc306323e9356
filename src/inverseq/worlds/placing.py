"""From positions on a board to decisions in it: which state, which action, where it led."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from jaxtyping import Int

from inverseq._core.arrays import names_or_numbers
from inverseq._core.errors import InputError, argument
from inverseq.demonstrations import Demonstrations, Ending
from inverseq.worlds.grids import ACTIONS
from inverseq.worlds.record import World

TURNS: Mapping[str, tuple[tuple[int, int], tuple[int, int]]] = {
    "base": ((1, 0), (0, 1)),
    "hflip": ((-1, 0), (0, 1)),
    "vflip": ((1, 0), (0, -1)),
    "rot90": ((0, 1), (-1, 0)),
    "rot180": ((-1, 0), (0, -1)),
    "rot270": ((0, -1), (1, 0)),
}
"""How a board may have been shown: as it is, mirrored left to right or top to bottom, or turned
clockwise by so many degrees; and the matrix that turns (x, y), y downwards, back."""

_CALLED = (
    ("up", "u", "^", "n", "north", "\u2191"),
    ("right", "r", ">", "e", "east", "\u2192"),
    ("down", "d", "v", "s", "south", "\u2193"),
    ("left", "l", "<", "w", "west", "\u2190"),
    ("stay", ".", "0", "none", "noop"),
)
"""Names of the actions of a board in tables, in the order of their numbers."""
_SHOWN = 3


def place(
    positions: Demonstrations,
    world: World | Mapping[str, World],
    *,
    upwards: bool = False,
    transform: str | None = None,
) -> Demonstrations:
    """The same decisions with the states and actions of boards.

    Args:
        positions: Read with the columns of x and y as the state, `read_table(path, state=("x",
            "y"))`, whole numbers from 0, or with one column of names of places of the board. Their
            actions are called up, right, down and left (or N, E, S, W, or ^ > v <) or numbered so;
            `action="moves"` makes them of positions that follow one another.
        world: The board, or boards by name, which each trajectory names in the column "world".
        upwards: Whether y counts from the bottom row. Moves that `read_table` makes of positions
            need the same word there.
        transform: Column per trajectory that says how its board was shown, one of `TURNS`;
            positions and actions are turned back.

    Returns:
        States numbered as in `world.mdp`, actions 0 to 3 (or 4), where each decision led (that of
        the last one too, where moves are certain), and which trajectories ended at a goal.

    Raises:
        InputError: A position is no free cell of its board, an action is none of a board, or leads
            elsewhere than the table says; the message names the first rows and how many there are.
    """
    boards = {"": world} if isinstance(world, World) else dict(world)
    wrong = InputError("walks go on behind their goal")
    try:
        made = _placed(positions, boards, upwards, transform)
        if transform is None or not _goes_on(made, boards):
            return made
    except InputError as error:
        if transform is None:
            raise
        made, wrong = None, error
    if _fits(positions, boards, upwards):
        raise InputError(
            f"{wrong}. Without {argument('transform', transform)} every row fits its board: these "
            "positions are turned back already, so leave it out"
        )
    if made is None:
        raise wrong
    return made


def _goes_on(placed: Demonstrations, boards: Mapping[str, World]) -> bool:
    """Whether something is done at a goal."""
    home = homes_of(placed, boards)[placed.trajectory_of]
    return any(
        board.mdp.terminal[placed.states[(home == name) & placed.acted]].any()
        for name, board in boards.items()
    )


def _fits(positions: Demonstrations, boards: Mapping[str, World], upwards: bool) -> bool:
    """Whether all decisions are possible on boards as they are, and none is made at a goal."""
    try:
        return not _goes_on(_placed(positions, boards, upwards, None), boards)
    except InputError:
        return False


def _placed(
    positions: Demonstrations, boards: Mapping[str, World], upwards: bool, transform: str | None
) -> Demonstrations:
    """`place` on boards by name."""
    if not positions.state_names:
        raise InputError(
            "positions are two columns, x and y, or one with names of places of the board; these "
            f"states are numbers, as of decisions. Give {argument('state', ('x', 'y'))}"
        )
    home = homes_of(positions, boards)
    shown = _turns(positions, transform)
    actions = _actions(positions, next(iter(boards.values())).mdp.num_actions)
    cells = _cells(positions.state_names)
    states, following = positions.states.copy(), positions.next_states.copy()
    led, of = following >= 0, positions.trajectory_of
    ended = np.zeros(positions.num_decisions, dtype=bool)
    wrong, arrived = ended.copy(), ended.copy()
    for key in {*zip(home.tolist(), shown.tolist(), strict=True)}:
        rows = np.flatnonzero(((home == key[0]) & (shown == key[1]))[of])
        board, turn = boards[str(key[0])], np.array(TURNS[str(key[1])])
        known = _states_of(board, cells, positions.state_names, turn, upwards)
        states[rows] = known[states[rows]]
        following[rows] = np.where(led[rows], known[np.maximum(following[rows], 0)], -1)
        actions[rows] = np.where(actions[rows] < 0, -1, _turned(turn)[actions[rows]])
    _refuse(positions, states < 0, "is no free cell of its board")
    _refuse(positions, led & (following < 0), "leads to what is no free cell of its board")
    for name, board in boards.items():
        rows = np.flatnonzero((home == name)[of])
        following[rows], wrong[rows] = _led_to(board, states[rows], actions[rows], following[rows])
        last, terminal = np.isin(rows, positions.starts[1:] - 1), board.mdp.terminal
        ended[rows] = last & (following[rows] >= 0) & terminal[np.maximum(following[rows], 0)]
        arrived[rows] = last & (actions[rows] < 0) & terminal[states[rows]]
    _refuse(positions, wrong, "cannot lead where the table says on its board")
    # The row at the goal is no decision; the one before it ends the trajectory.
    ended[:-1] |= arrived[1:] & positions.continues[1:]
    ended |= positions.terminated
    kept = ~arrived
    if not kept.any():
        raise InputError("every trajectory is one row at a goal: there is no decision")
    number = np.unique(of[kept])
    made = Demonstrations.from_arrays(
        states[kept],
        actions[kept],
        next_states=following[kept],
        trajectory=of[kept],
        terminated=ended[kept],
        gap=(positions.endings == Ending.GAP)[kept],
        time=None if positions.time is None else positions.time[kept],
        rows=None if positions.rows is None else positions.rows[kept],
        decisions={n: v[kept] for n, v in positions.decisions.items()},
        action_names=next(iter(boards.values())).mdp.action_names,
        source=positions.source,
    )
    return replace(made, trajectories={n: v[number] for n, v in positions.trajectories.items()})


def homes_of(positions: Demonstrations, boards: Mapping[str, World]) -> np.ndarray:
    """`[T]` the name of the board of each trajectory; all are on one that is called "".

    Raises:
        InputError: There is no column "world", or no such board.
    """
    if [*boards] == [""]:
        return np.full(positions.num_trajectories, "")
    names = positions.trajectories.get("world")
    if names is None:
        raise InputError(
            f"there are {len(boards)} boards ({', '.join([*boards][:5])}), and no column 'world' "
            "that is constant in a trajectory and says which is whose; add one"
            + (", or give that board by itself" if len(boards) == 1 else "")
        )
    names = np.array([str(name) for name in names])
    if strangers := sorted({*names.tolist()} - {*boards}):
        row = positions.row(int(positions.starts[np.argmax(names == strangers[0])]))
        raise InputError(
            f"row {row}: there is no board {strangers[0]!r}; there are {', '.join([*boards][:12])}"
        )
    return names


def _turns(positions: Demonstrations, column: str | None) -> np.ndarray:
    """`[T]` how the board of each trajectory was shown."""
    if column is None:
        return np.full(positions.num_trajectories, "base")
    values = positions.trajectories.get(column)
    if values is None:
        raise InputError(
            f"{argument('transform', column)}: there is no such column that is constant in a "
            f"trajectory; there are {[*positions.trajectories]}"
        )
    values = np.array([str(value) for value in values])
    unknown = ~np.isin(values, [*TURNS])
    if unknown.any():
        first = int(np.argmax(unknown))
        raise InputError(
            f"row {positions.row(int(positions.starts[first]))}: {str(values[first])!r} is no way "
            f"to show a board; column {column!r} holds some of {', '.join(TURNS)}"
        )
    return values


def _actions(positions: Demonstrations, count: int) -> Int[np.ndarray, " N"]:
    """The actions by the numbers of the boards."""
    names = names_or_numbers(positions.action_names, positions.num_actions)
    numbered = not positions.action_names or all(name.isdecimal() for name in names)
    meant = []
    for name in names:
        found = [n for n, words in enumerate(_CALLED) if name.lower() in words]
        number = int(name) if numbered else found[0] if found else -1
        meant.append(number if number < count else -1)
    known = np.append(meant, -1)
    wrong = positions.acted & (known[positions.actions] < 0)
    if wrong.any():
        told = names[positions.actions[np.argmax(wrong)]]
        _refuse(positions, wrong, f"has the action {told!r}, which is none of {ACTIONS[:count]}")
    return known[positions.actions]


def _cells(names: tuple[str, ...]) -> Int[np.ndarray, "P 2"] | None:
    """`[P, 2]` the positions that names such as "3|4" stand for; None where these are no such."""
    try:
        cells = np.array([[int(part) for part in name.split("|")] for name in names])
    except ValueError:
        return None
    return cells if cells.ndim == 2 and cells.shape[1] == 2 else None


def _states_of(
    board: World, cells: Any, names: tuple[str, ...], turn: np.ndarray, upwards: bool
) -> Int[np.ndarray, " P"]:
    """The state of each position, -1 where there is none."""
    if cells is None:
        marks = {n: states[0] for n, states in board.drawing.marks.items() if len(states) == 1}
        return np.array([marks.get(name, -1) for name in names] or [-1])
    size = np.array([board.drawing.width, board.drawing.height])
    shown = np.abs(turn.T) @ size  # a board that lies on its side is as wide as it was high
    at = np.stack([cells[:, 0], shown[1] - 1 - cells[:, 1] if upwards else cells[:, 1]], axis=1)
    back = np.rint((at - (shown - 1) / 2) @ turn.T + (size - 1) / 2).astype(int)
    inside = ((back >= 0) & (back < size)).all(axis=1)
    x, y = np.where(np.asarray(inside)[:, None], back, 0).T
    return np.where(inside, board.states[y, x], -1)


def _turned(turn: np.ndarray) -> Int[np.ndarray, " 5"]:
    """The action on the board that each action on the board as shown was."""
    steps = np.array([(0, -1), (1, 0), (0, 1), (-1, 0), (0, 0)])
    return np.array([int(np.argmax((steps == turn @ step).all(1))) for step in steps])


def _led_to(
    board: World, states: np.ndarray, actions: np.ndarray, following: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Where each decision led, as far as it is known, and which of them cannot have led there."""
    mdp = board.mdp
    reached, chance = mdp.successors, mdp.probabilities
    taken = np.maximum(actions, 0)
    ways, likely = reached[states, taken], chance[states, taken] > 0
    certain = (likely.sum(1) == 1) & (actions >= 0) & (following < 0)
    only = ways[np.arange(len(states)), likely.argmax(1)]
    possible = (likely & (ways == following[:, None])).any(1)
    wrong = (actions >= 0) & (following >= 0) & ~possible & ~mdp.terminal[states]
    return np.where(certain, only, following), wrong


def _refuse(positions: Demonstrations, wrong: np.ndarray, why: str) -> None:
    """Raise an `InputError` naming the first of the wrong rows."""
    if not wrong.any():
        return
    rows = [positions.row(int(row)) for row in np.flatnonzero(wrong)[:_SHOWN]]
    names = positions.state_names
    first = int(np.argmax(wrong))
    state = int(positions.states[first])
    at = names[state].replace("|", ", ") if names else str(state)
    more = f" (also row {', '.join(map(str, rows[1:]))}; {int(wrong.sum())} such rows)"
    raise InputError(
        f"row {rows[0]}: position ({at}) {why}{more if len(rows) > 1 else ''}. Positions count "
        f"from 0 at the top left; where y counts from the bottom, say {argument('upwards', True)}"
    )
