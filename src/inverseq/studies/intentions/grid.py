"""Part "switching-grid": two intentions that are known, found from behaviour alone.

The simulated agent of Ke and others (2025) in a grid of 5 x 5; see `datasets.switching_grid`. What
can be found is bounded: even the smoother that knows all parameters is sometimes wrong.
"""

from dataclasses import replace
from typing import Any

import numpy as np
from jaxtyping import Float, Int
from matplotlib.figure import Figure
from scipy import sparse

from inverseq import plot
from inverseq.datasets import Dataset, SwitchingTruth, switching_grid, switching_grid_truth
from inverseq.demonstrations import Demonstrations
from inverseq.evaluate.likelihood import log_likelihood
from inverseq.evaluate.rewards import reward_correlation
from inverseq.intentions.chains import chains
from inverseq.intentions.contexts import Contexts
from inverseq.intentions.labels import match
from inverseq.intentions.messages import Model, forward, smooth
from inverseq.intentions.predict import posterior
from inverseq.intentions.solution import IntentionSolution
from inverseq.intentions.solver import Intentions
from inverseq.intentions.switching import DependentMarkov, Markov, Switching
from inverseq.inverse.fit import fit
from inverseq.inverse.maxent.causal import MaxEnt
from inverseq.inverse.problem import Solver
from inverseq.inverse.values.iavi import IAVI
from inverseq.mdp import MDP
from inverseq.rewards.gauges import least_squares, shaping
from inverseq.studies.study import Effort, Part

LAWS: dict[str, Switching] = {
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


def switching_grid_part(effort: Effort) -> Part:
    """Hidden intentions, rewards and switching, found under every law and solver.

    "released" are the trajectories of the released code (160 to fit, 40 to test), "all" the whole
    data set (400 and 100), fitted under the agent's own law only.
    """
    dataset, truth = switching_grid(), switching_grid_truth()
    demos = dataset.demonstrations
    cells = [("released", solver, law) for solver in SOLVERS for law in LAWS]
    cells += [("all", solver, "previous state") for solver in SOLVERS]
    if effort.small:
        cells = [SHOWN]
    rows: list[dict[str, Any]] = []
    shown: tuple[IntentionSolution, Demonstrations] | None = None
    bounds = {}
    for number, cell in enumerate(cells):
        effort.say("switching grid", number, len(cells))
        data, solver, law = cell
        whole = demos if data == "all" else demos.select(released=1)
        train, test = whole.select(split="train"), whole.select(split="test")
        if effort.small:
            train, test = train.take(range(6)), test.take(range(2))
        if data not in bounds:
            bounds[data] = attainable(test, truth)
            rows.append(_line(data, "true parameters", "previous state", bounds[data], None, None))
        part = MaxEnt("state-actions", strength=10.0) if effort.small else SOLVERS[solver]
        settings = Intentions(2, part, LAWS[law], restarts=effort.restarts, seed=effort.seed)
        solution = in_true_order(fit(train, settings, dataset.mdp), train)
        found = accuracies(solution, test)
        quality = [
            reward_correlation(dataset.worlds["grid"].mdp, part.reward, reward)
            for part, reward in zip(solution.intentions, truth.rewards, strict=True)
        ]
        rows.append(_line(data, solver, law, found, bounds[data], quality))
        if cell == SHOWN:
            shown = solution, test
    assert shown is not None  # the fit that is drawn is among the cells
    effort.say("switching grid", len(cells), len(cells))
    return Part(
        "switching-grid",
        {"scores": rows},
        {
            "rewards": draw_rewards(dataset, truth, shown[0]),
            "session": draw_session(*shown),
            "switching": draw_switching(dataset, truth, shown[0]),
        },
        _sentences(rows),
    )


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
    return solution if place[0] == 0 else swapped(solution)


def swapped(solution: IntentionSolution) -> IntentionSolution:
    """The same with its intentions in reverse order."""
    turn = lambda value: value[::-1] if value.ndim == 1 else value[::-1][..., ::-1]  # noqa: E731
    return replace(
        solution,
        intentions=solution.intentions[::-1],
        numbers={name: turn(value) for name, value in solution.numbers.items()},
        filtered=solution.filtered[:, ::-1],
        smoothed=solution.smoothed[:, ::-1],
        path=solution.num_intentions - 1 - solution.path,
        occupancy=solution.occupancy[::-1],
    )


def nearest(
    mdp: MDP, estimate: Float[np.ndarray, "S A"], truth: Float[np.ndarray, "S A"]
) -> Float[np.ndarray, "S A"]:
    """The reward among those that explain the same behaviour as `estimate` (all shapings v(s) -
    gamma E[v(next state)] added) that is nearest to the truth.
    """
    freedom = shaping(mdp)
    v, _ = least_squares(freedom, (truth - estimate).reshape(-1, 1))
    return estimate + (freedom @ v).reshape(estimate.shape)


def switch_probabilities(solution: IntentionSolution, num_states: int) -> Float[np.ndarray, "S K"]:
    """Probability of giving up each intention after a decision made in each state, under a law
    that depends on the previous state alone.
    """
    contexts = Contexts(sparse.csr_array(sparse.eye_array(num_states)), np.arange(num_states))
    numbers = {name: value[None] for name, value in solution.numbers.items()}
    table = np.exp(solution.switching.log_transition(numbers, contexts))[:, 0]
    return 1.0 - np.diagonal(table, axis1=1, axis2=2)


def draw_rewards(dataset: Dataset, truth: SwitchingTruth, solution: IntentionSolution) -> Figure:
    """Rewards of arriving at each cell, true and found, with the policies as arrows."""
    world = dataset.worlds["grid"]
    figure, axes = plot.canvas(7.0, 6.0, columns=2, rows=2)
    for k, (name, right) in enumerate(zip(truth.names, truth.rewards, strict=True)):
        part = solution.intentions[k]
        assert part.reward is not None  # the solvers of this study find one
        found = nearest(world.mdp, part.reward, right)
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
    found = switch_probabilities(solution, world.mdp.num_states)
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
    share = (None, None) if bound is None else (found[:2] / bound[:2]).round(4).tolist()
    water, home = (None, None) if quality is None else (round(value, 3) for value in quality)
    return {
        "data": data,
        "solver": solver,
        "law": law,
        "smoother_right": round(float(found[0]), 4),
        "filter_right": round(float(found[1]), 4),
        "smoother_share": share[0],
        "filter_share": share[1],
        "nats": round(float(found[2]), 4),
        "reward_water": water,
        "reward_home": home,
    }


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
