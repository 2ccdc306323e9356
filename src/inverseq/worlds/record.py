"""A world: a task that someone behaves in, as an MDP and as something to draw."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from jaxtyping import Bool, Int

from inverseq._core.arrays import freeze, frozen_array
from inverseq._core.errors import InputError
from inverseq.mdp import MDP


@dataclass(frozen=True, eq=False)
class Drawing:
    """How to draw a world that lies on a board of square cells.

    Cell (x, y) is the square of side 1 around the point (x, y); x counts from the left, y from the
    TOP, both from 0. The MDP's `coordinates` are in the same frame.

    Attributes:
        width: Cells in a row.
        height: Cells in a column.
        blocked: `[height, width]` cells that nobody can enter, indexed [y, x].
        marks: Name of a place ("start", "goal", "home", "water") -> its states.
        directions: `[A, 2]` change of (x, y) that each action intends, y downwards; None where it
            depends on the state.
        parents: `[S]` the neighbour on the way home in a maze without loops, -1 at home; None
            elsewhere.
    """

    width: int
    height: int
    blocked: Bool[np.ndarray, "height width"]
    marks: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    directions: Int[np.ndarray, "A 2"] | None = None
    parents: Int[np.ndarray, " S"] | None = None

    def __post_init__(self) -> None:
        freeze(self, bool, "blocked")
        freeze(self, np.int64, "directions", "parents")
        marks = {k: tuple(int(s) for s in v) for k, v in self.marks.items()}
        object.__setattr__(self, "marks", marks)


def mdp_of(world: "MDP | World") -> MDP:
    """What a world is, whether it can be drawn or not."""
    return world.mdp if isinstance(world, World) else world


@dataclass(frozen=True, eq=False)
class World:
    """A task with its MDP.

    Attributes:
        name: For titles and reports.
        mdp: What the world is. Only cells that can be entered are states; they are numbered row by
            row from the top left in the grids, and `mdp.coordinates` holds their (x, y).
        drawing: How to draw it.
        environment: Id of its Gymnasium environment:
            `gymnasium.make(world.environment, **world.settings)` is this world.
        settings: Arguments that the world was made with.
    """

    name: str
    mdp: MDP
    drawing: Drawing
    environment: str
    settings: Mapping[str, Any] = field(default_factory=dict)

    @cached_property
    def states(self) -> Int[np.ndarray, "height width"]:
        """`[height, width]` state of each cell, indexed [y, x]; -1 where there is none."""
        numbers = np.full((self.drawing.height, self.drawing.width), -1, dtype=np.int64)
        x, y = np.asarray(self.mdp.coordinates, dtype=np.int64).T
        numbers[y, x] = np.arange(self.mdp.num_states)
        numbers.setflags(write=False)
        return numbers

    def state_at(self, x: Any, y: Any, *, from_bottom: bool = False) -> Any:
        """The state of the cell (x, y), or of many cells at once.

        Args:
            x: Column from 0 at the left; a whole number or an array of them.
            y: Row from 0 at the top; like `x`.
            from_bottom: Count `y` from the bottom row instead (as the people in the mazes do).

        Returns:
            A number for numbers, an array for arrays.

        Raises:
            InputError: A cell is outside the world or is no state there.
        """
        column = frozen_array(x, np.int64, "x")
        row = frozen_array(y, np.int64, "y")
        row = self.drawing.height - 1 - row if from_bottom else row
        inside = (column >= 0) & (column < self.drawing.width)
        inside &= (row >= 0) & (row < self.drawing.height)
        found = np.where(
            inside, self.states[np.where(inside, row, 0), np.where(inside, column, 0)], -1
        )
        if (found < 0).any():
            where = tuple(np.argwhere(found < 0)[0])
            cell = tuple(int(np.broadcast_to(v, found.shape)[where]) for v in (x, y))
            raise InputError(
                f"cell {cell} is a wall or outside the world, which is {self.drawing.width} wide "
                f"and {self.drawing.height} high, counted from 0 ({int((found < 0).sum())} such)"
            )
        return int(found[0]) if np.ndim(x) == np.ndim(y) == 0 else found
