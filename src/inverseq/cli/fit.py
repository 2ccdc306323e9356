"""`inverseq fit`."""

from pathlib import Path

from inverseq._core.errors import InputError
from inverseq._core.files import to_json
from inverseq._core.progress import progress_bars
from inverseq._core.words import between_commas
from inverseq.analysis import Plan, analyse
from inverseq.analysis.groups import analyse_each
from inverseq.cli.load import Loaded, load
from inverseq.cli.options import Fit
from inverseq.cli.printing import command, tell
from inverseq.reporting import PAGE, result_folder
from inverseq.reporting.groups import scores_of_groups, write_groups
from inverseq.reporting.report import provenance_of, run_of, write
from inverseq.reporting.sections.differ import named
from inverseq.reporting.sections.headline import headline_text
from inverseq.reporting.sections.scores import score_table
from inverseq.reporting.summary import remarks, summary


def run(options: Fit) -> int:
    """Fit, score, and write the report."""
    if options.per is not None and options.groups is not None:
        raise InputError("--per looks at each group, --groups also compares them: drop --per")
    per = options.per or options.groups
    if per is not None:
        return _run_each(options, per)
    quiet = options.output.quiet or options.output.json
    with result_folder(options.out) as folder, progress_bars(quiet=quiet) as progress:
        loaded = load(options.table, options.columns, options.world)
        findings = analyse(loaded.data, plan_of(options, loaded), progress=progress)
        progress("report", 0, 1)
        provenance = provenance_of(findings, command(), loaded.digest)
        write(findings, folder, provenance, options.width)
        progress("report", 1, 1)
    page = str(Path(options.out) / PAGE)
    return tell(
        options.output,
        lambda: to_json(summary(findings, provenance) | run_of(findings) | {"report": page}),
        [score_table(findings)],
        headline_text(findings),
        remarks(findings),
        f"{page}  ({findings.seconds:.0f} s)",
    )


def _run_each(options: Fit, per: str) -> int:
    """The same for each group by itself, and a page with all side by side."""
    quiet = options.output.quiet or options.output.json
    with result_folder(options.out) as folder, progress_bars(quiet=quiet) as progress:
        loaded = load(options.table, options.columns, options.world)
        plan, compare = plan_of(options, loaded), options.groups is not None
        groups = analyse_each(loaded.data, plan, per, compare=compare, progress=progress)
        first = next(iter(groups.findings.values()))
        write_groups(groups, folder, provenance_of(first, command(), loaded.digest), options.width)
    place = Path(options.out)
    return tell(
        options.output,
        lambda: (place / "summary.json").read_text(encoding="utf-8"),
        [scores_of_groups(groups)],
        () if groups.compared is None else named(groups.compared).text.splitlines(),
        [f"{name} is left out: {error}" for name, error in groups.failures.items()],
        str(place / PAGE),
    )


def plan_of(options: Fit, loaded: Loaded) -> Plan:
    """What the options ask for."""
    return Plan(
        solver=options.solver,
        intentions=options.intentions,
        split=options.held_out.split,
        test=options.held_out.test,
        by=options.held_out.by,
        seed=options.held_out.seed,
        folds=options.folds,
        history=options.history,
        smoothing=options.smoothing,
        gauge=options.gauge,
        anchor=options.anchor,
        forbid=options.forbid,
        over=_two(options.over),
        switching=options.changing.switching,
        restarts=options.changing.restarts,
        bootstrap=options.bootstrap,
        simulations=options.simulations,
        check_by=between_commas(options.check_by),
        keep=options.keep,
        **loaded.settings,
    )


def _two(names: str | None) -> tuple[str, str] | None:
    """The two components that were named."""
    if names is None:
        return None
    parts = between_commas(names)
    if len(parts) != 2:
        raise InputError(f"--over takes two columns, x,y; got {names!r}")
    return parts[0], parts[1]
