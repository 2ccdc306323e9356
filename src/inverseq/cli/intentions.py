"""`inverseq fit --intentions`: several rewards, when each was pursued, and how sure that is."""

import time
from dataclasses import replace
from pathlib import Path

import numpy as np
from jaxtyping import Float
from rich.console import Console

from inverseq import __version__
from inverseq._core.errors import InputError
from inverseq._core.progress import progress_bars
from inverseq._core.store import save
from inverseq.cli.candidates import Menu, entries
from inverseq.cli.job import Progress, menu_of, source_of
from inverseq.cli.laws import RESTARTS, explainer_of, law_in_words, law_of, several
from inverseq.cli.load import Behaviour, divide, load
from inverseq.cli.options import Fit
from inverseq.cli.show import diagnosis_of, print_table, provenance_of
from inverseq.cli.wording import as_typed
from inverseq.demonstrations import Demonstrations
from inverseq.evaluate.compare import Candidate, score_all
from inverseq.evaluate.dwell import Dwell, dwell_times
from inverseq.evaluate.likelihood import log_likelihood
from inverseq.evaluate.posterior_table import write_posterior
from inverseq.evaluate.predictive_checks import PredictiveChecks, check_predictions
from inverseq.evaluate.transitions import SwitchingIntervals, switching_intervals, switching_shares
from inverseq.intentions.predict import posterior
from inverseq.intentions.solution import IntentionSolution
from inverseq.intentions.solver import Intentions
from inverseq.intentions.switching import Mixture
from inverseq.inverse.fit import fit
from inverseq.inverse.iavi import IAVI
from inverseq.mdp import MDP, unite
from inverseq.report import require_writable, to_json, write_report
from inverseq.report.build import score_table
from inverseq.report.intention_build import build_report, further_tables, summary
from inverseq.report.intention_records import IntentionResults, Part
from inverseq.report.intention_words import headline, warnings_of
from inverseq.report.records import ScoreRow

_REPLICATES = 40
_SIMULATIONS = 100


def run(options: Fit) -> int:
    """Fit, score, and write the report."""
    folder = require_writable(options.out)
    behaviour = load(options.table, options.columns, options.world)
    quiet = options.output.quiet or options.output.json
    with progress_bars(quiet=quiet) as progress:
        results, whole = analyse(behaviour, options, progress)
        progress("report", 0, 1)
        provenance = provenance_of(behaviour.digest, bundled=behaviour.dataset is not None)
        made = f"Made by inverseq {__version__} on {provenance['made']}, without a network."
        report = build_report(results, provenance, made)
        save(results.solution, folder / "solution.npz")
        write_posterior(results.solution, whole, folder / "tables" / "posterior.parquet")
        told = summary(results, provenance)
        page = write_report(folder, report, told, further=further_tables(results))
        progress("report", 1, 1)
    if options.output.json:
        print(to_json(told | {"report": str(page)}), end="")
    elif not options.output.quiet:
        _print(Console(highlight=False), results, page)
    return 0


def analyse(
    behaviour: Behaviour, options: Fit, progress: Progress
) -> tuple[IntentionResults, Demonstrations]:
    """Everything that the fit finds out, and all decisions with the part that each is in.

    Raises:
        InputError: The settings or the decisions cannot be used.
        FitError: The fit failed.
    """
    began = time.perf_counter()
    train, test, division = divide(behaviour, options.held_out)
    given = behaviour.world_for(train)
    plain = given if isinstance(given, MDP) else unite(given)
    # On a map one looks for what a place is worth; in a table, for what an action is.
    usual = "zero-mean" if plain.coordinates is None else "state-only"
    menu = menu_of(replace(options, gauge=options.gauge or usual), plain, train)
    settings, name = settings_of(options, menu, behaviour.demonstrations)
    mdp = plain if menu.history == 1 else plain.with_history(menu.history)
    skipped = behaviour.dataset.score_from_step if behaviour.dataset else 0
    fitting = time.perf_counter()
    solution = fit(train, settings, mdp, accept_failure=True, progress=progress)
    seconds = time.perf_counter() - fitting
    score = log_likelihood(solution, test, from_step=skipped, by=menu.by)
    mine = ScoreRow(
        "one" if settings.k == 1 else "intentions",
        f"{several(settings.k)}, {name}{_memory(menu)}",
        False,
        score,
        float(solution.num_parameters),
        seconds,
    )
    scores, wrong = _others(train, test, plain, menu, settings, name, skipped, progress)
    intervals = _intervals(options, settings, solution, train, menu, progress)
    remarks = wrong
    dwells = _dwells(options, solution, train, menu, progress)
    return IntentionResults(
        title=behaviour.title,
        source=source_of(behaviour),
        citation=behaviour.dataset.citation if behaviour.dataset else "",
        given=given,
        worlds=behaviour.worlds,
        diagnosis=diagnosis_of(behaviour),
        division=division,
        skipped=skipped,
        solver=name,
        law=law_in_words(settings.switching),
        history=menu.history,
        scores=(*scores, mine),
        solution=solution,
        train=Part("train", train, posterior(solution, train)),
        test=Part("test", test, posterior(solution, test)),
        changes=_changes(solution, settings, train, intervals),
        intervals=intervals,
        dwells=dwells,
        checks=_checks(options, solution, test, menu, progress),
        remarks=remarks,
        settings=_settings(options, plain, menu, settings, name),
        seconds=time.perf_counter() - began,
    ), _with_parts(behaviour.demonstrations, test)


def settings_of(options: Fit, menu: Menu, known: Demonstrations) -> tuple[Intentions, str]:
    """The settings of the fit, and the name of what explains each intention."""
    k = options.intentions
    if k is None or k < 1:
        raise InputError(f"--intentions must be 1 or more; got {k}")
    solver, name = explainer_of(options.solver, menu)
    law = law_of(options.changing.switching, known)
    restarts = options.changing.restarts or RESTARTS
    return Intentions(k, solver, law, restarts=restarts, seed=menu.seed), name


def _others(
    train: Demonstrations,
    test: Demonstrations,
    mdp: MDP,
    menu: Menu,
    settings: Intentions,
    name: str,
    skipped: int,
    progress: Progress,
) -> tuple[list[ScoreRow], tuple[str, ...]]:
    """The yardsticks and one intention, on the same decisions, and what failed."""
    listed = {e.key: (e.name, e.yardstick, e.candidate) for e in entries(menu) if e.yardstick}
    if settings.k > 1:
        one = Candidate(replace(settings, k=1), menu.history)
        listed["one"] = (f"{several(1)}, {name}{_memory(menu)}", False, one)
    scored = score_all(
        train,
        test,
        {key: candidate for key, (_, _, candidate) in listed.items()},
        mdp,
        by=menu.by,
        from_step=skipped,
        progress=progress,
    )
    rows, wrong = [], []
    for (key, (called, yardstick, _)), result in zip(listed.items(), scored.results, strict=True):
        if result.score is None:
            wrong.append(f"{called} was left out: {as_typed(result.failure)}")
            continue
        numbers = float(result.num_parameters[0]), float(result.seconds[0])
        rows.append(ScoreRow(key, called, yardstick, result.score, *numbers))
    return rows, tuple(wrong)


def _intervals(
    options: Fit,
    settings: Intentions,
    solution: IntentionSolution,
    train: Demonstrations,
    menu: Menu,
    progress: Progress,
) -> SwitchingIntervals | None:
    """How sure the law is; None where nothing is or can be resampled."""
    # A solver that searches itself is called again in every step of every replicate.
    usual = _REPLICATES if isinstance(settings.solver, IAVI) else 0
    replicates = usual if options.bootstrap is None else options.bootstrap
    if replicates == 0 or menu.units < 2:
        return None
    return switching_intervals(
        solution,
        settings,
        train,
        seed=menu.seed,
        by=menu.by,
        replicates=replicates,
        progress=progress,
    )


def _dwells(
    options: Fit,
    solution: IntentionSolution,
    train: Demonstrations,
    menu: Menu,
    progress: Progress,
) -> tuple[Dwell, ...]:
    """How long each lasts; nothing for one intention, a mixture or no simulations."""
    repeats = _simulations(options)
    if solution.num_intentions == 1 or isinstance(solution.switching, Mixture) or repeats == 0:
        return ()
    return dwell_times(solution, train, seed=menu.seed, repeats=repeats, progress=progress)


def _checks(
    options: Fit,
    solution: IntentionSolution,
    test: Demonstrations,
    menu: Menu,
    progress: Progress,
) -> PredictiveChecks | None:
    """Simulated behaviour beside the real one; None without simulations."""
    repeats = _simulations(options)
    if repeats == 0:
        return None
    return check_predictions(solution, test, seed=menu.seed, repeats=repeats, progress=progress)


def _simulations(options: Fit) -> int:
    """How often to simulate."""
    return _SIMULATIONS if options.simulations is None else options.simulations


def _changes(
    solution: IntentionSolution,
    settings: Intentions,
    train: Demonstrations,
    intervals: SwitchingIntervals | None,
) -> Float[np.ndarray, "K K"] | None:
    """What follows what; None where nothing can change."""
    if isinstance(solution.switching, Mixture) or solution.num_intentions == 1:
        return None
    if intervals is not None:
        return intervals.transition.estimate
    return switching_shares(solution, settings, train)


def _with_parts(known: Demonstrations, test: Demonstrations) -> Demonstrations:
    """All decisions, with the column "part" where rows are numbered: train or test."""
    if known.rows is None or test.rows is None or "part" in known.trajectories:
        return known
    held_out = np.isin(known.rows[known.starts[:-1]], test.rows)
    part = np.where(held_out, "test", "train")
    return replace(known, trajectories={**known.trajectories, "part": part})


def _memory(menu: Menu) -> str:
    """The memory of the world, for names of models."""
    return "" if menu.history == 1 else f", memory of {menu.history} states"


def _settings(
    options: Fit, mdp: MDP, menu: Menu, settings: Intentions, name: str
) -> dict[str, str]:
    """The settings by name, as text."""
    return {
        "intentions": str(settings.k),
        "switching": options.changing.switching or "markov",
        "restarts": str(settings.restarts),
        "solver": name,
        "gauge of IAVI": menu.gauge,
        "smoothing": f"{menu.smoothing:g}",
        "history": str(menu.history),
        "discount": f"{mdp.discount:g}",
        "by": menu.by,
        "seed": str(menu.seed),
        "simulations": str(_simulations(options)),
    }


def _print(console: Console, results: IntentionResults, page: Path) -> None:
    """The scores, what was found, and where the report lies."""
    print_table(console, score_table(results.scores))
    for text in headline(results):
        console.print(text.replace("*", ""), markup=False)
    for text in (*results.remarks, *warnings_of(results)):
        console.print(f"Mind: {text.replace('`', '')}", markup=False)
    console.print(f"Report: {page}  ({results.seconds:.0f} s)", markup=False, soft_wrap=True)
