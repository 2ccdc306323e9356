"""What a finished fit says of places and decisions, for the page: from the files of its result."""

from pathlib import Path
from typing import Any

import duckdb
import numpy as np
from jaxtyping import Float
from matplotlib.colors import to_hex

from inverseq._core.arrays import names_or_numbers
from inverseq._core.errors import InputError
from inverseq._core.store import load_any
from inverseq.analysis.places import Places, has_places, likely_moves, places
from inverseq.intentions.solution import IntentionSolution
from inverseq.inverse.explanation import Explanation
from inverseq.inverse.solution import Solution
from inverseq.mdp import MDP, divided, without_history
from inverseq.plot.intentions import HUES
from inverseq.plot.style import Scale, colours
from inverseq.readers.engine import quoted
from inverseq.worlds import labyrinth

MOST_STEPS = 3000
"""Decisions of a trajectory that are shown."""

_MOST_TRAJECTORIES = 2000
_SHADES = 17


def solution_of(folder: Path) -> Explanation:
    """The fit of a result.

    Raises:
        InputError: There is none.
    """
    file = folder / "solution.npz"
    if not file.is_file():
        raise InputError(
            "this result has no solution to draw a map of; those of groups are on the page Report"
        )
    return load_any(file, (Solution, IntentionSolution))


def scene_of(solution: Explanation) -> dict[str, Any]:
    """Worlds, places, doors and what each intention wants there, for JSON.

    Raises:
        InputError: There are no places in the plane.
    """
    mdp = solution.mdp
    if mdp is None or not all(map(has_places, solution.intentions)):
        raise InputError("states are no places of a world here, so there is no map to walk on")
    base = without_history(mdp)
    if base.coordinates is None or np.shape(base.coordinates)[1] != 2:
        raise InputError("nobody knows where the places lie, so there is no map to walk on")
    shown = [places(each) for each in solution.intentions]
    worlds, marks = divided(base), _marks(base)
    first, told = 0, {}
    for name, world in worlds.items():
        mine = slice(first, first + world.num_states)
        told[name] = _world(world) | {
            "marks": marks,
            "first": first,
            "intentions": [_part(each, mine) for each in shown],
        }
        first += world.num_states
    actions = names_or_numbers(mdp.action_names, mdp.num_actions)
    return {"worlds": told, "actions": [*actions], "discount": mdp.discount}


def scales_of(solution: Explanation) -> dict[str, list[str]]:
    """The colours of the figures: of rewards, of values, and of each intention."""
    hues = [HUES[k % len(HUES)] for k in range(len(solution.intentions))]
    return {"signed": _colours("signed"), "plain": _colours("plain"), "intentions": hues}


def _world(mdp: MDP) -> dict[str, Any]:
    """Where places lie and which lead to which."""
    ways, _ = likely_moves(mdp, np.where(mdp.allowed, 1.0, 0.0))
    ways = ways[ways[:, 0] != ways[:, 1]]
    doors = np.unique(np.sort(ways, axis=1), axis=0)
    return {
        "xy": np.asarray(mdp.coordinates, dtype=float),
        "names": [*mdp.state_names],
        "doors": doors,
        "ends": np.flatnonzero(mdp.terminal),
        "steps": _steps(mdp),
    }


def _marks(mdp: MDP) -> dict[str, tuple[int, ...]]:
    """Names of places that everybody knows: those of the labyrinth."""
    known = labyrinth(mdp.discount)
    same = np.array_equal(np.asarray(mdp.coordinates), np.asarray(known.mdp.coordinates))
    return dict(known.drawing.marks) if same else {}


def _colours(scale: Scale) -> list[str]:
    """Colours of the figures at equal distances on a scale."""
    shades = colours(np.array([-1.0, 1.0]), scale)
    return [to_hex(shade) for shade in shades.to_rgba(np.linspace(-1.0, 1.0, _SHADES)).tolist()]


def _steps(mdp: MDP) -> Float[np.ndarray, "S A 2"]:
    """`[S, A, 2]` where each action is expected to lead from each place; 0 where it stays."""
    lists = mdp.transitions
    where = np.asarray(mdp.coordinates, dtype=float)
    led = np.stack([lists @ where[:, 0], lists @ where[:, 1]], axis=1)
    total = np.asarray(lists.sum(axis=1)).reshape(-1, 1)
    here = np.repeat(where, mdp.num_actions, axis=0)
    moved = np.where(total > 0, led - here * total, 0.0)
    moved[~mdp.allowed.ravel()] = 0.0
    return np.round(moved.reshape(mdp.num_states, mdp.num_actions, 2), 3)


def _part(each: Places, mine: slice) -> dict[str, Any]:
    """What one intention says of the places of one world."""
    return {
        "reward": np.round(each.reward[mine], 4),
        "value": np.round(each.value[mine], 4),
        "visits": each.visits[mine],
        "policy": np.round(each.policy[mine], 4),
    }


def trajectories_of(folder: Path) -> list[dict[str, Any]]:
    """The trajectories of a result: the row of the source where each begins, how many decisions it
    has, and whose they are.
    """
    file, names = _decisions(folder)
    keys = names[: names.index("step")]
    labels = [n for n in ("subject", "session", "world", "trajectory") if n in keys]
    told = ", ".join(f"CAST({quoted(n)} AS VARCHAR)" for n in labels)
    rows = _ask(
        f"SELECT min(row), count(*), {told} FROM read_parquet(?) "
        f"GROUP BY {', '.join(map(quoted, keys))} ORDER BY min(row) LIMIT {_MOST_TRAJECTORIES}",
        [str(file)],
    )
    return [
        {"begins": row[0], "count": row[1]} | dict(zip(labels, row[2:], strict=True))
        for row in rows
    ]


def walk_of(folder: Path, solution: Explanation, begins: int) -> dict[str, Any]:
    """The decisions of one trajectory, in order: place (-1 where that is none), state, action, how
    likely it was, intentions.

    Args:
        folder: Of the result.
        solution: Of the fit.
        begins: The row of the source where it begins.

    Raises:
        InputError: No trajectory begins there.
    """
    file, names = _decisions(folder)
    beliefs = sorted(n for n in names if n.startswith("smoothed_"))
    wanted = ["state", "action", "step", *beliefs]
    wanted += [n for n in ("probability", "world", "row") if n in names]
    same = " AND ".join(
        f"a.{quoted(n)} IS NOT DISTINCT FROM b.{quoted(n)}" for n in names[: names.index("step")]
    )
    rows = _ask(
        f"SELECT {', '.join(f'a.{quoted(n)}' for n in wanted)} FROM read_parquet($1) a, "
        f"(SELECT * FROM read_parquet($1) WHERE row = $2 LIMIT 1) b WHERE {same} "
        f"ORDER BY a.step LIMIT {MOST_STEPS}",
        [str(file), begins],
    )
    if not rows:
        raise InputError(f"no trajectory of this fit begins in row {begins}")
    table = dict(zip(wanted, map(list, zip(*rows, strict=True)), strict=True))
    world, places_ = "", [-1] * len(rows)
    if solution.mdp is not None:
        worlds = divided(without_history(solution.mdp))
        several = "world" in table and len(worlds) > 1
        world = str(table["world"][0]) if several else next(iter(worlds))
        known = worlds[world].state_names
        number = {name: i for i, name in enumerate(known)}
        places_ = [number.get(str(s), -1) if known else int(s) for s in table["state"]]
    return {
        "world": world,
        "places": places_,
        "states": [str(s) for s in table["state"]],
        "actions": [str(a) for a in table["action"]],
        "steps": table["step"],
        "rows": table.get("row", []),
        "probability": table.get("probability", []),
        "beliefs": [[round(float(v), 3) for v in table[n]] for n in beliefs],
    }


def _decisions(folder: Path) -> tuple[Path, list[str]]:
    """The file of decisions of a result, and its columns."""
    for name in ("decisions", "posterior"):
        file = folder / "tables" / f"{name}.parquet"
        if file.is_file():
            told = _ask("SELECT name FROM parquet_schema(?) WHERE type IS NOT NULL", [str(file)])
            return file, [name for (name,) in told]
    raise InputError("this fit has no table of decisions")


def _ask(question: str, values: list[Any]) -> list[tuple]:
    """Rows of an answer."""
    try:
        with duckdb.connect(":memory:", config={"memory_limit": "300MB", "threads": 1}) as link:
            return link.execute(question, values).fetchall()
    except duckdb.Error as error:
        raise InputError(f"the decisions of this fit cannot be read: {error}") from error
