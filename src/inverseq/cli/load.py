"""From the options of a command to data and the plan of their analysis."""

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from inverseq import datasets
from inverseq._core.errors import InputError
from inverseq._core.words import between_commas
from inverseq.analysis.behaviour import DISCOUNT
from inverseq.cli.options import Columns
from inverseq.cli.options import World as WorldOptions
from inverseq.datasets import Dataset
from inverseq.decisions.goals import goals_of, require_ends, require_goal_features
from inverseq.demonstrations import Demonstrations, in_blocks
from inverseq.mdp import MDP
from inverseq.policies.routes import is_certain
from inverseq.readers import read_table
from inverseq.readers.games import places_of_cells
from inverseq.readers.measured import two_intervals
from inverseq.readers.minari import is_minari, read_minari
from inverseq.readers.nwb.decisions import read_nwb, steps_in_nwb
from inverseq.readers.nwb.file import is_nwb, nwb_files
from inverseq.readers.world import read_world, towards
from inverseq.worlds import World, labyrinth, place, read_mazes
from inverseq.worlds.files import is_maze_file
from inverseq.worlds.goals import boards_towards
from inverseq.worlds.record import mdp_of

_WHOLE = re.compile(r"(-?\d+)\|(-?\d+)")
"""How states made of two columns of whole numbers are called."""


_ROLES = (
    *("state", "action", "next_state", "subject", "session", "trajectory", "time"),
    *("terminated", "gap", "world_column"),
)
"""Options that name the column of a role of `read_table`."""


@dataclass(frozen=True, eq=False)
class Loaded:
    """What a command works on.

    Attributes:
        data: All decisions, or a data set.
        settings: What the options say of the world, as fields of a `Plan`.
        digest: SHA-256 of the file; empty for a data set.
    """

    data: Demonstrations | Dataset
    settings: dict[str, Any]
    digest: str = ""


def load(table: str, columns: Columns, world: WorldOptions) -> Loaded:
    """The behaviour that a command names.

    Raises:
        InputError: The file, a column, a value or the world cannot be used.
    """
    path = Path(table)
    settings: dict[str, Any] = {"discount": world.discount, "actions": world.actions}
    if world.goal_features is not None and world.goal is None:
        raise InputError("--goal-features says what moves mean for the way to a goal: give --goal")
    if table in datasets.names() and not path.is_file():
        if columns != Columns():
            raise InputError(
                f"the columns of the data set {table!r} are known; leave such options out"
            )
        for name in ("world", "places", "transform", "goal_features"):
            if getattr(world, name) is not None:
                spelt = name.replace("_", "-")
                raise InputError(
                    f"the world of the data set {table!r} is known; leave --{spelt} out"
                )
        dataset = datasets.load(table)
        if world.goal is None:
            return Loaded(dataset, settings)
        if not dataset.worlds or not all(map(boards_of, dataset.worlds.values())):
            raise InputError(f"--goal goes with boards, and {table!r} has none: leave it out")
        known, given = boards_towards(dataset.demonstrations, dataset.worlds, world.goal)
        return Loaded(known, settings | {"world": given, "title": dataset.title})
    if is_minari(table):
        if columns != Columns():
            raise InputError(f"the columns of {table} are known; leave such options out")
        given = worlds_of(world, columns)
        return Loaded(read_minari(table), settings | {"world": given, "title": path.name})
    if not path.exists() and not is_nwb(path):
        known = ", ".join(datasets.names())
        raise InputError(f"there is no file {table!r}, and no data set of that name: {known}")
    given = worlds_of(world, columns)
    if given is not None and columns.features is not None:
        raise InputError("features have no world to be looked up in: leave --world out")
    mdp = given.mdp if isinstance(given, World) else given
    boards = boards_of(given)
    placed = boards and len(between_commas(columns.state)) == 2
    if world.transform is not None and not placed:
        raise InputError(
            f"--transform {world.transform} turns positions back: name their columns with "
            "--state x,y, and the mazes with --world. States that are numbers are turned back "
            "already"
        )
    known = read(path, columns, None if placed else _largest(given))
    if boards and world.goal is not None:
        known, given = boards_towards(known, boards, world.goal)
    if placed:
        known = place(known, boards_of(given), upwards=columns.upwards, transform=world.transform)
    if isinstance(given, dict):
        if "world" not in known.trajectories:
            raise InputError(
                f"there are {len(given)} worlds ({', '.join([*given][:5])}), and no column 'world' "
                "that is constant in a trajectory and says which is whose: name it with "
                "--world-column COLUMN"
            )
        used = {str(name) for name in known.trajectories["world"]}
        given = {name: each for name, each in given.items() if name in used} or given
    if world.goal is not None:
        told = between_commas(world.goal_features)
        if boards and told:
            raise InputError(
                "--goal-features goes with a network: on boards the way to the goal is planned"
            )
        if not boards and not isinstance(mdp, MDP):
            raise InputError(
                "--goal goes with one network, or with mazes: give its transition table or their "
                "file with --world"
            )
        if isinstance(mdp, MDP) and not boards:
            if mdp.features is not None and is_certain(mdp):
                goals_of(known, mdp, world.goal)
                require_goal_features(mdp, told)
                settings |= {"goal": world.goal, "goal_features": told}
            else:
                known, given = towards(known, mdp, world.goal, told)
        if isinstance(given, dict):
            require_ends(known, {name: mdp_of(each) for name, each in given.items()})
    settings |= {"world": given, "title": path.stem}
    if given is None:
        drawn = _coordinates(columns, known)
        settings["coordinates"] = places_of_cells(known) if drawn is None else drawn
    return Loaded(known, settings, _digest(path))


def _digest(path: Path) -> str:
    """SHA-256 of a file, or of the NWB files of a folder, which may be larger than memory."""
    parts = []
    for file in nwb_files(path):
        with file.open("rb") as stream:
            parts.append(hashlib.file_digest(stream, "sha256").hexdigest())
    return parts[0] if len(parts) == 1 else hashlib.sha256("".join(parts).encode()).hexdigest()


Given = MDP | World | dict[str, MDP] | dict[str, World] | None
"""The world that was asked for, or several by name; None to estimate it."""


def boards_of(given: Given) -> World | dict[str, World]:
    """The boards of the world, on which positions are states; none elsewhere."""
    if isinstance(given, dict):
        return {name: each for name, each in given.items() if isinstance(each, World)}
    on_board = isinstance(given, World) and given.drawing.directions is not None
    return given if isinstance(given, World) and on_board else {}


def _largest(given: Given) -> MDP | None:
    """The world with the most states, whose names are those of all."""
    several = given.values() if isinstance(given, dict) else () if given is None else (given,)
    return max(map(mdp_of, several), key=lambda mdp: mdp.num_states, default=None)


def worlds_of(options: WorldOptions, columns: Columns) -> Given:
    """The world that was asked for, or several by name; None to estimate it.

    Raises:
        InputError: It cannot be read.
    """
    if options.places is not None and options.world in (None, "estimated", "labyrinth"):
        raise InputError("--places goes with a transition table: give that with --world")
    if options.world in (None, "estimated"):
        return None
    discount = DISCOUNT if options.discount is None else options.discount
    if options.world == "labyrinth":
        return labyrinth(discount)
    path = Path(str(options.world))
    if not path.exists():
        raise InputError(
            f"--world {options.world}: there is no such file. Give a transition table, a file or "
            'folder of mazes, "labyrinth", or "estimated"'
        )
    if is_maze_file(path):
        if options.places is not None:
            raise InputError("--places goes with a transition table; a maze says where cells are")
        mazes = read_mazes(path, discount=discount)
        return next(iter(mazes.values())) if len(mazes) == 1 else mazes
    roles = ("state", "action", "next_state", "world_column")
    told = {role: between_commas(getattr(columns, role)) for role in roles}
    called = {role.removesuffix("_column"): names for role, names in told.items() if names}
    where = None if options.places is None else Path(options.places)
    named = between_commas(columns.named)
    return read_world(path, discount=discount, columns=called, named=named, places=where)


def read(path: Path, columns: Columns, given: MDP | None) -> Demonstrations:
    """The table, with names numbered as in the world where that has names."""
    if columns.act is not None:
        return _steps(path, columns)
    waits = Columns(start=columns.start, stop=columns.stop, step=columns.step)
    if waits != Columns():
        raise InputError("--start, --stop and --step go with --act, the column of the act's time")
    told: dict[str, Any] = {}
    for name in _ROLES:
        value = getattr(columns, name)
        if value is not None:
            role = name.removesuffix("_column")
            told[role] = _none_or(value, several=role in ("state", "next_state"))
    if columns.features is not None:
        told["features"] = between_commas(columns.features)
    if given is not None:
        told |= {"state_names": given.state_names, "action_names": given.action_names}
    told |= {
        "state_from_previous": between_commas(columns.previous),
        "missing": between_commas(columns.missing),
        "named": between_commas(columns.named),
        "bins": _bins(columns.bins),
        "upwards": columns.upwards,
        "longest_step": columns.longest_step,
    }
    if is_nwb(path):
        known = read_nwb(path, decisions=columns.decisions or "trials", **told)
    elif columns.decisions is not None:
        raise InputError(f"--decisions names a table in an NWB file; {path.name} is none")
    else:
        known = read_table(path, partitions=columns.partitions, **told)
    return known if columns.blocks is None else in_blocks(known, columns.blocks)


def _steps(path: Path, columns: Columns) -> Demonstrations:
    """The trials of an NWB file, cut into steps.

    Raises:
        InputError: It is none, or options are given that have no meaning for trials.
    """
    told = {name: getattr(columns, name) for name in ("act", "start", "stop", "step")}
    if not is_nwb(path):
        raise InputError(
            f"--act cuts the trials of an NWB file; {path.name} is none. In Python "
            "inverseq.steps_of takes any table of trials"
        )
    if columns != Columns(decisions=columns.decisions, **told):
        raise InputError(
            "--act makes states and actions of the times of trials: leave out all options of "
            "columns but --start, --stop, --step and --decisions"
        )
    return steps_in_nwb(path, decisions=columns.decisions or "trials", **told)


def _bins(value: str | None) -> int | dict[str, int | list[float]]:
    """How many intervals each column gets, or their edges.

    Raises:
        InputError: It is not of the form 10 or x=10,y=0:2.5:8.
    """
    if value is not None and value.strip().isdecimal():
        return int(value)
    made: dict[str, int | list[float]] = {}
    for part in between_commas(value):
        name, _, told = part.rpartition("=")
        edges = told.split(":")
        try:
            made[name.strip()] = int(told) if len(edges) == 1 else [float(edge) for edge in edges]
        except ValueError:
            name = ""
        if not name:
            raise InputError(
                "--bins takes a number of intervals for all measured columns of the state, 10, or "
                f"columns with a number or edges, x=10,y=0:2.5:8; got {part}"
            )
    return made


def _none_or(value: str, *, several: bool) -> str | tuple[str, ...] | None:
    """A column, several, or none of that role."""
    if value == "none":
        return None
    parts = between_commas(value)
    return parts if several and len(parts) > 1 else value


def _coordinates(columns: Columns, known: Demonstrations) -> np.ndarray | None:
    """Squares of a map where states are intervals of two columns, or whole numbers x and y."""
    upwards = (1, -1 if columns.upwards else 1)
    if (measured := two_intervals(known.state_names)) is not None:
        ends = measured[1]
        return np.stack([_squares(*ends[:, 0].T), _squares(*ends[:, 1].T)], axis=1) * upwards
    whole = [part.lower() for part in between_commas(columns.state)] == ["x", "y"]
    found = [_WHOLE.fullmatch(name) for name in known.state_names] if whole else []
    if not found or not all(found):
        return None
    return np.array([each.groups() for each in found if each], dtype=float) * upwards


def _squares(low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """Which interval each is, one after another; by their width where all are equally wide."""
    width = high - low
    if np.allclose(width, width[0], rtol=0.05):
        return np.round((low - low.min()) / width.mean())
    return np.unique(low, return_inverse=True)[1].astype(float)
