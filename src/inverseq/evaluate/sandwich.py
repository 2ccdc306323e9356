"""How sure a fit is, from how its likelihood is curved (Huber 1967; White 1982; by units, Liang and
Zeger 1986).
"""

from collections.abc import Mapping

import numpy as np
from scipy import sparse

from inverseq._core.errors import InputError
from inverseq.decisions.counts import Counts, count
from inverseq.demonstrations import Demonstrations
from inverseq.evaluate.intervals import Sandwich, check_level
from inverseq.inverse.explanation import check_demonstrations
from inverseq.inverse.fit import fit
from inverseq.inverse.problem import Responds, Solver
from inverseq.inverse.solution import Solution
from inverseq.mdp import MDP


def sandwich(
    data: Demonstrations | Counts,
    solver: Solver[Solution],
    mdp: MDP | Mapping[str, MDP] | None = None,
    *,
    by: str = "trajectory",
    level: float = 0.95,
    estimate: Solution | None = None,
) -> Sandwich:
    """The covariance of what a solver finds, between units of the data.

    Each unit pulls the maximum of the penalised likelihood away by the inverse of its second
    derivative times the unit's slope; the covariance is the sum of the squares of these pulls, and
    what comes of a prior that expects not 0 but a number drawn from itself: of what decisions say
    nothing, the prior alone is then as unsure as it claims to be. This is what `bootstrap` comes to
    where changes are small, without a refit: no random choice, and the time of one fit. As there,
    units must be what is independent, and what was chosen from the data (the strength of a prior)
    stays as it was. `Interval.prior_share` says how much of a variance the prior brings in.

    Args:
        data: Demonstrations, or `Counts` with units.
        solver: Settings of the fit; a solver that knows its second derivatives, such as `MaxEnt`.
        mdp: The world, or worlds by name.
        by: What a unit is: "trajectory", "session", "subject", any trajectory column. Counts bring
            their own units.
        level: How often intervals should hold the truth.
        estimate: The fit of `solver` to `data`, where it is at hand.

    Returns:
        For `interval`.

    Raises:
        InputError: The solver does not know its second derivatives, or they do not fit into memory,
            or there are fewer than two units.
        FitError: The fit did not converge, or is at no maximum of the penalised likelihood.
    """
    check_level(level)
    if not isinstance(solver, Responds):
        raise InputError(
            f"{type(solver).__name__} does not know how its fits depend on the data; take "
            "inverseq.bootstrap, which refits"
        )
    if not isinstance(data, Counts):
        check_demonstrations(data, "sandwich")
    made = fit(data, solver, mdp) if estimate is None else estimate
    assert made.mdp is not None  # a solver that counts needs one
    units = data.units if isinstance(data, Counts) else count(data, made.mdp, by=by).units
    if units is None or units.shape[0] < 2:
        raise InputError(
            "there are fewer than two units: group by something finer, add data, or count them by "
            "unit with count(demonstrations, mdp, by=...) or count_file(path, by=...)"
        )
    total = np.asarray(units.sum(axis=0)).ravel()
    response = solver.response(made, total.reshape(made.mdp.allowed.shape))
    # The sum over units of (n_u - mean)(n_u - mean)', without an array of units by weights.
    pulls = total @ response.slopes
    covariance = response.slopes.T @ (sparse.csr_array(units.T @ units) @ response.slopes)
    covariance += response.prior - np.outer(pulls, pulls) / units.shape[0]
    return Sandwich(
        estimate=made,
        by=(data.by or "unit") if isinstance(data, Counts) else by,
        units=units.shape[0],
        level=level,
        name=response.name,
        covariance=covariance,
        prior=response.prior,
        reward=response.reward,
    )
