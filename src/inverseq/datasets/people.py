"""People walking through mazes."""

import json
from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from inverseq.datasets.files import bundled
from inverseq.datasets.record import Dataset
from inverseq.demonstrations import Demonstrations
from inverseq.readers import read_table
from inverseq.worlds import World, maze, place

_ACTIONS = ("^", ">", "v", "<")
"""The table's actions in the order of the worlds': up, right, down, left."""


def people(discount: float = 0.99) -> Dataset:
    """161 people on their way from start to goal in twelve mazes: 1,907 rounds, 46,437 moves.

    Each round is a trajectory that ends at the goal; its column "world" names the maze, "goal" the
    state of the goal there. States are the free cells of the maze, numbered as in `worlds.maze`.
    Moves into an obstacle (5.2 %) stay. The same twelve mazes were shown mirrored; positions and
    moves are turned back.

    Args:
        discount: gamma of the worlds.
    """
    with bundled("people_mazes.json") as path:
        layouts = json.loads(path.read_text(encoding="utf-8"))
    worlds = {name: maze(rows, name=name, discount=discount) for name, rows in layouts.items()}
    with bundled("people_moves.parquet") as path:
        moves = read_table(
            path,
            state=("x", "y"),
            next_state=("next_x", "next_y"),
            action_names=_ACTIONS,
        )
    # What the worlds pay is an assumption; what people want is the question.
    mdp = {name: replace(world.mdp, reward=None) for name, world in worlds.items()}
    return Dataset(
        name="people",
        title="People in mazes",
        demonstrations=place(_named(moves, worlds), worlds, upwards=True),
        mdp=mdp,
        worlds=worlds,
        description=(
            "People move a dot from start to goal through mazes of 11 x 11 cells with obstacles, "
            "each seen from the beginning. One row is one key press; pressing towards an obstacle "
            "leaves the dot where it is."
        ),
        source="Ho and others 2022, experiment 1 (value-guided-construal)",
        licence="MIT",
        citation=(
            "Ho MK, Abel D, Correa CG, Littman ML, Cohen JD, Griffiths TL (2022). People construct "
            "simplified mental representations to plan. Nature 606:129-136."
        ),
    )


def _named(moves: Demonstrations, worlds: Mapping[str, World]) -> Demonstrations:
    """The moves with the name of their maze, and the goal there."""
    names = np.array([f"grid-{number}-0" for number in moves.trajectories["grid"]])
    known = {name: moves.trajectories[name] for name in ("subject", "trajectory")}
    known |= {"world": names, "transform": moves.trajectories["transform"]}
    known |= {"goal": np.array([worlds[name].drawing.marks["goal"][0] for name in names])}
    return replace(moves, trajectories=known, decisions={"rt_ms": moves.decisions["rt_ms"]})
