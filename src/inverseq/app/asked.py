"""What a visitor asks for, as options of the command line, and the lines to be copied."""

import re
import shlex
from collections.abc import Iterable, Mapping, Sequence
from pathlib import PurePosixPath

from inverseq._core.errors import InputError

Options = dict[str, str]
"""Option without its dashes -> value; "yes" where it is a switch."""

ROLES = (
    *("state", "features", "previous", "action", "next_state", "subject", "session", "trajectory"),
    *("time", "terminated", "gap", "world_column", "goal"),
)
"""What a column can be; all are options that name columns."""

BOTH = "action_and_before"
"""What a column is besides: the action, whose value at the decision before belongs to the state."""

_PLAYS = {BOTH: ("previous", "action")}

_SEVERAL = ("state", "features", "previous", "next_state", "action")
"""Roles that several columns can share."""

_NEEDED = ("state", "action")

_GUESSED = {"world_column": "world"}
"""Roles that the reader calls otherwise."""

SETTINGS = (
    *("missing", "named", "bins", "upwards", "longest_step", "blocks", "world", "places"),
    *("transform", "discount", "actions", "decisions", "act", "start", "stop", "step"),
)
"""Options of how a table is read, and of its world."""

_OF_STEPS = ("act", "start", "stop", "step")
_BESIDE_STEPS = ("decisions", "discount", "actions")

QUESTIONS = (
    *("intentions", "switching", "restarts", "groups", "per", "solver", "history", "smoothing"),
    *("gauge", "bootstrap", "simulations", "by", "test", "seed", "folds"),
)
"""Options of what is asked."""

OF_NEURONS = ("intentions", "switching", "restarts", "solver", "by", "test", "seed", "folds")
"""Those of them that a question about neurons takes."""

NOT_OF_NEURONS = tuple(name for name in QUESTIONS if name not in OF_NEURONS)

_SWITCHES = ("upwards",)
_LONGEST = 2000


def options_in(query: Mapping[str, str], names: Iterable[str]) -> Options:
    """The options that a query gives, in their order; empty ones are left out.

    Raises:
        InputError: One is longer than any name, or holds what no argument may hold.
    """
    made: Options = {}
    for name in names:
        value = query.get(name, "").strip()
        if len(value) > _LONGEST or "\0" in value:
            raise InputError(f"{name} is no value that could be used: shorten it")
        if value:
            made[name] = value
    return made


def roles_in(options: Options, columns: Sequence[str], guesses: Mapping[str, str]) -> list[str]:
    """The role of each column, "" for none: as told, else as its name says."""
    played: dict[str, str] = {}
    for role in ROLES:
        if role in options:
            told = [name.strip() for name in options[role].split(",")]
            played |= {name: role for name in told if name in columns and name not in played}
    unsettled = ("features" in options or "previous" in options) and "state" not in options
    for role in ROLES:
        column = guesses.get(_GUESSED.get(role, role))
        idle = role in options or (unsettled and role in ("state", "next_state"))
        if column is not None and not idle and column not in played:
            played[column] = role
    before = [name.strip() for name in options.get("previous", "").split(",")]
    acting = options.get("action", guesses.get("action", "")).split(",")
    played |= {name: BOTH for name in before if name in acting and name in columns}
    return [played.get(name, "") for name in columns]


def options_of(roles: Sequence[str], columns: Sequence[str], guesses: Mapping[str, str]) -> Options:
    """The options that give the columns these roles; what their names say is left out.

    Raises:
        InputError: A role that one column can have was given to several.
    """
    made: Options = {}
    unsettled = "state" not in roles and bool({"features", "previous", BOTH} & {*roles})
    for role in ROLES:
        parts = zip(columns, roles, strict=True)
        chosen = [name for name, own in parts if role in _PLAYS.get(own, (own,))]
        if len(chosen) > 1 and role not in _SEVERAL:
            raise InputError(
                f"{', '.join(chosen)} cannot all be the {role.replace('_', ' ')}: choose one"
            )
        if len(chosen) == 2 and _are_y_and_x(*chosen):
            chosen.reverse()
        column = guesses.get(_GUESSED.get(role, role))
        known = [] if column is None else [column]
        if chosen == known or (unsettled and role in ("state", "next_state") and not chosen):
            continue
        if chosen:
            made[role] = ",".join(chosen)
        elif role not in _NEEDED:
            made[role] = "none"
    return made


def cut_or_not(options: Options) -> Options:
    """The options that go together: where trials are cut into steps no column plays a role, and
    elsewhere nothing says how long a step is.
    """
    if "act" in options:
        return {n: v for n, v in options.items() if n in (*_OF_STEPS, *_BESIDE_STEPS)}
    return {n: v for n, v in options.items() if n not in _OF_STEPS}


def _are_y_and_x(first: str, second: str) -> bool:
    """Whether two columns are y and x of one thing, as "py" and "px" are."""
    first, second = first.lower(), second.lower()
    return "y" in first and first.replace("y", "x") == second.replace("y", "x") != first


def arguments_of(command: str, table: str, *options: Options) -> list[str]:
    """What one types behind `inverseq`."""
    words = [command, table]
    for each in options:
        for name, value in each.items():
            option = f"--{name.replace('_', '-')}"
            if name in _SWITCHES:
                words.append(option)
            elif value.startswith("-"):  # else it would be taken for an option
                words.append(f"{option}={value}")
            else:
                words += [option, value]
    return words


def as_options(asks: Sequence[str]) -> Options:
    """Options as they were typed, by name."""
    found: Options = {}
    name = ""
    for word in asks:
        if word.startswith("--"):
            name, equals, value = word.removeprefix("--").partition("=")
            name = name.replace("-", "_")
            found[name] = value if equals else "yes"
        elif name:
            found[name] = word
    return found


def is_asked_here(arguments: Sequence[str], *ends: str) -> bool:
    """Whether the pages ask so.

    Args:
        arguments: What is typed behind `inverseq`.
        ends: What stands at their end, whatever is asked.
    """
    command, *rest = arguments
    names = {"fit": QUESTIONS, "neural": OF_NEURONS}.get(command)
    asks = rest[1 : len(rest) - len(ends)]
    if names is None or not rest:
        return False
    told = as_options(asks)
    options = options_in(told, (*ROLES, *SETTINGS)), options_in(told, names)
    return [*arguments_of(command, rest[0], *options), *ends] == [*arguments]


def typed(arguments: Sequence[str]) -> str:
    """A command as one types it."""
    return shlex.join(["inverseq", *arguments])


_NUMBER = re.compile(r"-?\d+(\.\d*)?(e-?\d+)?")

_READ = (*ROLES, "missing", "named", "bins", "upwards", "longest_step")
_CALLED = {"previous": "state_from_previous", "world_column": "world"}
"""Options that Python calls otherwise."""
_NUMBERS = ("discount", "smoothing", "test")
_WHOLE = ("intentions", "restarts", "history", "bootstrap", "simulations", "seed", "folds")


def python_lines(table: str, read: Options, asked: Options, command: str) -> str:
    """The same in Python; empty where it takes more than a few lines.

    Args:
        table: The table.
        read: Options of how it is read.
        asked: Options of what is asked.
        command: What is typed to make it, which the report tells.
    """
    elsewhere = ("goal", "places", "transform", "features", "bins", "groups", "per")
    positions = "," in read.get("state", "")
    given = read.get("world", "estimated") not in ("labyrinth", "estimated")
    if any(n in read | asked for n in elsewhere) or positions or given or table.endswith(".nwb"):
        return ""
    plan = {n: read[n] for n in ("discount", "actions") if n in read} | asked
    plan = {name: _value(name, value) for name, value in plan.items()}
    lines, digest = ["import inverseq"], ""
    if "/" not in table:
        lines.append(f"data = inverseq.datasets.load({table!r})")
    else:
        told = {_CALLED.get(n, n): _column(n, read[n]) for n in _READ if n in read}
        plan = {"title": repr(PurePosixPath(table).stem)} | plan
        if read.get("world") == "labyrinth":
            discount = _number(read.get("discount", "0.9"))
            lines.append(f"world = inverseq.worlds.labyrinth({discount})")
            told |= {"state_names": "world.mdp.state_names"}
            told |= {"action_names": "world.mdp.action_names"}
            plan["world"] = "world"
        words = "".join(f", {name}={value}" for name, value in told.items())
        lines = ["import hashlib", "from pathlib import Path", "", *lines]
        lines.append(f"data = inverseq.read_table({table!r}{words})")
        if "blocks" in read:
            lines.append(f"data = inverseq.in_blocks(data, {_number(read['blocks'])})")
        lines.append(f"digest = hashlib.sha256(Path({table!r}).read_bytes()).hexdigest()")
        digest = ", file_digest=digest"
    settings = ", ".join(f"{name}={value}" for name, value in plan.items())
    lines.append(f"findings = inverseq.analyse(data, inverseq.Plan({settings}))")
    lines.append(f'inverseq.report(findings, "out", command={command!r}{digest})')
    return "\n".join(lines)


def _column(name: str, value: str) -> str:
    """An option that names columns, as an argument of `read_table`."""
    if value == "none":
        return "None"
    if name in _SWITCHES:
        return "True"
    if name == "longest_step":
        return _number(value)
    parts = tuple(part.strip() for part in value.split(","))
    return repr(parts if len(parts) > 1 else value)


def _value(name: str, value: str) -> str:
    """An option of a plan as an argument."""
    return _number(value) if name in (*_NUMBERS, *_WHOLE) else repr(value)


def _number(value: str) -> str:
    """A number as it is written; anything else as a text, which is refused there as it is here."""
    return value if _NUMBER.fullmatch(value) else repr(value)
