"""Counting among the nearest observations: the yardstick where states are features."""

from dataclasses import asdict, dataclass, replace

import numpy as np
from jaxtyping import Float, Int

from inverseq._core.errors import InputError
from inverseq._core.status import Outcome, Status
from inverseq.inverse.problem import Problem
from inverseq.inverse.solution import Solution
from inverseq.inverse.tables.leave_out import Rows, usable_rows
from inverseq.policies.neighbours import NeighbourPolicy

_TRIED = (1, 3, 10, 30, 100, 300)
"""Numbers of neighbours to choose from."""
_MARGINAL_SMOOTHING = 0.5
"""Decisions per action added to the shares of all decisions, as in a `CountTable` of order 0."""


@dataclass(frozen=True)
class NeighbourTable:
    """The share of each action among the k nearest decisions (Fix and Hodges 1951).

    Features are divided by their spread first, and one decision on average is added to the k. It
    needs no network and no reward, and is to features what `CountTable` is to numbered states.

    Attributes:
        neighbours: k; None chooses what predicts best decisions of units that are not counted.
        folds: In which units are left out to choose.
        by: The unit left out: "trajectory", "session", "subject" or any trajectory column. Of a
            single unit, runs of rows are left out.
        num_actions: A; None takes names, masks or the largest action seen.

    Raises:
        InputError: A number is out of range.
    """

    neighbours: int | None = None
    folds: int = 5
    by: str = "trajectory"
    num_actions: int | None = None
    describes_only = True

    def __post_init__(self) -> None:
        if self.neighbours is not None and self.neighbours < 1:
            raise InputError(f"neighbours must be 1 or more; got {self.neighbours}")
        if self.folds < 2:
            raise InputError(f"folds must be 2 or more; got {self.folds}")

    def settle(self, problem: Problem) -> "NeighbourTable":
        """The same with the number of neighbours chosen, once for fits to parts of `problem`."""
        if self.neighbours is not None:
            return self
        return replace(self, neighbours=int(self.solve(problem).settings["neighbours"]))

    def solve(self, problem: Problem) -> Solution:
        """The table of `problem`'s decisions; `fit` calls this.

        Raises:
            InputError: States are numbers, or no features `[N, D]`; or nothing is left to count.
        """
        data = problem.decisions
        if data.states.ndim != 2:
            raise InputError(
                f"neighbours are looked for among features [N, D]; these states have shape "
                f"{[*data.states.shape]}. Count numbered states with CountTable"
            )
        rows, kept = usable_rows(problem, np.zeros((data.num_decisions, 0), int), self.by)
        states = np.asarray(data.states[kept], dtype=np.float64)
        if not np.isfinite(states).all():
            row = data.row(int(kept[np.argmin(np.isfinite(states).all(axis=1))]))
            raise InputError(f"row {row}: the state holds a number that is not finite")
        actions = max(self.num_actions or 0, rows.exists.shape[1])
        everything = np.arange(len(kept))
        chosen = self.neighbours or self._chosen(rows, states, actions)
        return Solution(
            solver="NeighbourTable",
            settings=asdict(self) | {"neighbours": chosen},
            policy=_policy(rows, states, everything, actions, chosen),
            status=Status(Outcome.CONVERGED),
            num_parameters=int(states.size),
        )

    def _chosen(self, rows: Rows, states: Float[np.ndarray, "N D"], actions: int) -> int:
        """The number of neighbours that predicts best what they did not count."""
        size = len(states)
        units = np.unique(rows.units, return_inverse=True)[1]
        fold = units % self.folds if units.any() else np.arange(size) * self.folds // size
        total = np.zeros(len(_TRIED))
        for left_out in np.unique(fold):
            others, judged = np.flatnonzero(fold != left_out), np.flatnonzero(fold == left_out)
            if not others.size:
                return _TRIED[2]
            policy = _policy(rows, states, others, actions, 1)
            made = policy.counts(states[judged], _TRIED) + policy.shares
            made[:, :, : rows.exists.shape[1]] *= rows.exists[judged]
            taken = made[:, np.arange(judged.size), rows.actions[judged]] / made.sum(axis=2)
            total += np.log(taken) @ rows.weights[judged]
        return _TRIED[int(np.argmax(total))]


def _policy(
    rows: Rows,
    states: Float[np.ndarray, "N D"],
    among: Int[np.ndarray, " M"],
    actions: int,
    neighbours: int,
) -> NeighbourPolicy:
    """The policy that counts some of the decisions."""
    counted = states[among]
    varies = np.ptp(counted, axis=0) > 0  # the spread of equal numbers is their rounding error
    centre, spread = counted.mean(axis=0), np.where(varies, counted.std(axis=0), 1.0)
    done, weights = rows.actions[among], rows.weights[among]
    shares = np.bincount(done, weights, actions) + _MARGINAL_SMOOTHING
    return NeighbourPolicy(
        centre,
        spread,
        (counted - centre) / spread,
        done,
        weights,
        shares / shares.sum(),
        neighbours,
    )
