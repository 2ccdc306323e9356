"""What a walk through a maze may cost: features that mean the same in every maze."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool, Float, Int

from inverseq._core.errors import InputError
from inverseq.mdp import MDP
from inverseq.worlds.grids import ACTIONS, STEPS
from inverseq.worlds.record import World

MAZE_FEATURES: dict[str, tuple[str, ...]] = {
    "step": ("step",),
    "turn": ("turn", "turn at corner", "turn unforced"),
    "reversal": ("reversal",),
    "blocked": ("blocked", "blocked at first", "blocked turn", "blocked reversal"),
    "closeness": ("obstacle beside", "obstacle diagonal", "border beside"),
    "first": ("first horizontal",),
    "walls": ("along wall",),
    "view": ("goal in view",),
}
"""Names of the features, by what kind of cost they are."""


def maze_features(world: World, names: Sequence[str] | None = None) -> MDP:
    """The world with the last action remembered, and features of each move in it.

    The result is `world.mdp.with_history(2, of="actions")` without reward, with features that a
    reward can share between mazes (0 in terminal states). "Blocked" moves press towards an
    obstacle or off the board; "forced" means that the way straight on is blocked.

    - step: 1 for every move.
    - turn: 1 for a quarter turn away from the last action.
    - turn at corner: the turns, unforced, that a step earlier would have been blocked.
    - turn unforced: the turns, unforced, that could have been made a step earlier.
    - reversal: 1 for the opposite of the last action.
    - blocked: 1 for a blocked move; and once more for those that come first (blocked at first),
      after a turn (blocked turn), after a reversal (blocked reversal).
    - obstacle beside, obstacle diagonal: share of the 4 cells beside, and at the corners of, the
      cell moved to that are obstacles.
    - border beside: share of the 4 cells beside it that are off the board.
    - first horizontal: 1 for left or right as the first move.
    - along wall: 1 for a move to a cell with an obstacle or the border on its left or right.
    - goal in view: 1 for a move towards a goal straight ahead, with nothing between.

    Args:
        world: A grid of the actions up, right, down, left: `gridworld` or `maze`.
        names: Which features, in which order; all of `MAZE_FEATURES` where left out.

    Raises:
        InputError: The world is no such grid, or a name is unknown.
    """
    if world.mdp.action_names != ACTIONS[:4] or world.mdp.history is not None:
        raise InputError(
            f"maze_features needs a grid with the actions up, right, down and left; {world.name} "
            f"has {world.mdp.action_names}. Use worlds.gridworld or worlds.maze without stay"
        )
    known = [name for group in MAZE_FEATURES.values() for name in group]
    chosen = known if names is None else [str(name) for name in names]
    if unknown := [name for name in chosen if name not in known]:
        raise InputError(f"no maze feature {unknown[0]!r}; there are {known}")
    remembering = replace(world.mdp, reward=None).with_history(2, of="actions")
    made = _all_features(world, remembering)
    features = np.stack([made[name] for name in chosen], axis=-1)
    return replace(remembering, features=features, feature_names=tuple(chosen))


@dataclass(frozen=True, eq=False)
class _Moves:
    """The four moves from each state that remembers the last action.

    Attributes:
        before: `[S, 1]` the last action, -1 for none.
        x: `[S, 1]` column of the present cell on a board padded by 2.
        y: `[S, 1]` its row.
        obstacle: `[H, W]` obstacles on the padded board.
        border: `[H, W]` the padding.
    """

    before: Int[np.ndarray, "S 1"]
    x: Int[np.ndarray, "S 1"]
    y: Int[np.ndarray, "S 1"]
    obstacle: Bool[np.ndarray, "H W"]
    border: Bool[np.ndarray, "H W"]

    def wall(self, dx: np.ndarray, dy: np.ndarray) -> Bool[np.ndarray, "S moves"]:
        """Whether the cell (dx, dy) away from the present one cannot be entered."""
        return (self.obstacle | self.border)[self.y + dy, self.x + dx]

    def around(
        self, board: Bool[np.ndarray, "H W"], dx: np.ndarray, dy: np.ndarray, corners: bool
    ) -> Float[np.ndarray, "S 4"]:
        """Share of the 4 cells beside (or cornering) the cell (dx, dy) away that `board` marks."""
        offsets = [(1, 1), (1, -1), (-1, 1), (-1, -1)] if corners else STEPS[:4]
        return np.mean([board[self.y + dy + b, self.x + dx + a] for a, b in offsets], axis=0)


def _in_view(mdp: MDP) -> Bool[np.ndarray, "S 4"]:
    """Whether going straight on leads to an end, before anything blocks the way."""
    assert mdp.history is not None  # made so by the only caller
    base, following = mdp.history.base, mdp.successors[:, :, 0]
    seen = np.zeros(following.shape, dtype=bool)
    for action in range(4):
        here = np.arange(mdp.num_states)
        while True:
            after = following[here, action]
            moved = (base[after] != base[here]) & ~mdp.terminal[here]
            if not moved.any():
                break
            here = np.where(moved, after, here)
        seen[:, action] = mdp.terminal[here]
    return seen


def _all_features(world: World, mdp: MDP) -> dict[str, Float[np.ndarray, "S 4"]]:
    """Every feature of every move, by name."""
    assert mdp.history is not None  # made so by the only caller
    assert mdp.coordinates is not None
    cells = np.asarray(mdp.coordinates, dtype=np.int64) + 2
    moves = _Moves(
        before=mdp.history.previous,
        x=cells[:, :1],
        y=cells[:, 1:],
        obstacle=np.pad(world.drawing.blocked, 2),
        border=np.pad(np.zeros_like(world.drawing.blocked), 2, constant_values=True),
    )
    action = np.arange(4)[None, :]
    dx, dy = np.array(STEPS[:4]).T[:, None, :]
    first = moves.before < 0
    back_x, back_y = (np.where(first, 0, np.array(STEPS)[moves.before, i]) for i in (0, 1))
    quarter = ~first & ((moves.before - action) % 2 == 1)
    reversal = ~first & ((moves.before - action) % 4 == 2)
    blocked = moves.wall(dx, dy)
    forced = moves.wall(back_x, back_y)
    corner = moves.wall(dx - back_x, dy - back_y)
    ahead = np.where(blocked, 0, dx), np.where(blocked, 0, dy)
    beside = lambda board, corners: np.where(  # noqa: E731
        blocked, 0.0, moves.around(board, *ahead, corners)
    )
    made = {
        "step": np.ones(quarter.shape),
        "turn": quarter,
        "turn at corner": quarter & ~forced & corner,
        "turn unforced": quarter & ~forced & ~corner,
        "reversal": reversal,
        "blocked": blocked,
        "blocked at first": blocked & first,
        "blocked turn": blocked & quarter,
        "blocked reversal": blocked & reversal,
        "obstacle beside": beside(moves.obstacle, False),
        "obstacle diagonal": beside(moves.obstacle, True),
        "border beside": beside(moves.border, False),
        "first horizontal": first & (action % 2 == 1),
        "along wall": ~blocked
        & (moves.wall(ahead[0] + dy, ahead[1] + dx) | moves.wall(ahead[0] - dy, ahead[1] - dx)),
        "goal in view": _in_view(mdp),
    }
    return {name: np.where(mdp.terminal[:, None], 0.0, value) for name, value in made.items()}
