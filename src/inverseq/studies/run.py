"""Runs studies: what parts hand back, and the folder it is written to."""

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import KW_ONLY, asdict, dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from inverseq import plot
from inverseq._core.files import to_csv, to_json, write_bytes, write_text
from inverseq._core.folders import claimed
from inverseq.play.recording import save_film
from inverseq.studies.study import Effort, Part, Study

Rows = Sequence[Mapping[str, Any]]
"""Lines of a table, all with the keys of the first."""


@dataclass(frozen=True, eq=False)
class Result:
    """What a part found.

    Attributes:
        tables: Name -> rows of texts and plain numbers, rounded to what means something; None
            where there is none. Written as CSV.
        figures: Name -> figure. Written as PNG.
        sentences: What was found, one finding each, with figures.
        facts: What else the file of all numbers should say, by name.
        long: Tables that are left to their files where the others are shown.
        record: The numbers as they were computed, for whoever goes on with them.
        films: Name -> pictures `[height, width, 3]`. Written as GIF.
        files: Name -> function that writes it to a path: data to go on with.
    """

    tables: Mapping[str, Rows]
    figures: Mapping[str, Figure]
    sentences: tuple[str, ...]
    _: KW_ONLY
    facts: Mapping[str, Any] = field(default_factory=dict)
    long: tuple[str, ...] = ()
    record: Any = None
    films: Mapping[str, Sequence[np.ndarray]] = field(default_factory=dict)
    files: Mapping[str, Callable[[Path], Any]] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Done:
    """A study that was run.

    Attributes:
        study: The study.
        settings: What it was run with.
        seed: Of all random choices.
        results: Part -> what it found.
        files: What was written.
    """

    study: Study
    settings: Any
    seed: int
    results: Mapping[str, Result]
    files: tuple[str, ...]

    def summary(self) -> dict[str, Any]:
        """All of it but figures and records, for machines."""
        parts = {
            name: {
                "sentences": found.sentences,
                **found.facts,
                "tables": found.tables,
            }
            for name, found in self.results.items()
        }
        said = {"study": self.study.name, "seed": self.seed, "settings": asdict(self.settings)}
        return said | {"parts": parts, "files": self.files}


def run(
    study: Study,
    out: str | os.PathLike,
    *,
    parts: Sequence[str] = (),
    settings: Any = None,
    effort: Effort | None = None,
) -> Done:
    """Run a study, and write `TABLE.csv`, `FIGURE.png` and `STUDY.json` to a folder.

    In a study of several parts tables and figures are `PART_TABLE.csv` and `PART_FIGURE.png`.
    Files of a part are written when it is done, so that they stay if a later one fails;
    `STUDY.json` is written last, and that of a run before goes with the first of its files.

    Args:
        study: One of `studies.STUDIES`, say.
        out: The folder; it is made where it does not exist.
        parts: Names of its parts; all where left out.
        settings: A record like `study.settings`, which (or, where the effort is small,
            `study.small`) they are where left out.
        effort: Seed, processes and progress.

    Raises:
        InputError: There is no such part, a setting is out of range, the folder cannot be written
            to, or another run writes to it.
        FitError: A fit did not converge.
    """
    effort = effort or Effort()
    given = (study.small if effort.small else study.settings) if settings is None else settings
    chosen = study.choose(parts)
    results: dict[str, Result] = {}
    files: list[str] = []
    with claimed(out) as folder:
        page = folder / f"{study.name}.json"
        for part in chosen:
            results[part.name] = import_module(part.module).run(given, effort)
            page.unlink(missing_ok=True)  # it tells of the tables of the run before
            files += _write(folder, study, part, results[part.name])
        done = Done(study, given, effort.seed, results, (*files, str(page)))
        # Wherever the folder lies, the file is the same.
        beside = {"files": [os.path.relpath(name, folder) for name in done.files]}
        write_text(page, to_json(done.summary() | beside))
    return done


def _write(folder: Path, study: Study, part: Part, found: Result) -> list[str]:
    """Tables and figures of one part; the paths."""
    start = f"{part.name}_" if len(study.parts) > 1 else ""
    made = [
        write_text(
            folder / f"{start}{name}.csv", to_csv(list(rows[0]), [[*r.values()] for r in rows])
        )
        for name, rows in found.tables.items()
    ]
    made += [
        write_bytes(folder / f"{start}{name}.png", plot.to_png(figure))
        for name, figure in found.figures.items()
    ]
    made += [
        save_film(frames, folder / f"{start}{name}.gif", seconds=0.3)
        for name, frames in found.films.items()
    ]
    for name, write in found.files.items():
        write(folder / name)
        made.append(folder / name)
    return [str(path) for path in made]
