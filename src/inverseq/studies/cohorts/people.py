"""Do people differ in what moves cost them, and does that predict their next maze?

161 people, twelve mazes (Ho and others, Nature 2022, experiment 1): one reward for all, and one for
each person with how alike people are learned, both fitted to the mazes that are not left out.
"""

from dataclasses import replace
from typing import Any

import numpy as np
from jaxtyping import Float

from inverseq._core.errors import InputError
from inverseq.datasets import people as people_in_mazes
from inverseq.demonstrations import Demonstrations
from inverseq.inverse.fit import fit
from inverseq.inverse.hierarchy.solver import Hierarchical
from inverseq.inverse.maxent.causal import MaxEnt
from inverseq.inverse.replan import replan
from inverseq.inverse.solution import Solution
from inverseq.mdp import MDP
from inverseq.plot import canvas, intervals
from inverseq.rewards.each import EachReward
from inverseq.studies.cohorts import Settings
from inverseq.studies.people.study import EVERY_COST, Split, divided
from inverseq.studies.run import Result
from inverseq.studies.shapes import plain
from inverseq.studies.study import Effort
from inverseq.worlds import maze_features

DISCOUNT = 0.97

SOLVERS = {
    "one reward for all": MaxEnt("features", strength=1.0),
    "a reward for each, pooled": Hierarchical(MaxEnt("features")),
}


def run(settings: Settings, effort: Effort) -> Result:
    """Every move in mazes left out, predicted both ways, with people as units.

    Raises:
        InputError: There are too few people or folds.
        FitError: A fit did not converge.
    """
    data, folds = people_in_mazes(), settings.folds
    if not 2 <= folds <= len(data.worlds):
        raise InputError(f"folds must be 2 to {len(data.worlds)}, the number of mazes; got {folds}")
    demonstrations = data.demonstrations
    if settings.people is not None:
        demonstrations = demonstrations.take(demonstrations.units("subject") < settings.people)
    worlds = {
        name: replace(maze_features(each, EVERY_COST), discount=DISCOUNT)
        for name, each in data.worlds.items()
    }
    numbers = np.arange(len(worlds))
    split = Split(demonstrations, worlds, numbers % folds)

    def parts(split: Split) -> list[tuple]:
        return [
            (train, test, *divided(worlds, names, EVERY_COST))
            for _, train, test, names in split.folds()
        ]

    tasks = [(solver, *part) for solver in SOLVERS.values() for part in parts(split)]
    each_person = SOLVERS["a reward for each, pooled"]
    # Two halves without a maze in common, to see what returns.
    tasks += [(each_person, *part) for part in parts(Split(demonstrations, worlds, numbers % 2))]
    found = effort.each("folds", predicted, tasks)
    person = demonstrations.units("subject")[demonstrations.trajectory_of]
    logs, rows = {}, []
    for number, name in enumerate(SOLVERS):
        logs[name] = np.zeros(demonstrations.num_decisions)
        for (rows_out, *_), (_, values) in zip(
            split.folds(), found[number * folds : (number + 1) * folds], strict=True
        ):
            logs[name][rows_out] = values
    pooled, each = (_by(person, values) for values in logs.values())
    gain = each - pooled
    error = float(gain.std(ddof=1) / np.sqrt(gain.size))
    for name, values in logs.items():
        rows.append({"model": name, "nats_per_decision": float(values.mean())})
    costs = _costs(*([one for one, _ in part] for part in (found[folds:-2], found[-2:])))
    names = [str(row["cost"]) for row in costs]
    figure, (ax,) = canvas(height=0.9 + 0.3 * len(names))
    low, middle, high = (
        np.array([row["mean"] + sign * row["between_people"] for row in costs])
        for sign in (-1, 0, 1)
    )
    intervals(names, low, middle, high, unit="cost: mean, and one SD between people", ax=ax)
    return Result(
        {"scores": [plain(row) for row in rows], "costs": [plain(row) for row in costs]},
        {"costs": figure},
        (
            f"Mazes left out: {rows[1]['nats_per_decision']:.4f} nats per decision with a reward "
            f"for each of {gain.size} people, {rows[0]['nats_per_decision']:.4f} with one for all; "
            f"{float(gain.mean()):+.4f} ± {error:.4f} over people, better for "
            f"{float((gain > 0).mean()):.0%} of them.",
        ),
        facts={"people": gain.size, "gain": float(gain.mean()), "gain_error": error},
    )


def predicted(
    solver: Any,
    train: Demonstrations,
    test: Demonstrations,
    inside: dict[str, MDP],
    outside: dict[str, MDP],
) -> tuple[Solution, Float[np.ndarray, " n"]]:
    """A fit to some mazes, and what it expects in the others."""
    found = fit(train, solver, inside)
    return found, replan(found, outside).log_likelihoods(test)


def _by(person: np.ndarray, values: Float[np.ndarray, " N"]) -> Float[np.ndarray, " P"]:
    """Mean of each person."""
    return np.bincount(person, values) / np.bincount(person)


def _costs(solutions: list[Solution], halves: list[Solution]) -> list[dict[str, Any]]:
    """What each cost weighs, how much people differ in it, and whether what differs is the same in
    other mazes: the correlation of people's weights between two halves of the mazes.
    """
    weights, apart = (
        np.stack([r.numbers for one in of if isinstance(r := one.reward_function, EachReward)])
        for of in (solutions, halves)
    )
    spread = np.mean([one.parameters["between_animals"] for one in solutions], axis=0)
    return [
        {
            "cost": name,
            "mean": float(weights[:, :, i].mean()),
            "between_people": float(spread[i]),
            "alike_in_other_mazes": float(np.corrcoef(apart[0, :, i], apart[1, :, i])[0, 1]),
        }
        for i, name in enumerate(EVERY_COST)
    ]
