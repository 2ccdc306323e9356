"""What the doctor found, as a record and as text."""

import textwrap
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

_WIDTH = 96


class Severity(StrEnum):
    """How much a finding matters to a fit."""

    ERROR = "error"
    """A fit would refuse the table, or mean something else than it seems."""
    WARNING = "warning"
    """A fit runs, but its answer will suffer."""
    NOTE = "note"
    """Good to know."""


@dataclass(frozen=True)
class Finding:
    """One thing that the doctor noticed.

    Attributes:
        severity: How much it matters.
        about: What it is about, in a few fixed words.
        text: What was found, in plain words.
        remedy: What to do about it; empty where there is nothing to do.
        count: How many rows, states, pairs or trajectories it concerns.
        rows: Rows of the source (1 is the first) that show it, at most five.
    """

    severity: Severity
    about: str
    text: str
    remedy: str = ""
    count: int = 0
    rows: tuple[int, ...] = ()


@dataclass(frozen=True)
class Diagnosis:
    """Everything that the doctor noticed about a table, the worst first.

    Attributes:
        findings: What was noticed.
        facts: Numbers that describe the table: decisions, trajectories, states and so on.
        source: Where the table came from.
    """

    findings: tuple[Finding, ...]
    facts: Mapping[str, float]
    source: str

    @property
    def worst(self) -> Severity | None:
        """The severity of the worst finding; None where there is none."""
        return next((s for s in Severity if any(f.severity is s for f in self.findings)), None)

    def __str__(self) -> str:
        return describe(self)


def describe(diagnosis: Diagnosis) -> str:
    """The diagnosis as plain text: a summary, then each finding with what to do."""
    lines = [_summary(diagnosis)]
    for finding in diagnosis.findings:
        where = f" (rows {', '.join(map(str, finding.rows))})" if finding.rows else ""
        text = f"{finding.severity.upper()} {finding.about}: {finding.text}{where}"
        lines.append(textwrap.fill(text, _WIDTH, subsequent_indent="  "))
        if finding.remedy:
            indent = "  -> "
            lines.append(
                textwrap.fill(
                    finding.remedy, _WIDTH, initial_indent=indent, subsequent_indent=" " * 5
                )
            )
    if not diagnosis.findings:
        lines.append("Nothing here will hurt a fit.")
    return "\n".join(lines)


def _summary(diagnosis: Diagnosis) -> str:
    """The numbers of the table in two lines."""
    f = diagnosis.facts
    return (
        f"{diagnosis.source}\n"
        f"{f['decisions']:,.0f} decisions in {f['trajectories']:,.0f} trajectories of "
        f"{f['shortest']:.0f} to {f['longest']:.0f} (median {f['median_length']:.0f}); "
        f"{f['states_visited']:.0f} of {f['states']:.0f} states visited, "
        f"{f['pairs_taken']:.0f} of {f['pairs']:.0f} state-action pairs taken\n"
    )


def as_dict(diagnosis: Diagnosis) -> dict[str, Any]:
    """The diagnosis as plain dictionaries, lists, texts and numbers, for JSON."""
    return {
        "source": diagnosis.source,
        "worst": None if diagnosis.worst is None else str(diagnosis.worst),
        "facts": dict(diagnosis.facts),
        "findings": [
            asdict(finding) | {"severity": str(finding.severity), "rows": list(finding.rows)}
            for finding in diagnosis.findings
        ],
    }
