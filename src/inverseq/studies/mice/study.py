"""Mice in the labyrinth: what a reward says about them that counting does not, and what not.

Tables and rewards predict the published test trajectories (Rosenberg and others 2021, as prepared
by Ke and others 2025). Then each predicts one half of the maze from what was done in the other,
where only what is tied, table or reward, has anything to say.
"""

from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise

import numpy as np
from jaxtyping import Float

from inverseq._core.errors import InputError
from inverseq.datasets import mice as mice_in_labyrinth
from inverseq.demonstrations import Demonstrations
from inverseq.evaluate.bootstrap import bootstrap
from inverseq.evaluate.compare import compare
from inverseq.evaluate.intervals import interval
from inverseq.evaluate.likelihood import difference
from inverseq.inverse.maxent.causal import MaxEnt
from inverseq.studies.mice import Settings
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
from inverseq.studies.run import Result
from inverseq.studies.study import Effort
from inverseq.worlds import World, labyrinth, labyrinth_features

Parts = tuple[Demonstrations, Demonstrations]
"""Training and test trajectories."""


def run(settings: Settings, effort: Effort) -> Result:
    """Test trajectories, and each half of the maze from the other, by tables and rewards.

    Test trajectories are the published ones, scored from the second decision on, over the actions
    that exist. All else is chosen on training trajectories. The discount is chosen with three
    nodes remembered, and at the middle one of the strengths.

    Raises:
        InputError: The history is too short, or there are too few trajectories for the folds.
        FitError: A fit did not converge.
    """
    history, folds = settings.history, settings.folds
    if history < 3:
        raise InputError(f"alternation needs a history of 3 nodes or more; got {history}")
    data = mice_in_labyrinth()
    seen = data.demonstrations
    if settings.trajectories is not None:
        seen = seen.take(np.arange(seen.num_trajectories) < settings.trajectories)
    parts = (seen.select(split="train"), seen.select(split="test"))
    tried = _try_discounts(parts[0], settings, effort)
    discount = max(tried, key=lambda gamma: tried[gamma])
    models = [*tables(), *free_rewards(discount, settings.strengths, folds)]
    models += tied_rewards(discount, history, settings.strengths, folds)
    fitted = effort.each("models", fit_and_score, [(model, *parts) for model in models])
    named = {f.model.name: f for f in fitted}
    smaller = list(ablations(named["habits"], named[FULL])) if settings.leave_out else []
    fitted += effort.each("ablations", fit_and_score, [(m, *parts) for _, m in smaller])
    candidates = list(carried(discount, history, settings.strengths, folds))
    there = _transfer(parts, candidates, history, effort)
    pairs = [*foresight(BUILD), *pairwise(reversed(BUILD)), *((m.name, n.name) for m, n in smaller)]
    names, weights = _sure_weights(parts[0], named["habits"], settings.replicates, effort)
    world, score = data.worlds["labyrinth"], named[FULL].score
    made = Mice(
        rows=_rows([by_chance(named[FULL]), *fitted], yardsticks(history, transfer=False)),
        transfer=_rows(there, yardsticks(history, transfer=True)),
        contrasts=(*_contrasts(fitted, pairs, False), *_contrasts(there, foresight(CARRIED), True)),
        discounts=tried,
        discount=discount,
        habits=names,
        weights=weights,
        places=_places(named[FULL], world),
        decisions=score.num_decisions,
        forced=score.num_forced,
        trajectories=parts[1].num_trajectories,
    )
    return Result(
        {
            "scores": score_table(made.rows),
            "halves": score_table(made.transfer),
            "contrasts": contrast_table(made),
            "habits": habit_table(made),
            "places": place_table(made),
        },
        {
            "scores": draw_scores(made.rows, FULL),
            "halves": draw_scores(made.transfer, "habits, turns, patterns"),
            "habits": draw_habits(made),
            "places": draw_places(made, world),
        },
        (
            f"{made.trajectories} test trajectories, {made.decisions:,} decisions: nats per "
            f"decision, with standard errors over trajectories. {made.forced:,} decisions had no "
            "alternative. Cross-validation on training trajectories chose the discount "
            f"{made.discount:g}.",
            "In the table of halves each half of the maze is predicted from the other. Habits are "
            "worth nats (negative: avoided), with 95 % intervals.",
        ),
        {
            "decisions": made.decisions,
            "forced": made.forced,
            "trajectories": made.trajectories,
            "discount": made.discount,
            "discounts": {f"{gamma:g}": round(score, 6) for gamma, score in tried.items()},
            "source": data.source,
            "licence": data.licence,
        },
        long=("places",),
        record=made,
    )


def _try_discounts(train: Demonstrations, settings: Settings, effort: Effort) -> dict[float, float]:
    """Nats per decision of every feature under each discount, held out of the training part."""
    strength = sorted(settings.strengths)[len(settings.strengths) // 2]
    tasks = [(train, g, strength, settings.folds, effort.seed) for g in settings.discounts]
    scores = effort.each("discounts", _try_discount, tasks)
    return dict(zip(settings.discounts, scores, strict=True))


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


def _transfer(parts: Parts, models: Sequence[Model], history: int, effort: Effort) -> list[Fitted]:
    """Each model tried on both halves of the maze, fitted to the other; and who saw them."""
    half = halves(labyrinth())
    inside = [half == child for child in (1, 2)]
    tasks = [(model, parts, there) for model in models for there in inside]
    done = effort.each("halves", carry, tasks)
    made = [pooled(*done[i : i + 2]) for i in range(0, len(done), 2)]
    both = [[only(part, there) for part in parts] for there in inside]
    saw = [fit_and_score(seen_there(history), *each) for each in both]
    return [by_chance(made[0]), *made, pooled(*saw)]


def _sure_weights(
    train: Demonstrations, habits: Fitted, replicates: int, effort: Effort
) -> tuple[tuple[str, ...], Float[np.ndarray, "3 H"]]:
    """Names of the readable features, and their weights between the ends of 95 % intervals."""
    # None of them looks further back than three nodes.
    mdp = labyrinth_features(labyrinth(habits.model.discount), BUILD["habits"], history=3)
    made = bootstrap(
        train,
        MaxEnt("features", strength=habits.strength),
        mdp,
        seed=effort.seed,
        replicates=replicates,
        jobs=effort.workers,
        progress=effort.progress,
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
