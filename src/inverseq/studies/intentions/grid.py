"""Part "switching-grid": two intentions that are known, found from behaviour alone.

The simulated agent of Ke and others (2025) in a grid of 5 x 5; see `datasets.switching_grid`. What
can be found is bounded: even the smoother that knows all parameters is sometimes wrong.
"""

from dataclasses import replace
from typing import Any

import numpy as np
from jaxtyping import Float, Int
from matplotlib.figure import Figure

from inverseq import plot
from inverseq.datasets import Dataset, SwitchingTruth, switching_grid, switching_grid_truth
from inverseq.demonstrations import Demonstrations
from inverseq.evaluate.likelihood import log_likelihood
from inverseq.evaluate.rewards import nearest_equivalent, reward_correlation
from inverseq.intentions.chains import chains
from inverseq.intentions.labels import match, reordered
from inverseq.intentions.law import Law
from inverseq.intentions.leaving import leaving_probabilities
from inverseq.intentions.messages import Model, forward, smooth
from inverseq.intentions.predict import posterior
from inverseq.intentions.solution import IntentionSolution
from inverseq.intentions.solver import Intentions
from inverseq.intentions.switching import DependentMarkov, Markov
from inverseq.inverse.fit import fit
from inverseq.inverse.maxent.causal import MaxEnt
from inverseq.inverse.problem import Solver
from inverseq.inverse.values.iavi import IAVI
from inverseq.mdp import MDP
from inverseq.studies.intentions import Settings
from inverseq.studies.run import Result
from inverseq.studies.shapes import plain
from inverseq.studies.study import Effort

LAWS: dict[str, Law] = {
    "Markov": Markov(),
    "present state": DependentMarkov(("state",)),
    "previous state": DependentMarkov(("previous state",)),
    "was at water, at home": DependentMarkov(("previous at_water", "previous at_home")),
}
"""Laws of switching; the agent's own is "previous state"."""

SOLVERS: dict[str, Solver[Any]] = {
    "IAVI": IAVI(),
    "MaxEnt on states": MaxEnt("states"),
    "MaxEnt on state-actions": MaxEnt("state-actions"),
}
"""What explains each intention; strengths of priors are chosen on the training data."""

SHOWN = ("released", "MaxEnt on state-actions", "previous state")
"""The fit that is drawn."""


def run(settings: Settings, effort: Effort) -> Result:
    """Hidden intentions, rewards and switching, found under every law and solver.

    "released" are the trajectories of the released code (160 to fit, 40 to test), "all" the whole
    data set (400 and 100), fitted under the agent's own law only.
    """
    dataset, truth = switching_grid(), switching_grid_truth()
    everything = dataset.demonstrations
    parts = {"released": divided(everything.select(released=1), effort.small)}
    if not effort.small:
        parts["all"] = divided(everything, small=False)
    bounds = {data: attainable(test, truth) for data, (_, test) in parts.items()}
    cells = [("released", solver, law) for solver in SOLVERS for law in LAWS]
    cells += [("all", solver, "previous state") for solver in SOLVERS]
    cells = [SHOWN] if effort.small else cells
    solvers = {name: MaxEnt("state-actions", strength=10.0) for name in SOLVERS}
    solvers = solvers if effort.small else SOLVERS
    search = Intentions(2, restarts=settings.restarts, seed=effort.seed)
    tasks = [
        (parts[data][0], replace(search, solver=solvers[solver], switching=LAWS[law]), dataset.mdp)
        for data, solver, law in cells
    ]
    found = effort.each("switching grid", fitted, tasks)
    rows: list[dict[str, Any]] = []
    for (data, solver, law), solution in zip(cells, found, strict=True):
        if not any(row["data"] == data for row in rows):
            rows.append(_line(data, "true parameters", "previous state", bounds[data], None, None))
        quality = [
            reward_correlation(dataset.worlds["grid"].mdp, part.reward, reward)
            for part, reward in zip(solution.intentions, truth.rewards, strict=True)
        ]
        score = accuracies(solution, parts[data][1])
        rows.append(_line(data, solver, law, score, bounds[data], quality))
    shown = found[cells.index(SHOWN)]
    return Result(
        {"scores": rows},
        {
            "rewards": draw_rewards(dataset, truth, shown),
            "session": draw_session(shown, parts["released"][1]),
            "switching": draw_switching(dataset, truth, shown),
        },
        _sentences(rows),
    )


def divided(data: Demonstrations, small: bool) -> tuple[Demonstrations, Demonstrations]:
    """What is fitted, and what is tested."""
    train, test = data.select(split="train"), data.select(split="test")
    return (train.take(range(6)), test.take(range(2))) if small else (train, test)


def fitted(train: Demonstrations, search: Intentions, mdp: MDP) -> IntentionSolution:
    """A fit with its intentions in the true order."""
    return in_true_order(fit(train, search, mdp), train)


def attainable(data: Demonstrations, truth: SwitchingTruth) -> Float[np.ndarray, " 3"]:
    """Share of right intentions of the smoother and the filter, and nats per decision, of who
    knows all parameters.
    """
    with np.errstate(divide="ignore"):
        model = Model(
            initial=np.log(truth.initial)[None],
            transition=np.log(truth.transitions)[:, None],
            likelihood=np.log(truth.policies[:, data.states, data.actions].T)[:, None],
            context=np.roll(data.states, 1),
            chains=chains(~data.continues),
        )
    beliefs, right = forward(model), data.decisions["intention"]
    smoothed = smooth(model, beliefs).smoothed[:, 0]
    hits = [(each.argmax(1) == right).mean() for each in (smoothed, beliefs.filtered[:, 0])]
    return np.array([*hits, beliefs.evidence.mean()])


def accuracies(solution: IntentionSolution, data: Demonstrations) -> Float[np.ndarray, " 3"]:
    """The same of a fit whose intentions are in the true order."""
    beliefs, right = posterior(solution, data), data.decisions["intention"]
    hits = [(each.argmax(1) == right).mean() for each in (beliefs.smoothed, beliefs.filtered)]
    return np.array([*hits, float(log_likelihood(solution, data))])


def in_true_order(solution: IntentionSolution, train: Demonstrations) -> IntentionSolution:
    """The solution with its two intentions in the order that agrees best with the truth, which is
    read in the training data and for names alone.
    """
    place = match(np.eye(2)[train.decisions["intention"]], solution.smoothed)
    return reordered(solution, np.argsort(place))


def draw_rewards(dataset: Dataset, truth: SwitchingTruth, solution: IntentionSolution) -> Figure:
    """Rewards of arriving at each cell, true and found, with the policies as arrows."""
    world = dataset.worlds["grid"]
    figure, axes = plot.canvas(7.0, 6.0, columns=2, rows=2)
    for k, (name, right) in enumerate(zip(truth.names, truth.rewards, strict=True)):
        part = solution.intentions[k]
        assert part.reward is not None  # the solvers of this study find one
        found = nearest_equivalent(world.mdp, part.reward, right)
        for column, (title, reward, policy) in enumerate(
            ((f"{name}: true", right, truth.policies[k]), (f"{name}: found", found, part.policy))
        ):
            ax = axes[2 * k + column]
            plot.grid_map(
                np.asarray(world.mdp.coordinates),
                of_arriving(world.mdp, reward),
                ax=ax,
                policy=np.asarray(policy),
                directions=world.drawing.directions,
                scale="signed",
                limits=(-1.0, 1.0),
                label="mean reward of arriving (nats)",
                digits=2,
            )
            ax.set_title(title)
    return figure


def of_arriving(mdp: MDP, reward: Float[np.ndarray, "S A"]) -> Float[np.ndarray, " S"]:
    """Mean reward of the moves that lead to each state from another one."""
    there = mdp.successors[:, :, 0]
    moved = there != np.arange(mdp.num_states)[:, None]
    count = np.bincount(there[moved], minlength=mdp.num_states)
    return np.bincount(there[moved], reward[moved], mdp.num_states) / np.maximum(count, 1)


def draw_session(solution: IntentionSolution, test: Demonstrations) -> Figure:
    """What is believed about 200 decisions of the first test trajectory, and the truth."""
    stop = min(200, int(test.starts[1]))
    right: Int[np.ndarray, " N"] = np.asarray(test.decisions["intention"])[:stop]
    beliefs = posterior(solution, test)
    figure, axes = plot.canvas(7.0, 4.6, rows=3)
    known = (np.eye(2)[right], beliefs.smoothed[:stop], beliefs.filtered[:stop])
    for ax, title, each in zip(axes, ("true", "smoothed", "filtered"), known, strict=True):
        plot.intention_bands(each, ax=ax, names=("water", "home"))
        ax.set_title(title, loc="left", fontsize=8.5)
        ax.set_xlabel("decision" if title == "filtered" else "", labelpad=16)  # below the legend
        if title != "filtered":
            legend = ax.get_legend()
            assert legend is not None  # drawn with the bands
            legend.remove()
    return figure


def draw_switching(dataset: Dataset, truth: SwitchingTruth, solution: IntentionSolution) -> Figure:
    """Probability of giving up each intention, by the state before, true and found."""
    world = dataset.worlds["grid"]
    right = 1.0 - np.diagonal(truth.transitions, axis1=1, axis2=2)
    found = leaving_probabilities(solution, world.mdp.num_states)
    figure, axes = plot.canvas(7.0, 6.0, columns=2, rows=2)
    for k, name in enumerate(truth.names):
        for column, (what, values) in enumerate((("true", right), ("found", found))):
            ax = axes[2 * k + column]
            plot.grid_map(
                np.asarray(world.mdp.coordinates),
                values[:, k],
                ax=ax,
                limits=(0.0, 0.4),
                label="probability of giving it up",
                digits=2,
            )
            ax.set_title(f"{name}: {what}")
    return figure


def _line(
    data: str,
    solver: str,
    law: str,
    found: Float[np.ndarray, " 3"],
    bound: Float[np.ndarray, " 3"] | None,
    quality: list[float] | None,
) -> dict[str, Any]:
    """One row of the table."""
    share = (None, None) if bound is None else found[:2] / bound[:2]
    water, home = (None, None) if quality is None else quality
    row = {
        "data": data,
        "solver": solver,
        "law": law,
        "smoother_right": found[0],
        "filter_right": found[1],
        "smoother_share": share[0],
        "filter_share": share[1],
        "nats": found[2],
    }
    return plain(row) | plain({"reward_water": water, "reward_home": home}, 3)


def _sentences(rows: list[dict[str, Any]]) -> tuple[str, ...]:
    """What is to be said of the fit that is drawn."""
    (row,) = [r for r in rows if (r["data"], r["solver"], r["law"]) == SHOWN]
    return (
        f"Hidden intentions of the released test trajectories ({SHOWN[1]}, law: {SHOWN[2]}): the "
        f"smoother is right in {row['smoother_right']:.1%} of the decisions, "
        f"{row['smoother_share']:.1%} of what it is with the true parameters; the filter in "
        f"{row['filter_right']:.1%}, {row['filter_share']:.1%} of that.",
        f"Rewards correlate with the true ones, up to shaping, at {row['reward_water']:.2f} "
        f"(water) and {row['reward_home']:.2f} (home).",
    )
