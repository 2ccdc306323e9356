"""What the parts of the study of intentions are given, and what they hand back.

A part is a module `studies/intentions_NAME.py` with one public function `NAME(effort) -> Part`,
named in `studies.intentions.PARTS`. It computes and draws; `studies.intentions` writes. Every table
is a list of rows with the same keys, of texts and plain Python numbers (None where there is none,
no NaN), rounded to what means something; every sentence says one finding with its figures.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from matplotlib.figure import Figure

from inverseq.inverse.problem import Progress

Rows = Sequence[Mapping[str, Any]]
"""Lines of a table, all with the keys of the first."""


@dataclass(frozen=True)
class Effort:
    """How much a part may do.

    Attributes:
        seed: Of all random choices.
        restarts: Searches of each fit.
        jobs: Processes; -1 for as many as there are cores.
        progress: Called with (what is being done, steps done, steps in all).
        small: Do every step on little data, to see in seconds that it works; the numbers then mean
            nothing.
    """

    seed: int = 0
    restarts: int = 10
    jobs: int = 1
    progress: Progress | None = None
    small: bool = False

    def say(self, what: str, done: int, total: int) -> None:
        """Report progress, where anybody listens."""
        if self.progress is not None:
            self.progress(what, done, total)


@dataclass(frozen=True, eq=False)
class Part:
    """One part of the study, done.

    Attributes:
        name: As one types it, "switching-grid" say; files begin with it.
        tables: Name -> rows, all with the keys of the first; written as NAME_TABLE.csv.
        figures: Name -> figure; written as NAME_FIGURE.png.
        sentences: What was found, one finding each, with figures.
    """

    name: str
    tables: Mapping[str, Rows]
    figures: Mapping[str, Figure]
    sentences: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class IntentionsStudy:
    """The whole study, as numbers and sentences.

    Attributes:
        tables: "PART_TABLE" -> rows.
        sentences: Part -> findings.
        files: What was written.
    """

    tables: Mapping[str, Rows]
    sentences: Mapping[str, tuple[str, ...]]
    files: tuple[str, ...] = field(default=())
