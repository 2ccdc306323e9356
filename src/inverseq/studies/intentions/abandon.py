"""Part "abandon": the grid of the goal and of abandoning it (Zhu and others 2024, Section 5.1).

What is measured, how the published figures are made, and what a learner can reach at all is told
in `worlds.abandon`.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from jaxtyping import Float
from matplotlib.figure import Figure

from inverseq import plot
from inverseq.demonstrations import Demonstrations
from inverseq.evaluate.likelihood import log_likelihood
from inverseq.evaluate.rewards import squared_value_difference
from inverseq.forward import policy_iteration
from inverseq.forward.sweeps import swept_values
from inverseq.intentions.labels import match
from inverseq.intentions.solution import IntentionSolution
from inverseq.intentions.solver import Intentions
from inverseq.intentions.switching import DependentMarkov, Markov
from inverseq.inverse.fit import fit
from inverseq.inverse.maxent.causal import MaxEnt
from inverseq.inverse.values.iavi import IAVI
from inverseq.studies.intentions import Settings
from inverseq.studies.run import Result
from inverseq.studies.shapes import plain
from inverseq.studies.study import Effort
from inverseq.worlds import World
from inverseq.worlds.abandon import (
    goal_abandon,
    goal_abandon_demonstrations,
    goal_abandon_rewards,
)

SIZES = (24, 32, 64, 128, 256, 512, 1024)
"""Numbers of trajectories; four fifths of them are fitted."""

SMOOTHING = 0.01
"""Of IAVI: experts are deterministic, and 0.1 already costs as much as what is left to find."""

STOP = 1e-2
"""Change of a value at which the released evaluation stops."""

PUBLISHED = {"one map": (13.96, 45.55), "two maps": (5.58, 6.39)}
"""Expected value differences at 1,024 trajectories, goal and abandon."""

PLACE = DependentMarkov(("state",))

STATES = MaxEnt("states", strengths=(0.1, 1.0, 10.0))

METHODS: dict[str, Intentions] = {
    "one map": Intentions(1, IAVI(smoothing=SMOOTHING)),
    "two maps, Markov": Intentions(2, IAVI(smoothing=SMOOTHING), Markov()),
    "two maps, by state": Intentions(2, IAVI(smoothing=SMOOTHING), PLACE),
    "two maps, by state, smoothing 0.1": Intentions(2, IAVI(smoothing=0.1), PLACE),
    "two maps, by state, smoothing 1e-6": Intentions(2, IAVI(smoothing=1e-6), PLACE),
    "rewards of states, one": Intentions(1, STATES),
    "rewards of states, two, by state": Intentions(2, STATES, PLACE),
}
"""What is fitted. "Maps" are those of HIAVI; rewards of states are found by `MaxEnt`."""

CURVES = (
    "one map",
    "two maps, Markov",
    "two maps, by state",
    "rewards of states, two, by state",
)


def run(settings: Settings, effort: Effort) -> Result:
    """Value lost by what is learned from 24 to 1,024 trajectories, over five folds."""
    world = goal_abandon()
    sizes = (24, 48) if effort.small else SIZES
    folds = 2 if effort.small else 5
    data = goal_abandon_demonstrations(sizes[-1], seed=effort.seed, world=world)
    methods = ("one map", "two maps, by state") if effort.small else tuple(METHODS)
    tasks = [
        (name, data.take(range(size)), world, folds, settings.restarts, effort.seed)
        for name in methods
        for size in sizes
    ]
    rows = effort.each("goal or abandon", one_size, tasks)
    return Result({"scores": rows}, {"curves": draw_curves(rows, sizes)}, _sentences(rows, sizes))


def one_size(
    name: str, data: Demonstrations, world: World, folds: int, restarts: int, seed: int
) -> dict[str, Any]:
    """One method on one amount of data: means over folds and their standard errors."""
    solver = replace(METHODS[name], restarts=restarts, seed=seed)
    found = []
    for train, test in data.fold(folds, seed=seed):
        solution = fit(train, solver, world.mdp)
        policies, right = in_true_order(solution, train)
        exact = [value_difference(world, k, policy) for k, policy in enumerate(policies)]
        stopped = [stopped_difference(world, k, policy) for k, policy in enumerate(policies)]
        found.append([*exact, *stopped, right, float(log_likelihood(solution, test))])
    numbers = np.array(found)
    mean, error = numbers.mean(0), numbers.std(0, ddof=1) / np.sqrt(folds)
    names = ("goal", "abandon", "goal_stopped", "abandon_stopped", "right", "nats")
    row: dict[str, Any] = {"method": name, "trajectories": data.num_trajectories}
    for each, value, spread in zip(names, mean, error, strict=True):
        row |= {each: value} if each == "right" else {each: value, f"{each}_error": spread}
    return plain(row, 3)


def in_true_order(
    solution: IntentionSolution, train: Demonstrations
) -> tuple[list[np.ndarray], float]:
    """Policies for "goal" and "abandon", one for both where there is one; the share of training
    decisions with the right intention.

    The true intentions of the training data name those found, nothing more.
    """
    right = train.decisions["intention"]
    if solution.num_intentions == 1:
        policy = np.asarray(solution.intentions[0].policy)
        return [policy, policy], float("nan")
    place = match(np.eye(2)[right], solution.smoothed)
    policies = [np.asarray(solution.intentions[k].policy) for k in np.argsort(place)]
    return policies, float((place[solution.smoothed.argmax(1)] == right).mean())


def value_difference(world: World, k: int, policy: Float[np.ndarray, "S A"]) -> float:
    """Mean over all states of (V* - V)^2 under the true reward k, exactly."""
    reward = goal_abandon_rewards(world)[k]
    best = policy_iteration(world.mdp, reward).policy
    return squared_value_difference(world.mdp, policy, expert=best, reward=reward)


def stopped_difference(world: World, k: int, policy: Float[np.ndarray, "S A"]) -> float:
    """The same with both values as the released evaluation leaves them: swept in place from 0 until
    no value changes by `STOP`.
    """
    reward = goal_abandon_rewards(world)[k]
    best = swept_values(world.mdp, reward, stop=STOP)
    return float(((best - swept_values(world.mdp, reward, policy, stop=STOP)) ** 2).mean())


def draw_curves(rows: Sequence[dict[str, Any]], sizes: Sequence[int]) -> Figure:
    """Both differences against the number of trajectories."""
    figure, axes = plot.canvas(7.2, 3.6, columns=2)
    for ax, which, column in zip(axes, ("goal", "abandon"), (0, 1), strict=True):
        names = [name for name in CURVES if any(row["method"] == name for row in rows)]
        lines = [[row for row in rows if row["method"] == name] for name in names]
        plot.curves(
            np.array(sizes),
            np.array([[row[which] for row in line] for line in lines]),
            np.array([[row[f"{which}_error"] for row in line] for line in lines]),
            names,
            ax=ax,
            published={
                "one map": {1024: PUBLISHED["one map"][column]},
                "two maps, Markov": {1024: PUBLISHED["two maps"][column]},
            },
            x_name="trajectories (four fifths fitted)",
            unit="squared value difference",
        )
        ax.set_title(which, fontsize=9)
    handles, labels = axes[0].get_legend_handles_labels()
    look = {"ncols": 2, "fontsize": 7.5, "frameon": False}
    figure.legend(handles, labels, loc="outside lower center", **look)
    return figure


def _sentences(rows: Sequence[dict[str, Any]], sizes: Sequence[int]) -> tuple[str, ...]:
    """What the largest data say."""
    last = {row["method"]: row for row in rows if row["trajectories"] == sizes[-1]}
    told = "; ".join(
        f"{name}: {row['goal']:.2f} and {row['abandon']:.2f}"
        for name, row in last.items()
        if name in CURVES
    )
    return (
        f"Mean squared difference of value at {sizes[-1]:,} trajectories, goal and abandon: {told} "
        f"(published at 1,024: one map {PUBLISHED['one map'][0]} and {PUBLISHED['one map'][1]}, "
        f"two {PUBLISHED['two maps'][0]} and {PUBLISHED['two maps'][1]}).",
    )
