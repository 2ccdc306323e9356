"""What is learned from demonstrations alone, and how well it does in the task."""

from collections.abc import Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from matplotlib.figure import Figure

from inverseq import plot
from inverseq.evaluate.intervals import interquartile_mean
from inverseq.inverse.fit import fit
from inverseq.plot.style import GREY, MARKERS, SERIES
from inverseq.studies.control import Settings
from inverseq.studies.control.rewards import compared_games, correlation, identified, middle
from inverseq.studies.control.shown import (
    IQ_LEARN,
    Expert,
    expert_of,
    solvers_of,
    thinned,
    weights_of,
)
from inverseq.studies.experts.tasks import numbered_tasks, played, task_of
from inverseq.studies.run import Result
from inverseq.studies.shapes import plain
from inverseq.studies.study import Effort


class Trial(NamedTuple):
    """One training."""

    task: str
    solver: str
    size: int
    """Demonstrations."""
    earned: float
    """Mean return in the task."""
    normalised: float
    """The same where chance is 0 and the expert 1."""
    correlation: float
    """Of what the found reward gives games with their true returns; NaN where there is none."""
    identified: float
    """The same of the part of a reward that behaviour tells (`rewards.identified`)."""
    ok: bool
    """Whether it did not diverge."""


def run(settings: Settings, effort: Effort) -> Result:
    """Returns and rewards of each solver by the number of demonstrations."""
    tasks = [(task.name,) for task in numbered_tasks(settings.tasks)]
    found = effort.each("tasks", partial(of_task, settings, effort.seed), tasks)
    experts = {name: expert for [name], (expert, _) in zip(tasks, found, strict=True)}
    trials = [trial for _, some in found for trial in some]
    rows = list(_rows(trials, experts))
    return Result(
        {"returns": rows},
        {"returns": draw_returns(rows, experts)},
        tuple(_sentences(rows, experts)),
        record=trials,
    )


def of_task(settings: Settings, seed: int, name: str) -> tuple[Expert, list[Trial]]:
    """The expert of a task, and all that is learned from it."""
    task = task_of(name)
    expert = expert_of(task, settings, seed)
    judged = compared_games(task, expert, min(settings.games, 6), seed)
    most, trials = max(settings.sizes), []
    for number in range(settings.seeds):
        shown = thinned(expert.games, most, task.every, seed + number)
        solvers = solvers_of(task, settings, expert.num_actions, seed + number)
        for size in sorted(settings.sizes):
            for solver in solvers:
                learned = fit(
                    shown,
                    solvers[solver],
                    weights=weights_of(shown, size),
                    accept_failure=True,
                )
                games = played(task, learned.policy, settings.games, 2000 + seed + number)
                earned = games.rewards.mean()
                normalised = float(expert.normalised(np.array([earned]))[0])
                reward = learned.reward_function
                agreed = np.nan if reward is None else correlation(judged, reward)
                told = agreed, identified(judged, learned), learned.status.ok
                trials.append(Trial(task.name, solver, size, float(earned), normalised, *told))
    return expert, trials


def _rows(trials: Sequence[Trial], experts: dict[str, Expert]) -> Any:
    """A row per task, solver and number of demonstrations."""
    for name, expert in experts.items():
        published = task_of(name).published
        of_task = [trial for trial in trials if trial.task == name]
        for solver in dict.fromkeys(trial.solver for trial in of_task):
            for size in sorted({trial.size for trial in of_task}):
                some = [t for t in of_task if (t.solver, t.size) == (solver, size)]
                earned = interquartile_mean(np.array([t.earned for t in some]))
                yield plain(
                    {
                        "task": name,
                        "solver": solver,
                        "demonstrations": size,
                        "return": float(earned.estimate),
                        "low": float(earned.low),
                        "high": float(earned.high),
                        "of the expert": float(
                            interquartile_mean(np.array([t.normalised for t in some])).estimate
                        ),
                        "published": published.get(size) if solver == IQ_LEARN else None,
                        "correlation": middle([t.correlation for t in some]),
                        "identified": middle([t.identified for t in some]),
                        "diverged": sum(not t.ok for t in some),
                        "expert": expert.earned,
                    },
                    3,
                )


def draw_returns(rows: Sequence[dict[str, Any]], experts: dict[str, Expert]) -> Figure:
    """Returns by the number of demonstrations, a panel for each task."""
    figure, axes = plot.canvas(3.2 * len(experts), 3.4, columns=len(experts))
    for ax, (name, expert) in zip(axes, experts.items(), strict=True):
        of_task = [row for row in rows if row["task"] == name]
        for k, solver in enumerate(dict.fromkeys(row["solver"] for row in rows)):
            some = [row for row in of_task if row["solver"] == solver]
            sizes = [row["demonstrations"] for row in some]
            # Beside one another, so that intervals of several are told apart.
            places = np.array(sizes) + 0.12 * (k - 2)
            ends = np.array([[_number(row[end]) for row in some] for end in ("low", "high")])
            made = np.array([row["return"] for row in some])
            ax.errorbar(
                places,
                made,
                np.abs(ends - made),
                fmt=MARKERS[k] + "-",
                color=SERIES[k],
                ms=4,
                lw=1,
                label=solver,
            )
        known = task_of(name).published
        ax.plot([*known], [*known.values()], "x", color="black", ms=5, label="IQ-Learn, published")
        for level, style, label in (
            (expert.earned, "--", "expert"),
            (expert.chance, ":", "at random"),
        ):
            ax.axhline(level, color=GREY, ls=style, lw=1, label=label)
        ax.set_title(task_of(name).short)
        ax.set_xticks(sorted({row["demonstrations"] for row in of_task}))
        ax.set_xlabel("demonstrations")
        ax.set_ylabel("return")
    handles, labels = axes[0].get_legend_handles_labels()
    columns = min(2 * len(experts), 4)
    figure.legend(
        handles, labels, loc="outside lower center", ncols=columns, fontsize=7.5, frameon=False
    )
    return figure


def _number(value: float | None) -> float:
    """A number of a table; NaN where there is none."""
    return float("nan") if value is None else value


def _sentences(rows: Sequence[dict[str, Any]], experts: dict[str, Expert]) -> Any:
    """What was found."""
    for name, expert in experts.items():
        of_task = [row for row in rows if row["task"] == name]
        fewest = min(row["demonstrations"] for row in of_task)
        told = ", ".join(
            f"{row['solver']} {row['return']:.1f}"
            for row in of_task
            if row["demonstrations"] == fewest
        )
        many = "demonstration" if fewest == 1 else "demonstrations"
        yield (
            f"{name}, from {fewest} {many}, every {task_of(name).every}th move: {told}; the expert "
            f"{expert.earned:.1f}, at random {expert.chance:.1f}."
        )
