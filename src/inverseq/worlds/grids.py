"""Grid worlds: the 4x3 world of the textbook, boards with walls and wins, mazes from text."""

from collections.abc import Sequence
from string import ascii_uppercase
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Int

from inverseq._core.errors import InputError
from inverseq.mdp import MDP
from inverseq.worlds.record import Drawing, World

Cell = tuple[int, int]

ACTIONS = ("up", "right", "down", "left", "stay")
"""Names of the actions in the order of their numbers."""

STEPS = ((0, -1), (1, 0), (0, 1), (-1, 0), (0, 0))
"""Change of (x, y) by each action; y counts from the top."""

STUDY_WALLS: tuple[Cell, ...] = ((8, 1), (3, 3), (3, 5), (1, 6), (7, 6))
"""The fixed walls of the 10 x 10 board of Aubuchon and Ho (2023), Figure 1."""


def four_by_three(step_reward: float = -0.04) -> World:
    """The 4x3 world of Russell and Norvig, "Artificial Intelligence: A Modern Approach".

    A move goes as intended with probability 0.8 and to either side with 0.1 each; there is a wall
    at (1, 1), and the exits at (3, 0) and (3, 1) pay +1 and -1. The discount is 1. Rewards belong
    to states, the exits' own are received in them. The textbook's column c and row r, which count
    from 1 at the bottom left, are our (c - 1, 3 - r).

    Args:
        step_reward: Reward of every state that is no exit.
    """
    free = np.ones((3, 4), dtype=bool)
    free[1, 1] = False
    states, moves = _numbered(free)
    good, bad, start = (int(states[y, x]) for x, y in ((3, 0), (3, 1), (0, 2)))
    successors, probabilities = _outcomes(moves, _choice(4, wind=0.0, slip=0.2))
    reward = np.full(len(moves), float(step_reward))
    reward[[good, bad]] = 1.0, -1.0
    mdp = MDP(
        successors=successors,
        probabilities=probabilities,
        discount=1.0,
        initial=np.eye(len(moves))[start],
        terminal=np.isin(np.arange(len(moves)), [good, bad]),
        reward=np.repeat(reward[:, None], 4, axis=1),
        coordinates=np.argwhere(free)[:, ::-1].astype(float),
        action_names=ACTIONS[:4],
    )
    marks = {"start": (start,), "+1": (good,), "-1": (bad,)}
    return World(
        name="4x3 world",
        mdp=mdp,
        drawing=_drawing(free, marks, 4),
        environment="inverseq/FourByThree-v0",
        settings={"step_reward": float(step_reward)},
    )


def gridworld(
    width: int,
    height: int,
    walls: Sequence[Cell] = (),
    wins: Sequence[Cell] = (),
    *,
    start: Cell | None = None,
    step_reward: float = -1.0,
    win_reward: float = 10.0,
    wind: float = 0.0,
    slip: float = 0.0,
    stay: bool = False,
    discount: float = 0.9,
) -> World:
    """A board of `width` x `height` cells, as in Aubuchon and Ho, "Implementing Inverse
    Q-Learning" (2023).

    Actions are 0 up, 1 right, 2 down, 3 left and, with `stay`, 4 stay. A move into a wall or off
    the board stays. Entering a win ends the game. Cells are (x, y), x from the left and y from the
    top, from 0; walls are not states.

    Args:
        width: Cells in a row.
        height: Cells in a column.
        walls: Cells that cannot be entered.
        wins: Cells that end the game; none for a world without end.
        start: The first cell, or None for any free cell that is no win, equally often.
        step_reward: Reward of a step that does not enter a win.
        win_reward: Reward of the step that enters a win.
        wind: Probability that an action drawn from all of them, the chosen one included, is
            carried out instead (as in the Objectworld of the IAVI paper).
        slip: Probability that a move goes to one of its two sides, half each.
        stay: Whether there is a fifth action that stays.
        discount: gamma.

    Raises:
        InputError: A number is out of range, a cell is off the board or used twice, or no win can
            be reached from some start.
    """
    if width < 1 or height < 1:
        raise InputError(f"a grid needs 1 or more cells each way; got {width} x {height}")
    free = np.ones((height, width), dtype=bool)
    free[_index(walls, "walls", free)] = False
    win = np.zeros_like(free)
    win[_index(wins, "wins", free)] = True
    begin = np.zeros_like(free)
    begin[_index(() if start is None else (start,), "start", free)] = True
    cells = lambda given: tuple((int(x), int(y)) for x, y in given)  # noqa: E731
    settings = {
        "width": int(width),
        "height": int(height),
        "walls": cells(walls),
        "wins": cells(wins),
        "start": None if start is None else cells([start])[0],
    }
    dynamics = _settings(step_reward, win_reward, wind, slip, stay, discount)
    mdp, marks = _board(free, win, begin, **dynamics)
    return World(
        name=f"{width} x {height} grid",
        mdp=mdp,
        drawing=_drawing(free, marks, mdp.num_actions),
        environment="inverseq/TabularGridWorld-v0",
        settings=settings | dynamics,
    )


def maze(
    layout: Sequence[str],
    *,
    name: str = "maze",
    step_reward: float = -1.0,
    win_reward: float = 10.0,
    wind: float = 0.0,
    slip: float = 0.0,
    stay: bool = False,
    discount: float = 0.9,
) -> World:
    """A grid world drawn as text, one row a string, the top row first.

    `#` and digits are obstacles, `.` and spaces are free, `S` is a start, `G` a goal, which is a
    win; other capital letters are free cells that `World.drawing.marks` names. The mazes of Ho and
    others (Nature 2022) are of this form; there y counts from the bottom, which
    `World.state_at(x, y, from_bottom=True)` understands.

    Args:
        layout: Rows of equal length, or one text with line breaks between them.
        name: For titles and reports.
        step_reward: As in `gridworld`, and so are the arguments below.
        win_reward: As in `gridworld`.
        wind: As in `gridworld`.
        slip: As in `gridworld`.
        stay: As in `gridworld`.
        discount: As in `gridworld`.

    Raises:
        InputError: Rows differ in length, a character is unknown, or no goal can be reached from
            some start.
    """
    lines = layout.strip("\n").split("\n") if isinstance(layout, str) else layout
    rows = [str(row) for row in lines]
    if not rows or not rows[0] or len({len(row) for row in rows}) > 1:
        raise InputError(f"rows must be equally long; their lengths are {[len(r) for r in rows]}")
    text = np.array([list(row) for row in rows])
    known = np.isin(text, list("#. 0123456789" + ascii_uppercase))
    if not known.all():
        y, x = (int(i) for i in np.argwhere(~known)[0])
        raise InputError(
            f"row {y + 1}, column {x + 1} of the layout is {str(text[y, x])!r}; use # or digits "
            "for obstacles, . for free cells, S for starts, G for goals, other capitals for places"
        )
    free = np.isin(text, list(". " + ascii_uppercase))
    dynamics = _settings(step_reward, win_reward, wind, slip, stay, discount)
    mdp, marks = _board(free, text == "G", text == "S", **dynamics)
    places = sorted({*text[free].tolist()} - {*". SG"})
    marks |= {name: tuple(np.flatnonzero(text[free] == name).tolist()) for name in places}
    return World(
        name=name,
        mdp=mdp,
        drawing=_drawing(free, marks, mdp.num_actions),
        environment="inverseq/Maze-v0",
        settings={"layout": tuple(rows), "name": name} | dynamics,
    )


def _settings(
    step_reward: float, win_reward: float, wind: float, slip: float, stay: bool, discount: float
) -> dict[str, Any]:
    """Plain settings of a board, checked."""
    for what, value in (("wind", wind), ("slip", slip)):
        if not 0 <= value <= 1:
            raise InputError(f"{what} is a probability, from 0 to 1; got {value}")
    for what, value in (("step_reward", step_reward), ("win_reward", win_reward)):
        if not np.isfinite(value):
            raise InputError(f"{what} must be a finite number; got {value}")
    return {
        "step_reward": float(step_reward),
        "win_reward": float(win_reward),
        "wind": float(wind),
        "slip": float(slip),
        "stay": bool(stay),
        "discount": float(discount),
    }


def _board(
    free: Bool[np.ndarray, "H W"],
    win: Bool[np.ndarray, "H W"],
    begin: Bool[np.ndarray, "H W"],
    *,
    step_reward: float,
    win_reward: float,
    wind: float,
    slip: float,
    stay: bool,
    discount: float,
) -> tuple[MDP, dict[str, tuple[int, ...]]]:
    """The MDP of a board, and its marks."""
    if not begin.any():
        begin = free & ~win
    if not begin.any():
        raise InputError("the board has no cell to start from; leave one free that is no win")
    if (begin & win).any():
        raise InputError(f"the start {_cell(begin & win)} is a win; start elsewhere")
    if win.any():
        _check_reachable(free, win, begin)
    states, moves = _numbered(free)
    actions = 5 if stay else 4
    successors, probabilities = _outcomes(moves, _choice(actions, wind, slip))
    terminal = win[free]
    entering = np.einsum("sab,sab->sa", probabilities, terminal[successors])
    reward = step_reward + (win_reward - step_reward) * entering
    reward[terminal] = 0.0
    mdp = MDP(
        successors=successors,
        probabilities=probabilities,
        discount=discount,
        initial=begin[free] / begin.sum(),
        terminal=terminal,
        reward=reward,
        coordinates=np.argwhere(free)[:, ::-1].astype(float),
        action_names=ACTIONS[:actions],
    )
    marks = {"goal": tuple(states[win].tolist())} if win.any() else {}
    if begin.sum() < (free & ~win).sum():
        marks["start"] = tuple(states[begin].tolist())
    return mdp, marks


def _numbered(
    free: Bool[np.ndarray, "H W"],
) -> tuple[Int[np.ndarray, "H W"], Int[np.ndarray, "S 5"]]:
    """State of each free cell (-1 elsewhere), and the state that each step from it leads to."""
    padded = np.pad(free, 1)
    numbers = np.full(padded.shape, -1, dtype=np.int32)
    numbers[padded] = np.arange(free.sum(), dtype=np.int32)
    y, x = np.nonzero(padded)
    here = numbers[y, x]
    reached = np.stack([numbers[y + dy, x + dx] for dx, dy in STEPS], axis=1)
    return numbers[1:-1, 1:-1], np.where(reached < 0, here[:, None], reached)


def _choice(actions: int, wind: float, slip: float) -> Float[np.ndarray, "A A"]:
    """Probability that choosing action a carries out action b."""
    carried = np.eye(actions)
    for a in range(4):
        carried[a, a] = 1 - slip
        carried[a, [(a + 1) % 4, (a + 3) % 4]] = slip / 2
    return (1 - wind) * carried + wind / actions


def _outcomes(
    moves: Int[np.ndarray, "S 5"], choice: Float[np.ndarray, "A A"]
) -> tuple[Int[np.ndarray, "S A B"], Float[np.ndarray, "S A B"]]:
    """Successor lists. Steps that stay are one successor, so that none is listed twice."""
    states, actions = len(moves), len(choice)
    width = int((choice > 0).sum(1).max())
    stays = moves == np.arange(states)[:, None]
    successors = np.empty((states, actions, width), dtype=np.int32)
    probabilities = np.empty((states, actions, width))
    for a in range(actions):
        likely = np.argsort(choice[a] == 0, kind="stable")[:width]
        home = stays[:, likely]
        share = np.where(home, 0.0, choice[a, likely])
        first = home.argmax(1)
        # The first step that stays takes the probability of all of them.
        share[np.arange(states), first] += home @ choice[a, likely]
        successors[:, a] = np.where(share > 0, moves[:, likely], np.arange(states)[:, None])
        probabilities[:, a] = share
    return successors, probabilities


def _check_reachable(
    free: Bool[np.ndarray, "H W"], win: Bool[np.ndarray, "H W"], begin: Bool[np.ndarray, "H W"]
) -> None:
    """Raise an `InputError` naming a start from which no win can be reached."""
    from scipy import ndimage  # takes a while to load, and only boards need it

    rooms = ndimage.label(free)[0]  # cells that share a side are connected
    cut_off = begin & ~np.isin(rooms, np.unique(rooms[win]))
    if cut_off.any():
        raise InputError(
            f"no win can be reached from cell {_cell(cut_off)} ({int(cut_off.sum())} such starts). "
            "Open a wall, move the win, or give a start from which there is a way."
        )


def _index(cells: Sequence[Cell], what: str, free: Bool[np.ndarray, "H W"]) -> Any:
    """Row and column indices of `cells`, after a check that each is on the board and free."""
    height, width = free.shape
    for number, cell in enumerate(cells):
        pair = np.shape(cell) == (2,)
        if not pair or not (0 <= cell[0] < width and 0 <= cell[1] < height):
            raise InputError(
                f"{what}[{number}] = {cell} is off the board: give (x, y) with x from 0 to "
                f"{width - 1} and y, from the top, from 0 to {height - 1}"
            )
        if not free[cell[1], cell[0]]:
            raise InputError(f"{what}[{number}] = {cell} is a wall")
    x, y = np.array(cells, dtype=np.int64).reshape(-1, 2).T
    return y, x


def _cell(mask: Bool[np.ndarray, "H W"]) -> Cell:
    """The first cell (x, y) of a mask."""
    y, x = (int(i) for i in np.argwhere(mask)[0])
    return x, y


def _drawing(
    free: Bool[np.ndarray, "H W"], marks: dict[str, tuple[int, ...]], actions: int
) -> Drawing:
    """How to draw a board."""
    directions = np.array(STEPS[:actions])
    return Drawing(free.shape[1], free.shape[0], ~free, marks, directions)
