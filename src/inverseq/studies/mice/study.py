"""Mice in the labyrinth: what a reward says about them that counting does not, and what not.

Tables and rewards predict the published test trajectories (Rosenberg and others 2021, as prepared
by Ke and others 2025). Then each predicts one half of the maze from what was done in the other,
where only what is tied, table or reward, has anything to say.
"""

import json
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float
from joblib import Parallel, delayed

from inverseq._core.errors import InputError
from inverseq._core.files import write_text
from inverseq.datasets import Dataset
from inverseq.datasets import mice as mice_in_labyrinth
from inverseq.demonstrations import Demonstrations
from inverseq.evaluate.bootstrap import bootstrap
from inverseq.evaluate.compare import compare
from inverseq.evaluate.intervals import interval
from inverseq.evaluate.likelihood import difference
from inverseq.inverse.maxent.causal import MaxEnt
from inverseq.inverse.problem import Progress
from inverseq.studies.files import write_csv, write_png
from inverseq.studies.mice.figures import draw_habits, draw_places, draw_scores
from inverseq.studies.mice.models import (
    BUILD,
    CARRIED,
    FROM_STEP,
    FULL,
    Fitted,
    Model,
    ablations,
    by_chance,
    carried,
    carry,
    fit_and_score,
    foresight,
    free_rewards,
    pooled,
    seen_there,
    tables,
    tied_rewards,
    yardsticks,
)
from inverseq.studies.mice.record import (
    Contrast,
    Mice,
    Row,
    contrast_table,
    habit_table,
    place_table,
    score_table,
)
from inverseq.studies.mice.tables import halves, only
from inverseq.worlds import World, labyrinth, labyrinth_features

DISCOUNTS = (0.0, 0.5, 0.8, 0.9)
"""Discounts among which cross-validation on the training trajectories chooses."""

STRENGTHS = (1.0, 3.0, 10.0, 30.0)
"""Strengths of the prior among which every reward chooses in the same way."""


def mice(
    out: str | os.PathLike,
    *,
    history: int = 4,
    trajectories: int | None = None,
    discounts: Sequence[float] = DISCOUNTS,
    strengths: Sequence[float] = STRENGTHS,
    folds: int = 3,
    leave_out: bool = True,
    replicates: int = 100,
    seed: int = 0,
    jobs: int = -1,
    progress: Progress | None = None,
) -> Mice:
    """Write tables, `mice.json` and figures (scores, halves, habits, places) to a folder.

    Test trajectories are the published ones, scored from the second decision on, over the actions
    that exist. All else is chosen on training trajectories. The discount is chosen with three
    nodes remembered, and at the middle one of the strengths.

    Args:
        out: The folder; it is made where it does not exist.
        history: Nodes that the tied rewards remember, the present one included: 3 or more.
        trajectories: Use the first so many trajectories; all of them where left out.
        discounts: As in `DISCOUNTS`.
        strengths: As in `STRENGTHS`.
        folds: Folds of the cross-validations.
        leave_out: Whether to leave out groups of features in turn.
        replicates: Of the bootstrap of the readable weights, by trajectory.
        seed: Which random choices.
        jobs: Processes; -1 for all cores.
        progress: Called with (what is being done, steps done, steps in all).

    Raises:
        InputError: The folder cannot be written to, the history is too short, or there are too few
            trajectories for the folds.
        FitError: A fit did not converge.
    """
    if history < 3:
        raise InputError(f"alternation needs a history of 3 nodes or more; got {history}")
    data = mice_in_labyrinth()
    seen = data.demonstrations
    if trajectories is not None:
        seen = seen.take(np.arange(seen.num_trajectories) < trajectories)
    study = _Study(seen.select(split="train"), seen.select(split="test"), seed, jobs, progress)
    tried = _try_discounts(study, discounts, sorted(strengths)[len(strengths) // 2], folds)
    discount = max(tried, key=lambda gamma: tried[gamma])
    parts = (study.train, study.test)
    models = [*tables(), *free_rewards(discount, strengths, folds)]
    models += tied_rewards(discount, history, strengths, folds)
    fitted = study.run("models", fit_and_score, [(model, *parts) for model in models])
    named = {f.model.name: f for f in fitted}
    smaller = list(ablations(named["habits"], named[FULL])) if leave_out else []
    fitted += study.run("ablations", fit_and_score, [(m, *parts) for _, m in smaller])
    there = _transfer(study, list(carried(discount, history, strengths, folds)), history)
    pairs = [*foresight(BUILD), *pairwise(reversed(BUILD)), *((m.name, n.name) for m, n in smaller)]
    names, weights = _sure_weights(study, named["habits"], replicates)
    score = named[FULL].score
    made = Mice(
        rows=_rows([by_chance(named[FULL]), *fitted], yardsticks(history, transfer=False)),
        transfer=_rows(there, yardsticks(history, transfer=True)),
        contrasts=(*_contrasts(fitted, pairs, False), *_contrasts(there, foresight(CARRIED), True)),
        discounts=tried,
        discount=discount,
        habits=names,
        weights=weights,
        places=_places(named[FULL], data.worlds["labyrinth"]),
        decisions=score.num_decisions,
        forced=score.num_forced,
        trajectories=study.test.num_trajectories,
    )
    return replace(made, files=_write(Path(out), made, data))


@dataclass(frozen=True, eq=False)
class _Study:
    """What every part needs."""

    train: Demonstrations
    test: Demonstrations
    seed: int
    jobs: int
    progress: Progress | None

    def run(self, what: str, work: Callable[..., Any], tasks: Sequence[tuple]) -> list[Any]:
        """Results of `work` on each task's arguments, in order."""
        done = []
        for one in Parallel(n_jobs=self.jobs, return_as="generator")(
            delayed(work)(*task) for task in tasks
        ):
            done.append(one)
            if self.progress is not None:
                self.progress(what, len(done), len(tasks))
        return done


def _try_discounts(
    study: _Study, discounts: Sequence[float], strength: float, folds: int
) -> dict[float, float]:
    """Nats per decision of every feature under each discount, held out of the training part."""
    tasks = [(study.train, gamma, strength, folds, study.seed) for gamma in discounts]
    return dict(zip(discounts, study.run("discounts", _try_discount, tasks), strict=True))


def _try_discount(
    train: Demonstrations, discount: float, strength: float, folds: int, seed: int
) -> float:
    """The score of one of them."""
    mdp = labyrinth_features(labyrinth(discount), history=3)
    solver = MaxEnt("features", strength=strength)
    made = compare(train, {FULL: solver}, mdp, folds=folds, seed=seed, from_step=FROM_STEP)
    score = made[FULL].score
    assert score is not None  # where the only candidate fails, compare raises
    return score.mean


def _transfer(study: _Study, models: Sequence[Model], history: int) -> list[Fitted]:
    """Each model tried on both halves of the maze, fitted to the other; and who saw them."""
    half = halves(labyrinth())
    inside = [half == child for child in (1, 2)]
    tasks = [(model, (study.train, study.test), there) for model in models for there in inside]
    done = study.run("halves", carry, tasks)
    made = [pooled(*done[i : i + 2]) for i in range(0, len(done), 2)]
    both = [[only(part, there) for part in (study.train, study.test)] for there in inside]
    saw = [fit_and_score(seen_there(history), *parts) for parts in both]
    return [by_chance(made[0]), *made, pooled(*saw)]


def _sure_weights(
    study: _Study, habits: Fitted, replicates: int
) -> tuple[tuple[str, ...], Float[np.ndarray, "3 H"]]:
    """Names of the readable features, and their weights between the ends of 95 % intervals."""
    # None of them looks further back than three nodes.
    mdp = labyrinth_features(labyrinth(habits.model.discount), BUILD["habits"], history=3)
    made = bootstrap(
        study.train,
        MaxEnt("features", strength=habits.strength),
        mdp,
        seed=study.seed,
        replicates=replicates,
        jobs=study.jobs,
        progress=study.progress,
    )
    found = interval(made, "weights")
    return mdp.feature_names, np.stack([found.low, found.estimate, found.high])


def _places(full: Fitted, world: World) -> Float[np.ndarray, " nodes"]:
    """What arriving at each node is worth: as this place, as water, as home."""
    places = np.array([full.weights[f"at {node}"] for node in range(world.mdp.num_states)])
    for mark in ("water", "home"):
        places[list(world.drawing.marks[mark])] += full.weights[mark]
    return places


def _contrasts(
    fitted: Iterable[Fitted], pairs: Iterable[tuple[str, str]], halves: bool
) -> tuple[Contrast, ...]:
    """How much better the first of each pair does."""
    score = {f.model.name: f.score for f in fitted}
    return tuple(Contrast(m, r, halves, difference(score[m], score[r])) for m, r in pairs)


def _rows(fitted: Iterable[Fitted], yardsticks: Sequence[str]) -> tuple[Row, ...]:
    """Scores, and differences to two yardsticks and to the best table, the worst first."""
    named = {f.model.name: f for f in fitted}
    counted = [
        f for f in named.values() if f.model.kind in ("table", "tied table") and not _saw(f.model)
    ]
    best = max(counted, key=lambda f: f.score.mean).model.name
    against: Mapping[str, str] = {**{name: name for name in yardsticks}, "best table": best}
    rows = [
        Row(
            name,
            f.model.kind,
            f.model.nodes,
            f.numbers,
            f.score.mean,
            f.score.standard_error,
            {word: difference(f.score, named[other].score) for word, other in against.items()},
            f.strength,
        )
        for name, f in named.items()
    ]
    return tuple(sorted(rows, key=lambda row: row.score))


def _saw(model: Model) -> bool:
    """Whether a table was shown the half it is tried on."""
    return model.name == seen_there(model.nodes).name


def _write(folder: Path, made: Mice, data: Dataset) -> tuple[str, ...]:
    """Tables, figures and everything as JSON; the paths."""
    world = data.worlds["labyrinth"]
    summary = {
        "decisions": made.decisions,
        "forced": made.forced,
        "trajectories": made.trajectories,
        "discount": made.discount,
        "discounts": {f"{gamma:g}": round(score, 6) for gamma, score in made.discounts.items()},
        "scores": score_table(made.rows),
        "halves": score_table(made.transfer),
        "contrasts": contrast_table(made),
        "habits": habit_table(made),
        "source": data.source,
        "licence": data.licence,
    }
    return (
        write_csv(folder / "scores.csv", score_table(made.rows)),
        write_csv(folder / "halves.csv", score_table(made.transfer)),
        write_csv(folder / "contrasts.csv", contrast_table(made)),
        write_csv(folder / "habits.csv", habit_table(made)),
        write_csv(folder / "places.csv", place_table(made)),
        str(write_text(folder / "mice.json", json.dumps(summary, indent=2) + "\n")),
        write_png(folder / "scores.png", draw_scores(made.rows, FULL)),
        write_png(folder / "halves.png", draw_scores(made.transfer, "habits, turns, patterns")),
        write_png(folder / "habits.png", draw_habits(made)),
        write_png(folder / "places.png", draw_places(made, world)),
    )
