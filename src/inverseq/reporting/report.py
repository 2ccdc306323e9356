"""From findings to a folder: the list of sections, the tables, and the page."""

import os
import platform
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any, get_args

import numpy as np

from inverseq import __version__
from inverseq._core.errors import InputError, as_option, spelt
from inverseq._core.store import save
from inverseq.analysis.findings import Findings
from inverseq.analysis.places import Places
from inverseq.evaluate.decision_table import write_decisions
from inverseq.evaluate.posterior_table import write_columns, write_posterior
from inverseq.mdp import MDP
from inverseq.reporting.document import Column, Facts, Report, Section, Table, Width
from inverseq.reporting.folder import PAGE, result_folder, write_report
from inverseq.reporting.sections.changes import does_it_behave, transition_table, when_they_change
from inverseq.reporting.sections.choice import how_many
from inverseq.reporting.sections.crossed import what_they_go_with
from inverseq.reporting.sections.first import first_picture
from inverseq.reporting.sections.foretold import who_foretells
from inverseq.reporting.sections.headline import answer, size, title
from inverseq.reporting.sections.intentions import each_place, what_they_are
from inverseq.reporting.sections.methods import methods, references, the_data
from inverseq.reporting.sections.neurons import relation_tables, when_it_is_told, which_neurons
from inverseq.reporting.sections.observed import calibrated
from inverseq.reporting.sections.routes import which_ways
from inverseq.reporting.sections.scores import how_well, what_it_adds
from inverseq.reporting.sections.sensitivity import what_would_change_it
from inverseq.reporting.sections.split import right_in_each_part
from inverseq.reporting.sections.sure import how_sure
from inverseq.reporting.sections.wants import what_they_want
from inverseq.reporting.summary import summary
from inverseq.reporting.words import text

SECTIONS: tuple[Callable[[Findings], Section | None], ...] = (
    which_neurons,
    when_it_is_told,
    who_foretells,
    how_many,
    what_they_are,
    what_they_go_with,
    when_they_change,
    what_they_want,
    which_ways,
    what_would_change_it,
    how_well,
    calibrated,
    right_in_each_part,
    what_it_adds,
    how_sure,
    does_it_behave,
    the_data,
    methods,
    references,
)
"""The parts of a report in their order; each is left out where it has nothing to say."""

_MOST_AS_TEXT = 10_000
"""Relations that are written as CSV; more as Parquet."""


def report(
    findings: Findings,
    folder: str | os.PathLike,
    *,
    command: str = "",
    file_digest: str = "",
    width: Width | None = None,
) -> Path:
    """Write the page of an analysis with everything beside it.

    `report.html` needs nothing from outside. Beside it lie `figures/` (SVG, PDF and PNG), `tables/`
    (CSV, and Parquet where there are many rows), `summary.json` and the fit, `solution.npz`, for
    `inverseq.load`. The same findings give the same bytes; when and where they were made, and how
    long each model took, stands in `run.json` alone. The folder holds all of it or what it held
    before; files of your own in it stay.

    Args:
        findings: What `inverseq.analyse` found.
        folder: Where to write; it is made where it does not exist.
        command: What was typed to make it, for the page; where that is a command line of
            `inverseq`, the page names arguments as its options, and is byte for byte its page.
        file_digest: SHA-256 of the file that the table was read from; the arrays' own where left
            out.
        width: Of the figures beside the page, columns of a journal: "single" (85 mm) or "double"
            (180 mm); each as it is on the page where left out.

    Returns:
        The path of the page.

    Raises:
        InputError: These are no findings, there is no such width, the folder cannot be written to,
            something stands in the way, or another run is writing to it.
    """
    if width is not None and width not in get_args(Width):
        raise InputError(f"width must be one of {get_args(Width)}; got {width!r}")
    if not isinstance(findings, Findings):
        raise InputError(
            f"a report is made of findings; got a {type(findings).__name__}. "
            "inverseq.analyse(demonstrations) returns them"
        )
    spelling = spelt(as_option) if command.startswith("inverseq ") else nullcontext()
    with result_folder(folder) as root, spelling:
        write(findings, root, provenance_of(findings, command, file_digest), width)
    return Path(folder) / PAGE


def write(
    findings: Findings, root: Path, provenance: Mapping[str, str], width: Width | None = None
) -> None:
    """The same into an empty folder: what is dear first, so that no figure can lose it."""
    if findings.solution is not None:
        save(findings.solution, root / "solution.npz")
    if findings.solution is not None and findings.whole is not None:
        name = "decisions" if findings.intentions is None else "posterior"
        write_one = write_decisions if findings.intentions is None else write_posterior
        write_one(findings.solution, findings.whole, root / "tables" / f"{name}.parquet")
    for name, relations in () if findings.neural is None else relation_tables(findings.neural):
        ending = "csv" if len(relations["adjusted"]) <= _MOST_AS_TEXT else "parquet"
        write_columns([relations], root / "tables" / f"{name}.{ending}")
    made, told = build_report(findings, provenance), summary(findings, provenance)
    run = {**run_of(findings), **provenance}
    write_report(root, made, told, run, further_tables(findings), width)


def build_report(findings: Findings, provenance: Mapping[str, str]) -> Report:
    """The report as a document."""
    told = (section(findings) for section in SECTIONS)
    name = text("methods.j2", "provenance_title", settings=findings.settings)
    told_settings = (
        (text("methods.j2", "setting", name=name), text("methods.j2", "value", value=value))
        for name, value in findings.settings.items()
    )
    settings = Section(name, (Facts((*told_settings, *provenance.items())),), folded=True)
    sections = (*(each for each in told if each is not None), settings)
    made = text("methods.j2", "made", version=__version__)
    picture = first_picture(findings)
    return Report(title(findings), size(findings), answer(findings), picture, sections, made)


def provenance_of(findings: Findings, command: str = "", file_digest: str = "") -> dict[str, str]:
    """Versions, the hash of the data, and the command as one would type it."""
    packages = {name: version(name) for name in ("numpy", "scipy", "matplotlib", "duckdb")}
    return {
        **({"command": command} if command else {}),
        "inverseq": __version__,
        "Python": platform.python_version(),
        **packages,
        f"SHA-256 of the {'file' if file_digest else 'arrays'}": file_digest
        or findings.fingerprint,
    }


def run_of(findings: Findings) -> dict[str, Any]:
    """What differs between two runs of the same: when, where, and seconds in all and by model."""
    return {
        "made": datetime.now(UTC).isoformat(timespec="seconds"),
        "system": f"{platform.system()} {platform.machine()}",
        "seconds": findings.seconds,
        "seconds_by_model": {row.key: row.seconds for row in findings.scores},
    }


def further_tables(findings: Findings) -> tuple[Table, ...]:
    """What is too long for the page: every state, and transitions as rows."""
    if findings.solution is None:
        return ()
    if findings.intentions is None:
        return tuple(state_table(each, findings.given) for each in each_place(findings))
    states = (
        state_table(each, findings.given, f"states_intention_{k}")
        for k, each in enumerate(each_place(findings), 1)
    )
    return (*transition_table(findings.intentions), *states)


def state_table(shown: Places, given: MDP | Mapping[str, MDP], name: str = "states") -> Table:
    """Reward, value, policy and visits of every place, for the CSV file `name`."""
    mdps = {"": given} if isinstance(given, MDP) else dict(given)
    actions = next(iter(mdps.values())).action_names or tuple(
        str(a) for a in range(shown.policy.shape[1])
    )
    titles = ["world", "state", "name", "x", "y", "visits", "reward", "value"]
    titles += [f"probability_{a}" for a in actions] + [f"reward_{a}" for a in actions]
    rows, first = [], 0
    for world, mdp in mdps.items():
        for s in range(mdp.num_states):
            rows.append((world, *_state_cells(shown, mdp, s, first + s)))
        first += mdp.num_states
    return Table(name, "", tuple(map(Column, titles)), tuple(rows))


def _state_cells(shown: Places, mdp: MDP, state: int, place: int) -> tuple[Any, ...]:
    """One row of the table of states."""
    where = (None, None)
    if mdp.coordinates is not None:
        where = tuple(float(c) for c in mdp.coordinates[state][:2])
    numbers = [shown.visits[place], shown.reward[place], shown.value[place]]
    numbers += [*shown.policy[place], *shown.rewards[place]]
    cells = [float(n) if np.isfinite(n) else None for n in numbers]
    return (state, mdp.state_names[state] if mdp.state_names else "", *where, *cells)
