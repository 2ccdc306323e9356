"""Simulated cohorts: errors of rewards under no, full and learned pooling, and two tests of groups
that do not differ.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from jaxtyping import Float

from inverseq import plot
from inverseq.decisions.counts import count
from inverseq.demonstrations import Demonstrations, concatenate, in_blocks
from inverseq.evaluate.design import fit_each
from inverseq.evaluate.groups import compare_groups
from inverseq.evaluate.intervals import interval
from inverseq.evaluate.sandwich import sandwich
from inverseq.forward import simulate, soft_policy_iteration
from inverseq.inverse.fit import fit
from inverseq.inverse.hierarchy.solver import Hierarchical, each_of
from inverseq.inverse.maxent.causal import MaxEnt
from inverseq.mdp import MDP
from inverseq.rewards.each import EachReward
from inverseq.studies.cohorts import Settings
from inverseq.studies.run import Result
from inverseq.studies.shapes import plain
from inverseq.studies.study import Effort
from inverseq.worlds import gridworld

MEAN = np.array([1.0, -1.0, 0.5])
"""Weights of features, of an animal between the groups."""

_STEPS = 10
"""Decisions of a trajectory."""

_ALONE = MaxEnt("features", strength=0.1)
"""A prior so weak that it only keeps weights finite."""

WEIGHT = np.array([1.0, 0.0, 0.0])
"""What groups are compared in: the weight that may differ."""


def world() -> MDP:
    """A board of 20 places with three features of each."""
    mdp = gridworld(5, 4, discount=0.9).mdp
    values = np.random.default_rng(7).normal(size=(mdp.num_states, 1, MEAN.size))
    features = np.broadcast_to(values, (*mdp.allowed.shape, MEAN.size)).copy()
    return replace(mdp, features=features, feature_names=("first", "second", "third"))


def cohort(
    mdp: MDP, animals: int, decisions: int, difference: float, spread: float, seed: int
) -> tuple[Float[np.ndarray, "n F"], Demonstrations]:
    """Animals of two groups, and what they do."""
    rng = np.random.default_rng(seed)
    weights = MEAN + spread * rng.normal(size=(animals, MEAN.size))
    second = np.arange(animals) % 2
    weights[:, 0] += difference * (second - 0.5)
    parts = []
    for number, own in enumerate(weights):
        reward = mdp.features @ own  # pyright: ignore[reportOptionalOperand]
        policy = soft_policy_iteration(mdp, np.where(mdp.allowed, reward, 0.0)).policy
        made = simulate(
            mdp,
            policy,
            trajectories=max(1, decisions // _STEPS),
            steps=_STEPS,
            seed=int(rng.integers(2**31)),
        )
        names = {"subject": f"animal {number}", "genotype": ("first", "second")[second[number]]}
        told = {n: np.repeat(v, made.num_trajectories) for n, v in names.items()}
        parts.append(replace(made, trajectories=told))
    return weights, concatenate(parts)


def pooled_cell(
    animals: int, decisions: int, difference: float, spread: float, seed: int
) -> dict[str, float]:
    """Errors of one cohort's weights under each way to pool, and how often intervals hold."""
    mdp = world()
    truth, data = cohort(mdp, animals, decisions, difference, spread, seed)
    alone = fit_each(data, _ALONE, mdp)
    every = fit(data, _ALONE, mdp).parameters["weights"]
    learned = fit(data, Hierarchical(MaxEnt("features"), group="genotype"), mdp)
    reward = learned.reward_function
    assert isinstance(reward, EachReward)  # as of every hierarchy
    numbers, unsure = reward.numbers[:animals], reward.spread[:animals]
    none = np.stack([alone[name].parameters["weights"] for name in each_of(learned)])
    error = lambda found: float(np.sqrt(((found - truth) ** 2).mean()))  # noqa: E731
    held = np.abs(numbers - truth) < 1.96 * unsure
    kinds = {"no pooling": none, "full pooling": every, "learned": numbers}
    return {name: error(found) for name, found in kinds.items()} | {"held": float(held.mean())}


def judged_cell(animals: int, decisions: int, spread: float, seed: int) -> dict[str, float]:
    """Whether groups that do not differ are told apart: animals counted, or decisions; and with
    rewards that a hierarchy without groups has pooled.
    """
    mdp = world()
    _, data = cohort(mdp, animals, decisions, 0.0, spread, seed)
    blind = each_of(fit(data, Hierarchical(MaxEnt("features")), mdp))
    found = {
        "animals": compare_groups(fit_each(data, _ALONE, mdp), data, WEIGHT)["contrast"].p,
        "animals, pooled": compare_groups(blind, data, WEIGHT)["contrast"].p,
    }
    made = {name: float(p <= 0.05) for name, p in found.items()}
    return made | {"decisions": float(_naive(data, mdp))}


def _naive(data: Demonstrations, mdp: MDP) -> bool:
    """The test that counts decisions: one reward for each group, each decision a unit."""
    ends = []
    for group in ("first", "second"):
        part = data.select(genotype=group)
        units = count(in_blocks(part, part.num_decisions), mdp)
        ends.append(interval(sandwich(units, _ALONE, mdp), "weights"))
    gap = ends[1].estimate[0] - ends[0].estimate[0]
    return bool(abs(gap) > np.hypot(*[(end.high - end.estimate)[0] for end in ends]))


def run(settings: Settings, effort: Effort) -> Result:
    """Both, for every kind of cohort."""
    kinds = [
        (animals, decisions, difference)
        for animals in settings.animals
        for decisions in settings.decisions
        for difference in settings.differences
    ]
    tasks = [
        (*kind, settings.spread, effort.seed + 1000 * number + repeat)
        for number, kind in enumerate(kinds)
        for repeat in range(settings.repeats)
    ]
    found = effort.each("cohorts", pooled_cell, tasks)
    rows = []
    for number, kind in enumerate(kinds):
        part = found[number * settings.repeats : (number + 1) * settings.repeats]
        mean = {name: float(np.mean([one[name] for one in part])) for name in part[0]}
        best = min(mean["no pooling"], mean["full pooling"])
        names = dict(zip(("animals", "decisions", "difference"), kind, strict=True))
        rows.append(names | mean | {"learned / best": mean["learned"] / best})
    tests = _tests(settings, effort)
    worst = max(row["learned / best"] for row in rows)
    held = float(np.mean([row["held"] for row in rows]))
    wrong = {row["counted"]: row["share"] for row in tests}
    return Result(
        {"pooling": [plain(row) for row in rows], "tests": [plain(row) for row in tests]},
        {"errors": _figure(rows, settings)},
        (
            f"Learned pooling is never worse than {worst:.2f} times the better of no and full "
            f"pooling ({len(rows)} kinds of cohorts, {settings.repeats} of each).",
            f"Intervals of 95 % hold {held:.1%} of the weights of animals.",
            "Groups that do not differ are told apart in "
            + ", ".join(f"{share:.1%} ({name} counted)" for name, share in wrong.items())
            + f" of {settings.tests} cohorts.",
        ),
    )


def _tests(settings: Settings, effort: Effort) -> list[dict[str, Any]]:
    """Shares of false findings, with their standard errors."""
    animals, decisions = (
        settings.animals[0],
        settings.decisions[min(1, len(settings.decisions) - 1)],
    )
    start = effort.seed + 10**6
    tasks = [(animals, decisions, settings.spread, start + i) for i in range(settings.tests)]
    found = effort.each("tests", judged_cell, tasks)
    rows = []
    for name in found[0]:
        share = float(np.mean([one[name] for one in found]))
        error = float(np.sqrt(share * (1 - share) / settings.tests))
        rows.append({"counted": name, "share": share, "error": error, "cohorts": settings.tests})
    return rows


def _figure(rows: list[Mapping[str, Any]], settings: Settings) -> Any:
    """Errors over decisions, for the middle number of animals and the largest difference."""
    animals = settings.animals[len(settings.animals) // 2]
    shown = [
        row
        for row in rows
        if row["animals"] == animals and row["difference"] == settings.differences[-1]
    ]
    names = ("no pooling", "full pooling", "learned")
    figure, (ax,) = plot.canvas()
    means = np.array([[row[name] for row in shown] for name in names])
    plot.curves(
        np.array([row["decisions"] for row in shown]),
        means,
        np.zeros_like(means),
        names,
        x_name="decisions of each animal",
        unit="error of weights",
        ax=ax,
    )
    figure.legend(loc="outside upper center", ncols=len(names), fontsize=7)
    return figure
