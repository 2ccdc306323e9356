"""The models that a table is scored with: yardsticks that count, and models with a reward."""

from dataclasses import dataclass, replace

from inverseq.evaluate.compare import Candidate
from inverseq.inverse.count_table import CountTable
from inverseq.inverse.iavi import IAVI
from inverseq.inverse.maxent import MaxEnt

_DEEPEST_TABLE = 4
_MOST_STATES = {"states": 500, "state-actions": 1500}
"""Reward -> states of a world beyond which its model with a memory is left out: it would take very
long, and a reward on states gains the least from a memory."""


@dataclass(frozen=True)
class Entry:
    """One model to be fitted and scored.

    Attributes:
        key: Short name, for options and files.
        name: Name for people.
        yardstick: Whether it only counts.
        candidate: Its settings and the memory of its world.
    """

    key: str
    name: str
    yardstick: bool
    candidate: Candidate


@dataclass(frozen=True)
class Menu:
    """What the models share.

    Attributes:
        num_states: States of the world.
        features: Whether the world has features.
        units: Units that every fit can be sure of, for folds within the training part.
        by: What a unit is.
        smoothing: Decisions added to counts by IAVI and the plain tables.
        history: States that the models with a memory look at.
        folds: Folds inside the training data.
        seed: Which random choices.
        gauge: Which of the equivalent rewards IAVI reports.
        anchor: Action of known reward, for the gauge "anchor".
    """

    num_states: int
    features: bool
    units: int
    by: str
    smoothing: float
    history: int
    folds: int
    seed: int
    gauge: str = "zero-mean"
    anchor: int | None = None


def entries(menu: Menu) -> list[Entry]:
    """The models to score: yardsticks, then models with a reward."""
    plain = CountTable(smoothing=menu.smoothing, backoff=False, by=menu.by)
    backing = CountTable(by=menu.by)
    steps = ("one", "two", "three", "four")
    marginal = Candidate(replace(backing, order=0))
    found = [Entry("marginal", "share of each action", True, marginal)]
    for order in (1, 2):
        name = f"{steps[order - 1]}-step table, plus {menu.smoothing:g}"
        found.append(Entry(f"table-{order}", name, True, Candidate(replace(plain, order=order))))
    for order in range(1, _DEEPEST_TABLE + 1):
        name = f"{steps[order - 1]}-step table, back-off"
        table = Candidate(replace(backing, order=order))
        found.append(Entry(f"backoff-{order}", name, True, table))
    return found + _with_reward(menu)


def _with_reward(menu: Menu) -> list[Entry]:
    """IAVI, and MaxEnt on everything the world offers, without and with a memory."""
    anchor = menu.anchor if menu.gauge == "anchor" else None
    iavi = IAVI(smoothing=menu.smoothing, gauge=menu.gauge, anchor=anchor)
    maxent = MaxEnt(strength=1.0)
    if menu.units > 1:
        maxent = MaxEnt(folds=min(menu.folds, menu.units), by=menu.by, seed=menu.seed)
    on = lambda what: replace(maxent, reward=what)  # noqa: E731
    found = [
        Entry("iavi", "IAVI", False, Candidate(iavi)),
        Entry("maxent-states", "MaxEnt on states", False, Candidate(maxent)),
        Entry(
            "maxent-state-actions",
            "MaxEnt on state-actions",
            False,
            Candidate(on("state-actions")),
        ),
    ]
    if menu.features:
        found.append(
            Entry("maxent-features", "MaxEnt on features", False, Candidate(on("features")))
        )
    if menu.history > 1:
        memory = f"memory of {menu.history} states"
        for key, what in (("-states", "states"), ("", "state-actions")):
            if menu.num_states > _MOST_STATES[what]:
                continue
            candidate = Candidate(on(what), history=menu.history)
            name = f"MaxEnt on {what}, {memory}"
            found.append(Entry(f"maxent-history{key}", name, False, candidate))
    return found
