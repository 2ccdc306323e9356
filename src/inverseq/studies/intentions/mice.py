"""Part "mice": what intentions add to memory in the labyrinth, and what they look like.

Published split, scores from the filter over actions that exist, from the second decision on.
Choices are made on a fifth of the training trajectories that is held out; errors go over test
trajectories.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from inverseq.datasets import mice
from inverseq.evaluate.likelihood import difference
from inverseq.intentions.solution import IntentionSolution
from inverseq.intentions.solver import Intentions
from inverseq.intentions.switching import Markov
from inverseq.inverse.fit import fit
from inverseq.inverse.problem import Problem
from inverseq.inverse.tables.steered import Steered
from inverseq.studies.intentions import Settings
from inverseq.studies.intentions.mice_figures import (
    draw_grid,
    draw_rewards,
    draw_scores,
    draw_session,
)
from inverseq.studies.intentions.mice_fits import (
    FOLDS,
    Data,
    Scored,
    above_habit,
    cell,
    divide,
    nats,
    rows_of,
    world_of_readable,
    yardsticks,
)
from inverseq.studies.intentions.mice_models import (
    INTERLEAVED,
    KS,
    MEDIUM,
    TWO_STEP,
    WITH_OWN,
    Memory,
    grid,
    habit_of,
    with_contexts,
)
from inverseq.studies.intentions.mice_readable import (
    Reading,
    most_telling,
    read_intentions,
    top_places,
)
from inverseq.studies.run import Result
from inverseq.studies.study import Effort
from inverseq.worlds import labyrinth

READABLE = ("depth", "turn", "ends", "ports", "places")
"""What the rewards that one can read are about."""
READABLE_STAY = 0.95
"""Where the search for readable intentions begins: they last less long."""
READABLE_K = 3
READABLE_MULTIPLIER = 10.0
READABLE_STRENGTH = 5.0
_FEWER = 5
"""A hundred fits: each is searched for with a fifth of the effort."""


def run(settings: Settings, effort: Effort) -> Result:
    """Yardsticks, the grid of intentions, rewards above the longest habit, and readable ones."""
    data, searching, folds = prepared(settings, effort)
    world = data.world
    cells = list(grid(effort.small))
    plain = list(yardsticks(data))
    gridded = effort.each("grid of intentions", cell, [(one, data, searching) for one in cells])
    effort.say("above habits", 0, 2)
    above = list(above_habit(data, (1, 2) if effort.small else KS, searching, folds))
    effort.say("above habits", 1, 2)
    solution, habit, readable = readable_fit(data, searching, folds)
    reading = read_intentions(solution, data.train, world)
    effort.say("above habits", 2, 2)
    session = data.test.take([most_telling(solution, data.test)])
    every = [*plain, *gridded, *above, habit, readable]
    iavi = [(c, one) for c, one in zip(cells, gridded, strict=True) if c.solver == "IAVI"]
    best = [_best(gridded), *above, habit, readable]
    return Result(
        {
            "scores": rows_of(every),
            "readable": reading.rows,
            "weights": reading.weights,
            "places": top_places(reading),
        },
        {
            "scores": draw_scores([*plain, *best]),
            "grid": draw_grid(*map(list, zip(*iavi, strict=True))),
            "rewards": draw_rewards(reading, world),
            "session": draw_session(solution, session, reading.names, world),
        },
        sentences(plain, gridded, above, readable, habit, reading),
    )


def prepared(settings: Settings, effort: Effort) -> tuple[Data, Intentions, int]:
    """Decisions with their contexts, how long to search, in how many parts a habit is fitted."""
    world = labyrinth()
    decisions = with_contexts(mice().demonstrations, world)
    if effort.small:
        decisions = decisions.take(range(12))
    steps, folds = (3, 2) if effort.small else (50, FOLDS)
    searching = Intentions(
        1,
        restarts=max(settings.restarts // _FEWER, 1),
        polished=1,
        max_steps=steps,
        tolerance=1e-4,
        seed=effort.seed,
    )
    return divide(decisions, world, effort.seed), searching, folds


def readable_fit(
    data: Data, searching: Intentions, folds: int, memory: Memory = MEDIUM, discount: float = 0.0
) -> tuple[IntentionSolution, Scored, Scored]:
    """Rewards on depth, turns and places above a habit of this memory; the habit alone."""
    mdp = world_of_readable(READABLE, discount)
    habit = habit_of(memory, READABLE_MULTIPLIER)
    steered = Steered(habit, strength=READABLE_STRENGTH, max_steps=6, folds=folds)
    steering = steered.counted(Problem(data.train, mdp))
    search = replace(searching, k=READABLE_K, solver=steering, switching=Markov(READABLE_STAY))
    found = fit(data.train, search, mdp, accept_failure=True)
    assert isinstance(found, IntentionSolution)  # that is what these settings give
    alone = steering.habit
    return (
        found,
        Scored(f"habit of {memory}", "habit", nats(alone, data.test), alone.num_parameters),
        Scored(
            f"readable above {memory}",
            "above a habit",
            nats(found, data.test),
            found.num_parameters,
            READABLE_K,
            train=found.log_likelihood / data.train.num_decisions,
            occupancy=tuple(found.occupancy.tolist()),
        ),
    )


def _best(found: Sequence[Scored]) -> Scored:
    """The one that predicts the held-out fifth of the training trajectories best."""
    return max(
        (one for one in found if one.held_out is not None), key=lambda one: one.held_out or 0
    )


def sentences(
    plain: Sequence[Scored],
    gridded: Sequence[Scored],
    above: Sequence[Scored],
    readable: Scored,
    habit: Scored,
    reading: Reading,
) -> tuple[str, ...]:
    """What was found."""
    table = {one.name: one for one in plain}
    chosen = _best([one for one in above if one.k])
    of_grid = _best(gridded)
    lines = [
        f"Of the grid, {of_grid.name} predicts held-out training trajectories best: "
        f"{_nats(of_grid)} on test trajectories; {_gain(of_grid, table[INTERLEAVED])} against the "
        "interleaved table.",
        f"Above the habit with the longest memory, {chosen.name.partition(', ')[2]} was chosen: "
        f"{_nats(chosen)}; {_gain(chosen, above[0])} against the habit alone, "
        f"{_gain(chosen, table[WITH_OWN])} against the best table, "
        f"{_gain(chosen, table[TWO_STEP])} against the two-step table.",
        f"The readable intentions score {_nats(readable)}; {_gain(readable, habit)} against "
        "their habit alone.",
    ]
    lines += [_behaviour(row) for row in reading.rows]
    return tuple(lines)


def _behaviour(row: dict[str, Any]) -> str:
    """One intention in words."""
    return (
        f"{row['intention']}: {row['share']:.0%} of decisions, {row['lasts']:.0f} in a row; "
        f"{row['to_water']:.1%} of its moves lead to water, {row['to_home']:.1%} to home, "
        f"{row['leaves']:.1%} out of the maze, {row['to_ends']:.0%} to ends and "
        f"{row['long_unseen']:.0%} to nodes unseen for 64 decisions."
    )


def _nats(one: Scored) -> str:
    return f"{one.score.mean:.4f} (SE {one.score.standard_error:.4f})"


def _gain(one: Scored, other: Scored) -> str:
    gap = difference(one.score, other.score)
    return f"{gap.mean:+.4f} (SE {gap.standard_error:.4f})"
