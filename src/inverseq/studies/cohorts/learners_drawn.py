"""Learners drawn at the design of the bundled mice: are numbers, intervals and chances right?"""

from typing import Any

import numpy as np

from inverseq.inverse.fit import fit
from inverseq.inverse.hierarchy.solver import Hierarchical
from inverseq.inverse.learning.learner import Learner
from inverseq.plot import canvas
from inverseq.plot import scores as draw
from inverseq.policies.learning import LearnerPolicy
from inverseq.studies.cohorts import Settings
from inverseq.studies.cohorts.spouts import Spouts, drawn, spouts
from inverseq.studies.run import Result
from inverseq.studies.shapes import plain
from inverseq.studies.study import Effort

_LEAST = 0.3
"""Standard deviation of each number between mice that cohorts are drawn with, at least: what is
alike in seven mice need not be alike in others.
"""

_BINS = np.array([0.0, 0.05, 0.2, 0.4, 0.6, 0.8, 0.95, 1.0])
"""Of what was expected, for its calibration."""


def run(settings: Settings, effort: Effort) -> Result:
    """Cohorts with the numbers of the bundled mice, fitted as these are."""
    mice = spouts()
    real = fit(mice.data, Hierarchical(Learner()), weights=np.where(mice.test, 0.0, 1.0))
    policy = real.policy
    assert isinstance(policy, LearnerPolicy)  # as of every learner
    between = np.maximum(real.parameters["animals"].std(axis=0, ddof=1), _LEAST)
    tasks = [
        (mice, policy.terms, policy.numbers[-1], between, effort.seed + number)
        for number in range(settings.learners)
    ]
    found = effort.each("cohorts", cell, tasks)
    mean = lambda key: np.mean([one[key] for one in found], axis=0)  # noqa: E731
    held, pooled, alone = mean("held"), mean("pooled"), mean("alone")
    rows = [
        plain(
            {
                "number": name,
                "between_mice": float(between[f]),
                "error_pooled": float(np.sqrt(pooled[f])),
                "error_alone": float(np.sqrt(alone[f])),
                "held": float(held[f]),
            },
            3,
        )
        for f, name in enumerate(policy.terms)
    ]
    times, said, done = (np.sum([one["calibration"][i] for one in found], axis=0) for i in range(3))
    lost = float(mean("lost"))
    bins = [
        plain(
            {"expected": said[i] / times[i], "done": done[i] / times[i], "choices": int(times[i])}
        )
        for i in range(times.size)
        if times[i] > 0
    ]
    errors = np.std([one["held"].mean(axis=-1) for one in found]) / np.sqrt(len(found))
    figure, (ax,) = canvas()
    names = [row["number"] for row in rows]
    draw(
        names,
        held,
        np.std([one["held"] for one in found], axis=0) / np.sqrt(len(found)),
        unit="share of numbers that 95 % intervals hold",
        ax=ax,
    )
    return Result(
        {"numbers": rows, "calibration": bins},
        {"held": figure},
        (
            f"{len(found)} cohorts of seven learners: 95 % intervals hold {held.mean():.1%} of all "
            f"numbers (SE {errors:.1%}); choices of the last fifth are foretold {lost:.4f} nats "
            "worse than by the true numbers.",
        ),
        facts={"held": float(held.mean()), "lost": lost},
    )


def cell(
    mice: Spouts, terms: tuple[str, ...], middle: np.ndarray, spread: np.ndarray, seed: int
) -> dict[str, Any]:
    """One cohort: squared errors, what intervals hold, and how good its chances are."""
    rng = np.random.default_rng(seed)
    animals = tuple(dict.fromkeys(map(str, mice.data.trajectories["subject"])))
    truth = middle + spread * rng.normal(size=(len(animals), middle.size))
    whose = [animals.index(str(name)) for name in mice.data.trajectories["subject"]]
    data = drawn(mice.data, mice.pays, terms, truth, whose, int(rng.integers(2**31)))
    early = np.where(mice.test, 0.0, 1.0)
    found = fit(data, Hierarchical(Learner()), weights=early, accept_failure=True)
    numbers, unsure = found.parameters["animals"], found.parameters["spread"]
    alone = []
    for name in animals:
        rows = (data.trajectories["subject"] == name)[data.trajectory_of]
        own = fit(data.select(subject=name), Learner(), weights=early[rows], accept_failure=True)
        alone.append(own.parameters["weights"])
    expected = found.probabilities(data)
    best = np.empty_like(expected)
    for number, name in enumerate(animals):
        rows = (data.trajectories["subject"] == name)[data.trajectory_of]
        own = LearnerPolicy("reward", terms, truth[number : number + 1])
        best[rows] = own.probabilities(data.select(subject=name), None)
    use = np.flatnonzero(mice.test)
    taken = data.actions[use]
    right, place = expected[use, 1], np.searchsorted(_BINS, expected[use, 1]) - 1
    per = lambda values: np.bincount(place.clip(0), values, _BINS.size - 1)  # noqa: E731
    return {
        "pooled": ((numbers - truth) ** 2).mean(axis=0),
        "alone": ((np.array(alone) - truth) ** 2).mean(axis=0),
        "held": (np.abs(numbers - truth) < 1.96 * unsure).mean(axis=0),
        "lost": float(np.log(best[use, taken] / expected[use, taken]).mean()),
        "calibration": (per(np.ones(use.size)), per(right), per((taken == 1).astype(float))),
    }
