"""`inverseq compare`."""

import sys
from contextlib import nullcontext
from pathlib import Path

from inverseq._core.errors import InputError, Stopped
from inverseq._core.files import to_json
from inverseq._core.progress import progress_bars
from inverseq._core.words import between_commas
from inverseq.analysis import Plan, analyse
from inverseq.analysis.findings import Findings
from inverseq.cli.exit_codes import INTERRUPTED
from inverseq.cli.load import Loaded, load
from inverseq.cli.options import Compare
from inverseq.cli.printing import command, tell
from inverseq.reporting import PAGE, result_folder
from inverseq.reporting.report import provenance_of, run_of, write
from inverseq.reporting.sections.choice import choice_table
from inverseq.reporting.sections.headline import headline_text
from inverseq.reporting.sections.scores import score_table
from inverseq.reporting.summary import remarks, summary


def run(options: Compare) -> int:
    """Score all models by cross-validation; write a report where a folder is given."""
    try:
        return _compare(options)
    except Stopped as stop:
        if not isinstance(stop.partial, Findings):
            raise
        return _stopped(options, stop, stop.partial)


def _stopped(options: Compare, stop: Stopped, findings: Findings) -> int:
    """What came out before the command was interrupted."""
    whole = {"done": stop.done, "total": stop.total}
    tell(
        options.output,
        lambda: to_json(summary(findings, {}) | {"stopped": whole}),
        [score_table(findings)],
        (),
        remarks(findings),
    )
    kept = f"The same command goes on from what is kept in {options.keep}"
    lost = "With --keep FOLDER the same command would go on from there"
    print(
        f"inverseq: stopped after {stop.done} of {stop.total} fits: the scores are those of the "
        f"decisions that all these models have predicted so far. {kept if options.keep else lost}",
        file=sys.stderr,
    )
    return INTERRUPTED


def _compare(options: Compare) -> int:
    """The whole of it."""
    place = nullcontext() if options.out is None else result_folder(options.out)
    quiet = options.output.quiet or options.output.json
    with place as folder, progress_bars(quiet=quiet) as progress:
        loaded = load(options.table, options.columns, options.world)
        findings = analyse(loaded.data, plan_of(options, loaded), progress=progress)
        provenance = provenance_of(findings, command(), loaded.digest)
        if folder is not None:
            write(findings, folder, provenance)
    tables, told = [score_table(findings)], ()
    if findings.choosing is not None:
        tables, told = [choice_table(findings.choosing.choice), *tables], headline_text(findings)
    return tell(
        options.output,
        lambda: to_json(summary(findings, provenance) | run_of(findings)),
        tables,
        told,
        remarks(findings),
        "" if options.out is None else str(Path(options.out) / PAGE),
    )


def plan_of(options: Compare, loaded: Loaded) -> Plan:
    """What the options ask for."""
    return Plan(
        solver=options.solver,
        intentions=None if options.intentions is None else numbers_of(options.intentions),
        cross_validate=True,
        models=between_commas(options.models),
        by=options.by,
        seed=options.seed,
        folds=options.folds,
        history=options.history,
        smoothing=options.smoothing,
        switching=options.changing.switching,
        restarts=options.changing.restarts,
        keep=options.keep,
        **loaded.settings,
    )


def numbers_of(text: str) -> tuple[int, ...]:
    """Numbers of intentions, from "1,2,3".

    Raises:
        InputError: One is no whole number from 1.
    """
    parts = between_commas(text)
    wrong = [part for part in parts if not part.isdecimal() or int(part) < 1]
    if wrong or not parts:
        raise InputError(
            f"--intentions must be whole numbers from 1 with commas between, such as 1,2,3; got "
            f"{(wrong[0] if wrong else text)!r}"
        )
    return tuple(sorted({int(part) for part in parts}))
