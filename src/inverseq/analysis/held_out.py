"""One reward for all decisions: fit and score all models on one split, choose one, look at it."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, cast

import numpy as np

from inverseq._core.errors import FitError, argument
from inverseq.analysis.behaviour import Behaviour, Parts, divide, with_parts
from inverseq.analysis.boards import PLANNER, board_entries, on_boards, with_contexts
from inverseq.analysis.contrasts import contrasts_of, usual_gauge
from inverseq.analysis.costs import weighed
from inverseq.analysis.deep import Features
from inverseq.analysis.family import Family
from inverseq.analysis.findings import Contrasts, Failure, Findings, Reason, ScoreRow
from inverseq.analysis.models import Entry, Menu, entries, left_out, rows_of, yardsticks
from inverseq.analysis.observed import action_names, drawn_over, earned_of, observed_of
from inverseq.analysis.plan import Plan
from inverseq.demonstrations import Demonstrations
from inverseq.doctor import Diagnosis, diagnose
from inverseq.evaluate.compare import compare, score_all
from inverseq.evaluate.identifiability import Verdict
from inverseq.evaluate.split_checks import check_by
from inverseq.inverse.fit import fit
from inverseq.inverse.problem import Progress, Solver
from inverseq.inverse.solution import Solution
from inverseq.mdp import MDP
from inverseq.rewards.gauges import GaugeName

REPLICATES = 1000


def look_at_models(behaviour: Behaviour, start: Findings, progress: Progress) -> Findings:
    """Everything about one reward for all decisions.

    Raises:
        InputError: The decisions do not fit the world, or nothing can be held out.
        FitError: No model with a reward, or not the one asked for, could be fitted.
    """
    plan = behaviour.plan
    shared = on_boards(behaviour) and len(behaviour.worlds) > 1 and plan.solver in (None, "best")
    if shared:
        behaviour = with_contexts(behaviour)
    parts = divide(behaviour)
    over = drawn_over(behaviour.demonstrations, plan.over)
    menu = menu_of(behaviour, parts, usual_gauge(behaviour.worlds))
    listed = [*yardsticks(menu), *board_entries(behaviour)] if shared else entries(menu)
    scored = score_all(
        parts.train,
        parts.test,
        {entry.key: entry.candidate for entry in listed},
        parts.mdp,
        by=plan.by,
        from_step=behaviour.from_step,
        keep_solutions=True,
        progress=progress,
        keep=plan.keep,
    )
    rows, failures = rows_of(listed, scored)
    failures += () if shared else left_out(menu)
    by_key = {entry.key: entry for entry in listed}
    # No candidate has several intentions.
    fits = {r.name: cast(Solution, r.solutions[0]) for r in scored.results if r.score is not None}
    rows = tuple(
        replace(row, validation=_validation(by_key[row.key], fits[row.key], parts, menu))
        for row in rows
    )
    # A solver that was given, or that a goal calls for, stands last.
    own = plan.goal is not None or isinstance(plan.solver, Solver)
    usual = PLANNER if shared else str(plan.solver or "best")
    wanted = listed[-1].key if own else usual
    chosen, reason = _choose(wanted, rows, failures)
    replicates = REPLICATES if plan.bootstrap is None else plan.bootstrap

    def contrasts(key: str) -> Contrasts | None:
        told = (parts, behaviour.worlds, menu, by_key[key], fits[key])
        others = [(by_key[name], made) for name, made in fits.items()]
        return contrasts_of(*told, replicates, progress, others)

    settled = None
    plain = next((key for key in fits if by_key[key].model.family is Family.IAVI), "")
    if by_key[chosen].model.memory > 1 and plain:
        without = contrasts(plain)
        if without is not None and any(row.verdict is Verdict.SETTLED for row in without.rows):
            settled = without
    return replace(
        start,
        scores=rows,
        failures=failures,
        settings=_settings(menu, parts, replicates, rows, fits[chosen]),
        given=parts.given or {},
        diagnosis=diagnosis_of(behaviour),
        division=parts.division,
        chosen=chosen,
        reason=Reason.SHARED if shared else reason,
        solution=fits[chosen],
        split_checks=tuple(check_by(fits[chosen], parts.test, column) for column in plan.check_by),
        whole=with_parts(behaviour.demonstrations, parts.test),
        contrasts=contrasts(chosen),
        settled=settled,
        costs=weighed(fits[chosen], parts.train, plan.by) if shared else None,
        earned=earned_of(fits[chosen], parts.test),
        observed=observed_of(
            fits[chosen],
            behaviour.demonstrations,
            parts.test,
            over,
            _again(parts.train, by_key[chosen].candidate.solver, plan, progress),
        ),
    )


def _again(
    train: Demonstrations, solver: Solver[Solution], plan: Plan, progress: Progress
) -> Iterator[Solution]:
    """Fits to units of the training part drawn with replacement, as many as were asked for."""
    rng, asked = np.random.default_rng(plan.seed), plan.bootstrap or 0
    unit_of = train.units(plan.by)[train.trajectory_of]
    units = int(unit_of.max()) + 1
    for done in range(asked):
        drawn = np.bincount(rng.integers(0, units, units), minlength=units)
        made = fit(train, solver, weights=drawn[unit_of].astype(np.float64), accept_failure=True)
        progress("bootstrap", done + 1, asked)
        if made.status.ok:
            yield made


def diagnosis_of(behaviour: Behaviour) -> Diagnosis:
    """What the doctor finds."""
    asked = behaviour.demonstrations, behaviour.given
    return diagnose(*asked, goal=behaviour.plan.goal, allowed=behaviour.allowed)


def menu_of(behaviour: Behaviour, parts: Parts, gauge: GaugeName) -> Menu:
    """What the models share; `gauge` where none was asked for."""
    plan, mdp = behaviour.plan, parts.mdp
    return Menu(
        plan=plan,
        num_states=0 if mdp is None else mdp.num_states,
        features=mdp is not None and mdp.features is not None,
        units=int(parts.train.units(plan.by).max()) + 1,
        gauge=plan.gauge or gauge,
        anchor=None if mdp is None else plan.anchor_in(action_names(mdp)),
        observed=None if behaviour.numbered else Features.of(behaviour.demonstrations),
    )


def _validation(entry: Entry, solution: Solution, parts: Parts, menu: Menu) -> float:
    """Nats per decision in cross-validation within the training part; NaN where unknown.

    MaxEnt made one to choose its strength; IAVI's takes a moment.
    """
    tried, plan = solution.settings.get("cross_validation"), menu.plan
    if isinstance(tried, Mapping) and tried:
        return float(max(tried.values()))
    if entry.model.family is not Family.IAVI or menu.units < 2:
        return float("nan")
    folds = min(plan.folds, menu.units)
    candidates = {entry.key: entry.candidate}
    same = {"folds": folds, "by": plan.by, "seed": plan.seed, "keep": plan.keep}
    made = compare(parts.train, candidates, parts.mdp, **same)
    score = made[entry.key].score
    return float("nan") if score is None else score.mean


def _choose(
    wanted: str, rows: tuple[ScoreRow, ...], failures: tuple[Failure, ...]
) -> tuple[str, Reason]:
    """The model whose reward is shown, and why."""
    with_reward = {row.key: row for row in rows if not row.yardstick}
    errors = [f"{failure.key}: {failure.error}" for failure in failures if failure.error]
    if not with_reward:
        raise FitError(". ".join(["no model with a reward could be fitted", *errors]))
    if wanted != "best":
        if wanted not in with_reward:
            told = (
                f"{argument('solver', wanted)} could not be fitted here; there are {[*with_reward]}"
            )
            raise FitError(". ".join([told, *errors]))
        return wanted, Reason.ASKED
    tested = [row for row in with_reward.values() if np.isfinite(row.validation)]
    if not tested:
        fixed = [key for key, row in with_reward.items() if row.model.family is Family.IAVI]
        return (fixed or [*with_reward])[0], Reason.TOO_FEW_UNITS
    return max(tested, key=lambda row: row.validation).key, Reason.VALIDATED


def _settings(
    menu: Menu, parts: Parts, replicates: int, rows: tuple[ScoreRow, ...], solution: Solution
) -> dict[str, Any]:
    """The settings as they were used."""
    plan = menu.plan
    of_worlds: dict[str, Any] = {"smoothing": plan.smoothing, "history": plan.history}
    if any(row.model.family is Family.IAVI for row in rows):
        of_worlds |= {"gauge": menu.gauge, "bootstrap": replicates}
    return {
        # A planner may have chosen the discount.
        **world_settings(solution.mdp),
        "by": plan.by,
        "seed": plan.seed,
        "folds": min(plan.folds, menu.units),
        **({} if parts.mdp is None else of_worlds),
        "solver": solver_settings(solution),
    }


def world_settings(mdp: MDP | None) -> dict[str, Any]:
    """What was settled of the world."""
    return {} if mdp is None else {"discount": mdp.discount}


def solver_settings(solution: Solution) -> dict[str, Any]:
    """Which solver, and its settings that are numbers or names."""
    plain = {k: v for k, v in solution.settings.items() if isinstance(v, bool | int | float | str)}
    return {"name": solution.solver} | plain
