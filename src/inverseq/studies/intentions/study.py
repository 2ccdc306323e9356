"""Intentions on data whose truth is known, and on animals whose is not: the study `intentions`.

Each part stands for itself; see `studies.intentions_record` for what one is.
"""

import json
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from inverseq._core.errors import InputError
from inverseq._core.files import write_text
from inverseq.inverse.problem import Progress
from inverseq.studies.files import write_csv, write_png
from inverseq.studies.intentions.abandon import abandon_part
from inverseq.studies.intentions.bandit import bandit_part
from inverseq.studies.intentions.dopamine import dopamine_part
from inverseq.studies.intentions.grid import switching_grid_part
from inverseq.studies.intentions.mice import mice_part
from inverseq.studies.study import Effort, IntentionsStudy, Part

PARTS: Mapping[str, Callable[[Effort], Part]] = {
    "switching-grid": switching_grid_part,
    "abandon": abandon_part,
    "bandit": bandit_part,
    "mice": mice_part,
    "dopamine": dopamine_part,
}
"""Name -> what does it, in the order in which they are run."""


def intentions(
    out: str | os.PathLike,
    *,
    parts: Sequence[str] = (),
    seed: int = 0,
    restarts: int = 10,
    jobs: int = 1,
    small: bool = False,
    progress: Progress | None = None,
) -> IntentionsStudy:
    """Write `PART_TABLE.csv`, `PART_FIGURE.png` and `intentions.json` to a folder.

    Files of a part are written when it is done, so that what was done stays if a later one fails.

    Args:
        out: The folder; it is made where it does not exist.
        parts: Names in `PARTS`; all where left out.
        seed: Of all random choices.
        restarts: Searches of each fit.
        jobs: Processes; -1 for as many as there are cores.
        small: Little data, to see in seconds that everything works.
        progress: Called with (what is being done, steps done, steps in all).

    Raises:
        InputError: There is no such part, a number is out of range, or the folder cannot be
            written to.
    """
    chosen = tuple(dict.fromkeys(parts)) or tuple(PARTS)
    unknown = [name for name in chosen if name not in PARTS]
    if unknown:
        raise InputError(f"no part {unknown[0]!r}; there are {', '.join(PARTS)}")
    if restarts < 1:
        raise InputError(f"restarts must be 1 or more; got {restarts}")
    effort = Effort(seed, restarts, jobs, progress, small)
    folder, tables, sentences, files = Path(out), {}, {}, []
    for name in chosen:
        done = PARTS[name](effort)
        tables |= {f"{name}_{table}": list(rows) for table, rows in done.tables.items()}
        sentences[name] = done.sentences
        files += _write(folder, done)
    summary = json.dumps({"sentences": sentences, "tables": tables}, indent=2, allow_nan=False)
    files.append(str(write_text(folder / "intentions.json", summary + "\n")))
    return IntentionsStudy(tables, sentences, tuple(files))


def _write(folder: Path, done: Part) -> list[str]:
    """Tables and figures of one part; the paths."""
    tables = [
        write_csv(folder / f"{done.name}_{name}.csv", rows) for name, rows in done.tables.items()
    ]
    figures = [
        write_png(folder / f"{done.name}_{name}.png", made) for name, made in done.figures.items()
    ]
    return tables + figures
