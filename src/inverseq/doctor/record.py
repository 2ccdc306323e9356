"""What the doctor found, as a record; its words lie in templates."""

import textwrap
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from inverseq._core.words import render_text

_HERE = "inverseq.doctor"

Value = int | float | str | tuple[str, ...]
"""A number, a name or names of a finding."""


class Severity(StrEnum):
    """How much a finding matters to a fit."""

    ERROR = "error"
    """A fit would refuse the table, or mean something else than it seems."""
    WARNING = "warning"
    """A fit runs, but its answer will suffer."""
    NOTE = "note"
    """Good to know."""


class About(StrEnum):
    """What a finding is about; the block of its name in `findings.j2` has the words."""

    WORLDS = "worlds without an MDP"
    STATE_OUTSIDE = "state outside the world"
    NEXT_STATE_OUTSIDE = "next state outside the world"
    ACTION_OUTSIDE = "action outside the world"
    STATE_NAMES = "state names differ"
    ACTION_NAMES = "action names differ"
    RENUMBERED = "state numbers with holes"
    TOO_LARGE = "more than fits into memory"
    ABSENT_ACTIONS = "actions that do not exist"
    IMPOSSIBLE = "impossible transitions"
    AFTER_THE_END = "decisions after the end"
    ENDS_ELSEWHERE = "ends that the world does not know"
    FORCED = "forced decisions"
    LENGTHS = "trajectories of very different lengths"
    ONE_STEP = "one-step trajectories"
    ENDINGS = "why trajectories end"
    GAPS = "gaps"
    PAUSES = "pauses"
    EQUAL_TIMES = "equal times"
    MISSING = "missing actions"
    SELF_LOOPS = "self-loops"
    ONE_TRAJECTORY = "single trajectory"
    FEW_TRAJECTORIES = "few trajectories"
    PIECES = "pieces of trajectories"
    ONE_SUBJECT = "single subject"
    BACKWARDS = "trials that end before they begin"
    TRIALS_OVERLAP = "overlapping trials"
    EVENTS_SHIFTED = "times shifted by a trial"
    EVENTS_OUTSIDE = "times outside their trial"
    UNUSED_LABEL = "a column that may be an identifier"
    UNUSED_TIME = "a column that may be the time"
    UNUSED_END = "a column that may mark ends"
    ONE_WORLD = "several worlds taken for one"
    IDLE = "nobody acts"
    SIGNED = "actions -1 and 1"
    NO_ACTION = "an action that may mean none"
    ALIKE = "names that look alike"
    UNVISITED = "states never visited"
    UNTAKEN = "actions never taken"
    UNTRIED = "actions never tried at a state"
    ONE_SIDED = "states with one action only"
    FEW_PER_STATE = "too few decisions per state"
    FEW_DECISIONS = "too few decisions"
    NOT_FINITE = "features that are no numbers"
    CONSTANT = "features that never change"
    ANGLE = "a feature that is an angle"
    SCALES = "features of very different scales"
    REPEATED = "repeated trajectories"
    OVERLAPPING = "overlapping trajectories"
    LEAKING = "test repeats training"


@dataclass(frozen=True)
class Finding:
    """One thing that the doctor noticed.

    Attributes:
        severity: How much it matters.
        about: What it is about.
        count: How many rows, states, pairs or trajectories it concerns.
        rows: Rows of the source (1 is the first) that show it, at most five.
        values: Numbers and names of what was noticed, by the names that the template gives them.
    """

    severity: Severity
    about: About
    count: int
    rows: tuple[int, ...] = ()
    values: Mapping[str, Value] = field(default_factory=dict)

    @property
    def text(self) -> str:
        """What was found, in plain words."""
        return self._told[0]

    @property
    def remedy(self) -> str:
        """What to do about it; empty where there is nothing to do."""
        return " ".join(self._told[1:])

    @property
    def _told(self) -> tuple[str, ...]:
        """What was found, and in a second paragraph what to do."""
        told = {"severity": self.severity, "count": self.count, **self.values}
        return render_text(_HERE, "findings.j2", self.about.name.lower(), **told)


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


def describe(diagnosis: Diagnosis, width: int = 96) -> str:
    """The diagnosis as plain text: a summary, then each finding with what to do.

    Args:
        diagnosis: What was found.
        width: Letters of a line at most, where no single word is longer.
    """

    # What is to be typed stays in one piece.
    def fill(text: str, first: str = "", later: str = "") -> str:
        return textwrap.fill(
            text,
            width,
            initial_indent=first,
            subsequent_indent=later,
            break_long_words=False,
            break_on_hyphens=False,
        )

    summary, nothing = render_text(_HERE, "diagnosis.j2", "summary", facts=diagnosis.facts)
    lines = [diagnosis.source, f"{fill(summary)}\n"]
    for finding in diagnosis.findings:
        (text,) = render_text(_HERE, "diagnosis.j2", "finding", found=finding)
        lines.append(fill(text, later="  "))
        if finding.remedy:
            lines.append(fill(finding.remedy, "  -> ", " " * 5))
    return "\n".join(lines if diagnosis.findings else [*lines, nothing])


def as_dict(diagnosis: Diagnosis) -> dict[str, Any]:
    """The diagnosis as plain dictionaries, lists, texts and numbers, for JSON."""
    return {
        "source": diagnosis.source,
        "worst": None if diagnosis.worst is None else str(diagnosis.worst),
        "facts": dict(diagnosis.facts),
        "findings": [
            {
                "severity": str(finding.severity),
                "about": str(finding.about),
                "text": finding.text,
                "remedy": finding.remedy,
                "count": finding.count,
                "rows": list(finding.rows),
            }
            for finding in diagnosis.findings
        ],
    }
