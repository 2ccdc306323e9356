"""Counting in contexts that the table itself names: a yardstick and a habit."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace

import numpy as np
from jaxtyping import Bool, Float, Int
from scipy import sparse
from scipy.optimize import minimize

from inverseq._core.errors import InputError
from inverseq._core.status import Outcome, Status
from inverseq.inverse.problem import Problem
from inverseq.inverse.solution import Solution
from inverseq.inverse.tables.leave_out import Rows, tabulate, usable_rows
from inverseq.policies.columns import (
    ColumnPolicy,
    context_columns,
    names_of_columns,
    own_counts,
)

_BOUNDS = (np.log(1e-2), np.log(1e5))
"""Of the logarithm of a concentration, in decisions."""
_START = 30.0
_MAX_STEPS = 200
_PRIOR, _BARRED_STEPS = 0.1, 30
"""Decisions added for each action that exists somewhere in a context, and steps of `barred_shares`,
after which shares have settled to far less than counting leaves open."""


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
        available: Whether a context that joins places where other actions exist is counted among
            those that exist: an action is not held less likely for having been impossible.

    Raises:
        InputError: There is no column, or there are not as many concentrations, above 0.
    """

    columns: tuple[str, ...]
    own: tuple[str, ...] = ()
    concentrations: tuple[float, ...] | None = None
    by: str = "trajectory"
    available: bool = False
    describes_only = True

    def __post_init__(self) -> None:
        names_of_columns("columns", self.columns, least=1)
        names_of_columns("own", self.own)
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
        """The table of `problem`'s decisions; `fit` calls this.

        Raises:
            InputError: A column is missing, nothing is left to count, or a single unit cannot
                choose the concentrations.
        """
        data, mdp = problem.decisions, problem.given_mdp
        rows, kept = usable_rows(problem, context_columns(data, self.columns), self.by)
        keys, counts, places = count_levels(rows)
        barred = [barred_shares(rows, place) for place in places] if self.available else []
        status, trace = Status(Outcome.CONVERGED), np.zeros(0)
        if self.concentrations is None:
            own = [own_counts(data, name, rows.exists.shape[1])[kept] for name in self.own]
            worth, status, trace = choose_concentrations(
                rows, [*counts_of_others(rows, counts, places, barred), *own]
            )
        else:
            worth = np.array(self.concentrations)
        if barred:
            everybody = zip(counts, places, barred, strict=True)
            counts = tuple(corrected(c, summed(b, p, rows.weights)) for c, p, b in everybody)
        return Solution(
            solver="ColumnTable",
            settings=asdict(self) | {"concentrations": tuple(float(c) for c in worth)},
            policy=ColumnPolicy(self.columns, keys, counts, worth, self.own),
            status=status,
            mdp=mdp,
            visits=None if mdp is None else problem.counts.visits,
            parameters={"concentrations": worth, "marginal": counts[0].sum(axis=0)},
            num_parameters=_free_probabilities(rows.exists, places[-1]),
            trace=trace,
        )


Levels = tuple[np.ndarray, ...]
"""One array per column, the widest context first."""


def count_levels(rows: Rows) -> tuple[Levels, Levels, Levels]:
    """At each level: contexts seen, weight of each action in them, and context of each row."""
    keys, counts, places = [], [], []
    for column in rows.columns.T:
        seen, place = np.unique(column, return_inverse=True)
        keys.append(seen)
        places.append(place.reshape(-1))
        counts.append(tabulate(places[-1], rows))
    return tuple(keys), tuple(counts), tuple(places)


def _free_probabilities(exists: Bool[np.ndarray, "N A"], places: Int[np.ndarray, " N"]) -> int:
    """Numbers left free: one less than the actions that exist somewhere in each context."""
    possible = np.zeros((int(places.max()) + 1, exists.shape[1]), dtype=bool)
    row, action = np.nonzero(exists)
    possible[places[row], action] = True
    return int((possible.sum(axis=1) - 1).sum())


def barred_shares(rows: Rows, place: Int[np.ndarray, " N"]) -> Float[np.ndarray, "N A"]:
    """How often each action would have been taken before each decision, had it existed there.

    The likelihood of choices among those that exist, p(a) = w(a) / w(existing), is that of shares w
    from which impossible draws were discarded; w(b) / w(existing) is the expected number of those
    of b (Dempster, Laird and Rubin 1977, section 4.2, truncated samples). The shares of each
    context are found by that iteration.

    Args:
        rows: N decisions.
        place: `[N]` their contexts, numbered from 0.
    """
    sets, kind = np.unique(rows.exists, axis=0, return_inverse=True)
    cells, where = np.unique(place * np.int64(len(sets)) + kind.ravel(), return_inverse=True)
    context, here = cells // len(sets), sets[cells % len(sets)]
    weight = np.bincount(where.ravel(), rows.weights)
    seen = tabulate(place, rows)
    possible = np.zeros(seen.shape, dtype=bool)
    np.logical_or.at(possible, context, here)
    start = seen + _PRIOR * possible
    shares = start / start.sum(1, keepdims=True)
    for _ in range(_BARRED_STEPS):
        within = (shares[context] * here).sum(1)
        missed = shares[context] * ~here / within[:, None]
        made = start.copy()
        np.add.at(made, context, weight[:, None] * missed)
        made *= possible
        shares = made / made.sum(1, keepdims=True)
    within = (shares[context] * here).sum(1)
    return (shares[context] * ~here / within[:, None])[where.ravel()]


def summed(
    values: Float[np.ndarray, "N A"],
    groups: Int[np.ndarray, " N"],
    weights: Float[np.ndarray, " N"],
) -> Float[np.ndarray, "M A"]:
    """Weighted sums over the rows of each group, which are numbered from 0."""
    sums = sparse.csr_array((weights, (groups, np.arange(groups.size))))
    return sums @ values


def corrected(
    counts: Float[np.ndarray, "M A"], barred: Float[np.ndarray, "M A"]
) -> Float[np.ndarray, "M A"]:
    """Counts with draws that were barred, brought back to as many decisions as were made."""
    total = counts.sum(1, keepdims=True)
    return (counts + barred) * total / np.maximum(total + barred.sum(1, keepdims=True), 1e-300)


def counts_of_others(
    rows: Rows, counts: Levels, places: Levels, barred: Sequence[Float[np.ndarray, "N A"]] = ()
) -> list[Float[np.ndarray, "N A"]]:
    """What all other units did in the context of each decision, at each level, and what they were
    barred from, if that counts.

    Raises:
        InputError: There is only one unit.
    """
    units = rows.units
    if units.min() == units.max():
        raise InputError(
            "a single unit cannot choose concentrations: give concentrations=(...), or name the "
            "unit with by="
        )
    made = []
    for total, place in zip(counts, places, strict=True):
        group = np.unique(units * len(total) + place, return_inverse=True)[1].reshape(-1)
        others = np.maximum(total[place] - tabulate(group, rows)[group], 0.0)
        if barred:
            mine = barred[len(made)]
            missed = summed(mine, place, rows.weights)[place]
            missed -= summed(mine, group, rows.weights)[group]
            others = corrected(others, np.maximum(missed, 0.0))
        made.append(others)
    return made


def choose_concentrations(
    rows: Rows, levels: list[Float[np.ndarray, "N A"]]
) -> tuple[Float[np.ndarray, " L"], Status, Float[np.ndarray, " steps"]]:
    """The concentrations under which the decisions are most likely.

    Args:
        rows: The decisions.
        levels: What was done in the context of each decision, without that decision.

    Returns:
        Concentrations; how the search ended; log-likelihood per decision of each evaluation.
    """
    trace: list[float] = []

    def cost(logs: np.ndarray) -> tuple[float, np.ndarray]:
        value, slope = log_likelihood_of_concentrations(rows, levels, logs)
        trace.append(value)
        return -value, -slope

    found = minimize(
        cost,
        np.full(len(levels), np.log(_START)),
        jac=True,
        method="L-BFGS-B",
        bounds=[_BOUNDS] * len(levels),
        options={"maxiter": _MAX_STEPS, "ftol": 1e-10, "gtol": 1e-7},
    )
    # A line search that ends for lack of precision has found the optimum as well as it can be.
    outcome = Outcome.LIMIT if found.nit >= _MAX_STEPS else Outcome.CONVERGED
    inside = found.x - np.clip(found.x - found.jac, *_BOUNDS)  # 0 where a bound holds it
    message = "" if outcome is Outcome.CONVERGED else "Give concentrations=(...)."
    status = Status(outcome, int(found.nit), float(np.abs(inside).max()), message)
    return np.exp(found.x), status, np.array(trace)


def log_likelihood_of_concentrations(
    rows: Rows, levels: list[Float[np.ndarray, "N A"]], logs: Float[np.ndarray, " L"]
) -> tuple[float, Float[np.ndarray, " L"]]:
    """Mean log-likelihood of the decisions, and its slope in the logarithm of concentrations."""
    shares = rows.exists / rows.exists.sum(axis=1, keepdims=True)
    slopes: list[np.ndarray] = []
    for counts, worth in zip(levels, np.exp(logs), strict=True):
        total = counts.sum(axis=1, keepdims=True) + worth
        made = (counts + worth * shares) / total
        passed = worth / total
        slopes = [passed * slope for slope in slopes]
        slopes.append(passed * (shares - made))
        shares = made
    taken = (np.arange(rows.actions.size), rows.actions)
    whole = (shares * rows.exists).sum(axis=1)
    weights = rows.weights / rows.weights.sum()
    value = float(weights @ np.log(shares[taken] / whole))
    gradient = [
        weights @ (slope[taken] / shares[taken] - (slope * rows.exists).sum(axis=1) / whole)
        for slope in slopes
    ]
    return value, np.array(gradient)
