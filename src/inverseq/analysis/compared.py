"""Models side by side by cross-validation: every decision is predicted once."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, cast

from inverseq._core.errors import InputError, Stopped, argument
from inverseq.analysis.behaviour import Behaviour
from inverseq.analysis.boards import board_entries, on_boards, with_contexts
from inverseq.analysis.deep import Features
from inverseq.analysis.findings import Failure, Findings, ScoreRow
from inverseq.analysis.intention_findings import Choosing
from inverseq.analysis.models import (
    RESTARTS,
    Entry,
    Menu,
    entries,
    explainer_of,
    law_of,
    left_out,
    rows_of,
    yardsticks,
)
from inverseq.evaluate.choose_intentions import choose_intentions
from inverseq.evaluate.compare import compare
from inverseq.evaluate.comparison import Candidate, Comparison
from inverseq.inverse.problem import Progress
from inverseq.mdp import MDP


def compare_models(behaviour: Behaviour, start: Findings, progress: Progress) -> Findings:
    """Scores of all models; with numbers of intentions, of these beside the yardsticks.

    Raises:
        Stopped: It was interrupted; `partial` are the findings so far.
        InputError: There are fewer units than folds, a setting cannot be used, or nothing could
            be scored.
    """
    menu, plan = _menu(behaviour), behaviour.plan
    if plan.numbers:
        return _with_choice(behaviour, start, menu, progress)
    listed = entries(menu)
    if on_boards(behaviour) and plan.goal is None:
        behaviour = with_contexts(behaviour)
        # What is known of states alone says nothing about a board that was not seen.
        known = yardsticks(menu)[:1] if plan.by == "world" else listed
        listed = [*known, *board_entries(behaviour)]
    listed = _asked(listed, plan.models)
    skipped = () if plan.models else left_out(menu)

    def told(made: Comparison) -> Findings:
        rows, failures = rows_of(listed, made)
        return replace(start, scores=rows, failures=failures + skipped)

    try:
        return told(_scored(behaviour, listed, progress))
    except Stopped as stop:
        partial = cast(Comparison, stop.partial)  # of `compare`
        raise Stopped(told(partial), stop.done, stop.total) from stop


def _asked(listed: list[Entry], models: tuple[str, ...]) -> list[Entry]:
    """Those of the models that were asked for, beside the first, the share of each action; all
    where none was asked for.

    Raises:
        InputError: There is no such model.
    """
    known = [entry.key for entry in listed]
    if unknown := [key for key in models if key not in known]:
        raise InputError(
            f"{argument('models', unknown[0])}: there is no such model here; there are "
            f"{', '.join(known)}"
        )
    return [e for e in listed if not models or e.key in models or e is listed[0]]


def _menu(behaviour: Behaviour) -> Menu:
    """What the models share; their own folds lie within the training part of each fold."""
    known, given, plan = behaviour.demonstrations, behaviour.given, behaviour.plan
    worlds = [] if given is None else [given] if isinstance(given, MDP) else list(given.values())
    units = int(known.units(plan.by).max()) + 1
    if units < plan.folds:
        raise InputError(
            f"{plan.folds} folds by {plan.by} need as many units; there are {units}. Try "
            f"{argument('folds', max(units, 2))}, or something finer for {argument('by')}"
        )
    return Menu(
        plan=plan,
        num_states=sum(w.num_states for w in worlds)
        or (known.num_states if behaviour.numbered else 0),
        features=bool(worlds) and all(w.features is not None for w in worlds),
        units=units - -(-units // plan.folds),
        gauge=plan.gauge or "zero-mean",
        observed=None if behaviour.numbered else Features.of(known),
    )


def _scored(behaviour: Behaviour, listed: list[Entry], progress: Progress) -> Comparison:
    """Models by cross-validation."""
    candidates = {entry.key: entry.candidate for entry in listed}
    world, known = _world(behaviour), behaviour.demonstrations
    return compare(known, candidates, world, progress=progress, **_same(behaviour))


def _world(behaviour: Behaviour) -> Any:
    """The world, or how each fold estimates it."""
    anew = behaviour.given is None and behaviour.numbered
    return behaviour.world_for if anew else behaviour.given


def _same(behaviour: Behaviour) -> Mapping[str, Any]:
    """Which folds, and what is scored in them."""
    plan = behaviour.plan
    settings = {"folds": plan.folds, "by": plan.by, "seed": plan.seed}
    return settings | {"from_step": behaviour.from_step, "keep": plan.keep}


def _with_choice(behaviour: Behaviour, start: Findings, menu: Menu, progress: Progress) -> Findings:
    """Numbers of intentions beside the yardsticks, and which number to take."""
    plan = behaviour.plan
    law = law_of(plan.switching, behaviour.demonstrations)
    solver, explainer = explainer_of(menu)
    choice = choose_intentions(
        behaviour.demonstrations,
        _world(behaviour),
        ks=tuple(sorted(set(plan.numbers))),
        solver=solver,
        switching=law,
        histories=(plan.history,),
        restarts=plan.restarts or RESTARTS,
        progress=progress,
        **_same(behaviour),
    )
    listed = yardsticks(menu)
    rows, failures = rows_of(listed, _scored(behaviour, listed, progress))
    numbers = [
        Entry(each.name, replace(explainer, intentions=each.k), Candidate(solver))
        for each in choice.alternatives
    ]
    by_name = {entry.key: entry for entry in numbers}
    more, failed = rows_of([by_name[r.name] for r in choice.comparison.results], choice.comparison)
    found: tuple[ScoreRow, ...] = (*rows, *more)
    wrong: tuple[Failure, ...] = (*failures, *failed)
    return replace(
        start,
        scores=found,
        failures=wrong,
        chosen=choice.chosen,
        choosing=Choosing(choice, explainer, law),
    )
