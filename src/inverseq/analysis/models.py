"""The models that decisions are scored with: yardsticks that count, and models with a reward."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import cast, get_args

import numpy as np

from inverseq._core.errors import InputError, argument
from inverseq._core.words import between_commas
from inverseq.analysis.deep import DEEP, Features, deep_models
from inverseq.analysis.family import Family, Model
from inverseq.analysis.findings import Failure, ScoreRow
from inverseq.analysis.plan import Plan
from inverseq.demonstrations import Demonstrations
from inverseq.evaluate.comparison import Candidate, Comparison
from inverseq.intentions.contexts import PREVIOUS, STATE
from inverseq.intentions.law import Law
from inverseq.intentions.switching import DependentMarkov, Markov, Mixture
from inverseq.inverse.maxent.causal import MaxEnt
from inverseq.inverse.maxent.recursive_logit import RecursiveLogit
from inverseq.inverse.problem import Solver
from inverseq.inverse.solution import Solution
from inverseq.inverse.tables.count_table import CountTable
from inverseq.inverse.values.iavi import IAVI
from inverseq.rewards.gauges import GaugeName
from inverseq.rewards.linear import RewardOn

RESTARTS = 10
_DEEPEST_TABLE = 4
_MOST_STATES = {
    "maxent-states": 2_000,
    "maxent-state-actions": 2_000,
    "maxent-history-states": 500,
    "maxent-history": 1500,
}
"""Model -> states of a world beyond which it is fitted only where it is asked for: it would take
very long, and so many free numbers, or a reward on states with a memory, gain little."""
_EXPLAINERS = {
    "iavi": Model(Family.IAVI),
    "maxent-states": Model(Family.MAXENT, reward="states"),
    "maxent-state-actions": Model(Family.MAXENT, reward="state-actions"),
    "maxent-features": Model(Family.MAXENT, reward="features"),
}
"""What can explain each of several intentions."""


@dataclass(frozen=True)
class Entry:
    """One model to be fitted and scored.

    Attributes:
        key: Short name, for options and files.
        model: Which model.
        candidate: Its settings and the memory of its world.
    """

    key: str
    model: Model
    candidate: Candidate


@dataclass(frozen=True)
class Menu:
    """What the models share.

    Attributes:
        plan: What was asked.
        num_states: States of the world; 0 where they are features.
        features: Whether the world has features.
        units: Units that every fit can be sure of, for folds within the training part.
        gauge: Which of the equivalent rewards IAVI reports.
        anchor: Action of known reward, for the gauge "anchor".
        observed: What states are where they are features; else None.
    """

    plan: Plan
    num_states: int
    features: bool
    units: int
    gauge: GaugeName = "zero-mean"
    anchor: int | None = None
    observed: Features | None = None

    @property
    def iavi(self) -> IAVI:
        """IAVI with these settings."""
        return IAVI(smoothing=self.plan.smoothing, gauge=self.gauge, anchor=self.anchor)

    def maxent(self, reward: RewardOn) -> MaxEnt:
        """MaxEnt, the strength of its prior chosen by folds where there are units for them."""
        if self.units < 2:
            return MaxEnt(reward=reward, strength=1.0)
        plan, folds = self.plan, min(self.plan.folds, self.units)
        return MaxEnt(reward=reward, folds=folds, by=plan.by, seed=plan.seed)


def entries(menu: Menu) -> list[Entry]:
    """The models to score: yardsticks, then models with a reward.

    Raises:
        InputError: States are features, and the solver that is given does not fit them.
    """
    own, solver = [], menu.plan.solver
    unasked = solver is None and menu.plan.cross_validate
    if (goal := menu.plan.goal) is not None:
        routes = RecursiveLogit(goal, menu.plan.goal_features, by=menu.plan.by)
        model = Model(Family.OTHER, solver=type(routes).__name__)
        return [*yardsticks(menu), Entry(model.solver, model, Candidate(routes))]
    if isinstance(solver, Solver):
        name = type(solver).__name__
        own = [Entry(name, Model(Family.OTHER, solver=name), Candidate(solver))]
    elif menu.observed is not None and (solver in DEEP or unasked):
        asked = deep_models(menu.plan, menu.observed)
        own = [Entry(key, model, Candidate(each)) for key, model, each in asked]
    elif not menu.num_states:
        _require_numbers(menu.plan)
    elif solver in DEEP:
        raise InputError(
            f"{argument('solver', str(solver))} reads features, and these states are numbers: name "
            f"the columns of {argument('features', 'x,y')}, or take iavi, which is its exact answer"
        )
    fitted = [entry for entry in _with_reward(menu) if not _too_large(menu, entry)]
    return yardsticks(menu) + fitted + own


def left_out(menu: Menu) -> tuple[Failure, ...]:
    """The models that are not fitted in so large a world."""
    if menu.plan.goal is not None:
        return ()
    return tuple(
        Failure(entry.key, entry.model, states=menu.num_states, most=_MOST_STATES[entry.key])
        for entry in _with_reward(menu)
        if _too_large(menu, entry)
    )


def _too_large(menu: Menu, entry: Entry) -> bool:
    """Whether a model is left out, nobody having asked for it."""
    most = _MOST_STATES.get(entry.key, menu.num_states)
    return menu.num_states > most and menu.plan.solver != entry.key


def yardsticks(menu: Menu) -> list[Entry]:
    """The models that only count."""
    smoothing, by = menu.plan.smoothing, menu.plan.by
    plain = CountTable(smoothing=smoothing, backoff=False, by=by)
    backing = CountTable(by=by)
    shares = Candidate(replace(backing, order=0))
    found = [Entry("marginal", Model(Family.SHARES), shares)]
    if not menu.num_states:
        return found
    for order in (1, 2):
        model = Model(Family.TABLE, order, smoothing)
        found.append(Entry(f"table-{order}", model, Candidate(replace(plain, order=order))))
    for order in range(1, _DEEPEST_TABLE + 1):
        table = Candidate(replace(backing, order=order))
        found.append(Entry(f"backoff-{order}", Model(Family.BACKOFF, order), table))
    return found


def _with_reward(menu: Menu) -> list[Entry]:
    """IAVI, and MaxEnt on everything the world offers, without and with a memory."""
    if not menu.num_states:
        return []
    memory = menu.plan.history
    # Behaviour settles differences under the soft backup, which the other rewards have as well.
    iavi = replace(menu.iavi, backup="soft")
    found = [Entry("iavi", Model(Family.IAVI), Candidate(iavi))]
    for what in get_args(RewardOn):
        if what == "features" and not menu.features:
            continue
        model = Model(Family.MAXENT, reward=what)
        found.append(Entry(f"maxent-{what}", model, Candidate(menu.maxent(what))))
    with_memory: tuple[tuple[str, RewardOn], ...] = (("-states", "states"), ("", "state-actions"))
    for key, what in with_memory:
        if memory > 1:
            candidate = Candidate(menu.maxent(what), history=memory)
            model = Model(Family.MAXENT, reward=what, memory=memory)
            found.append(Entry(f"maxent-history{key}", model, candidate))
    return found


def rows_of(
    listed: Sequence[Entry], made: Comparison
) -> tuple[tuple[ScoreRow, ...], tuple[Failure, ...]]:
    """The models that could be scored, and those that could not."""
    rows, failures = [], []
    for entry, result in zip(listed, made.results, strict=True):
        if result.score is None:
            failures.append(Failure(entry.key, entry.model, result.failure))
            continue
        numbers = float(np.mean(result.num_parameters)), float(np.mean(result.seconds))
        apart = {"over": result.over, "novel": result.novel}
        rows.append(ScoreRow(entry.key, entry.model, result.score, *numbers, **apart))
    return tuple(rows), tuple(failures)


def explainer_of(menu: Menu) -> tuple[Solver[Solution], Model]:
    """What explains each of several intentions.

    Raises:
        InputError: It cannot explain several, or the world has no features.
    """
    solver = menu.plan.solver
    if isinstance(solver, Solver):
        return solver, Model(Family.OTHER, solver=type(solver).__name__)
    if not menu.num_states:
        _require_numbers(menu.plan)
    solver = "iavi" if solver in (None, "best") else solver
    if solver not in _EXPLAINERS:
        raise InputError(
            f"{argument('solver', solver)} cannot explain several intentions: give "
            f"{', '.join(_EXPLAINERS)}. A memory comes with history, whatever the solver"
        )
    model = _EXPLAINERS[solver]
    if model.family is Family.IAVI:
        return menu.iavi, model
    if model.reward == "features" and not menu.features:
        raise InputError(
            f"{argument('solver', solver)} needs a world with features; take maxent-states"
        )
    return menu.maxent(cast(RewardOn, model.reward)), model


def law_of(text: str | Law | None, demonstrations: Demonstrations) -> Law:
    """The law of switching that a setting is or names.

    Raises:
        InputError: There is no such law and no such column.
    """
    if isinstance(text, Law):
        return text
    if text in (None, "markov"):
        return Markov()
    if text == "mixture":
        return Mixture()
    names = between_commas(text)
    known = [STATE, "step", *(["time"] if demonstrations.time is not None else [])]
    # A column of texts is refused where it is read, which says why.
    columns = demonstrations.decisions
    wrong = [n for n in names if n.removeprefix(PREVIOUS) not in {*known, *columns}]
    numeric = {name for name, values in columns.items() if values.dtype.kind in "biuf"}
    known += sorted(numeric - set(known))
    if wrong or not names:
        raise InputError(
            f"{argument('switching', wrong[0] if wrong else text)}: there is no such law and no "
            f"such column; give mixture, markov, or some of {', '.join(known)} (or 'previous X' "
            "for X one row earlier), with commas between"
        )
    return DependentMarkov(on=names)


def _require_numbers(plan: Plan) -> None:
    """Raise an `InputError`: features need a solver that fits them."""
    bins = f"put the features into bins: {argument('bins', 10)}"
    if plan.numbers:
        raise InputError(
            f"several intentions are explained at numbered states, and these are features: {bins}"
        )
    raise InputError(
        f"states are features, which {plan.solver or 'no model that is fitted by default'} "
        f"explains: give a solver that does, {argument('solver', 'diql')}, or {bins}"
    )
