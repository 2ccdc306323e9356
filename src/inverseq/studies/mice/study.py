"""Mice in the labyrinth: what a reward says about them that counting does not, and what not.

Tables and rewards predict the published test trajectories (Rosenberg and others 2021, as prepared
by Ke and others 2025). Then each predicts one half of the maze from what was done in the other,
where only what is tied, table or reward, has anything to say.
"""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from jaxtyping import Float

from inverseq._core.errors import InputError
from inverseq.datasets import mice as mice_in_labyrinth
from inverseq.demonstrations import Demonstrations
from inverseq.evaluate.bootstrap import bootstrap
from inverseq.evaluate.compare import compare
from inverseq.evaluate.intervals import interval
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
    pooled_halves,
    seen_there,
    tables,
    tied_rewards,
    yardsticks,
)
from inverseq.studies.mice.rows import (
    contrast_rows,
    habit_rows,
    place_rows,
    score_rows,
    worst_first,
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
    weights = _sure_weights(parts[0], named["habits"], settings.replicates, effort)
    world, score = data.worlds["labyrinth"], named[FULL].score
    places = _places(named[FULL], world)
    fitted, there = worst_first([by_chance(named[FULL]), *fitted]), worst_first(there)
    return Result(
        {
            "scores": score_rows(fitted, yardsticks(history, transfer=False)),
            "halves": score_rows(there, yardsticks(history, transfer=True)),
            "contrasts": contrast_rows(fitted, pairs, "test trajectories")
            + contrast_rows(there, foresight(CARRIED), "the other half"),
            "habits": habit_rows(weights),
            "places": place_rows(places),
        },
        {
            "scores": draw_scores(fitted, FULL),
            "halves": draw_scores(there, "habits, turns, patterns"),
            "habits": draw_habits(weights),
            "places": draw_places(places, world),
        },
        (
            f"{parts[1].num_trajectories} test trajectories, {score.num_decisions:,} decisions: "
            "nats per decision, with standard errors over trajectories. "
            f"{score.num_forced:,} decisions had no alternative. Cross-validation on training "
            f"trajectories chose the discount {discount:g}.",
            "In the table of halves each half of the maze is predicted from the other. Habits are "
            "worth nats (negative: avoided), with 95 % intervals.",
        ),
        facts={
            "decisions": score.num_decisions,
            "forced": score.num_forced,
            "trajectories": parts[1].num_trajectories,
            "discount": discount,
            "discounts": {f"{gamma:g}": round(score, 6) for gamma, score in tried.items()},
            "source": data.source,
            "licence": data.licence,
        },
        long=("places",),
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
    made = [pooled_halves(*done[i : i + 2]) for i in range(0, len(done), 2)]
    both = [[only(part, there) for part in parts] for there in inside]
    saw = [fit_and_score(seen_there(history), *each) for each in both]
    return [by_chance(made[0]), *made, pooled_halves(*saw)]


def _sure_weights(
    train: Demonstrations, habits: Fitted, replicates: int, effort: Effort
) -> dict[str, Float[np.ndarray, " 3"]]:
    """Weights of the readable features by name, between the ends of 95 % intervals."""
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
    sure = np.stack([found.low, found.estimate, found.high], axis=1)
    return dict(zip(mdp.feature_names, sure, strict=True))


def _places(full: Fitted, world: World) -> Float[np.ndarray, " nodes"]:
    """What arriving at each node is worth: as this place, as water, as home."""
    places = np.array([full.weights[f"at {node}"] for node in range(world.mdp.num_states)])
    for mark in ("water", "home"):
        places[list(world.drawing.marks[mark])] += full.weights[mark]
    return places
