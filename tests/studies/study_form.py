"""The form of what every part of every study comes to."""

import csv
import json
import math
from pathlib import Path


def has_the_form(small, study, part):
    """Files hold what was found, the summary tells it, and tables hold plain numbers."""
    done, folder, steps = small(study, part)
    found = done.results[part]
    assert {path.name for path in folder.iterdir()} == {Path(name).name for name in done.files}
    start = f"{part}_" if len(done.study.parts) > 1 else ""
    for name, rows in found.tables.items():
        with open(folder / f"{start}{name}.csv", newline="", encoding="utf-8") as stream:
            written = list(csv.DictReader(stream))
        assert len(written) == len(rows) > 0
        for line, row in zip(written, rows, strict=True):
            assert line == {key: "" if v is None else str(v) for key, v in row.items()}
        assert all([*row] == [*rows[0]] for row in rows)
        for value in (value for row in rows for value in row.values()):
            assert value is None or type(value) in (str, int, float, bool)
            assert not isinstance(value, float) or math.isfinite(value)
    for name in found.figures:
        assert (folder / f"{start}{name}.png").read_bytes().startswith(b"\x89PNG")
    summary = json.loads((folder / f"{study}.json").read_text(encoding="utf-8"))
    told = summary["parts"][part]
    assert told["sentences"] == list(found.sentences) != []
    assert told["tables"] == {name: list(map(dict, rows)) for name, rows in found.tables.items()}
    assert set(found.long) <= set(found.tables)
    assert steps
    assert all(0 <= step <= total for _, step, total in steps)
