"""Fits to resampled trajectories, sessions or subjects (Efron 1979)."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields, is_dataclass, replace
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int
from scipy import sparse

from inverseq._core.arrays import frozen_array, require_shape
from inverseq._core.engine import Keep, run
from inverseq._core.errors import InputError
from inverseq.decisions.counts import Counts, count
from inverseq.demonstrations import Demonstrations
from inverseq.evaluate.drawn import PRIOR_DRAWS, Prior, as_found, prior_of, unit_weights
from inverseq.evaluate.intervals import Bootstrap, check_level
from inverseq.intentions.labels import renumber
from inverseq.intentions.solution import IntentionSolution
from inverseq.intentions.solver import Intentions
from inverseq.inverse.explanation import Explanation, check_demonstrations
from inverseq.inverse.fit import fit
from inverseq.inverse.problem import Problem, Progress, Refits, Refitted, Solver
from inverseq.inverse.solution import Solution
from inverseq.mdp import MDP, as_one

_BATCH_CELLS = 1_000_000  # numbers of one array of a batch: 8 MB, and some ten such at a time


def bootstrap(
    data: Demonstrations | Counts,
    solver: Solver,
    mdp: MDP | Mapping[str, MDP] | None = None,
    *,
    seed: int,
    by: str = "trajectory",
    replicates: int = 1000,
    level: float = 0.95,
    contrasts: Mapping[str, Float[np.ndarray, "S A"]] | None = None,
    jobs: int | None = -1,
    progress: Progress | None = None,
    keep: Keep | None = None,
) -> Bootstrap:
    """Fit `replicates` samples of the units of the data.

    Decisions of one animal, or of one trajectory, resemble each other; what is resampled must be
    what is independent. Units are drawn with replacement, and what a prior says is drawn as well
    (posterior bootstrap: Rubin 1981; Fong, Lyddon and Holmes 2019): how little an action is wanted
    that was never taken then varies by as much as is not known of it. For `IAVI`, whose prior is
    decisions, and `IQL(method="exact")`, for which half a decision of each kind is added, which led
    where the world says, units have random weights; for `MaxEnt`, the weights that its prior
    expects are drawn. `Interval.prior_share` says how much of a spread that is.

    Solvers that can refit many counts at once do so: for IAVI all replicates
    are right-hand sides of one factorisation, MaxEnt takes Newton steps from the fit to the data.
    Others are fitted again to each replicate, on all cores. What was chosen from the data (the
    strength of a prior) stays as it was, and intervals do not show the doubt about that choice.
    `Intentions` are fitted again to the trajectories that were drawn, each search beginning at the
    fit to the data, and each intention numbered as there.

    The interval says how the estimate would vary with other data of this kind. It knows nothing of
    the choice among equivalent rewards (`identify` does).

    Args:
        data: Demonstrations, or `Counts` with units.
        solver: Settings of the fit.
        mdp: The world, or worlds by name; None for solvers that need none.
        seed: Which random choice.
        by: What is resampled: "trajectory", "session", "subject", any trajectory column. Counts
            bring their own units.
        replicates: R.
        level: How often the intervals should hold the truth.
        contrasts: `[S, A]` weights by name; where given, only these contrasts of the rewards are
            kept, which saves memory in large worlds.
        jobs: Processes for solvers that fit each replicate by itself; -1 for all cores.
        progress: Called with (what, replicates done, replicates in all).
        keep: Folder of finished replicates, as in `compare`.

    Returns:
        Rewards, parameters or contrasts of all replicates, for `interval`.

    Raises:
        InputError: There are fewer than two units, or a setting does not fit.
        FitError: The fit to the data themselves did not converge.
    """
    if replicates < 1:
        raise InputError(f"replicates must be 1 or more; got {replicates}")
    check_level(level)
    if not isinstance(data, Counts):
        check_demonstrations(data, "bootstrap")
    world = as_one(mdp)
    units = _units(data, world, by)
    if units.number < 2:
        raise InputError(
            f"there is only one {by} to resample; group by something finer, or add data"
        )
    estimate = fit(data, solver, world)
    named = {} if contrasts is None else {k: _flat(v, estimate, k) for k, v in contrasts.items()}
    several = len(estimate.intentions) > 1
    prior = prior_of(solver, seed)
    size, backend = 1, None
    if isinstance(solver, Refits) and isinstance(estimate, Solution) and units.cells is not None:
        size = max(1, min(replicates, _BATCH_CELLS // max(units.cells.shape)))
        backend = "sequential"
        refit = partial(_refit_batch, solver, prior, estimate, units.cells.T.tocsr())
    else:
        again = _refit_drawn if several else _refit
        refit = partial(again, data, _as_chosen(solver, estimate), prior, estimate, world, units)
    # Chains of intentions have no half weights.
    smooth = prior is not None and prior.of_decisions and not several
    made = _joined(
        list(
            run(
                partial(_contrasted, refit, tuple(named.values())),
                unit_weights(units.number, replicates, size, seed, smooth=smooth),
                -(-replicates // size),
                what="bootstrap",
                jobs=jobs,
                backend=backend,
                keep=keep,
                progress=None
                if progress is None
                else lambda what, done, _: progress(what, min(done * size, replicates), replicates),
            )
        ),
        axis=1 if named else 0,
    )
    shared = {
        "by": (data.by or "unit") if isinstance(data, Counts) else by,
        "units": units.number,
        "seed": seed,
        "level": level,
    }
    records = []
    for number, (one, part) in enumerate(zip(estimate.intentions, made.parts, strict=True)):
        record = _record(one, part, made.converged, named, shared)
        if prior is not None:
            draws = min(replicates, PRIOR_DRAWS)
            whole = Problem(data if isinstance(data, Demonstrations) else None, world)
            alone = _prior_alone(prior, whole, one, number, draws, size, named)
            own = _record(one, alone, np.ones(draws, dtype=bool), named, shared)
            record = replace(record, prior=own)
        records.append(record)
    if not several:
        return records[0]
    return Bootstrap(
        estimate=estimate,
        converged=made.converged,
        parameters=made.parameters,
        intentions=tuple(records),
        **shared,
    )


def _record(
    estimate: Solution,
    part: "_Part",
    converged: Bool[np.ndarray, " R"],
    named: Mapping[str, np.ndarray],
    shared: dict[str, Any],
) -> Bootstrap:
    """Replicates of one solution."""
    reward = np.zeros(0) if estimate.reward is None else estimate.reward.ravel()
    rewards, contrasts = part.rewards, {}
    if named:
        contrasts = dict(zip(named, np.asarray(rewards), strict=True))
        rewards = None
    elif rewards is not None and estimate.mdp is not None:
        rewards = rewards.reshape(-1, *estimate.mdp.allowed.shape)
    return Bootstrap(
        estimate=estimate,
        converged=converged,
        rewards=rewards,
        parameters=part.parameters,
        contrasts=contrasts,
        estimates={k: float(reward @ c) for k, c in named.items()},
        **shared,
    )


class _Part(NamedTuple):
    """Replicates of one solution: rewards `[r, S * A]` (or contrasts `[C, r]`), and parameters."""

    rewards: np.ndarray | None
    parameters: dict[str, np.ndarray]


class _Batch(NamedTuple):
    """Some replicates of each intention, parameters they share, and whether they converged."""

    parts: tuple[_Part, ...]
    parameters: dict[str, np.ndarray]
    converged: np.ndarray


class _Units(NamedTuple):
    """What is resampled: counts of each unit `[U, S * A]` in a world, and unit of each row."""

    number: int
    cells: sparse.csr_array | None
    of_row: np.ndarray | None
    of_trajectory: np.ndarray | None


def _units(data: Demonstrations | Counts, world: MDP | None, by: str) -> _Units:
    """The units of the data.

    Raises:
        InputError: Counts have none.
    """
    if isinstance(data, Counts):
        if data.units is None:
            raise InputError(
                "these counts have no units to resample; make them with count(demonstrations, mdp, "
                "by=...) or count_file(path, by=...)"
            )
        return _Units(data.units.shape[0], data.units, None, None)
    units = data.units(by)
    cells = None if world is None else count(data, world, by=by).units
    return _Units(int(units.max()) + 1, cells, units[data.trajectory_of], units)


def _prior_alone(
    prior: Prior,
    problem: Problem,
    estimate: Solution,
    intention: int,
    draws: int,
    size: int,
    named: Mapping[str, np.ndarray],
) -> "_Part":
    """Rewards, or contrasts, of what the prior alone says, `size` draws at a time."""
    made = []
    for first in range(0, draws, size):
        numbers = np.arange(first, min(first + size, draws))
        found = _part(prior.alone(problem, estimate, numbers, intention))
        assert found.rewards is not None  # what has a prior that can be drawn has a reward
        made.append(found._replace(rewards=_kept(found.rewards, tuple(named.values()))))
    rewards = np.concatenate([part.rewards for part in made], axis=1 if named else 0)
    return _Part(rewards, _stacked([part.parameters for part in made]))


def _refit_batch(
    solver: Refits,
    prior: Prior | None,
    estimate: Solution,
    by_cell: sparse.csr_array,
    weights: Float[np.ndarray, "r U"],
    numbers: Int[np.ndarray, " r"],
) -> _Batch:
    """Replicates of a solver that explains many counts at once."""
    assert estimate.mdp is not None  # there are counts in it
    counts = (by_cell @ weights.T).reshape(*estimate.mdp.allowed.shape, -1)
    if prior is None:
        made = solver.refit(counts, estimate)
    else:
        made = prior.refit(solver, estimate, counts, numbers)
    return _Batch((_part(made),), {}, made.converged)


def _refit(
    data: Demonstrations | Counts,
    solver: Solver,
    prior: Prior | None,
    estimate: Explanation,
    mdp: MDP | None,
    units: _Units,
    drawn: Float[np.ndarray, "1 U"],
    numbers: Int[np.ndarray, " 1"],
) -> _Batch:
    """One replicate by weights of decisions; the search starts from the fit to the data."""
    (weights,), counts = drawn, None
    if isinstance(data, Demonstrations) and mdp is not None and units.cells is not None:
        times = np.asarray(units.cells.T @ weights)
        counts = Counts(times.reshape(mdp.num_states, mdp.num_actions))
    elif isinstance(data, Counts) and units.cells is not None:
        # What a solver chooses between units is chosen between those that were drawn.
        own = sparse.csr_array(sparse.diags_array(weights) @ units.cells)
        total = np.asarray(own.sum(axis=0)).reshape(data.state_action.shape)
        counts = replace(data, state_action=total, units=own)
    rows = None if units.of_row is None else weights[units.of_row]
    demonstrations = data if isinstance(data, Demonstrations) else None
    problem = Problem(demonstrations, mdp, counts, rows, near=estimate)
    (near,) = estimate.intentions
    made = solver.solve(problem) if prior is None else prior.solve(solver, problem, near, numbers)
    (one,) = made.intentions
    found = as_found(one) if prior is None else prior.redraw(one, near, numbers)
    return _Batch((_part(found),), {}, np.array([made.status.ok]))


def _refit_drawn(
    data: Demonstrations,
    solver: Solver,
    prior: Prior | None,
    estimate: IntentionSolution,
    mdp: MDP | None,
    units: _Units,
    drawn: Float[np.ndarray, "1 U"],
    numbers: Int[np.ndarray, " 1"],
) -> _Batch:
    """One replicate by trajectories drawn, as chains of intentions have no half weights."""
    times = drawn[0, units.of_trajectory].astype(np.int64)
    sample = data.take(np.repeat(np.arange(data.num_trajectories), times))
    made = solver.solve(Problem(sample, mdp, near=estimate))
    made = renumber(made, estimate, data)
    shared = {k: np.asarray(v)[None] for k, v in made.parameters.items()}
    parts = (
        _part(as_found(one) if prior is None else prior.redraw(one, near, numbers, k))
        for k, (one, near) in enumerate(zip(made.intentions, estimate.intentions, strict=True))
    )
    return _Batch(tuple(parts), shared, np.array([made.status.ok]))


def _part(made: Refitted) -> _Part:
    """What is kept of replicates of one solution."""
    rewards = made.rewards.reshape(-1, made.rewards.shape[2]).T if made.rewards.size else None
    return _Part(rewards, dict(made.parameters))


def _as_chosen(solver: Solver, estimate: Explanation) -> Solver:
    """The solver with what it chose from the data written into its settings."""
    if isinstance(solver, Intentions):
        return replace(solver, solver=_as_chosen(solver.solver, estimate.intentions[0]))
    chosen = {
        f.name: estimate.settings[f.name]
        for f in (fields(solver) if is_dataclass(solver) else ())
        if getattr(solver, f.name) is None and estimate.settings.get(f.name) is not None
    }
    return replace(solver, **chosen) if chosen else solver  # pyright: ignore[reportArgumentType]


def _contrasted(
    refit: Callable[[np.ndarray, np.ndarray], _Batch],
    contrasts: tuple[Float[np.ndarray, " SA"], ...],
    weights: Float[np.ndarray, "r U"],
    numbers: Int[np.ndarray, " r"],
) -> _Batch:
    """Some replicates, with contrasts `[C, r]` in place of rewards where any were asked for."""
    made = refit(weights, numbers)
    parts = tuple(
        part if part.rewards is None else part._replace(rewards=_kept(part.rewards, contrasts))
        for part in made.parts
    )
    return made._replace(parts=parts)


def _kept(rewards: np.ndarray, contrasts: tuple[np.ndarray, ...]) -> np.ndarray:
    """Rewards `[r, S * A]`, or contrasts of them `[C, r]` where any were asked for."""
    return np.stack([rewards @ c for c in contrasts]) if contrasts else rewards


def _joined(batches: Sequence[_Batch], axis: int) -> _Batch:
    """The batches behind each other; `axis` is that of the replicates in rewards or contrasts."""
    parts = []
    for of_one in zip(*(batch.parts for batch in batches), strict=True):
        rewards = [part.rewards for part in of_one if part.rewards is not None]
        together = np.concatenate(rewards, axis=axis) if rewards else None
        parts.append(_Part(together, _stacked([part.parameters for part in of_one])))
    shared = _stacked([batch.parameters for batch in batches])
    return _Batch(tuple(parts), shared, np.concatenate([batch.converged for batch in batches]))


def _stacked(parameters: list[dict[str, np.ndarray]]) -> dict[str, np.ndarray]:
    """Each parameter, behind each other."""
    return {k: np.concatenate([p[k] for p in parameters]) for k in parameters[0]}


def _flat(values: np.ndarray, estimate: Explanation, name: str) -> Float[np.ndarray, " SA"]:
    """A checked contrast as one row."""
    mdp = estimate.mdp
    if mdp is None or any(one.reward is None for one in estimate.intentions):
        raise InputError(f"{estimate.solver} has no reward of which to take contrasts")
    array = frozen_array(values, np.float64, f"contrast {name!r}")
    require_shape(array, (mdp.num_states, mdp.num_actions), f"contrast {name!r}", "S, A")
    return array.ravel()
