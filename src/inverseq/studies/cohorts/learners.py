"""Seven mice at two spouts as animals that learn: is it what they want, or what they know?

Each choice of the last fifth of a session is predicted from everything before it in the session.
What the learner is made of is chosen on the first four fifths alone, forwards in time.
"""

from itertools import pairwise
from typing import Any

import numpy as np
from jaxtyping import Bool, Float

from inverseq.evaluate.likelihood import Difference, Score, difference, pooled
from inverseq.intentions.solver import Intentions
from inverseq.inverse.fit import fit
from inverseq.inverse.hierarchy.solver import Hierarchical
from inverseq.inverse.learning.learner import Learner
from inverseq.inverse.solution import Solution
from inverseq.inverse.tables.count_table import CountTable
from inverseq.inverse.values.iavi import IAVI
from inverseq.plot import canvas, intervals
from inverseq.policies.learning import LearnerPolicy, in_own_units
from inverseq.studies.cohorts import Settings
from inverseq.studies.cohorts.spouts import Spouts, choices_alone, spouts
from inverseq.studies.intentions.bandit import LAWS, by_session, choices, score, world
from inverseq.studies.run import Result
from inverseq.studies.shapes import plain, score_figure
from inverseq.studies.study import Effort

KNOWN = -0.351
"""Nats per choice of a Q-learner with nine numbers per mouse, shrunk to those of its group, that
was fitted before there was a solver for it.
"""

TWO_BACK, INTENTIONS = "two-back table, plus 0.5", "2 intentions, on the rate of water"
POOLED = "a learner for each, pooled"

_CUTS = (0.32, 0.48, 0.64, 0.8)
"""Shares of a session between which choices are predicted from all that came before."""

KINDS = {
    POOLED: Learner(),
    "without a rate of losses": Learner(losses=False),
    "without forgetting": Learner(forgetting=False),
    "without habit": Learner(habit=False),
    "without repetition": Learner(repetition=False),
    "without lapses": Learner(lapse=False),
}
ONE, ALONE, ALIKE = "one learner for all", "a learner for each, alone", "ignored trials dropped"


def run(settings: Settings, effort: Effort) -> Result:
    """Learners beside tables and intentions, and what each mouse's numbers are."""
    mice = spouts()
    names = [*KINDS, ONE, ALONE, ALIKE]
    if effort.small:
        names = [POOLED, "without habit"]
    ends = _CUTS[-1:] if effort.small else _CUTS
    tasks = [(name, mice, end) for name in names for end in ends]
    found = effort.each("learners", taken_by, tasks)
    training, test, solutions = {}, {}, {}
    for number, name in enumerate(names):
        fits = found[number * len(ends) : (number + 1) * len(ends)]
        rows = [_between(mice, *cut) for cut in pairwise(ends)]
        parts = [_score(taken, mice, use) for (_, taken), use in zip(fits, rows, strict=False)]
        training[name] = pooled(parts) if parts else None
        solutions[name] = fits[-1][0]
        test[name] = _score(fits[-1][1], mice, mice.test)
    test = yardsticks() | test
    chosen = max((n for n in KINDS if n in training), key=lambda n: _mean(training[n]))
    rows = [
        _line(name, one, training.get(name), test, solutions.get(name))
        for name, one in test.items()
    ]
    solution = solutions[chosen]
    return Result(
        {"scores": rows, "mice": numbers_of(solution)},
        {
            "scores": score_figure(
                (7.2, 0.9 + 0.24 * len(rows)),
                {row["model"]: (row["test"], row["test_error"]) for row in rows},
                [row["model"] in (TWO_BACK, INTENTIONS) for row in rows],
                chosen,
            ),
            "mice": draw_mice(solution),
        },
        _sentences(chosen, test, mice),
        facts={"chosen": chosen, "test": test[chosen].mean, "known": KNOWN},
    )


def taken_by(
    name: str, mice: Spouts, end: float
) -> tuple[Solution | None, Float[np.ndarray, " N"]]:
    """A fit to all choices before `end` of each session, and how probable it makes each choice of
    whole sessions; 1 where there is none.
    """
    data, early = mice.data, (mice.share < end).astype(np.float64)
    if name == ALONE:
        made = np.ones(data.num_decisions)
        for mouse in np.unique(data.trajectories["subject"]):
            rows = (data.trajectories["subject"] == mouse)[data.trajectory_of]
            own = data.select(subject=mouse)
            alone = fit(own, Learner(), weights=early[rows])
            made[rows] = np.exp(alone.log_likelihoods(own))
        return None, made
    if name == ALIKE:
        made = np.ones(data.num_decisions)
        seen = choices_alone(data)
        solution = fit(seen, Hierarchical(Learner()), weights=early[data.acted])
        made[data.acted] = np.exp(solution.log_likelihoods(seen))
        return solution, made
    solver: Any = Learner() if name == ONE else Hierarchical(KINDS[name])
    solution = fit(data, solver, weights=early)
    return solution, np.exp(solution.log_likelihoods(data))


def yardsticks() -> dict[str, Score]:
    """The table and the intentions of the study of intentions, on the same choices."""
    trials = choices()
    mdp, train = world(trials), trials.take(trials.part < 2)
    law = LAWS["rate of water"]
    intended = Intentions(2, IAVI(smoothing=0.5), law, restarts=5, tolerance=1e-4, seed=0)
    table = CountTable(order=2, smoothing=0.5, backoff=False)
    every = np.ones(trials.part.size, dtype=bool)
    solvers: dict[str, Any] = {TWO_BACK: table, INTENTIONS: intended}
    return {
        name: score(fit(train, solver, mdp), trials, every, trials.part == 2)
        for name, solver in solvers.items()
    }


def numbers_of(solution: Solution) -> list[dict[str, Any]]:
    """Each mouse's numbers in their own units, with ends of 95 % intervals."""
    policy = solution.policy
    assert isinstance(policy, LearnerPolicy)  # as of every learner
    assert policy.members is not None
    low, middle, high = ends_of(solution)
    return [
        plain(
            {
                "mouse": mouse,
                "number": name,
                "value": middle[i, f],
                "low": low[i, f],
                "high": high[i, f],
            },
            3,
        )
        for i, mouse in enumerate(policy.members.animals)
        for f, name in enumerate(policy.terms)
    ]


def ends_of(solution: Solution) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """`[n, F]` low ends, values and high ends of 95 % intervals, in own units."""
    terms = solution.settings["numbers"]
    values, spread = solution.parameters["animals"], solution.parameters["spread"]
    return tuple(in_own_units(terms, values + z * spread) for z in (-1.96, 0.0, 1.96))  # pyright: ignore[reportReturnType]


def draw_mice(solution: Solution) -> Any:
    """How much what paid weighs, and how fast what is not chosen is forgotten, mouse by mouse."""
    policy = solution.policy
    assert isinstance(policy, LearnerPolicy)
    assert policy.members is not None
    ends = ends_of(solution)
    shown = [name for name in ("value", "repetition") if name in policy.terms]
    figure, axes = canvas(7.4, 2.6, columns=len(shown))
    for ax, name in zip(axes, shown, strict=True):
        low, middle, high = (end[:, policy.terms.index(name)] for end in ends)
        intervals(list(policy.members.animals), low, middle, high, unit=name, ax=ax)
    return figure


def _between(mice: Spouts, begin: float, end: float) -> Bool[np.ndarray, " N"]:
    """Choices of one stretch of each session."""
    return mice.data.acted & (mice.share >= begin) & (mice.share < end) & ~mice.test


def _score(taken: Float[np.ndarray, " N"], mice: Spouts, use: Bool[np.ndarray, " N"]) -> Score:
    """By session."""
    of = mice.data.trajectory_of
    return by_session(taken[use], of[use], mice.data.num_trajectories)


def _mean(one: Score | None) -> float:
    """Of a score that there may not be."""
    return float("nan") if one is None else one.mean


def _line(
    name: str, one: Score, trained: Score | None, test: dict[str, Score], fitted: Solution | None
) -> dict[str, Any]:
    """One row of the table."""
    gain = difference(one, test[TWO_BACK])
    behind = difference(one, test[POOLED])
    return plain(
        {
            "model": name,
            "numbers": None if fitted is None else fitted.num_parameters,
            "training": _mean(trained),
            "test": one.mean,
            "test_error": one.standard_error,
            "over_two_back": gain.mean,
            "over_error": gain.standard_error,
            "over_pooled": behind.mean,
            "over_pooled_error": behind.standard_error,
        }
    )


def _sentences(chosen: str, test: dict[str, Score], mice: Spouts) -> tuple[str, ...]:
    """What training chose, and how much better it is."""
    told, of = [], mice.data.units("subject")
    for name in (TWO_BACK, INTENTIONS, ALIKE):
        if name in test:
            sessions = difference(test[chosen], test[name])
            animals = difference(*(test[n].grouped(of, "subject") for n in (chosen, name)))
            told.append(
                f"over “{name}” {_told(sessions)} over sessions, {_told(animals)} over mice"
            )
    one = test[chosen]
    return (
        f"Training chooses “{chosen}”: {one.mean:.4f} nats per choice (SE "
        f"{one.standard_error:.3f}) on the test part; {'; '.join(told)}.",
        f"A learner fitted before, of which only the mean is known: {KNOWN}, "
        f"{one.mean - KNOWN:+.4f}.",
    )


def _told(gap: Difference) -> str:
    """A difference with its interval."""
    low, high = gap.interval()
    return f"{gap.mean:+.4f} ({low:+.3f} to {high:+.3f})"
