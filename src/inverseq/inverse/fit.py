"""The one verb."""

import time
from collections.abc import Mapping
from dataclasses import replace
from importlib.metadata import version
from typing import Any, TypeVar, cast

import numpy as np
from jaxtyping import Float

from inverseq._core.errors import FitError, InputError
from inverseq._core.log import log
from inverseq._core.memory import require_room
from inverseq._core.status import Outcome
from inverseq.decisions.counts import Counts
from inverseq.demonstrations import Demonstrations
from inverseq.inverse.explanation import Explanation, check_demonstrations
from inverseq.inverse.problem import Problem, Progress, Solver
from inverseq.mdp import MDP, as_one
from inverseq.mdp.build import bytes_of_fit
from inverseq.policies import TabularPolicy

Found = TypeVar("Found")
_ROUNDING = 1e-6
"""By how much probabilities may miss 1."""


def fit(
    data: Demonstrations | Counts,
    solver: Solver[Found],
    mdp: MDP | Mapping[str, MDP] | None = None,
    *,
    weights: Float[np.ndarray, " N"] | None = None,
    accept_failure: bool = False,
    progress: Progress | None = None,
) -> Found:
    """Explain behaviour.

    Args:
        data: Demonstrations, or `Counts` where the solver needs no more.
        solver: Settings of the way to explain them, such as `IAVI()`.
        mdp: The world; or, by name, the worlds that share one reward (each trajectory names its
            own in the column "world"). Solvers that only count need none.
        weights: `[N]` weight of each decision; 1 where left out.
        accept_failure: Return a solution whose status is not "converged" instead of raising.
        progress: Called with (what, steps done, steps in all) while fitting.

    Returns:
        The solution, with provenance: a `Solution`, or the record of several that solvers such as
        `Intentions` find.

    Raises:
        InputError: The input cannot be used, its tables of states and actions do not fit into
            memory, or the solver returns no solution; the message says what to do.
        FitError: The solver did not converge and `accept_failure` is false, or the result is not
            finite.
    """
    if isinstance(solver, type) or not isinstance(solver, Solver):
        given = f"the class {solver.__name__}" if isinstance(solver, type) else repr(type(solver))
        raise InputError(f"a solver is a record of settings, such as IAVI(); got {given}")
    if not isinstance(data, Counts):
        check_demonstrations(data, "fit")
    world = as_one(mdp)
    counts_only = isinstance(data, Counts)
    if counts_only and weights is not None:
        raise InputError("counts are weighted already; give weights with the demonstrations")
    demonstrations = None if isinstance(data, Counts) else data
    counts = data if isinstance(data, Counts) else None
    if world is not None:
        require_room(
            bytes_of_fit(world.allowed.size),
            f"a fit in a world of {world.num_states:,} states and {world.num_actions:,} actions",
            "join states so that there are fewer (bins, or a coarser column)",
        )
    started = time.perf_counter()
    solution: Any = solver.solve(Problem(demonstrations, world, counts, weights, progress))
    _check_solution(solution, solver)
    # Several intentions are several solutions, and numbers of their own.
    for part in (solution, *solution.intentions):
        _check_finite(part)
        _check_table(part)
    ended = solution.status
    told = f"{solution.solver}: {ended.outcome} after {ended.steps} steps"
    if ended.outcome is not Outcome.CONVERGED:
        told += f" (residual {ended.residual:.3g}). {ended.message}"
        if not accept_failure:
            raise FitError(told)
        log.warning(told)
    else:
        log.info("%s, %.2f s", told, time.perf_counter() - started)
    provenance = _provenance(data) | dict(solution.provenance)
    return cast(Found, replace(solution, provenance=provenance))


def _check_solution(found: object, solver: object) -> None:
    """Raise an `InputError` where a solver has returned something else."""
    if not isinstance(found, Explanation):
        raise InputError(
            f"{type(solver).__name__}.solve must return a solution, inverseq.Solution(...) for "
            f"example; got a {type(found).__name__}"
        )


def _check_finite(solution: Any) -> None:
    """Raise a `FitError` naming the first field that is not finite."""
    fields = {n: getattr(solution, n, None) for n in ("reward", "q", "v")}
    if isinstance(table := getattr(solution, "policy", None), TabularPolicy):
        fields["policy"] = table.table
    for name, values in {**fields, **solution.parameters}.items():
        if values is not None and not np.isfinite(values).all():
            raise FitError(
                f"{solution.solver}: {name} is not finite. {solution.status.message} "
                "Use more smoothing or a stronger prior, or a lower discount."
            )


def _check_table(solution: Any) -> None:
    """Raise an `InputError` naming the first state in which a policy is no distribution."""
    policy = getattr(solution, "policy", None)
    if not isinstance(policy, TabularPolicy):
        return
    sums = policy.table.sum(axis=1)
    wrong = (np.abs(sums - 1) > _ROUNDING) | (policy.table < 0).any(axis=1)
    if wrong.any():
        state = int(np.argmax(wrong))
        raise InputError(
            f"{solution.solver}: the policy of state {state} is no distribution (its smallest "
            f"number is {policy.table[state].min():.4g}, they sum to {sums[state]:.6g}); give "
            "probabilities of actions, 0 where one does not exist"
        )


def _provenance(data: Demonstrations | Counts) -> dict[str, object]:
    """Where a solution comes from."""
    made: dict[str, object] = {
        "inverseq": version("inverseq"),
        "numpy": version("numpy"),
        "scipy": version("scipy"),
    }
    if isinstance(data, Demonstrations):
        made |= {
            "source": data.source,
            "data_sha256": data.fingerprint,
            "decisions": int(data.acted.sum()),
            "trajectories": data.num_trajectories,
        }
    return made
