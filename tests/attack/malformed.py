"""Tables as nobody should write them: a good one, to which a few things were done."""

import io
from collections.abc import Callable

import numpy as np
import pyarrow
from pyarrow import parquet

Rows = list[list[str]]
"""The header and the lines below it."""

ODD = (
    *("", " ", "-1", "-0", "0.5", "1e400", "-7", "99999999999999999999", "1000000", "inf", "true"),
    *("=1+1", "@SUM(A1)", "$$", "$x_{$", "<script>x</script>", "&lt;", '"', "'", "a,b", "%s{}"),
    *("\x00", "\x07", "\x1b[31m", "é", "e\u0301", "\u202eabc", "名前", "🐭", "\ud7ff", "x" * 3000),
    *(
        "2024-05-31",
        "2024-05-31T10:00:00+02:00",
        "24:61",
        "1,5",
        "1 000",
        "١٢",
        "٣",
        "none",
        "NULL",
    ),
)
ROLES = ("state", "action", "time", "trajectory", "subject", "session", "terminated", "next_state")
OPTIONS = (
    ("--state", "reward,time"),
    ("--state", "absent"),
    ("--subject", "state"),
    ("--previous", "action,reward"),
    ("--missing", "0,1"),
    ("--named", "state"),
    ("--bins", "state=3"),
    ("--bins", "reward=1000000"),
    ("--longest-step", "0"),
    ("--time", "none"),
    ("--trajectory", "time"),
    ("--actions", "seen"),
    ("--discount", "1"),
    ("--terminated", "action"),
    ("--next-state", "state"),
)


def good(rng: np.random.Generator) -> Rows:
    """Some animals between some rooms, in numbers or in words."""
    rows, states, actions = int(rng.integers(4, 60)), *map(int, rng.integers(1, 5, 2))
    words = rng.random() < 0.5
    made = [["subject", "trajectory", "time", "state", "action", "reward"]]
    for row in range(rows):
        trajectory = row // 8
        state, action = f"{rng.integers(states)}", f"{rng.integers(actions)}"
        if words:
            state, action = f"room {state}", f"turn {action}"
        subject, reward = f"M{trajectory % 2}", f"{rng.random():.2f}"
        made.append([subject, f"{trajectory}", f"{row % 8}", state, action, reward])
    return made


def odd(rng: np.random.Generator) -> str:
    return ODD[rng.integers(len(ODD))]


def renamed(rng: np.random.Generator, rows: Rows) -> Rows:
    """A state or an action is called something else, wherever it stands."""
    column = int(rng.integers(3, 5))
    row, new = rows[rng.integers(1, len(rows))], odd(rng)
    old = row[min(column, len(row) - 1)]  # a column may have been taken out before
    return [[new if c == column and v == old else v for c, v in enumerate(row)] for row in rows]


def odd_cells(rng: np.random.Generator, rows: Rows) -> Rows:
    for _ in range(rng.integers(1, 6)):
        row = rows[rng.integers(1, len(rows))]
        if row:
            row[rng.integers(len(row))] = odd(rng)
    return rows


def odd_column(rng: np.random.Generator, rows: Rows) -> Rows:
    """Every cell of a column is the same, or odd in its own way."""
    column, cell = int(rng.integers(6)), odd(rng)
    same = rng.random() < 0.5
    for row in rows[1:]:
        if column < len(row):
            row[column] = cell if same else odd(rng)
    return rows


def odd_header(rng: np.random.Generator, rows: Rows) -> Rows:
    """A column called as another one, as no role, in capitals, or nothing."""
    head = rows[0]
    place = rng.integers(len(head))
    names = (odd(rng), head[rng.integers(len(head))], head[place].upper(), f" {head[place]} ")
    head[place] = (*names, ROLES[rng.integers(len(ROLES))])[rng.integers(5)]
    return rows


def ragged(rng: np.random.Generator, rows: Rows) -> Rows:
    """Lines that are too long, too short or empty."""
    for _ in range(rng.integers(1, 4)):
        row = rows[rng.integers(len(rows))]
        match rng.integers(3):
            case 0:
                row.append(odd(rng))
            case 1:
                del row[rng.integers(len(row) + 1) :]
            case _:
                row.clear()
    return rows


def fewer(rng: np.random.Generator, rows: Rows) -> Rows:
    """Columns or most lines are missing, or the lines come in another order."""
    match rng.integers(3):
        case 0:
            column = rng.integers(6)
            return [[v for c, v in enumerate(row) if c != column] for row in rows]
        case 1:
            return rows[: rng.integers(4)]
        case _:
            return [rows[0], *(rows[1 + i] for i in rng.permutation(len(rows) - 1))]


ON_ROWS: tuple[Callable[[np.random.Generator, Rows], Rows], ...] = (
    *(renamed, odd_cells, odd_column, odd_header, ragged, fewer),
)


def written(rng: np.random.Generator, rows: Rows) -> bytes:
    """As text, mostly as it should be: quoted or not, in some alphabet, with some ends of lines."""
    usual = rng.random() < 0.7
    mark = "," if usual else (",", ";", "\t", "|")[rng.integers(4)]
    quoted = lambda v: '"' + v.replace('"', '""') + '"' if usual and set(v) & set(',"\n') else v  # noqa: E731
    end = "\n" if usual else ("\n", "\r\n", "\r", "\n\n")[rng.integers(4)]
    text = end.join(mark.join(map(quoted, row)) for row in rows) + end
    alphabet = "utf-8" if usual else ("utf-8-sig", "utf-16", "latin-1", "cp1252")[rng.integers(4)]
    content = bytearray(text.encode(alphabet, errors="replace"))
    if rng.random() < 0.1:
        for place in rng.integers(len(content), size=3) if content else ():
            content[place] = rng.integers(256)
    if rng.random() < 0.1:
        del content[rng.integers(len(content) + 1) :]
    return bytes(content)


def packed(rng: np.random.Generator, rows: Rows) -> bytes:
    """As Parquet with columns of other kinds, sometimes damaged."""
    size = len(rows) - 1
    head = dict.fromkeys(rows[0][:6])
    columns = {
        name: pyarrow.array([(*r, *[""] * 6)[i] for r in rows[1:]]) for i, name in enumerate(head)
    }
    kinds = (
        pyarrow.array([None] * size),
        pyarrow.array([[1, 2]] * size),
        pyarrow.array([{"a": 1}] * size),
        pyarrow.array([b"\xff"] * size),
        pyarrow.array([True, None] * (size // 2) + [False] * (size % 2)),
        pyarrow.array(rng.normal(size=size)),
        pyarrow.array(np.full(size, np.nan)),
        pyarrow.array(np.arange(size), pyarrow.timestamp("ns", "Europe/Berlin")),
        pyarrow.array(np.arange(size)).cast(pyarrow.decimal128(38, 9)),
        pyarrow.array([2**64 - 1] * size, pyarrow.uint64()),
        pyarrow.array(["a"] * size).dictionary_encode(),
    )
    for name in rng.choice([*columns], 2):
        columns[name] = kinds[rng.integers(len(kinds))]
    stream = io.BytesIO()
    parquet.write_table(pyarrow.table(columns), stream)
    content = bytearray(stream.getvalue())
    if rng.random() < 0.4:
        for place in rng.integers(len(content), size=rng.integers(1, 9)):
            content[place] ^= int(rng.integers(1, 256))
    if rng.random() < 0.2:
        del content[rng.integers(len(content)) :]
    return bytes(content)


def table(rng: np.random.Generator) -> tuple[str, bytes, tuple[str, ...]]:
    """The name of a file, what it holds, and options for it."""
    rows = good(rng)
    for _ in range(rng.integers(1, 4)):
        if len(rows) > 1 and all(map(len, rows)):
            rows = ON_ROWS[rng.integers(len(ON_ROWS))](rng, rows)
    options = OPTIONS[rng.integers(len(OPTIONS))] if rng.random() < 0.3 else ()
    if rng.random() < 0.15 and rows and rows[0]:
        return "t.parquet", packed(rng, rows), options
    return "t.csv", written(rng, rows), options


def legal(rng: np.random.Generator) -> bytes:
    """A table that can be read, in which states, actions and subjects are called odd things."""
    rows = good(rng)
    names = {value: f"{value}{odd(rng)}" for row in rows[1:] for value in (row[0], *row[3:5])}
    for row in rows[1:]:
        row[:] = [names[v] if c in (0, 3, 4) else v for c, v in enumerate(row)]
    mark = lambda v: '"' + v.replace('"', '""') + '"'  # noqa: E731
    return "\n".join(",".join(map(mark, row)) for row in rows).encode()
