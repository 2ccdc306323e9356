"""The strength of MaxEnt's prior, and how sure it is: second derivatives against slopes alone."""

from dataclasses import replace
from typing import Any

import numpy as np
from scipy.optimize import minimize

from benchmarks.measure import cpu_seconds, row, seconds
from inverseq.datasets import load
from inverseq.decisions.counts import count
from inverseq.evaluate.bootstrap import bootstrap
from inverseq.evaluate.sandwich import sandwich
from inverseq.inverse.fit import fit
from inverseq.inverse.maxent.causal import MaxEnt
from inverseq.inverse.maxent.objective import Model, log_likelihood, log_likelihood_and_gradient
from inverseq.rewards.linear import make_design


def run(small: bool = False) -> list[dict[str, Any]]:
    mice = load("mice")
    data = mice.demonstrations.select(split="train")
    if small:
        data = data.take(np.arange(20))
    solver = MaxEnt("state-actions")
    rows = []
    for memory in (1,) if small else (1, 2):
        mdp = mice.mdp.with_history(memory)
        ours = cpu_seconds(lambda mdp=mdp: fit(data, solver, mdp), 1 if small else 3)
        other = cpu_seconds(lambda mdp=mdp: fold_by_fold(solver, data, mdp))
        what = f"strength of MaxEnt's prior, {int(mdp.allowed.sum())} weights, mice"
        slopes = f"{seconds(other)} by slopes, fold by fold"
        rows.append(row(what, f"{seconds(ours)} CPU", other=slopes, ratio=other / ours))
    known = fit(data, MaxEnt("states", strength=1.0), mice.mdp)
    fixed, number = replace(solver, reward="states", strength=1.0), 20 if small else 1000
    for what, work in (
        (f"{number:,} bootstrap rewards of it on states", lambda: resampled(fixed, data, number)),
        ("its sandwich", lambda: sandwich(data, fixed, mice.mdp, estimate=known)),
    ):
        rows.append(row(what, f"{seconds(cpu_seconds(work))} CPU"))
    return rows


def resampled(solver: MaxEnt, data: Any, replicates: int) -> None:
    """All replicates, each converged."""
    made = bootstrap(data, solver, load("mice").mdp, replicates=replicates, seed=1)
    assert made.converged.all()


def fold_by_fold(solver: MaxEnt, data: Any, mdp: Any) -> float:
    """The strength chosen by L-BFGS on each fold, from strong to weak, and a last fit to all."""
    model = Model(mdp, make_design(mdp, solver.reward, solver.prior))
    units = count(data, mdp).units
    fold = np.random.default_rng(solver.seed).permutation(units.shape[0]) % solver.folds
    scores = dict.fromkeys(sorted(solver.strengths, reverse=True), 0.0)
    parts = [np.asarray(units[fold == k].sum(0)).reshape(mdp.allowed.shape) for k in range(5)]
    counts = sum(parts)
    for part in parts:
        weights = np.zeros(model.design.num_weights)
        for strength in scores:
            weights = _climb(model, counts - part, strength, weights)
            scores[strength] += float(log_likelihood(mdp, model.plan(weights).q, part))
    best = max(scores, key=scores.__getitem__)
    _climb(model, counts, best, weights)
    return best


def _climb(model: Model, counts: np.ndarray, strength: float, start: np.ndarray) -> np.ndarray:
    """L-BFGS-B of SciPy, planning from the last plan, to the tolerance of MaxEnt."""
    total, last = counts.sum(), [None]

    def objective(weights: np.ndarray) -> tuple[float, np.ndarray]:
        value, slope, last[0] = log_likelihood_and_gradient(model, counts, weights, last[0])
        cost = 0.5 * strength * float(weights @ weights) - value
        return cost / total, (strength * weights - slope) / total

    options = {"gtol": 1e-6, "ftol": 1e-14, "maxiter": 2000, "maxcor": 20}
    return minimize(objective, start, jac=True, method="L-BFGS-B", options=options).x
