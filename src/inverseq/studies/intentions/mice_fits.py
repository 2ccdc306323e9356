"""What the part "mice" fits, and how it scores: on test trajectories, and held out of training."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from inverseq.demonstrations import Demonstrations
from inverseq.evaluate.likelihood import Score, log_likelihood
from inverseq.intentions.law import Law
from inverseq.intentions.solution import IntentionSolution
from inverseq.intentions.solver import Intentions
from inverseq.intentions.switching import DependentMarkov, Markov
from inverseq.inverse.fit import fit
from inverseq.inverse.problem import Problem
from inverseq.inverse.solution import Solution
from inverseq.inverse.tables.steered import Steered, Steering
from inverseq.mdp import MDP
from inverseq.studies.intentions.mice_models import (
    AGAINST,
    FROM_STEP,
    LAWS,
    SOLVERS,
    Cell,
    interleaved,
    long_habit,
    tables,
)
from inverseq.studies.mice.tables import tied, tied_world
from inverseq.studies.shapes import beside, plain
from inverseq.worlds import labyrinth, labyrinth_features
from inverseq.worlds.record import World

MULTIPLIERS = (6.0, 12.0)
"""Strengths of the habit's prior that are tried on held-out training trajectories."""
STRENGTHS = (3.0, 10.0)
"""Strengths of the prior of the rewards above it, likewise."""
STEERING = ("turns", "patterns")
"""What the rewards above the long habit are about."""
FOLDS = 5
"""Parts whose habit comes from the others while rewards are fitted."""
STAY = 0.97


@dataclass(frozen=True, eq=False)
class Data:
    """The decisions, divided.

    Attributes:
        world: The labyrinth.
        train: To fit.
        test: The published test trajectories.
        most: Four fifths of the trajectories of `train`.
        held_out: The other fifth, on which choices are made.
    """

    world: World
    train: Demonstrations
    test: Demonstrations
    most: Demonstrations
    held_out: Demonstrations


def divide(demonstrations: Demonstrations, world: World, seed: int) -> Data:
    """The published split, and a fifth of the training trajectories for choices."""
    train = demonstrations.select(split="train")
    fifth = np.random.default_rng(seed).permutation(train.num_trajectories) % 5 == 0
    test = demonstrations.select(split="test")
    return Data(world, train, test, train.take(~fifth), train.take(fifth))


@dataclass(frozen=True, eq=False)
class Scored:
    """One model.

    Attributes:
        name: For tables.
        kind: "table", "tied table", "habit", "intentions" or "above a habit".
        score: On the test trajectories.
        numbers: How many were free in the fit.
        k: How many intentions; 0 for none.
        held_out: Nats per decision on the held-out fifth of a fit to the rest; None: not tried.
        train: Nats per decision of training; above a habit, the habit is that of other folds.
        occupancy: Share of the training decisions of each intention.
    """

    name: str
    kind: str
    score: Score
    numbers: int
    k: int = 0
    held_out: float | None = None
    train: float | None = None
    occupancy: tuple[float, ...] = field(default=())

    def row(self, others: dict[str, Score]) -> dict[str, Any]:
        """For a table, with differences to `others` paired by trajectory."""
        row: dict[str, Any] = {
            "model": self.name,
            "kind": self.kind,
            "k": self.k,
            "numbers": self.numbers,
            "held_out": self.held_out,
            "train": self.train,
            "test": self.score.mean,
            "error": self.score.standard_error,
        }
        occupancy = " ".join(f"{share:.2f}" for share in self.occupancy)
        return plain(row | beside(self.score, others) | {"occupancy": occupancy})


def rows_of(found: Sequence[Scored]) -> list[dict[str, Any]]:
    """All of them, compared with the yardsticks `AGAINST`."""
    others = {one.name: one.score for one in found if one.name in AGAINST}
    return [one.row(others) for one in found]


def nats(solution: Solution | IntentionSolution, data: Demonstrations) -> Score:
    """Filtered, from the second decision on."""
    return log_likelihood(solution, data, from_step=FROM_STEP)


def yardsticks(data: Data) -> Iterator[Scored]:
    """Tables."""
    for name, kind, table in tables():
        train, test, mdp = data.train, data.test, data.world.mdp
        if kind == "tied table":
            train, test = tied(train, data.world), tied(test, data.world)
            mdp = tied_world(data.world)
        found = fit(train, table, mdp)
        yield Scored(name, kind, nats(found, test), found.num_parameters)
    for name, table in interleaved().items():
        found = fit(data.train, table, data.world.mdp, accept_failure=True)
        yield Scored(name, "table", nats(found, data.test), found.num_parameters)


def cell(one: Cell, data: Data, settings: Intentions) -> Scored:
    """One model of the grid; `settings` say how long to search."""
    mdp = data.world.mdp
    world = mdp if one.history == 1 else mdp.with_history(one.history)
    settings = replace(settings, k=one.k, solver=SOLVERS[one.solver], switching=LAWS[one.law])
    made = [fit(part, settings, world, accept_failure=True) for part in (data.most, data.train)]
    tried, found = made
    assert isinstance(found, IntentionSolution)  # that is what these settings give
    return _scored(one.name, "intentions", one.k, found, data, float(nats(tried, data.held_out)))


def _scored(
    name: str, kind: str, k: int, found: IntentionSolution, data: Data, held_out: float | None
) -> Scored:
    """The record of a fit to all training trajectories."""
    return Scored(
        name,
        kind,
        nats(found, data.test),
        found.num_parameters,
        k,
        held_out,
        found.log_likelihood / data.train.num_decisions,
        tuple(found.occupancy.tolist()),
    )


def above_habit(
    data: Data, ks: Sequence[int], settings: Intentions, folds: int
) -> Iterator[Scored]:
    """Rewards above the habit with the longest memory, for every k; the habit itself first.

    The priors are chosen on the held-out fifth: that of the habit by itself, that of the rewards
    with three intentions (with the most, where there are fewer).
    """
    mdp = labyrinth_features(labyrinth(0.0), STEERING, history=3)
    alone = {m: fit(data.most, long_habit(m, True), mdp, accept_failure=True) for m in MULTIPLIERS}
    tried = {m: float(nats(found, data.held_out)) for m, found in alone.items()}
    multiplier = max(tried, key=lambda m: tried[m])
    steered = Steered(long_habit(multiplier, True), max_steps=6, folds=folds)
    partly = steered.counted(Problem(data.most, mdp))
    wholly = steered.counted(Problem(data.train, mdp))
    habit = nats(wholly.habit, data.test)
    size = wholly.habit.num_parameters
    yield Scored("habit", "habit", habit, size, held_out=tried[multiplier])

    def run(steering: Steering, part: Demonstrations, k: int, s: float, law: Law):
        solver = replace(steering, settings=replace(steering.settings, strength=s))
        given = replace(settings, k=k, solver=solver, switching=law)
        found = fit(part, given, mdp, accept_failure=True)
        assert isinstance(found, IntentionSolution)  # that is what these settings give
        return found

    middle = min(3, max(ks))
    trial = {
        s: float(nats(run(partly, data.most, middle, s, Markov(STAY)), data.held_out))
        for s in STRENGTHS
    }
    strength = max(trial, key=lambda s: trial[s])
    for k in ks:
        rest = run(partly, data.most, k, strength, Markov(STAY))
        found = run(wholly, data.train, k, strength, Markov(STAY))
        held_out = float(nats(rest, data.held_out))
        yield _scored(f"above a habit, k={k}", "above a habit", k, found, data, held_out)
    by_state = DependentMarkov(("state",), stay=STAY)
    found = run(wholly, data.train, middle, strength, by_state)
    name = f"above a habit, by state, k={middle}"
    yield _scored(name, "above a habit", middle, found, data, None)


def world_of_readable(groups: Sequence[str], discount: float) -> MDP:
    """The labyrinth with the features of the readable rewards."""
    return labyrinth_features(labyrinth(discount), groups, history=3)
