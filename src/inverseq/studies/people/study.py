"""Held-out worlds: what people walking through nine mazes say about their moves in three others.

A table of what was done where cannot play here. A reward whose parts mean the same in every maze
can: it is fitted on nine mazes, planned for in the three left out, and compared with walkers that
look no further than the next move. Data: Ho and others (Nature 2022), experiment 1.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from jaxtyping import Float, Int
from matplotlib.figure import Figure

from inverseq._core.errors import InputError
from inverseq.datasets import Dataset
from inverseq.datasets import people as people_in_mazes
from inverseq.demonstrations import Demonstrations
from inverseq.evaluate.compare import compare
from inverseq.evaluate.likelihood import log_likelihood, ratio_error
from inverseq.inverse.fit import fit
from inverseq.inverse.maxent.causal import MaxEnt
from inverseq.inverse.problem import Solver
from inverseq.inverse.replan import replan
from inverseq.inverse.solution import Solution
from inverseq.inverse.tables.column_logit import ColumnLogit
from inverseq.inverse.tables.count_table import CountTable
from inverseq.inverse.tables.greedy import Greedy
from inverseq.inverse.tables.steered import Steered
from inverseq.mdp import MDP, looking_at
from inverseq.studies.people import Settings
from inverseq.studies.people.figures import draw_maps, draw_scores
from inverseq.studies.run import Result
from inverseq.studies.shapes import plain
from inverseq.studies.study import Effort
from inverseq.worlds import MAZE_FEATURES, maze_contexts, maze_features

STRENGTHS = (0.1, 1.0, 10.0, 100.0)
"""Strengths of the prior among which a planner chooses."""

_KINDS = {kind: MAZE_FEATURES[kind] for kind in MAZE_FEATURES if kind not in ("walls", "view")}
EVERY_COST = tuple(name for group in _KINDS.values() for name in group)
"""Walls beside the way and a goal in view are no costs here: they add .001 nats."""
FULL = "planner, every cost"

PLANNERS: dict[str, tuple[str, ...]] = {
    "planner, step": ("step",),
    "planner, step, turn, reversal, blocked": ("step", "turn", "reversal", "blocked"),
    FULL: EVERY_COST,
}

_TRIED = (1.0, 4.0, 16.0)
"""Strengths of the priors of habits among which is chosen."""
_WALK = ColumnLogit(("last move",), (100.0,), options=("move",))
HABITS: dict[str, ColumnLogit] = {
    "planner on habits of all": _WALK,
    "planner on habits of each person": replace(_WALK, personal=("turn",)),
}
"""What is usually done beside the plan of the planner with every cost, told by kinds of moves that
are the same in every maze. The second adds what each person does more or less than all."""

ABLATIONS: dict[str, tuple[str, ...]] = {
    f"planner without {group}": tuple(n for n in EVERY_COST if n not in names)
    for group, names in _KINDS.items()
    if group != "step"
}
"""The step is never left out: without it nothing would lead to the goal."""

_HABITS = ("turn", "reversal")

YARDSTICKS: dict[str, tuple[tuple[str, ...], Greedy]] = {
    "uniform": ((), Greedy()),
    "straight line": ((), Greedy("line")),
    "shortest path": ((), Greedy("path")),
    "shortest path, lapses": ((), Greedy("path", lapse=True)),
    "shortest path, habits, lapses": (_HABITS, Greedy("path", lapse=True)),
    "shortest path, habits, blocked, lapses": ((*_HABITS, "blocked"), Greedy("path", lapse=True)),
    "shortest path, every cost": (EVERY_COST[1:], Greedy("path")),
}
"""Walkers without foresight, by the features that they look at. Habits are not turning and not
reversing."""

TABLES = {"table that saw the maze": 1, "two-step table that saw the maze": 2}
"""Count tables fitted to other people in the same mazes: no held-out worlds at all. The second
also remembers the last action, as the planners do."""


def run(settings: Settings, effort: Effort) -> Result:
    """All moves in mazes left out, blocked ones too, predicted from the moves in the others.

    Raises:
        InputError: There are too few people or folds.
        FitError: A planner did not converge.
    """
    data, folds = people_in_mazes(), settings.folds
    if not 2 <= folds <= len(data.worlds):
        raise InputError(f"folds must be 2 to {len(data.worlds)}, the number of mazes; got {folds}")
    demonstrations = maze_contexts(data.demonstrations, data.worlds)
    if settings.subjects is not None:
        chosen = demonstrations.units("subject") < settings.subjects
        demonstrations = demonstrations.take(chosen)
    worlds = {name: maze_features(world, EVERY_COST) for name, world in data.worlds.items()}
    split = Split(demonstrations, worlds, np.arange(len(data.worlds)) % folds)
    predicted = _tables(split, data) | _yardsticks(split)
    strengths = [settings.strength] * folds
    planned, full = _planners(split, settings, effort, "planner", PLANNERS, strengths)
    predicted |= planned | _on_habits(split, settings, effort)
    if settings.ablations:
        strengths = [float(s.settings["strength"]) for s in full]
        predicted |= _planners(split, settings, effort, "ablation", ABLATIONS, strengths)[0]
    rows = _rows(split, predicted)
    weights = np.stack([s.parameters["weights"] for s in full], axis=1)
    people = int(demonstrations.units("subject").max()) + 1
    return Result(
        {
            "scores": [plain(row, 5) for row in rows],
            "weights": [
                plain({"feature": name} | {f"fold_{k}": w for k, w in enumerate(line)}, 5)
                for name, line in zip(EVERY_COST, weights, strict=True)
            ],
        },
        {"scores": draw_scores(rows, FULL), "mazes": _maps(split, data, full[0])},
        (
            f"{people} people, {demonstrations.num_decisions:,} moves, each predicted in a maze "
            "left out: nats per decision, with standard errors over people. What a cost weighs is "
            "in nats (negative: avoided).",
        ),
        facts={
            "decisions": demonstrations.num_decisions,
            "people": people,
            "folds": dict(zip(data.worlds, split.fold, strict=True)),
            "source": data.source,
            "licence": data.licence,
        },
    )


@dataclass(frozen=True, eq=False)
class Split:
    """What every part needs: the decisions, the mazes, and `[W]` the fold of each maze."""

    demonstrations: Demonstrations
    worlds: Mapping[str, MDP]
    fold: Int[np.ndarray, " W"]

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
    numbers: int | None
    log_likelihood: Float[np.ndarray, " N"]
    discounts: tuple[float, ...] = ()
    strengths: tuple[float, ...] = ()


def _yardsticks(split: Split) -> dict[str, _Predicted]:
    """Every walker without foresight, on the mazes left out."""
    made = {}
    for name, (features, walker) in YARDSTICKS.items():
        log_p, numbers = np.zeros(split.demonstrations.num_decisions), 0
        for rows, train, test, names in split.folds():
            inside, outside = divided(split.worlds, names, features)
            solution = fit(train, walker, inside)
            log_p[rows] = replan(solution, outside).log_likelihoods(test)
            numbers = solution.num_parameters
        made[name] = _Predicted("yardstick", numbers, log_p)
    return made


def _tables(split: Split, data: Dataset) -> dict[str, _Predicted]:
    """Count tables on people left out, a fifth at a time, in mazes that were seen."""
    assert isinstance(data.mdp, Mapping)
    person = split.demonstrations.units("subject")
    if person.max() < 4:
        raise InputError(f"the tables need 5 people or more; there are {int(person.max()) + 1}")
    made = {}
    for name, order in TABLES.items():
        log_p = np.zeros(split.demonstrations.num_decisions)
        for number in range(5):
            out = person % 5 == number
            table = CountTable(order=order, of="actions", by="subject")
            solution = fit(split.demonstrations.take(~out), table, data.mdp)
            rows = np.flatnonzero(out[split.demonstrations.trajectory_of])
            log_p[rows] = solution.log_likelihoods(split.demonstrations.take(out))
        made[name] = _Predicted("table", None, log_p)
    return made


def _planners(
    split: Split,
    settings: Settings,
    effort: Effort,
    kind: str,
    planners: Mapping[str, tuple[str, ...]],
    strengths: Sequence[float | None],
) -> tuple[dict[str, _Predicted], list[Solution]]:
    """Planners on the mazes left out, and what the last of them found in each fold."""
    folds = list(split.folds())
    tasks = [
        (train, test, *divided(split.worlds, names, features), settings.discounts, strength)
        for features in planners.values()
        for (_, train, test, names), strength in zip(folds, strengths, strict=True)
    ]
    done = iter(effort.each(f"{kind}s", _plan, tasks))
    made, found = {}, []
    for name, features in planners.items():
        log_p, found = np.zeros(split.demonstrations.num_decisions), []
        for (rows, *_), (solution, values) in zip(folds, done, strict=False):
            log_p[rows] = values
            found.append(solution)
        chosen = [tuple(float(s.settings[n]) for s in found) for n in ("discount", "strength")]
        made[name] = _Predicted(kind, len(features) + 1, log_p, *chosen)
    return made, found


def _on_habits(split: Split, settings: Settings, effort: Effort) -> dict[str, _Predicted]:
    """The planner with every cost on habits, on the mazes left out."""
    folds = list(split.folds())
    tasks = [
        (train, test, *divided(split.worlds, names, EVERY_COST), habit, settings)
        for habit in HABITS.values()
        for _, train, test, names in folds
    ]
    done, made = iter(effort.each("habits", _plan_on_habit, tasks)), {}
    for name in HABITS:
        log_p, found = np.zeros(split.demonstrations.num_decisions), []
        for (rows, *_), (solution, values) in zip(folds, done, strict=False):
            log_p[rows] = values
            found.append(solution)
        numbers = max(solution.num_parameters for solution in found) + 1
        told = [tuple(float(s.settings["discount"]) for s in found)]
        told.append(tuple(float(s.settings["habit"]["option_strength"]) for s in found))
        made[name] = _Predicted("planner", numbers, log_p, *told)
    return made


def _plan_on_habit(
    train: Demonstrations,
    test: Demonstrations,
    inside: Mapping[str, MDP],
    outside: Mapping[str, MDP],
    habit: ColumnLogit,
    settings: Settings,
) -> tuple[Solution, Float[np.ndarray, " n"]]:
    """Fit on the mazes `inside` and predict in those `outside`: the discount is the one under
    which the training mazes are most likely, the strength of the habits is chosen by
    cross-validation over them.
    """
    prior = 1.0 if settings.strength is None else settings.strength

    def steered(strength: float) -> Steered:
        known = replace(habit, option_strength=strength, personal_strength=strength)
        return Steered(known, "features", prior, jointly=True, max_steps=500)

    discounts = [discount for discount in settings.discounts if discount < 1]
    tried = {d: fit(train, steered(_TRIED[1]), _at(d, inside)) for d in discounts}
    best = max(tried, key=lambda discount: float(log_likelihood(tried[discount], train)))
    chosen = _TRIED[1]
    if settings.strength is None:
        candidates = {f"{strength:g}": steered(strength) for strength in _TRIED}
        compared = compare(train, candidates, _at(best, inside), folds=3, by="world")
        chosen = float(compared.reference)  # the best
    solution = tried[best]
    if chosen != _TRIED[1]:
        solution = fit(train, steered(chosen), _at(best, inside))
    return solution, replan(solution, _at(best, outside)).log_likelihoods(test)


def _at(discount: float, worlds: Mapping[str, MDP]) -> dict[str, MDP]:
    """The same worlds with another discount."""
    return {name: replace(mdp, discount=discount) for name, mdp in worlds.items()}


def _plan(
    train: Demonstrations,
    test: Demonstrations,
    inside: Mapping[str, MDP],
    outside: Mapping[str, MDP],
    discounts: Sequence[float],
    strength: float | None,
) -> tuple[Solution, Float[np.ndarray, " n"]]:
    """Fit on the mazes `inside` and predict in those `outside`."""

    def solved(discount: float, solver: Solver[Any]) -> Solution:
        return fit(train, solver, _at(discount, inside))

    first = MaxEnt("features", strength=1.0 if strength is None else strength)
    tried = {discount: solved(discount, first) for discount in discounts}
    best = max(tried, key=lambda discount: float(log_likelihood(tried[discount], train)))
    solution = tried[best]
    if strength is None:
        choosing = MaxEnt("features", strengths=STRENGTHS, folds=3, by="world")
        solution = solved(best, choosing)
    return solution, replan(solution, _at(best, outside)).log_likelihoods(test)


def divided(
    worlds: Mapping[str, MDP], left_out: Sequence[str], features: Sequence[str]
) -> tuple[dict[str, MDP], dict[str, MDP]]:
    """The worlds that are not left out, and those that are, with these features only."""
    seen = {name: looking_at(mdp, features) for name, mdp in worlds.items()}
    inside = {name: mdp for name, mdp in seen.items() if name not in left_out}
    return inside, {name: seen[name] for name in left_out}


def _rows(split: Split, predicted: Mapping[str, _Predicted]) -> list[dict[str, Any]]:
    """One line per way to predict, the worst first: nats per decision, how far behind the planner
    with every cost (paired), and the score in each maze.
    """
    demonstrations = split.demonstrations
    person = demonstrations.units("subject")[demonstrations.trajectory_of]
    number = {name: i for i, name in enumerate(split.worlds)}
    names = demonstrations.trajectories["world"][demonstrations.trajectory_of]
    maze = np.array([number[str(name)] for name in names])
    by_maze = np.bincount(maze)
    error = lambda unit, values: ratio_error(  # noqa: E731
        np.bincount(unit, values), np.bincount(unit).astype(float)
    )
    full = predicted[FULL].log_likelihood
    rows = []
    for name, made in predicted.items():
        log_p = made.log_likelihood
        behind = full - log_p
        row = {
            "name": name,
            "nats_per_decision": float(log_p.mean()),
            "error_over_people": error(person, log_p),
            "kind": made.kind,
            "numbers": made.numbers,
            "behind_full_planner": float(behind.mean()),
            "behind_error_over_people": error(person, behind),
            "behind_error_over_mazes": error(maze, behind),
            "discounts": " ".join(f"{d:g}" for d in made.discounts),
            "strengths": " ".join(f"{s:g}" for s in made.strengths),
        }
        in_mazes = np.bincount(maze, log_p) / by_maze
        rows.append(row | plain(dict(zip(split.worlds, in_mazes, strict=True))))
    return sorted(rows, key=lambda row: row["nats_per_decision"])


def _maps(split: Split, data: Dataset, full: Solution) -> Figure:
    """Three of the mazes that the full planner did not see."""
    left_out = [name for name, fold in zip(split.worlds, split.fold, strict=True) if fold == 0][:3]
    _, mdps = divided(split.worlds, left_out, EVERY_COST)
    mdps = {n: replace(mdp, discount=full.settings["discount"]) for n, mdp in mdps.items()}
    return draw_maps(split.demonstrations, {n: data.worlds[n] for n in left_out}, full, mdps)
