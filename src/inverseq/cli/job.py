"""The main job: fit and score all models on one split, choose one, and look at its reward."""

import time
from collections.abc import Callable, Mapping
from typing import cast

import numpy as np

from inverseq._core.errors import FitError, InputError
from inverseq.cli.candidates import Entry, Menu, entries
from inverseq.cli.contrasts import Resampling, contrast_rows
from inverseq.cli.laws import refuse_without_intentions
from inverseq.cli.load import Behaviour, divide
from inverseq.cli.options import Fit
from inverseq.cli.show import diagnosis_of
from inverseq.cli.wording import as_typed
from inverseq.demonstrations import Demonstrations
from inverseq.evaluate.compare import Comparison, compare, score_all
from inverseq.inverse.solution import Solution
from inverseq.mdp import MDP, unite
from inverseq.report.records import Results, ScoreRow

Progress = Callable[[str, int, int], None]

_REPLICATES = 1000


def analyse(behaviour: Behaviour, options: Fit, progress: Progress) -> Results:
    """Everything that `inverseq fit` finds out.

    Raises:
        InputError: The decisions do not fit the world, or nothing can be held out.
        FitError: No model with a reward, or not the one asked for, could be fitted.
    """
    began = time.perf_counter()
    refuse_without_intentions(options.changing, simulations=options.simulations)
    train, test, division = divide(behaviour, options.held_out)
    given = behaviour.world_for(train)
    mdp = given if isinstance(given, MDP) else unite(given)
    menu = menu_of(options, mdp, train)
    listed = entries(menu)
    skipped = behaviour.dataset.score_from_step if behaviour.dataset else 0
    scored = score_all(
        train,
        test,
        {entry.name: entry.candidate for entry in listed},
        mdp,
        by=options.held_out.by,
        from_step=skipped,
        keep_solutions=True,
        progress=progress,
    )
    rows, solutions, wrong = _rows(listed, scored, train, mdp, menu)
    chosen, reason = _choose(options.solver, rows, wrong)
    resampling = Resampling(
        replicates_of(options), menu.by, menu.seed, menu.smoothing, menu.gauge, menu.anchor
    )
    return Results(
        title=behaviour.title,
        source=source_of(behaviour),
        citation=behaviour.dataset.citation if behaviour.dataset else "",
        given=given,
        worlds=behaviour.worlds,
        diagnosis=diagnosis_of(behaviour),
        division=division,
        train=(int((train.actions >= 0).sum()), train.num_trajectories),
        test=(int((test.actions >= 0).sum()), test.num_trajectories),
        skipped=skipped,
        scores=tuple(rows),
        chosen=chosen,
        reason=reason,
        solution=solutions[chosen],
        contrasts=contrast_rows(train, mdp, behaviour.worlds, resampling, progress),
        remarks=tuple(wrong),
        settings=_settings(options, mdp, menu, solutions[chosen]),
        seconds=time.perf_counter() - began,
    )


def menu_of(options: Fit, mdp: MDP, train: Demonstrations) -> Menu:
    """What the models share, from the options."""
    return Menu(
        num_states=mdp.num_states,
        features=mdp.features is not None,
        units=int(train.units(options.held_out.by).max()) + 1,
        by=options.held_out.by,
        smoothing=options.smoothing,
        history=options.history,
        folds=options.folds,
        seed=options.held_out.seed,
        gauge=options.gauge or "zero-mean",
        anchor=_anchor(options, mdp),
    )


def replicates_of(options: Fit) -> int:
    """Replicates behind the intervals."""
    return _REPLICATES if options.bootstrap is None else options.bootstrap


def _anchor(options: Fit, mdp: MDP) -> int | None:
    """The number of the anchor action; None under another gauge."""
    if options.gauge != "anchor":
        if options.anchor is not None:
            raise InputError("--anchor goes with --gauge anchor")
        return None
    names = mdp.action_names or tuple(map(str, range(mdp.num_actions)))
    if options.anchor is None:
        return 0
    if options.anchor in names:
        return names.index(options.anchor)
    if options.anchor.isdecimal() and int(options.anchor) < mdp.num_actions:
        return int(options.anchor)
    raise InputError(f"--anchor {options.anchor}: there is no such action; there are {[*names]}")


def _rows(
    listed: list[Entry], scored: Comparison, train: Demonstrations, mdp: MDP, menu: Menu
) -> tuple[list[ScoreRow], dict[str, Solution], list[str]]:
    """The scores by model, the fits with a reward, and what failed."""
    rows, solutions, wrong = [], {}, []
    for entry, result in zip(listed, scored.results, strict=True):
        if result.score is None:
            wrong.append(f"{entry.name} was left out: {as_typed(str(result.failure))}")
            continue
        solution = cast(Solution, result.solutions[0])  # no candidate has several intentions
        if not entry.yardstick:
            solutions[entry.key] = solution
        rows.append(
            ScoreRow(
                key=entry.key,
                name=entry.name,
                yardstick=entry.yardstick,
                score=result.score,
                parameters=float(result.num_parameters[0]),
                seconds=float(result.seconds[0]),
                validation=_validation(entry, solution, train, mdp, menu),
            )
        )
    if not solutions:
        raise FitError("no model with a reward could be fitted. " + " ".join(wrong))
    return rows, solutions, wrong


def _validation(
    entry: Entry, solution: Solution, train: Demonstrations, mdp: MDP, menu: Menu
) -> float:
    """Nats per decision in cross-validation within the training part; NaN where unknown.

    MaxEnt made one to choose its strength; IAVI's takes a moment.
    """
    tried = solution.settings.get("cross_validation")
    if isinstance(tried, Mapping) and tried:
        return float(max(tried.values()))
    if entry.key != "iavi" or menu.units < 2:
        return float("nan")
    folds = min(menu.folds, menu.units)
    made = compare(
        train, {entry.key: entry.candidate}, mdp, folds=folds, by=menu.by, seed=menu.seed
    )
    score = made[entry.key].score
    return float("nan") if score is None else score.mean


def _choose(wanted: str, rows: list[ScoreRow], wrong: list[str]) -> tuple[str, str]:
    """The model whose reward is drawn, and why."""
    with_reward = {row.key: row for row in rows if not row.yardstick}
    if wanted != "best":
        if wanted not in with_reward:
            told = [
                f"--solver {wanted} could not be fitted here; there are {[*with_reward]}",
                *wrong,
            ]
            raise FitError(". ".join(told))
        row = with_reward[wanted]
        return wanted, f"The reward drawn is that of {row.name}, as asked for."
    tested = [row for row in with_reward.values() if np.isfinite(row.validation)]
    if not tested:
        row = with_reward.get("iavi") or next(iter(with_reward.values()))
        return (
            row.key,
            f"The reward drawn is that of {row.name}; there are too few units to choose.",
        )
    row = max(tested, key=lambda row: row.validation)
    text = f"{row.validation:.3f}".replace("-", "−")
    return row.key, (
        f"The reward drawn is that of {row.name}: of the models with a reward it predicts best in "
        f"cross-validation within the training part ({text} nats per decision); the held-out "
        "decisions had no say in it."
    )


def source_of(behaviour: Behaviour) -> str:
    """Where the rows came from, in one paragraph."""
    told = f"Read from {behaviour.demonstrations.source}."
    if behaviour.dataset is None:
        return told
    data = behaviour.dataset
    return f"{data.description} Source: {data.source}; licence {data.licence}. {told}"


def _settings(options: Fit, mdp: MDP, menu: Menu, solution: Solution) -> dict[str, str]:
    """The settings by name, as text."""
    chosen = {
        name: f"{value:g}" if isinstance(value, float) else str(value)
        for name, value in solution.settings.items()
        if isinstance(value, bool | int | float | str)
    }
    return {
        "discount": f"{mdp.discount:g}",
        "by": menu.by,
        "seed": str(menu.seed),
        "folds": str(min(menu.folds, menu.units)),
        "smoothing": f"{menu.smoothing:g}",
        "history": str(menu.history),
        "gauge of IAVI": menu.gauge,
        "bootstrap replicates": f"{replicates_of(options):,}",
        "drawn model": f"{solution.solver}: " + ", ".join(f"{k} {v}" for k, v in chosen.items()),
    }
