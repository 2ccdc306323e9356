"""Is the model right in each part of the table? What was done against what was expected, split by a
column.

Each decision is expected from what came before it, so that what was done less what was expected
adds up to noise wherever the table is cut by something known before the decision, whatever the
model: its variance is that of the expected choices (martingale differences). Where a cut shows more
than noise, the model does not know what the cut is about.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int
from scipy.special import ndtr

from inverseq._core.arrays import freeze
from inverseq._core.display import Fact, ShownTable
from inverseq._core.errors import InputError
from inverseq.demonstrations import Demonstrations
from inverseq.inverse.explanation import Explanation, check_arguments

LAST_ACTION = "last action"
STEP = "step"
STATE = "state"

_MOST_LEVELS = 200
_LEAST = 5.0
"""Expected choices below which a cell is not judged: its noise is not normal."""


@dataclass(frozen=True, eq=False)
class SplitCheck(ShownTable):
    """What was done in each part of the table, and what was expected there.

    Attributes:
        column: What the table is cut by.
        levels: Names of the L parts.
        decisions: `[L]` how many have an action.
        done: `[L, A]` share of each action.
        expected: `[L, A]` share that the model expects.
        errors: `[L, A]` (done - expected) in standard errors; NaN where too little was expected to
            judge.
        p_value: Of the largest of these, of as many as were judged (Bonferroni); NaN where none.
    """

    column: str
    levels: tuple[str, ...]
    decisions: Int[np.ndarray, " L"]
    done: Float[np.ndarray, "L A"]
    expected: Float[np.ndarray, "L A"]
    errors: Float[np.ndarray, "L A"]
    p_value: float

    def __post_init__(self) -> None:
        freeze(self, np.float64, "done", "expected", "errors")

    def _facts(self) -> Iterable[Fact]:
        return (
            ("column", self.column),
            ("parts", len(self.levels)),
            ("p-value", f"{self.p_value:.2g}"),
        )

    @property
    def farthest(self) -> tuple[int, int]:
        """The part and the action that are farthest from what was expected."""
        size = np.nan_to_num(np.abs(self.errors), nan=-1.0)
        level, action = np.unravel_index(int(size.argmax()), size.shape)
        return int(level), int(action)

    @property
    def rows(self) -> list[dict[str, str | float]]:
        """One row per part and action, the farthest from what was expected first."""
        size = np.nan_to_num(np.abs(self.errors), nan=-1.0)
        order = np.stack(np.unravel_index(np.argsort(-size, axis=None), size.shape), axis=1)
        return [
            {
                self.column: self.levels[level],
                "action": str(action),
                "decisions": int(self.decisions[level]),
                "done": float(self.done[level, action]),
                "expected": float(self.expected[level, action]),
                "standard_errors": float(self.errors[level, action]),
            }
            for level, action in order
        ]


def check_by(solution: Explanation, demonstrations: Demonstrations, column: str) -> SplitCheck:
    """Whether each action was done as often as expected in each part of a table.

    Args:
        solution: What `fit` returned. Decisions that were not fitted judge it best: of those that
            were, a model with many numbers expects what was done.
        demonstrations: N decisions.
        column: What to cut by: a column per trajectory or decision that is known before the
            decision, or "last action" (in its trajectory), "step" (number of the decision in its
            trajectory, in powers of two) or "state".

    Raises:
        InputError: There is no such column, it has too many values, or actions are not numbered.
    """
    check_arguments(solution, demonstrations, "check_by")
    expected = solution.probabilities(demonstrations)
    acted = demonstrations.acted
    if demonstrations.actions.ndim > 1:
        raise InputError("check_by counts actions, and these are not numbered")
    names, part = np.unique(parts_by(demonstrations, column)[acted], return_inverse=True)
    if names.size > _MOST_LEVELS:
        raise InputError(
            f"{column} has {names.size} values, more than {_MOST_LEVELS}: join them, with --bins "
            "say, or cut by another column"
        )
    expected = expected[acted]
    taken = np.eye(expected.shape[1])[demonstrations.actions[acted]]
    shape = (names.size, expected.shape[1])
    sums = [np.zeros(shape) for _ in range(3)]
    for total, values in zip(sums, (taken, expected, expected * (1 - expected)), strict=True):
        np.add.at(total, part, values)
    done, wanted, variance = sums
    size = np.bincount(part, minlength=names.size)
    judged = np.minimum(wanted, size[:, None] - wanted) >= _LEAST
    with np.errstate(divide="ignore", invalid="ignore"):
        errors = np.where(judged, (done - wanted) / np.sqrt(variance), np.nan)
    p_value = np.nan
    if count := int(judged.sum()):
        p_value = min(1.0, 2 * float(ndtr(-np.abs(errors[judged]).max())) * count)
    share = np.maximum(size, 1)[:, None]
    levels = tuple(str(name) for name in names)
    return SplitCheck(column, levels, size, done / share, wanted / share, errors, p_value)


def parts_by(data: Demonstrations, column: str) -> np.ndarray:
    """What each decision has in the column.

    Raises:
        InputError: There is no such column.
    """
    if column in data.decisions:
        return data.decisions[column]
    if column in data.trajectories:
        return data.trajectories[column][data.trajectory_of]
    if column == LAST_ACTION:
        last = np.append(-1, data.actions[:-1])
        return np.where(data.step == 0, -1, last)
    if column == STEP:
        return np.floor(np.log2(data.step + 1)).astype(np.int64)
    if column == STATE and data.states.ndim == 1:
        return data.states
    raise InputError(
        f"there is no column {column!r}; there are {LAST_ACTION!r}, {STEP!r}, {STATE!r} and "
        f"{[*data.trajectories, *data.decisions]}"
    )
