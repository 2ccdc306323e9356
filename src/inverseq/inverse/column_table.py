"""Counting in contexts that the table itself names: a yardstick and a habit."""

from dataclasses import asdict, dataclass, replace

import numpy as np
from jaxtyping import Bool, Float, Int
from scipy.optimize import minimize

from inverseq._core.errors import InputError
from inverseq._core.status import Outcome, Status
from inverseq.alignment import align, check_existing
from inverseq.counts import decision_weights
from inverseq.inverse.backoff import allowed_at
from inverseq.inverse.column_policy import ColumnPolicy, context_columns, own_counts
from inverseq.inverse.problem import Problem
from inverseq.inverse.solution import Solution

_LEAST, _MOST = 1e-2, 1e5
"""Between which a concentration is looked for, in decisions."""


@dataclass(frozen=True)
class ColumnTable:
    """The share of each action in contexts given as columns, wide ones first.

    Each column per decision holds whole numbers that name a context: what came before, where, the
    kind of trial. A context is smoothed towards the one of the column before it. Contexts need not
    nest, and must be known before the decision is made.

    Attributes:
        columns: Names, from the widest context to the narrowest.
        own: Columns in whose contexts the trajectory's own past is counted on top.
        concentrations: What the wider context is worth at each level, in decisions, own levels
            last; None chooses them: they maximise the likelihood of every unit under the counts of
            all others.
        by: The unit left out: "trajectory", "session", "subject" or any trajectory column.

    Raises:
        InputError: There is no column, or there are not as many concentrations, above 0.
    """

    columns: tuple[str, ...]
    own: tuple[str, ...] = ()
    concentrations: tuple[float, ...] | None = None
    by: str = "trajectory"

    def __post_init__(self) -> None:
        if isinstance(self.columns, str) or not self.columns:
            raise InputError(f"columns must be a tuple of names; got {self.columns!r}")
        given, levels = self.concentrations, len(self.columns) + len(self.own)
        if given is not None and (len(given) != levels or not all(0 < c < np.inf for c in given)):
            raise InputError(
                f"concentrations must be {levels} numbers above 0, one per column; got {given}"
            )

    def settle(self, problem: Problem) -> "ColumnTable":
        """The same with the concentrations chosen, once for fits to parts of `problem`."""
        if self.concentrations is not None:
            return self
        chosen = self.solve(problem).parameters["concentrations"]
        return replace(self, concentrations=tuple(chosen.tolist()))

    def solve(self, problem: Problem) -> Solution:
        """The table of `problem`'s decisions.

        Raises:
            InputError: A column is missing, nothing is left to count, or a single unit cannot
                choose the concentrations.
        """
        data, mdp = problem.decisions, problem.given_mdp
        weights = decision_weights(problem.weights, data.num_decisions)
        kept = np.flatnonzero((data.actions >= 0) & (weights > 0))
        if kept.size == 0:
            raise InputError("no decision has a known action and a weight above 0")
        if mdp is None:
            exists = allowed_at(None, data.states, data.num_actions)
        else:
            states = align(data, mdp)
            check_existing(data, mdp, states)
            exists = mdp.allowed[states]
        columns = context_columns(data, self.columns)[kept]
        actions, weights, exists = data.actions[kept], weights[kept], exists[kept]
        keys, counts = _tabulate(columns, actions, weights, exists.shape[1])
        status, trace = Status(Outcome.CONVERGED), np.zeros(0)
        if self.concentrations is None:
            units = data.units(self.by)[data.trajectory_of[kept]]
            others = _Others(columns, keys, counts, actions, weights, exists, units)
            if self.own:
                for column in context_columns(data, self.own).T:
                    others.counts.append(own_counts(data, column, exists.shape[1])[kept])
            worth, status, trace = others.choose()
        else:
            worth = np.array(self.concentrations)
        policy = ColumnPolicy(self.columns, keys, counts, worth, self.own)
        return Solution(
            solver="ColumnTable",
            settings=asdict(self) | {"concentrations": [float(c) for c in worth]},
            policy=policy,
            status=status,
            mdp=mdp,
            parameters={"concentrations": worth, "marginal": counts[0].sum(axis=0)},
            num_parameters=int((exists.shape[1] - 1) * len(keys[-1])),
            trace=trace,
        )


def _tabulate(
    columns: Int[np.ndarray, "N L"],
    actions: Int[np.ndarray, " N"],
    weights: Float[np.ndarray, " N"],
    num_actions: int,
) -> tuple[tuple[np.ndarray, ...], tuple[np.ndarray, ...]]:
    """Contexts seen at each level, and the weight of each action in them."""
    keys, counts = [], []
    for column in columns.T:
        seen, place = np.unique(column, return_inverse=True)
        cell = place.reshape(-1) * num_actions + actions
        total = np.bincount(cell, weights, seen.size * num_actions)
        keys.append(seen)
        counts.append(total.reshape(-1, num_actions))
    return tuple(keys), tuple(counts)


class _Others:
    """Every decision under the counts of all other units, as a function of the concentrations."""

    def __init__(
        self,
        columns: Int[np.ndarray, "N L"],
        keys: tuple[np.ndarray, ...],
        counts: tuple[np.ndarray, ...],
        actions: Int[np.ndarray, " N"],
        weights: Float[np.ndarray, " N"],
        exists: Bool[np.ndarray, "N A"],
        units: Int[np.ndarray, " N"],
    ) -> None:
        if not units.any():
            raise InputError(
                "a single unit cannot choose concentrations: give concentrations=(...), or name "
                "the unit with by="
            )
        self.actions, self.weights, self.exists = actions, weights, exists
        self.counts = []
        for seen, total, column in zip(keys, counts, columns.T, strict=True):
            place = np.searchsorted(seen, column)
            pair, group = np.unique(units * seen.size + place, return_inverse=True)
            cell = group.reshape(-1) * total.shape[1] + actions
            own = np.bincount(cell, weights, pair.size * total.shape[1])
            own = own.reshape(-1, total.shape[1])[group.reshape(-1)]
            self.counts.append(np.maximum(total[place] - own, 0.0))
        self.trace: list[float] = []

    def choose(self) -> tuple[Float[np.ndarray, " L"], Status, Float[np.ndarray, " steps"]]:
        """The concentrations under which the decisions are most likely."""
        bounds = [(np.log(_LEAST), np.log(_MOST))] * len(self.counts)
        start = np.full(len(self.counts), np.log(30.0))
        found = minimize(
            self.cost,
            start,
            jac=True,
            method="L-BFGS-B",
            bounds=bounds,
            options={"ftol": 1e-10, "gtol": 1e-7},
        )
        outcome = Outcome.CONVERGED if found.success else Outcome.LIMIT
        slope = float(np.abs(found.jac).max())
        status = Status(outcome, int(found.nit), slope, "" if found.success else str(found.message))
        return np.exp(found.x), status, -np.array(self.trace)

    def cost(self, logs: Float[np.ndarray, " L"]) -> tuple[float, Float[np.ndarray, " L"]]:
        """Negative log-likelihood per decision and its slope in the logarithms."""
        worth = np.exp(logs)
        rows = np.arange(self.actions.size)
        shares = self.exists / self.exists.sum(axis=1, keepdims=True)
        slopes: list[np.ndarray] = []
        for counts, c in zip(self.counts, worth, strict=True):
            total = counts.sum(axis=1, keepdims=True) + c
            made = (counts + c * shares) / total
            passed = c / total
            slopes = [passed * slope for slope in slopes]
            slopes.append(c * (shares - made) / total)
            shares = made
        shares, whole = shares * self.exists, (shares * self.exists).sum(axis=1)
        taken = shares[rows, self.actions]
        size = self.weights.sum()
        value = -float((self.weights * np.log(taken / whole)).sum() / size)
        slope = np.array(
            [
                -(
                    self.weights
                    * (s[rows, self.actions] / taken - (s * self.exists).sum(axis=1) / whole)
                ).sum()
                / size
                for s in slopes
            ]
        )
        self.trace.append(value)
        return value, slope
