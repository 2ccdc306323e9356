"""How often intervals hold the truth: gauge-fixed contrasts, and ranks of truths in posteriors."""

from dataclasses import replace
from functools import partial

import numpy as np

from inverseq import plot
from inverseq.decisions.counts import count
from inverseq.demonstrations import concatenate
from inverseq.evaluate.bootstrap import bootstrap
from inverseq.evaluate.identifiability import contrast
from inverseq.evaluate.intervals import interval
from inverseq.evaluate.ranks import ranks_of
from inverseq.evaluate.sandwich import sandwich
from inverseq.forward import simulate, soft_policy_iteration
from inverseq.inverse.drift.solver import Drifting, drift_of
from inverseq.inverse.fit import fit
from inverseq.inverse.maxent.causal import MaxEnt
from inverseq.inverse.values.iavi import IAVI, inverse_action_values
from inverseq.mdp import MDP
from inverseq.studies.honesty import Settings
from inverseq.studies.run import Result
from inverseq.studies.study import Effort

STEPS = 20
"""Decisions of a trajectory, which is the unit."""

GAUGES = ("zero-mean", "state-only", "minimum-norm")
_WEIGHTS = MaxEnt("features", strength=0.1)
_CONTRASTS, _LEAST = 8, 20
FIRST, STEP, MOMENTS = 1.0, 0.3, 4
"""Of the walks whose posteriors are ranked."""


def world(seed: int, states: int) -> MDP:
    """Three actions to two of the next states each, three features."""
    rng = np.random.default_rng(seed)
    return MDP(
        successors=rng.integers(0, states, (states, 3, 2)),
        probabilities=rng.dirichlet(np.ones(2), (states, 3)),
        discount=0.9,
        features=rng.normal(size=(states, 3, 3)),
    )


def held(
    seed: int, states: int, decisions: int, scale: float, *, replicates: int
) -> dict[str, float]:
    """Share of intervals that hold the truth, by how they were made, in one world."""
    mdp, rng = world(seed, states), np.random.default_rng(seed)
    weights = scale * rng.normal(size=3)
    policy = soft_policy_iteration(mdp, mdp.features @ weights).policy
    data = simulate(mdp, policy, trajectories=decisions // STEPS, steps=STEPS, seed=seed)
    counts = count(data, mdp)
    seen = np.argwhere(counts.state_action >= _LEAST)
    pairs = [seen[rng.choice(len(seen), 2, replace=False)] for _ in range(_CONTRASTS)]
    asked = {str(n): contrast(mdp, tuple(a), tuple(b)) for n, (a, b) in enumerate(pairs)}
    made: dict[str, float] = {}
    for gauge in GAUGES:
        solver = IAVI(backup="soft", gauge=gauge)
        drawn = bootstrap(
            counts, solver, mdp, seed=seed, replicates=replicates, jobs=1, contrasts=asked
        )
        truth = inverse_action_values(policy, mdp, backup="soft", gauge=gauge).reward
        made[f"IAVI, {gauge}"] = float(np.mean([
            end.low <= (values * truth).sum() <= end.high
            for name, values in asked.items()
            for end in (interval(drawn, name),)
        ]))  # fmt: skip
    ends = interval(sandwich(counts, _WEIGHTS, mdp), "weights")
    made["MaxEnt on features"] = float(((ends.low <= weights) & (weights <= ends.high)).mean())
    return made


def ranked(seed: int, states: int, decisions: int) -> tuple[float, float, float]:
    """A truth drawn from the prior of a walk, and mean and standard deviation of its posterior."""
    mdp, rng = world(seed, states), np.random.default_rng(seed)
    steps = np.vstack([FIRST * rng.normal(size=(1, 3)), STEP * rng.normal(size=(MOMENTS - 1, 3))])
    walk, parts = steps.cumsum(axis=0), []
    for day, weights in enumerate(walk):
        policy = soft_policy_iteration(mdp, mdp.features @ weights).policy
        many = max(decisions // STEPS // MOMENTS, 1)
        made = simulate(mdp, policy, trajectories=many, steps=STEPS, seed=seed + 7919 * day)
        parts.append(
            replace(made, trajectories=dict(made.trajectories) | {"day": np.repeat(day, many)})
        )
    solver = Drifting(MaxEnt("features"), over="day", step=STEP, first=FIRST)
    found = drift_of(fit(concatenate(parts), solver, mdp))[""]
    at = int(rng.integers(MOMENTS)), int(rng.integers(3))
    return float(walk[at]), float(found.weights[at]), float(found.spread[at])


def run(settings: Settings, effort: Effort) -> Result:
    """Both, over worlds, sizes and temperatures."""
    kinds = [
        (states, decisions, scale)
        for states in settings.states
        for decisions in settings.sizes
        for scale in settings.scales
    ]
    tasks = [(effort.seed + n, *kind) for kind in kinds for n in range(settings.covered)]
    found = effort.each("intervals", partial(held, replicates=settings.replicates), tasks)
    rows = []
    for number, (states, decisions, scale) in enumerate(kinds):
        part = found[number * settings.covered : (number + 1) * settings.covered]
        means = {name: round(float(np.mean([one[name] for one in part])), 4) for name in part[0]}
        rows.append({"states": states, "decisions": decisions, "scale": scale} | means)
    names = [*found[0]]
    total = {name: float(np.mean([one[name] for one in found])) for name in names}
    drawn = [
        (effort.seed + n, settings.states[0], settings.sizes[0]) for n in range(settings.ranked)
    ]
    truths, means, spreads = np.array(effort.each("posteriors", ranked, drawn)).T
    ranks = ranks_of(truths, means, spreads)
    figure, (left, right) = plot.canvas(8.0, 3.0, columns=2)
    sizes = np.array(settings.sizes, dtype=float)
    of_size = [[row for row in rows if row["decisions"] == size] for size in settings.sizes]
    by_size = np.array([[np.mean([row[name] for row in own]) for own in of_size] for name in names])
    plot.curves(
        sizes, by_size, np.zeros_like(by_size), names,
        x_name="decisions", unit="intervals that hold the truth", ax=left,
    )  # fmt: skip
    left.axhline(0.95, color="grey", lw=1.0, ls="--")
    left.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=2)
    right.bar(np.arange(10) / 10 + 0.05, ranks.bins, width=0.09)
    right.axhline(truths.size / 10, color="grey", lw=1.0, ls="--")
    right.set_xlabel("share of the posterior below the truth")
    sentences = (
        "Intervals of 95 % hold the truth: "
        + ", ".join(f"{name} {share:.1%}" for name, share in total.items())
        + ".",
        f"Of {truths.size} truths drawn from the prior of a walk, {ranks.covered:.1%} lie in the "
        f"middle 95 % of their posteriors; evenness of ranks p = {ranks.p_value:.2f}.",
    )
    told = [{"tenth": n + 1, "truths": int(many)} for n, many in enumerate(ranks.bins)]
    return Result({"intervals": rows, "ranks": told}, {"coverage": figure}, sentences)
