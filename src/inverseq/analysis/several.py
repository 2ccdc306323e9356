"""Several intentions: their rewards, when each was pursued, and how sure that is."""

import time
from dataclasses import replace

import numpy as np
from jaxtyping import Float

from inverseq.analysis.behaviour import Behaviour, Parts, divide, with_parts
from inverseq.analysis.crossed import crossed
from inverseq.analysis.family import Model
from inverseq.analysis.findings import Failure, Findings, ScoreRow
from inverseq.analysis.held_out import (
    diagnosis_of,
    menu_of,
    solver_settings,
    world_settings,
)
from inverseq.analysis.intention_findings import IntentionFindings, Part
from inverseq.analysis.models import (
    RESTARTS,
    Entry,
    Menu,
    explainer_of,
    law_of,
    rows_of,
    yardsticks,
)
from inverseq.demonstrations import Demonstrations
from inverseq.evaluate.compare import score_all
from inverseq.evaluate.comparison import Candidate
from inverseq.evaluate.dwell import Dwell, dwell_times
from inverseq.evaluate.likelihood import log_likelihood
from inverseq.evaluate.predictive_checks import check_predictions
from inverseq.evaluate.simulated import can_draw_states
from inverseq.evaluate.split_checks import check_by
from inverseq.evaluate.transitions import (
    SwitchingIntervals,
    switching_intervals,
    switching_shares,
)
from inverseq.intentions.explainers import SolverOfCounts
from inverseq.intentions.law import Law
from inverseq.intentions.predict import posterior
from inverseq.intentions.solution import IntentionSolution
from inverseq.intentions.solver import Intentions
from inverseq.inverse.fit import fit
from inverseq.inverse.problem import Progress

_REPLICATES = 40
_SIMULATIONS = 100


def look_at_intentions(behaviour: Behaviour, start: Findings, progress: Progress) -> Findings:
    """Everything about several intentions.

    Raises:
        InputError: The settings or the decisions cannot be used.
        FitError: The fit failed.
    """
    plan, parts = behaviour.plan, divide(behaviour)
    mdp = parts.mdp
    # On a map one looks for what a place is worth; in a table, for what an action is.
    on_map = mdp is not None and mdp.coordinates is not None
    menu = menu_of(behaviour, parts, "state-only" if on_map else "zero-mean")
    solver, explainer = explainer_of(menu)
    law = law_of(plan.switching, behaviour.demonstrations)
    (count,) = plan.numbers
    restarts = plan.restarts or RESTARTS
    settings = Intentions(count, solver, law, restarts=restarts, seed=plan.seed)
    memory = 1 if mdp is None else plan.history
    model = replace(explainer, memory=memory, intentions=count)
    if mdp is not None and memory > 1:
        mdp = mdp.with_history(memory)
    began = time.perf_counter()
    solution = fit(parts.train, settings, mdp, accept_failure=True, progress=progress)
    seconds = time.perf_counter() - began
    score = log_likelihood(solution, parts.test, from_step=behaviour.from_step, by=plan.by)
    key = "one" if count == 1 else "intentions"
    mine = ScoreRow(key, model, score, float(solution.num_parameters), seconds)
    others, failures = _others(behaviour, parts, menu, settings, model, progress)
    intervals = _intervals(settings, solution, parts.train, menu, progress)
    repeats = _SIMULATIONS if plan.simulations is None else plan.simulations
    dwells = _dwells(solution, parts.train, plan.seed, repeats, progress)
    checks = None
    if repeats:
        checks = check_predictions(
            solution,
            parts.test,
            seed=plan.seed,
            repeats=repeats,
            states="drawn" if can_draw_states(solution) else "observed",
            progress=progress,
        )
    train = Part(parts.train, posterior(solution, parts.train))
    return replace(
        start,
        scores=(*others, mine),
        failures=failures,
        settings=world_settings(mdp)
        | {
            "intentions": count,
            "switching": type(law).__name__
            if plan.switching is law
            else plan.switching or "markov",
            "restarts": restarts,
            "solver": solver_settings(solution.intentions[0]),
            "gauge": menu.gauge,
            "smoothing": plan.smoothing,
            "history": memory,
            "by": plan.by,
            "seed": plan.seed,
            "simulations": repeats,
        },
        given=parts.given or {},
        diagnosis=diagnosis_of(behaviour),
        division=parts.division,
        chosen=key,
        solution=solution,
        split_checks=tuple(check_by(solution, parts.test, column) for column in plan.check_by),
        whole=with_parts(behaviour.demonstrations, parts.test),
        intentions=IntentionFindings(
            solution=solution,
            explainer=explainer,
            law=law,
            train=train,
            test=Part(parts.test, posterior(solution, parts.test)),
            changes=_changes(solution, settings, parts.train, intervals),
            intervals=intervals,
            dwells=dwells,
            checks=checks,
            crossed=crossed(parts.train, train.posterior.smoothed, plan.seed) if count > 1 else (),
        ),
    )


def _named(switching: str | Law | None) -> str:
    """The law as it was asked for."""
    return type(switching).__name__ if isinstance(switching, Law) else switching or "markov"


def _others(
    behaviour: Behaviour,
    parts: Parts,
    menu: Menu,
    settings: Intentions,
    model: Model,
    progress: Progress,
) -> tuple[tuple[ScoreRow, ...], tuple[Failure, ...]]:
    """The yardsticks and one intention, on the same decisions, and what failed."""
    listed = yardsticks(menu)
    if settings.k > 1:
        one = Candidate(replace(settings, k=1), menu.plan.history)
        listed.append(Entry("one", replace(model, intentions=1), one))
    scored = score_all(
        parts.train,
        parts.test,
        {entry.key: entry.candidate for entry in listed},
        parts.mdp,
        by=menu.plan.by,
        from_step=behaviour.from_step,
        progress=progress,
        keep=menu.plan.keep,
    )
    return rows_of(listed, scored)


def _intervals(
    settings: Intentions,
    solution: IntentionSolution,
    train: Demonstrations,
    menu: Menu,
    progress: Progress,
) -> SwitchingIntervals | None:
    """How sure the law is; None where nothing is or can be resampled."""
    # A solver that searches itself is called again in every step of every replicate.
    usual, plan = _REPLICATES if isinstance(settings.solver, SolverOfCounts) else 0, menu.plan
    replicates = usual if plan.bootstrap is None else plan.bootstrap
    if replicates == 0 or menu.units < 2:
        return None
    return switching_intervals(
        solution,
        settings,
        train,
        seed=plan.seed,
        by=plan.by,
        replicates=replicates,
        progress=progress,
        keep=plan.keep,
    )


def _can_change(solution: IntentionSolution) -> bool:
    """Whether one intention can give way to another."""
    return solution.num_intentions > 1 and solution.switching.changes


def _dwells(
    solution: IntentionSolution, train: Demonstrations, seed: int, repeats: int, progress: Progress
) -> tuple[Dwell, ...]:
    """How long each lasts; nothing where none can change, or no states are simulated."""
    if not _can_change(solution) or repeats == 0 or not can_draw_states(solution):
        return ()
    return dwell_times(solution, train, seed=seed, repeats=repeats, progress=progress)


def _changes(
    solution: IntentionSolution,
    settings: Intentions,
    train: Demonstrations,
    intervals: SwitchingIntervals | None,
) -> Float[np.ndarray, "K K"] | None:
    """What follows what; None where nothing can change."""
    if not _can_change(solution):
        return None
    if intervals is not None:
        return intervals.transition.estimate
    return switching_shares(solution, settings, train)
