"""The models of the study of mice, and how one of them is fitted and scored."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool

from inverseq.demonstrations import Demonstrations
from inverseq.evaluate.likelihood import Score, log_likelihood, pooled
from inverseq.inverse.fit import fit
from inverseq.inverse.maxent.causal import MaxEnt
from inverseq.inverse.problem import Solver
from inverseq.inverse.tables.count_table import CountTable
from inverseq.inverse.values.iavi import IAVI
from inverseq.mdp import MDP
from inverseq.studies.mice.tables import only, tied, tied_world
from inverseq.worlds import LABYRINTH_FEATURES, labyrinth, labyrinth_features

FROM_STEP = 1
"""The published scores begin with the second decision of a trajectory."""

ORDERS = (0, 1, 2, 3, 4, 5, 6)
"""Nodes that the tables look at."""

TIED_MOVES = (1, 2, 3, 4, 5, 6, 8)
"""Moves that the tied tables look at, beside the level."""

HABITS = ("depth", "turn", "alternation", "ends", "ports")
"""The groups of features that one can read."""

BUILD: dict[str, tuple[str, ...]] = {
    "habits": HABITS,
    "habits, turns": (*HABITS, "turns"),
    "habits, turns, patterns": (*HABITS, "turns", "patterns"),
    "every feature": tuple(LABYRINTH_FEATURES),
}
"""Tied rewards, from few features to all."""

CARRIED: dict[str, tuple[str, ...]] = {
    "habits": ("depth", "turn", "alternation", "ends"),
    "habits, turns, patterns": ("depth", "turn", "alternation", "ends", "turns", "patterns"),
}
"""Tied rewards that mean the same in both halves: water and places do not."""

_TOLERANCE = 1e-5
"""Gradient per decision at which a fit of thousands of weights is left: scores change by 1e-5."""

EQUAL = "equal shares"
FULL = "every feature"


@dataclass(frozen=True)
class Model:
    """One way to predict.

    Attributes:
        name: For tables and figures.
        kind: "table", "tied table", "reward", "tied reward", "myopic" (a tied reward at discount
            0) or "ablation".
        nodes: Nodes looked at, the present one included.
        solver: How it is fitted.
        discount: gamma.
        groups: Of `labyrinth_features`; none for a reward on nodes or moves, and for tables.
    """

    name: str
    kind: str
    nodes: int
    solver: Solver
    discount: float = 0.9
    groups: tuple[str, ...] = ()

    def world(self) -> MDP:
        """What it is fitted in."""
        plain = labyrinth(self.discount)
        if self.kind == "tied table":
            return tied_world(plain)
        if self.groups:
            return labyrinth_features(plain, self.groups, history=self.nodes)
        if isinstance(self.solver, CountTable) or self.nodes == 1:
            return plain.mdp
        return plain.mdp.with_history(self.nodes)


@dataclass(frozen=True, eq=False)
class Fitted:
    """What came of a model.

    Attributes:
        model: The model.
        score: On the test part.
        numbers: How many were free in the fit.
        strength: Of the prior; NaN where there is none.
        weights: Of the features, by name; empty without.
    """

    model: Model
    score: Score
    numbers: int
    strength: float
    weights: Mapping[str, float]


def fit_and_score(model: Model, train: Demonstrations, test: Demonstrations) -> Fitted:
    """Fit to the training part and score on the test part."""
    if model.kind == "tied table":
        world = labyrinth()
        train, test = tied(train, world), tied(test, world)
    mdp = model.world()
    solution = fit(train, model.solver, mdp)
    weights = solution.parameters["weights"].tolist() if model.groups else ()
    return Fitted(
        model,
        log_likelihood(solution, test, from_step=FROM_STEP),
        solution.num_parameters,
        float(solution.settings.get("strength", np.nan)),
        dict(zip(mdp.feature_names, weights, strict=True)),
    )


def tables() -> Iterator[Model]:
    """Tables of nodes, as published and with back-off, and tied ones."""
    published = CountTable(order=2, smoothing=0.5, backoff=False)
    yield Model("table, 2 nodes, add 0.5", "table", 2, published)
    for order in ORDERS:
        yield Model(_table(order), "table", order, CountTable(order=order))
    yield from tied_tables()


def tied_tables() -> Iterator[Model]:
    """Tables of the level and the last moves."""
    for moves in TIED_MOVES:
        table = CountTable(order=moves)
        yield Model(_tied_table(moves), "tied table", moves + 1, table)


def _table(nodes: int) -> str:
    return f"table, {nodes} node{'' if nodes == 1 else 's'}"


def _tied_table(moves: int) -> str:
    return f"tied table, {moves} move{'' if moves == 1 else 's'}"


def seen_there(history: int) -> Model:
    """A table that is allowed to see the half it is tried on."""
    table = CountTable(order=history)
    return Model(f"{_table(history)}, saw that half", "table", history, table)


def yardsticks(history: int, transfer: bool) -> tuple[str, str]:
    """Names of the two that all are compared with, the second with the memory of the rewards."""
    if transfer:
        return EQUAL, _tied_table(history - 1)
    return _table(2), _table(history)


def free_rewards(discount: float, strengths: Sequence[float], folds: int) -> Iterator[Model]:
    """Rewards with a free number for each node or move that one wants to tell apart."""
    yield Model("IAVI", "reward", 1, IAVI(), discount)
    for name, on, nodes in (
        ("MaxEnt on nodes", "states", 1),
        ("MaxEnt on moves", "state-actions", 1),
        ("MaxEnt on moves, 2 nodes", "state-actions", 2),
        ("MaxEnt on moves, 3 nodes", "state-actions", 3),
    ):
        # With history, pasts of one node are shrunk towards each other, not towards nothing.
        prior = "gaussian" if nodes == 1 else "smooth"
        solver = replace(_maxent(strengths, folds), reward=on, prior=prior)
        yield Model(name, "reward", nodes, solver, discount)


def _maxent(strengths: Sequence[float], folds: int) -> MaxEnt:
    """Chooses among the strengths, where there is a choice."""
    solver = MaxEnt("features", strengths=tuple(strengths), folds=folds, tolerance=_TOLERANCE)
    return solver if len(strengths) > 1 else replace(solver, strength=strengths[0])


def tied_rewards(
    discount: float, history: int, strengths: Sequence[float], folds: int
) -> Iterator[Model]:
    """Rewards on features, with and without foresight."""
    solver = _maxent(strengths, folds)
    for name, groups in BUILD.items():
        yield Model(name, "tied reward", history, solver, discount, groups)
        yield Model(_myopic(name), "myopic", history, solver, 0.0, groups)
    if history > 3:
        yield Model(f"{FULL}, 3 nodes", "tied reward", 3, solver, discount, BUILD[FULL])


def foresight(rewards: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Names of rewards, and of the same without foresight."""
    for name in rewards:
        yield name, _myopic(name)


def _myopic(name: str) -> str:
    return f"{name}, no foresight"


def ablations(habits: Fitted, full: Fitted) -> Iterator[tuple[Model, Model]]:
    """A model, and the same without some of its features, at the same strength."""
    parts = {group: (group,) for group in HABITS}
    yield from _without(habits, parts)
    # Without places, every feature is "habits, turns, patterns".
    yield from _without(full, {"habits": HABITS, "turns": ("turns",), "patterns": ("patterns",)})


def _without(fitted: Fitted, parts: Mapping[str, tuple[str, ...]]) -> Iterator[tuple[Model, Model]]:
    """One for each part that can be left out."""
    whole = fitted.model
    solver = MaxEnt("features", strength=fitted.strength, tolerance=_TOLERANCE)
    for name, left_out in parts.items():
        groups = tuple(group for group in whole.groups if group not in left_out)
        name = f"{whole.name} without {name}"
        yield whole, replace(whole, name=name, kind="ablation", solver=solver, groups=groups)


def carried(
    discount: float, history: int, strengths: Sequence[float], folds: int
) -> Iterator[Model]:
    """What is tried on a half of the maze that it has not seen."""
    for order in ORDERS[:3]:
        yield Model(_table(order), "table", order, CountTable(order=order))
    yield from tied_tables()
    solver = _maxent(strengths, folds)
    for name, groups in CARRIED.items():
        yield Model(name, "tied reward", history, solver, discount, groups)
        yield Model(_myopic(name), "myopic", history, solver, 0.0, groups)


def carry(
    model: Model, parts: tuple[Demonstrations, Demonstrations], half: Bool[np.ndarray, " nodes"]
) -> Fitted:
    """Fit to what was decided outside `half` of the maze, and score what was decided inside."""
    outside = ~half
    outside[0] = False  # home lies between the halves
    return fit_and_score(model, only(parts[0], outside), only(parts[1], half))


def by_chance(fitted: Fitted) -> Fitted:
    """What equal shares of the actions that exist would score on the same decisions."""
    chance = replace(fitted.score, sums=fitted.score.chance)
    model = Model(EQUAL, "table", 0, fitted.model.solver)
    return Fitted(model, chance, 0, float("nan"), {})


def pooled_halves(first: Fitted, second: Fitted) -> Fitted:
    """The decisions of both test parts, which come from the same trajectories."""
    score = pooled((first.score, second.score))
    return replace(first, score=score, numbers=max(first.numbers, second.numbers))
