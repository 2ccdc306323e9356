"""Where actions lead, as an animal knows it that values actions by what they lead to."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from inverseq._core.arrays import freeze
from inverseq._core.errors import InputError
from inverseq.demonstrations import Demonstrations

_NOWHERE = ("", "nan", "None")
"""What a place is called that nobody told."""


@dataclass(frozen=True, eq=False)
class Leading:
    """Where actions lead, as the animal knows it.

    Attributes:
        column: Column per decision: the place that was reached.
        names: Of P places.
        chances: `[A, P]` how likely each action leads to each.
    """

    column: str
    names: tuple[str, ...]
    chances: Float[np.ndarray, "A P"]

    def __post_init__(self) -> None:
        object.__setattr__(self, "names", tuple(map(str, self.names)))
        freeze(self, np.float64, "chances")

    @classmethod
    def shown(cls, demonstrations: Demonstrations, column: str, num_actions: int) -> "Leading":
        """How often each action led to each place; to all alike where it was never taken.

        Raises:
            InputError: There is no such column, or it names no place where an action was taken.
        """
        told, acted = _column(demonstrations, column), demonstrations.acted
        names, place = np.unique(told[acted], return_inverse=True)
        count = np.zeros((num_actions, names.size))
        np.add.at(count, (demonstrations.actions[acted], place), 1.0)
        count[count.sum(axis=1) == 0] = 1.0
        made = cls(column, tuple(names), count / count.sum(axis=1, keepdims=True))
        made.reached(demonstrations)
        return made

    def reached(self, demonstrations: Demonstrations) -> Int[np.ndarray, " N"]:
        """Number of the place that each decision led to; -1 where there was no action.

        Raises:
            InputError: There is no such column, or it names no known place where one was taken.
        """
        told, acted = _column(demonstrations, self.column), demonstrations.acted
        known = {name: number for number, name in enumerate(self.names)}
        place = np.array([known.get(name, -1) for name in told], dtype=np.int64)
        wrong = acted & ((place < 0) | np.isin(told, _NOWHERE))
        if wrong.any():
            row = int(np.argmax(wrong))
            raise InputError(
                f"row {demonstrations.row(row)}: column {self.column!r} holds {str(told[row])!r}, "
                "not the place that the action led to; name one that was seen in the fit, or leave "
                "out the action"
            )
        return np.where(acted, place, -1)


def _column(demonstrations: Demonstrations, name: str) -> np.ndarray:
    """Names in a column per decision; whole numbers that are written as decimals are the same.

    Raises:
        InputError: There is none.
    """
    if name not in demonstrations.decisions:
        raise InputError(
            f"there is no column {name!r} per decision, of where an action led; there are "
            f"{sorted(demonstrations.decisions)}"
        )
    told = np.asarray(demonstrations.decisions[name])
    if told.dtype.kind == "f" and not (told[np.isfinite(told)] % 1).any():
        return np.array([str(int(one)) if np.isfinite(one) else "" for one in told])
    return told.astype(str)
