"""Held-out worlds: what people walking through nine mazes say about their moves in three others.

A table of what was done where cannot play here. A reward whose parts mean the same in every maze
can: it is fitted on nine mazes, planned for in the three left out, and compared with walkers that
look no further than the next move. Data: Ho and others (Nature 2022), experiment 1.
"""

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from jaxtyping import Float, Int
from joblib import Parallel, delayed

from inverseq._core.errors import InputError
from inverseq._core.files import write_text
from inverseq.datasets import Dataset
from inverseq.datasets import people as people_in_mazes
from inverseq.demonstrations import Demonstrations
from inverseq.evaluate.likelihood import log_likelihood, ratio_error
from inverseq.inverse.explanation import action_probabilities
from inverseq.inverse.fit import fit
from inverseq.inverse.maxent.causal import MaxEnt
from inverseq.inverse.problem import Progress
from inverseq.inverse.replan import replan
from inverseq.inverse.solution import Solution
from inverseq.inverse.tables.count_table import CountTable
from inverseq.mdp import MDP
from inverseq.studies.files import write_csv, write_png
from inverseq.studies.people.figures import draw_maps, draw_scores
from inverseq.studies.people.record import People, Row, score_table, weight_table
from inverseq.studies.people.yardsticks import Greedy, fit_greedy, greedy_solution, with_paths
from inverseq.worlds import MAZE_FEATURES, maze_features

DISCOUNTS = (0.9, 0.93, 0.95, 0.97, 0.99, 1.0)
"""Discounts among which each planner chooses by the likelihood of its training mazes."""

STRENGTHS = (0.1, 1.0, 10.0, 100.0)
"""Strengths of the prior among which it then chooses by cross-validation over training mazes."""

EVERY_COST = tuple(name for group in MAZE_FEATURES.values() for name in group)
FULL = "planner, every cost"

PLANNERS: dict[str, tuple[str, ...]] = {
    "planner, step": ("step",),
    "planner, step, turn, reversal, blocked": ("step", "turn", "reversal", "blocked"),
    FULL: EVERY_COST,
}

ABLATIONS: dict[str, tuple[str, ...]] = {
    f"planner without {group}": tuple(n for n in EVERY_COST if n not in names)
    for group, names in MAZE_FEATURES.items()
    if group != "step"
}
"""The step is never left out: without it nothing would lead to the goal."""

_HABITS = ("nearer by path", "turn", "reversal")

YARDSTICKS: dict[str, Greedy] = {
    "uniform": Greedy(()),
    "straight line": Greedy(("nearer by line",)),
    "shortest path": Greedy(("nearer by path",)),
    "shortest path, lapses": Greedy(("nearer by path",), lapse=True),
    "shortest path, habits, lapses": Greedy(_HABITS, lapse=True),
    "shortest path, habits, blocked, lapses": Greedy((*_HABITS, "blocked"), lapse=True),
    "shortest path, every cost": Greedy(("nearer by path", *EVERY_COST[1:])),
}
"""Walkers without foresight. Habits are not turning and not reversing."""

TABLES = {"table that saw the maze": 1, "two-step table that saw the maze": 2}
"""Count tables fitted to other people in the same mazes: no held-out worlds at all. The second
also remembers the last action, as the planners do."""


def people(
    out: str | os.PathLike,
    *,
    folds: int = 4,
    subjects: int | None = None,
    discounts: Sequence[float] = DISCOUNTS,
    strength: float | None = None,
    ablations: bool = True,
    jobs: int = -1,
    progress: Progress | None = None,
) -> People:
    """Write `scores.csv`, `weights.csv`, `people.json`, `scores.png` and `mazes.png` to a folder.

    Maze m is left out in fold m modulo `folds`. All moves count, blocked ones too.

    Args:
        out: The folder; it is made where it does not exist.
        folds: K.
        subjects: Use the first so many people; all of them where left out.
        discounts: As in `DISCOUNTS`.
        strength: Of the planner's prior; None chooses it, as in `STRENGTHS`. Ablations take over
            what the full planner has chosen.
        ablations: Whether to leave out each group of costs in turn.
        jobs: Processes; -1 for all cores.
        progress: Called with (what is being done, steps done, steps in all).

    Raises:
        InputError: The folder cannot be written to, or there are too few people or folds.
        FitError: A planner did not converge.
    """
    data = people_in_mazes()
    if not 2 <= folds <= len(data.worlds):
        raise InputError(f"folds must be 2 to {len(data.worlds)}, the number of mazes; got {folds}")
    demonstrations = data.demonstrations
    if subjects is not None:
        chosen = demonstrations.units("subject") < subjects
        demonstrations = demonstrations.take(chosen)
    study = _Study(
        demonstrations,
        {name: with_paths(maze_features(world)) for name, world in data.worlds.items()},
        np.arange(len(data.worlds)) % folds,
        tuple(discounts),
        jobs,
        progress,
    )
    predicted = _tables(study, data) | _yardsticks(study)
    planned, full = _planners(study, PLANNERS, [strength] * folds)
    predicted |= planned
    if ablations:
        chosen_strengths = [float(s.settings["strength"]) for s in full]
        predicted |= _planners(study, ABLATIONS, chosen_strengths)[0]
    made = People(
        rows=_rows(study, predicted),
        mazes=tuple(data.worlds),
        fold=study.fold,
        features=EVERY_COST,
        weights=np.stack([s.parameters["weights"] for s in full]),
        decisions=demonstrations.num_decisions,
        people=int(demonstrations.units("subject").max()) + 1,
        files=(),
    )
    return replace(made, files=_write(Path(out), made, study, data, full[0]))


@dataclass(frozen=True, eq=False)
class _Study:
    """What every part needs."""

    demonstrations: Demonstrations
    worlds: Mapping[str, MDP]
    fold: Int[np.ndarray, " W"]
    discounts: tuple[float, ...]
    jobs: int
    progress: Progress | None

    def folds(self) -> Iterator[tuple[np.ndarray, Demonstrations, Demonstrations, list[str]]]:
        """Rows left out, the training and the test part, and the mazes of the latter."""
        world = self.demonstrations.trajectories["world"]
        for number in range(int(self.fold.max()) + 1):
            names = [n for n, f in zip(self.worlds, self.fold, strict=True) if f == number]
            out = np.isin(world, names)
            rows = np.flatnonzero(out[self.demonstrations.trajectory_of])
            yield rows, self.demonstrations.take(~out), self.demonstrations.take(out), names


@dataclass(frozen=True, eq=False)
class _Predicted:
    """Log-probability of every decision `[N]`, predicted while it was held out."""

    kind: str
    numbers: int
    log_likelihood: Float[np.ndarray, " N"]
    discounts: tuple[float, ...] = ()
    strengths: tuple[float, ...] = ()


def _taken(solution: Solution, test: Demonstrations) -> Float[np.ndarray, " N"]:
    """Log-probability of each action taken."""
    probability = action_probabilities(solution, test)
    return np.log(probability[np.arange(test.num_decisions), test.actions])


def _yardsticks(study: _Study) -> dict[str, _Predicted]:
    """Every walker without foresight, on the mazes left out."""
    made = {}
    for name, walker in YARDSTICKS.items():
        log_p = np.zeros(study.demonstrations.num_decisions)
        for rows, train, test, names in study.folds():
            inside = {n: m for n, m in study.worlds.items() if n not in names}
            numbers = fit_greedy(walker, train, inside)
            outside = {n: study.worlds[n] for n in names}
            log_p[rows] = _taken(greedy_solution(walker, numbers, outside), test)
        made[name] = _Predicted("yardstick", walker.numbers, log_p)
    return made


def _tables(study: _Study, data: Dataset) -> dict[str, _Predicted]:
    """Count tables on people left out, a fifth at a time, in mazes that were seen."""
    assert isinstance(data.mdp, Mapping)
    person = study.demonstrations.units("subject")
    if person.max() < 4:
        raise InputError(f"the tables need 5 people or more; there are {int(person.max()) + 1}")
    made = {}
    for name, order in TABLES.items():
        log_p = np.zeros(study.demonstrations.num_decisions)
        for number in range(5):
            out = person % 5 == number
            table = CountTable(order=order, of="actions", by="subject")
            solution = fit(study.demonstrations.take(~out), table, data.mdp)
            rows = np.flatnonzero(out[study.demonstrations.trajectory_of])
            log_p[rows] = _taken(solution, study.demonstrations.take(out))
        made[name] = _Predicted("table", -1, log_p)
    return made


def _planners(
    study: _Study, planners: Mapping[str, tuple[str, ...]], strengths: Sequence[float | None]
) -> tuple[dict[str, _Predicted], list[Solution]]:
    """Planners on the mazes left out, and what the last of them found in each fold."""
    tasks = [
        (rows, train, test, names, features, strengths[number])
        for features in planners.values()
        for number, (rows, train, test, names) in enumerate(study.folds())
    ]
    running = Parallel(n_jobs=study.jobs, return_as="generator")(
        delayed(_plan)(train, test, names, study.worlds, features, study.discounts, strength)
        for _, train, test, names, features, strength in tasks
    )
    done = []
    for result in running:
        done.append(result)
        if study.progress is not None:
            study.progress("planners", len(done), len(tasks))
    folds = len(tasks) // len(planners)
    made = {}
    for place, (name, features) in enumerate(planners.items()):
        part = slice(place * folds, (place + 1) * folds)
        log_p = np.zeros(study.demonstrations.num_decisions)
        for task, (_, values) in zip(tasks[part], done[part], strict=True):
            log_p[task[0]] = values
        found = [solution for solution, _ in done[part]]
        kind = "planner" if planners is PLANNERS else "ablation"
        made[name] = _Predicted(
            kind,
            len(features) + 1,
            log_p,
            tuple(float(s.settings["discount"]) for s in found),
            tuple(float(s.settings["strength"]) for s in found),
        )
    return made, [solution for solution, _ in done[-folds:]]


def _plan(
    train: Demonstrations,
    test: Demonstrations,
    names: Sequence[str],
    worlds: Mapping[str, MDP],
    features: tuple[str, ...],
    discounts: Sequence[float],
    strength: float | None,
) -> tuple[Solution, Float[np.ndarray, " n"]]:
    """Fit on the mazes that are not in `names` and predict in those that are."""

    def at(discount: float, inside: bool) -> dict[str, MDP]:
        return {
            name: looking_at(mdp, features, discount)
            for name, mdp in worlds.items()
            if (name not in names) == inside
        }

    def solved(discount: float, settings: MaxEnt) -> Solution:
        return fit(train, settings, at(discount, inside=True))

    first = MaxEnt("features", strength=1.0 if strength is None else strength)
    tried = {discount: solved(discount, first) for discount in discounts}
    best = max(tried, key=lambda discount: float(log_likelihood(tried[discount], train)))
    solution = tried[best]
    if strength is None:
        choosing = MaxEnt("features", strengths=STRENGTHS, folds=3, by="world")
        solution = solved(best, choosing)
    return solution, _taken(replan(solution, at(best, inside=False)), test)


def looking_at(mdp: MDP, features: Sequence[str], discount: float) -> MDP:
    """The world with these of its features only, and another discount."""
    assert mdp.features is not None
    columns = [mdp.feature_names.index(name) for name in features]
    kept = mdp.features[:, :, columns]
    return replace(mdp, features=kept, feature_names=tuple(features), discount=discount)


def _rows(study: _Study, predicted: Mapping[str, _Predicted]) -> tuple[Row, ...]:
    """Scores and differences with their errors."""
    demonstrations = study.demonstrations
    person = demonstrations.units("subject")[demonstrations.trajectory_of]
    number = {name: i for i, name in enumerate(study.worlds)}
    names = demonstrations.trajectories["world"][demonstrations.trajectory_of]
    maze = np.array([number[str(name)] for name in names])
    by_person, by_maze = (np.bincount(unit).astype(float) for unit in (person, maze))
    full = predicted[FULL].log_likelihood
    rows = []
    for name, made in predicted.items():
        log_p = made.log_likelihood
        behind = full - log_p
        rows.append(
            Row(
                name,
                made.kind,
                made.numbers,
                float(log_p.mean()),
                ratio_error(np.bincount(person, log_p), by_person),
                float(behind.mean()),
                ratio_error(np.bincount(person, behind), by_person),
                ratio_error(np.bincount(maze, behind), by_maze),
                np.bincount(maze, log_p) / by_maze,
                made.discounts,
                made.strengths,
            )
        )
    return tuple(sorted(rows, key=lambda row: row.score))


def _write(
    folder: Path, made: People, study: _Study, data: Dataset, full: Solution
) -> tuple[str, ...]:
    """Tables, figures and everything as JSON; the paths."""
    left_out = [name for name, fold in zip(made.mazes, made.fold, strict=True) if fold == 0][:3]
    mdps = {n: looking_at(study.worlds[n], EVERY_COST, full.settings["discount"]) for n in left_out}
    maps = draw_maps(study.demonstrations, {n: data.worlds[n] for n in left_out}, full, mdps)
    summary = {
        "decisions": made.decisions,
        "people": made.people,
        "folds": {name: int(fold) for name, fold in zip(made.mazes, made.fold, strict=True)},
        "scores": score_table(made),
        "weights": weight_table(made),
        "source": data.source,
        "licence": data.licence,
    }
    return (
        write_csv(folder / "scores.csv", score_table(made)),
        write_csv(folder / "weights.csv", weight_table(made)),
        str(write_text(folder / "people.json", json.dumps(summary, indent=2) + "\n")),
        write_png(folder / "scores.png", draw_scores(made, FULL)),
        write_png(folder / "mazes.png", maps),
    )
