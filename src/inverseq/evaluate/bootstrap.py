"""Intervals by resampling trajectories, sessions or subjects (Efron 1979).

Percentile intervals, widened for few units as Hesterberg 2015 ("What teachers should know about the
bootstrap", The American Statistician 69) advises: with nine animals the plain ones are too narrow.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from functools import partial
from typing import Any

import numpy as np
from jaxtyping import Bool, Float
from joblib import Parallel, delayed
from scipy import sparse
from scipy.stats import norm
from scipy.stats import t as student

from inverseq._core.arrays import frozen_array, require_shape
from inverseq._core.errors import InputError
from inverseq.counts import Counts, count
from inverseq.demonstrations import Demonstrations
from inverseq.inverse.fit import fit
from inverseq.inverse.iavi import IAVI, smoothed_policy
from inverseq.inverse.problem import Problem, Progress, Solver
from inverseq.inverse.solution import Solution
from inverseq.mdp import MDP, unite

_BATCH_CELLS = 1_000_000  # numbers of one array of a batch: 8 MB, and some ten such at a time


@dataclass(frozen=True, eq=False)
class Interval:
    """An estimate and the percentile interval around it, widened for few units.

    Attributes:
        estimate: What the data themselves give.
        low: Lower end.
        high: Upper end.
        level: How often such intervals should hold the truth.
    """

    estimate: Float[np.ndarray, "..."]
    low: Float[np.ndarray, "..."]
    high: Float[np.ndarray, "..."]
    level: float


@dataclass(frozen=True, eq=False)
class Bootstrap:
    """What R fits to resampled data found.

    Attributes:
        estimate: The fit to the data themselves.
        by: What was resampled.
        units: How many of these there are.
        seed: Which random choice.
        level: Of the intervals, unless asked otherwise.
        converged: `[R]` whether each fit did.
        rewards: `[R, S, A]`, or None where only contrasts were kept or the solver has none.
        parameters: Each free parameter of the solver, `[R, ...]`.
        contrasts: Value of each contrast that was asked for by name, `[R]`, and under it, in
            `estimates`, the value of the data.
        estimates: The contrasts of the data.
    """

    estimate: Solution
    by: str
    units: int
    seed: int
    level: float
    converged: Bool[np.ndarray, " R"]
    rewards: Float[np.ndarray, "R S A"] | None = None
    parameters: Mapping[str, Float[np.ndarray, "R ..."]] = field(default_factory=dict)
    contrasts: Mapping[str, Float[np.ndarray, " R"]] = field(default_factory=dict)
    estimates: Mapping[str, float] = field(default_factory=dict)


def bootstrap(
    data: Demonstrations | Counts,
    solver: Solver,
    mdp: MDP | Mapping[str, MDP],
    *,
    seed: int,
    by: str = "trajectory",
    replicates: int = 1000,
    level: float = 0.95,
    contrasts: Mapping[str, Float[np.ndarray, "S A"]] | None = None,
    jobs: int = -1,
    progress: Progress | None = None,
) -> Bootstrap:
    """Fit `replicates` samples of the units of the data, drawn with replacement.

    Decisions of one animal, or of one trajectory, resemble each other; what is resampled must be
    what is independent. For IAVI all replicates are right-hand sides of one factorisation. Other
    solvers are fitted again to each replicate, on all cores; what they chose from the data (the
    strength of a prior) stays as it was, and intervals do not show the doubt about that choice.

    The interval says how the estimate would vary with other data of this kind. It knows nothing of
    the choice among equivalent rewards (`identify` does), nor, in states that were never visited,
    of anything but the smoothing.

    Args:
        data: Demonstrations, or `Counts` with units.
        solver: Settings of the fit.
        mdp: The world, or worlds by name.
        seed: Which random choice.
        by: What is resampled: "trajectory", "session", "subject", any trajectory column. Counts
            bring their own units.
        replicates: R.
        level: How often the intervals should hold the truth.
        contrasts: `[S, A]` weights by name; where given, only these contrasts of the rewards are
            kept, which saves memory in large worlds.
        jobs: Processes for solvers other than IAVI; -1 for all cores.
        progress: Called with (what, replicates done, replicates in all).

    Returns:
        Rewards, parameters or contrasts of all replicates, for `interval`.

    Raises:
        InputError: There are fewer than two units, or a setting does not fit.
        FitError: The fit to the data themselves did not converge.
    """
    if replicates < 1:
        raise InputError(f"replicates must be 1 or more; got {replicates}")
    _check_level(level)
    world = unite(mdp) if isinstance(mdp, Mapping) else mdp
    counts = data if isinstance(data, Counts) else count(data, world, by=by)
    units = counts.units
    if units is None:
        raise InputError("these counts have no units to resample; count(demonstrations, mdp, by=)")
    if units.shape[0] < 2:
        raise InputError(
            f"there is only one {by} to resample; group by something finer, or add data"
        )
    estimate = fit(data, solver, world)
    named = {} if contrasts is None else {k: _flat(v, world, k) for k, v in contrasts.items()}
    reward = np.zeros(0) if estimate.reward is None else estimate.reward.ravel()
    if named and estimate.reward is None:
        raise InputError(f"{estimate.solver} has no reward of which to take contrasts")
    if isinstance(solver, IAVI):
        batches = _iavi_batches(solver, world, units, replicates, seed)
    else:
        fixed = _as_chosen(solver, estimate)
        unit_of = None
        if isinstance(data, Demonstrations):
            unit_of = data.units(by)[data.trajectory_of]
        refit = partial(_refit, data, fixed, estimate, world, units, unit_of)
        tasks = (delayed(refit)(w[0]) for w in _weights(units.shape[0], replicates, 1, seed))
        batches = Parallel(n_jobs=jobs, return_as="generator")(tasks)
    kept = _collect(batches, named, replicates, progress)
    if kept["rewards"] is not None:
        kept["rewards"] = kept["rewards"].reshape(-1, world.num_states, world.num_actions)
    return Bootstrap(
        estimate=estimate,
        by="unit" if isinstance(data, Counts) else by,
        units=units.shape[0],
        seed=seed,
        level=level,
        estimates={k: float(reward @ c) for k, c in named.items()},
        **kept,
    )


def interval(
    made: Bootstrap,
    contrast: Float[np.ndarray, "S A"] | str | None = None,
    *,
    level: float | None = None,
) -> Interval:
    """The percentile interval of the reward, of a contrast of it, or of a parameter.

    The ends are quantiles of the replicates, a little further out than `level` says: at
    Phi(-sqrt(U / (U - 1)) t), with t of Student's distribution of U - 1 degrees, for U units.
    With many units these are the plain percentiles.

    Args:
        made: By `bootstrap`.
        contrast: `[S, A]` weights, for their sum with the reward; a name, for a contrast that was
            kept or a parameter of the solver; None for every entry of the reward.
        level: How often it should hold the truth; that of the bootstrap where left out.

    Raises:
        InputError: The rewards were not kept, or there is nothing of that name.
    """
    level = made.level if level is None else level
    _check_level(level)
    if isinstance(contrast, str):
        estimate, draws = _named(made, contrast)
    elif made.rewards is None or made.estimate.reward is None:
        raise InputError(
            f"rewards were not kept; ask for one of {[*made.contrasts, *made.parameters]} by name"
        )
    elif contrast is None:
        estimate, draws = made.estimate.reward, made.rewards
    else:
        require_shape(contrast, made.rewards.shape[1:], "contrast", "S, A")
        weights = np.asarray(contrast, dtype=np.float64)
        estimate = np.asarray((weights * made.estimate.reward).sum())
        draws = np.tensordot(made.rewards, weights, axes=2)
    return percentiles(estimate, draws, made.units, level)


def percentiles(
    estimate: Float[np.ndarray, "*shape"],
    draws: Float[np.ndarray, "R *shape"],
    units: int,
    level: float,
) -> Interval:
    """The interval between the percentiles of R draws, widened for few units as in `interval`."""
    few = units / (units - 1)
    outside = norm.cdf(np.sqrt(few) * student.ppf((1 - level) / 2, units - 1))
    low, high = np.quantile(draws, [outside, 1 - outside], axis=0)
    return Interval(np.asarray(estimate), np.asarray(low), np.asarray(high), level)


@dataclass(frozen=True, eq=False)
class _Batch:
    """Some replicates: rewards `[r, S * A]`, parameters, and whether they converged."""

    rewards: np.ndarray | None
    parameters: dict[str, np.ndarray]
    converged: np.ndarray


def _weights(
    units: int, replicates: int, size: int, seed: int
) -> Iterator[Float[np.ndarray, "r U"]]:
    """How often each unit is drawn in each replicate, `size` replicates at a time."""
    rng = np.random.default_rng(seed)
    for first in range(0, replicates, size):
        rows = min(size, replicates - first)
        drawn = rng.integers(0, units, (rows, units)) + units * np.arange(rows)[:, None]
        times = np.bincount(drawn.ravel(), minlength=rows * units)
        yield times.reshape(rows, units).astype(np.float64)


def _iavi_batches(
    solver: IAVI, mdp: MDP, units: sparse.csr_array, replicates: int, seed: int
) -> Iterator[_Batch]:
    """Replicates of IAVI: right-hand sides of one factorisation."""
    cells = max(mdp.num_states * mdp.num_actions, units.shape[0])
    size = max(1, min(replicates, _BATCH_CELLS // cells))
    by_cell = units.T.tocsr()
    for weights in _weights(units.shape[0], replicates, size, seed):
        drawn = (by_cell @ weights.T).reshape(mdp.num_states, mdp.num_actions, -1)
        made = solver.explain(smoothed_policy(drawn, mdp, solver.smoothing), mdp)
        rewards = made.reward.reshape(-1, len(weights)).T
        yield _Batch(rewards, {}, np.full(len(weights), made.status.ok))


def _refit(
    data: Demonstrations | Counts,
    solver: Solver,
    estimate: Solution,
    mdp: MDP,
    units: sparse.csr_array,
    unit_of: np.ndarray | None,
    weights: np.ndarray,
) -> _Batch:
    """One replicate; the search starts from the fit to the data themselves."""
    drawn = np.asarray(units.T @ weights).reshape(mdp.num_states, mdp.num_actions)
    if isinstance(data, Demonstrations) and unit_of is not None:
        problem = Problem(data, mdp, Counts(drawn), weights[unit_of], near=estimate)
    else:
        problem = Problem(None, mdp, Counts(drawn), near=estimate)
    made = solver.solve(problem)
    rewards = None if made.reward is None else made.reward.reshape(1, -1)
    parameters = {k: np.asarray(v)[None] for k, v in made.parameters.items()}
    return _Batch(rewards, parameters, np.array([made.status.ok]))


def _as_chosen(solver: Solver, estimate: Solution) -> Solver:
    """The solver with what it chose from the data written into its settings."""
    chosen = {
        f.name: estimate.settings[f.name]
        for f in fields(solver)  # pyright: ignore[reportArgumentType]
        if getattr(solver, f.name) is None and estimate.settings.get(f.name) is not None
    }
    return replace(solver, **chosen) if chosen else solver  # pyright: ignore[reportArgumentType]


def _collect(
    batches: Iterator[_Batch],
    named: Mapping[str, np.ndarray],
    replicates: int,
    progress: Progress | None,
) -> dict[str, Any]:
    """The batches behind each other: fields of `Bootstrap`."""
    rewards, parameters, converged = [], [], []
    for batch in batches:
        if batch.rewards is not None:
            rewards.append(
                np.stack([batch.rewards @ c for c in named.values()]) if named else batch.rewards
            )
        parameters.append(batch.parameters)
        converged.append(batch.converged)
        if progress is not None:
            progress("bootstrap", sum(map(len, converged)), replicates)
    made = {
        "converged": np.concatenate(converged),
        "parameters": {k: np.concatenate([p[k] for p in parameters]) for k in parameters[0]},
    }
    if named:
        values = dict(zip(named, np.concatenate(rewards, axis=1), strict=True))
        return made | {"contrasts": values, "rewards": None}
    return made | {"rewards": np.concatenate(rewards) if rewards else None}


def _named(made: Bootstrap, name: str) -> tuple[np.ndarray, np.ndarray]:
    """Estimate and draws of a contrast or a parameter."""
    if name in made.contrasts:
        return np.asarray(made.estimates[name]), made.contrasts[name]
    if name in made.parameters:
        return np.asarray(made.estimate.parameters[name]), made.parameters[name]
    raise InputError(f"nothing is named {name!r}; there are {[*made.contrasts, *made.parameters]}")


def _flat(values: np.ndarray, mdp: MDP, name: str) -> Float[np.ndarray, " SA"]:
    """A checked contrast as one row."""
    array = frozen_array(values, np.float64, f"contrast {name!r}")
    require_shape(array, (mdp.num_states, mdp.num_actions), f"contrast {name!r}", "S, A")
    return array.ravel()


def _check_level(level: float) -> None:
    """Raise an `InputError` unless `level` is a share."""
    if not 0 < level < 1:
        raise InputError(f"level must lie between 0 and 1, 0.95 for example; got {level}")
