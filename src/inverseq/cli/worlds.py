"""`inverseq worlds`: look at worlds from files, and put positions into them."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from rich.console import Console

from inverseq import plot
from inverseq._core.arrays import names_or_numbers
from inverseq._core.errors import InputError
from inverseq._core.files import file_names, to_json, write_bytes
from inverseq.analysis.routes import flows
from inverseq.cli.load import boards_of, read, worlds_of
from inverseq.cli.options_others import Worlds
from inverseq.cli.tables import decision_columns
from inverseq.evaluate.posterior_table import write_columns
from inverseq.mdp import MDP
from inverseq.worlds import World, place
from inverseq.worlds.examining import Examined, examine
from inverseq.worlds.record import mdp_of

_SHOWN = 8


def run(options: Worlds) -> int:
    """Check worlds (2 where one of them cannot be used as it is), or place a table."""
    return _place(options) if options.what == "place" else _check(options)


def _check(options: Worlds) -> int:
    """Draw and examine every world of a file."""
    if options.world.world is not None:
        raise InputError("check takes the file itself: inverseq worlds check mazes.json")
    path = Path(options.file)
    told = options.world.__class__(**{**vars(options.world), "world": options.file})
    given = worlds_of(told, options.columns)
    if given is None:
        raise InputError(f"{options.file!r} is no file: there is nothing to check before a fit")
    alone = given.name if isinstance(given, World) else path.stem
    worlds: Mapping[str, Any] = given if isinstance(given, dict) else {alone: given}
    found = {name: examine(mdp_of(world)) for name, world in worlds.items()}
    out, written = Path(options.out or "out/worlds"), []
    files = file_names(worlds)
    for name, world in worlds.items():
        figure = draw(world, found[name])
        if figure is not None:
            written.append(out / f"{files[name]}.png")
            write_bytes(written[-1], plot.to_png(figure))
    if options.output.json:
        rows = {name: _record(mdp_of(worlds[name]), each) for name, each in found.items()}
        print(to_json({"worlds": rows, "files": [str(file) for file in written]}), end="")
    elif not options.output.quiet:
        console = Console(highlight=False)
        for name, each in found.items():
            for line in describe(name, mdp_of(worlds[name]), each):
                console.print(line, markup=False, soft_wrap=True)
        for file in written:
            console.print(f"Written: {file}", markup=False, soft_wrap=True)
    return 2 if any(each.endless.size or each.closed.size for each in found.values()) else 0


def _names(mdp: MDP, states: np.ndarray) -> str:
    """The first few of some states, as a person knows them: by name, cell or number."""
    cells = None if mdp.state_names else mdp.coordinates
    first = states[:_SHOWN].tolist()
    if mdp.state_names:
        told = [mdp.state_names[s] for s in first]
    elif cells is not None and cells.shape[1] == 2:
        told = [f"({cells[s, 0]:g}, {cells[s, 1]:g})" for s in first]
    else:
        told = [str(s) for s in first]
    return ", ".join(told) + (", ..." if states.size > _SHOWN else "")


def describe(name: str, mdp: MDP, found: Examined) -> list[str]:
    """What was found, a line each."""
    told = f"{name}: {found.states} states, {found.actions} actions, {found.pairs} pairs that exist"
    told += f", {found.ends.size} end(s)" if found.ends.size else ", no end"
    told += f"; features {', '.join(found.features)}" if found.features else ""
    lines = [told]
    actions = names_or_numbers(mdp.action_names, mdp.num_actions)
    for states, what in (
        (found.unreachable, "cannot be reached from where behaviour begins"),
        (found.closed, "cannot be left, and are no ends: give each a way out, or no row"),
        (found.endless, "have no way to an end: open one, or make an end of them"),
    ):
        if states.size:
            lines.append(f"  {states.size} state(s) {what}: {_names(mdp, states)}")
    if len(found.duplicates):
        s, a, b = found.duplicates[0]
        lines.append(
            f"  {len(found.duplicates)} pair(s) of actions lead to the same, so that no behaviour "
            f"tells them apart: {actions[a]} and {actions[b]} at {_names(mdp, np.array([s]))}"
        )
    return lines


def _record(mdp: MDP, found: Examined) -> dict[str, Any]:
    """The same for machines."""
    names = names_or_numbers(mdp.state_names, mdp.num_states)
    told: dict[str, Any] = {"states": found.states, "actions": found.actions, "pairs": found.pairs}
    told["features"] = found.features
    for what in ("ends", "unreachable", "closed", "endless"):
        told[what] = [names[s] for s in getattr(found, what).tolist()]
    return told | {"duplicate_actions": found.duplicates.tolist()}


def draw(world: MDP | World, found: Examined) -> Figure | None:
    """The map of a world, cells or states without a way marked; none without coordinates."""
    mdp = mdp_of(world)
    if mdp.coordinates is None or mdp.coordinates.shape[1] != 2:
        return None
    figure, (ax,) = plot.canvas(4.2, 4.2)
    lost = np.zeros(mdp.num_states)
    lost[np.concatenate([found.unreachable, found.endless, found.closed])] = 1.0
    if isinstance(world, World):
        plot.grid_map(
            np.asarray(mdp.coordinates),
            lost,
            scale="signed",
            limits=(-1.0, 1.0),
            walls=np.argwhere(world.drawing.blocked)[:, ::-1],
            wins=found.ends,
            ax=ax,
        )
        for name, states in world.drawing.marks.items():
            letter = {"start": "S", "goal": ""}.get(name, name)
            for x, y in mdp.coordinates[list(states)]:
                ax.text(x, y, letter, ha="center", va="center", fontsize=9, fontweight="bold")
    else:
        places = np.flatnonzero(lost)[:_SHOWN]
        names = [mdp.state_names[s] if mdp.state_names else str(s) for s in places]
        ways, _ = flows(mdp)
        assert ways is not None  # there are coordinates in the plane
        plot.network_map(mdp.coordinates, ways, places=places, names=names, ax=ax)
    return figure


def _place(options: Worlds) -> int:
    """A table of positions as one of decisions."""
    given = worlds_of(options.world, options.columns)
    boards = boards_of(given)
    if not boards:
        raise InputError("place needs a file or folder of mazes: give it with --world")
    if options.out is None:
        raise InputError("place writes a table: say where with --out placed.parquet")
    columns = options.columns
    positions = read(Path(options.file), columns, None)
    upwards, transform = columns.upwards, options.world.transform
    placed = place(positions, boards, upwards=upwards, transform=transform)
    written = write_columns([decision_columns(placed)], options.out)
    ended = int(placed.terminated.sum())
    if options.output.json:
        print(to_json({"decisions": placed.num_decisions, "ended": ended, "file": str(written)}))
    elif not options.output.quiet:
        print(
            f"{placed.num_decisions:,} decisions in {placed.num_trajectories:,} trajectories, "
            f"{ended:,} of which end at a goal\nWritten: {written}"
        )
    return 0
