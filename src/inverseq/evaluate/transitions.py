"""How sure the law of switching is: the fit repeated on resampled trajectories."""

from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Int

from inverseq._core.arrays import freeze
from inverseq._core.engine import Keep, run
from inverseq._core.errors import InputError
from inverseq._core.status import Outcome
from inverseq.demonstrations import Demonstrations
from inverseq.evaluate.intervals import Interval, percentiles
from inverseq.evaluate.repeats import seeds_of
from inverseq.intentions.chains import chains
from inverseq.intentions.em import Task, search
from inverseq.intentions.expectation import expectation
from inverseq.intentions.explainers import (
    CountedPolicies,
    Explainer,
    Fits,
    FittedPolicies,
    SolverOfCounts,
)
from inverseq.intentions.labels import agreement, match
from inverseq.intentions.law import Numbers
from inverseq.intentions.solution import IntentionSolution, several
from inverseq.intentions.solver import Intentions
from inverseq.inverse.explanation import Explanation
from inverseq.inverse.problem import Problem, Progress, settled


@dataclass(frozen=True, eq=False)
class SwitchingIntervals:
    """Percentile intervals from R fits to resampled units.

    Attributes:
        transition: `[K, K]` share of each next intention after each intention, expected under the
            posterior: for a law that depends on circumstances, its mean over those that occurred.
        initial: `[K]` share of each intention at the beginning of a chain, as the law has it.
        occupancy: `[K]` share of the decisions.
        agreement: `[R]` share of the resampled decisions with the same most probable intention as
            in the fit to all data, labels matched.
        converged: `[R]` whether the search of the replicate ended by itself.
        by: What was resampled.
        units: How many of these there are.
    """

    transition: Interval
    initial: Interval
    occupancy: Interval
    agreement: Float[np.ndarray, " R"]
    converged: Bool[np.ndarray, " R"]
    by: str
    units: int

    def __post_init__(self) -> None:
        freeze(self, float, "agreement")
        freeze(self, bool, "converged")


def switching_intervals(
    solution: Explanation,
    intentions: Intentions,
    demonstrations: Demonstrations,
    *,
    seed: int,
    by: str = "trajectory",
    replicates: int = 200,
    max_steps: int = 50,
    level: float = 0.95,
    jobs: int | None = None,
    progress: Progress | None = None,
    keep: Keep | None = None,
) -> SwitchingIntervals:
    """Refit to units drawn with replacement, each search beginning at the fit to all data.

    Policies, rewards and switching are all fitted again. The search goes on from the intentions of
    the fit, so the intervals show how these would vary with other data of this kind, not whether
    another set of intentions would explain them as well (`choose_intentions` compares restarts).

    Args:
        solution: Of `fit` with these settings and data.
        intentions: The settings.
        demonstrations: The data.
        seed: Which random choice.
        by: What is resampled: "trajectory", "session", "subject", any trajectory column.
        replicates: R.
        max_steps: Iterations of a replicate at most; few make intervals too narrow.
        level: How often the intervals should hold the truth.
        jobs: Processes, as in `compare`.
        progress: Called with (what, replicates done, replicates in all).
        keep: Folder of finished work, as in `compare`.

    Raises:
        InputError: There are fewer than two units, or the settings are not those of the fit.
    """
    solution = several(solution, demonstrations, "switching_intervals")
    units = demonstrations.units(by)
    count = int(units.max()) + 1
    if count < 2:
        raise InputError(
            f"there is only one {by} to resample; group by something finer, or add data"
        )
    if not 0 < level < 1:
        raise InputError(f"level must lie between 0 and 1, 0.95 for example; got {level}")
    if intentions.k != solution.num_intentions or intentions.switching != solution.switching:
        raise InputError("give the settings with which the solution was fitted")
    solver = settled(intentions.solver, Problem(demonstrations, solution.mdp))
    chosen = replace(intentions, solver=solver, max_steps=max_steps)
    made = run(
        partial(_replicate, solution, chosen, demonstrations, units),
        [(s,) for s in seeds_of(seed, replicates)],
        what="bootstrap",
        jobs=jobs,
        keep=keep,
        progress=progress,
    )
    transition, initial, occupancy, agreed, converged = (
        np.stack(parts) for parts in zip(*made, strict=True)
    )
    estimate = switching_shares(solution, chosen, demonstrations)
    interval = lambda value, draws: percentiles(value, draws, count, level)  # noqa: E731
    return SwitchingIntervals(
        transition=interval(estimate, transition),
        initial=interval(solution.numbers["initial"], initial),
        occupancy=interval(solution.occupancy, occupancy),
        agreement=agreed,
        converged=converged,
        by=by,
        units=count,
    )


def switching_shares(
    solution: IntentionSolution, intentions: Intentions, demonstrations: Demonstrations
) -> Float[np.ndarray, "K K"]:
    """Share of each next intention after each intention, expected under the posterior.

    For a law that depends on circumstances, its mean over those that occurred; it is what
    `switching_intervals` has intervals for.

    Args:
        solution: Of `fit` with these settings and data.
        intentions: The settings.
        demonstrations: The data.
    """
    problem = Problem(demonstrations, solution.mdp)
    explainer = FittedPolicies(problem, settled(intentions.solver, problem))
    task = _task(solution, explainer, demonstrations)
    numbers = {name: value[None] for name, value in solution.numbers.items()}
    return _expected_shares(task, Fits((solution.intentions,)), numbers)


def _replicate(
    solution: IntentionSolution,
    intentions: Intentions,
    data: Demonstrations,
    units: Int[np.ndarray, " T"],
    seed: int,
) -> tuple[np.ndarray, ...]:
    """One refit: transition, initial, occupancy, agreement, and whether it converged."""
    count = int(units.max()) + 1
    drawn = np.random.default_rng(seed).integers(count, size=count)
    sample = data.take(np.concatenate([np.flatnonzero(units == unit) for unit in drawn]))
    problem = Problem(sample, solution.mdp)
    solver = settled(intentions.solver, problem)
    counted = isinstance(solver, SolverOfCounts)
    explainer = CountedPolicies(problem, solver) if counted else FittedPolicies(problem, solver)
    task = _task(solution, explainer, sample)
    before = expectation(solution.model(sample))[0].smoothed[:, 0]
    (found,) = search(
        task,
        before[:, None],
        {name: value[None] for name, value in solution.numbers.items()},
        tolerance=intentions.tolerance,
        max_steps=intentions.max_steps,
        before=None if counted else Fits((solution.intentions,)),
    )
    acted = sample.acted
    own = np.argsort(match(before[acted], found.smoothed[acted]))
    shares = _expected_shares(task, found.explained, found.numbers)
    return (
        shares[np.ix_(own, own)],
        found.numbers["initial"][0][own],
        found.smoothed[acted].mean(axis=0)[own],
        np.array(agreement(before[acted], found.smoothed[acted])),
        np.array(found.outcome is Outcome.CONVERGED),
    )


def _task(solution: IntentionSolution, explainer: Explainer, data: Demonstrations) -> Task:
    """The law of the solution on other data."""
    law = solution.switching
    contexts = law.contexts(data, solution.mdp, solution.constants or None)
    return Task(explainer, law, contexts, chains(law.begins(data)))


def _expected_shares(task: Task, explained: Any, numbers: Numbers) -> Float[np.ndarray, "K K"]:
    """Share of each next intention after each intention, expected under the posterior."""
    model = task.model(explained, numbers)
    counts = expectation(model)[0].transitions.sum(axis=0)[0]
    total = counts.sum(axis=1, keepdims=True)
    # An intention that is never left nor kept says nothing; alike for all is no claim either.
    return np.where(total > 0, counts / np.where(total > 0, total, 1.0), 1.0 / len(counts))
