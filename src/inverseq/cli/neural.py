"""`inverseq neural`."""

from pathlib import Path

from inverseq import datasets
from inverseq._core.errors import InputError, argument
from inverseq._core.files import to_json
from inverseq._core.progress import progress_bars
from inverseq._core.words import between_commas
from inverseq.analysis import Plan, analyse
from inverseq.analysis.neural_plan import ANY, NeuralPlan
from inverseq.cli.load import load
from inverseq.cli.options_others import Neural, Recorded
from inverseq.cli.printing import command, tell
from inverseq.datasets.files import bundled
from inverseq.readers.nwb.file import is_nwb, nwb_files
from inverseq.readers.nwb.recording import read_recording
from inverseq.readers.nwb.write import write_nwb
from inverseq.reporting import PAGE, result_folder
from inverseq.reporting.report import provenance_of, run_of, write
from inverseq.reporting.sections.headline import headline_text
from inverseq.reporting.sections.neurons import fitted_series, table_by_area
from inverseq.reporting.summary import remarks, summary


def run(options: Neural) -> int:
    """Fit, relate, and write the report."""
    quiet = options.output.quiet or options.output.json
    with result_folder(options.out) as folder, progress_bars(quiet=quiet) as progress:
        with bundled("lever.nwb") as own:
            path = file_of(options.table, own)
            loaded = load(options.table, options.columns, options.world)
            asked = plan_of(options.recorded)
            recording = read_recording(
                path, signals=asked.signals, units=options.recorded.units != "none"
            )
            plan = Plan(
                solver=options.solver,
                intentions=options.intentions,
                split=options.held_out.split,
                test=options.held_out.test,
                by=options.held_out.by,
                seed=options.held_out.seed,
                folds=options.folds,
                switching=options.changing.switching,
                restarts=options.changing.restarts,
                keep=options.keep,
                neural=asked,
                **loaded.settings,
            )
            findings = analyse(loaded.data, plan, recording=recording, progress=progress)
            assert findings.neural is not None  # the plan asks for it
            if options.write_nwb:
                write_nwb(path, folder / "fitted.nwb", fitted_series(findings.neural))
        progress("report", 0, 1)
        provenance = provenance_of(findings, command(), loaded.digest)
        write(findings, folder, provenance, options.width)
        progress("report", 1, 1)
    page = str(Path(options.out) / PAGE)
    return tell(
        options.output,
        lambda: to_json(summary(findings, provenance) | run_of(findings) | {"report": page}),
        [table_by_area(findings.neural)],
        headline_text(findings),
        remarks(findings),
        f"{page}  ({findings.seconds:.0f} s)",
    )


def file_of(table: str, own: Path) -> Path:
    """The one file that holds decisions and what was recorded beside them.

    Raises:
        InputError: It is no NWB file, several, or a data set without a recording.
    """
    path = Path(table)
    if table == "lever" and not path.exists():
        return own
    if table in datasets.names() and not path.exists():
        raise InputError(f"nothing was recorded beside the data set {table!r}; take lever")
    if path.exists() and not is_nwb(path):
        raise InputError(
            f"{path.name} is no NWB file, and neurons are read from one; in Python "
            "inverseq.analyse(demonstrations, recording=...) takes a recording beside any table"
        )
    files = nwb_files(path)
    if len(files) > 1:
        raise InputError(
            f"{table} holds {len(files)} NWB files, each with a clock of its own; take one session "
            f"at a time: inverseq neural {files[0]}"
        )
    return files[0]


def plan_of(options: Recorded) -> NeuralPlan:
    """What the options ask of the recording."""
    low_high = _numbers("window", options.window)
    if len(low_high) != 2:
        raise InputError(f"--window takes two times, -0.3,0; got {options.window}")
    beyond = None if options.beyond is None else _names(options.beyond)
    foretell = ANY if options.foretell is None else options.foretell
    return NeuralPlan(
        units=_values(options.units),
        signals=None if options.signals is None else _names(options.signals),
        area=options.area,
        window=(low_high[0], low_high[1]),
        bin_width=options.bin_width,
        lags=_numbers("lags", options.lags),
        regressors=between_commas(options.regressors),
        covariates=beyond,
        null=options.null,
        within="" if options.within in (None, "none") else options.within,
        shuffles=options.shuffles,
        correction=options.correction,
        foretell=None if foretell == "none" else foretell,
        configurations=options.configurations,
    )


def _names(text: str) -> tuple[str, ...]:
    """What stands between commas; nothing for "none"."""
    return () if text == "none" else between_commas(text)


def _numbers(name: str, text: str) -> tuple[float, ...]:
    """Numbers between commas.

    Raises:
        InputError: One is none.
    """
    try:
        return tuple(float(part) for part in between_commas(text))
    except ValueError as error:
        raise InputError(f"--{name} takes seconds with commas between; got {text}") from error


def _values(text: str | None) -> dict[str, str]:
    """Columns and the value that is looked at.

    Raises:
        InputError: It is not of the form quality=good,area=CA1.
    """
    if text in (None, "none"):
        return {}
    pairs = (part.partition("=") for part in between_commas(text))
    made = {name.strip(): value.strip() for name, _, value in pairs}
    if not all(made) or not all(made.values()):
        raise InputError(f"{argument('units', 'quality=good')} is its form; got {text}")
    return made
