"""What is loaded and compiled before anybody can play; `inverseq play` shows its page beside it."""

import json
import os
import secrets
from collections.abc import Callable, Mapping
from dataclasses import asdict
from itertools import count
from pathlib import Path

import jax
import numpy as np

from inverseq._core.errors import InputError
from inverseq.app.play.companions import companions
from inverseq.app.play.log import GameLog
from inverseq.app.play.match import Level
from inverseq.app.play.session import Offer, Session
from inverseq.worlds import read_mazes
from inverseq.worlds.game_rules import (
    RANDOM_WALLS,
    RANDOM_WIN,
    STATIC_WALLS,
    GridWorldRules,
    grid_simulator,
)

LEVELS = {"static-walls": STATIC_WALLS, "random-walls": RANDOM_WALLS, "random-win": RANDOM_WIN}
"""Name of a difficulty of the study -> its rules."""

_MOST_MOVES = 100
"""Before a game is cut off, or as many as the maze has cells."""


def mazes_as_rules(path: str | Path) -> dict[str, GridWorldRules]:
    """The mazes of a file as boards of the game, by name: walls and win are the maze's, and the
    start is its one start, or drawn for each game where it has none.

    Raises:
        InputError: They cannot be read or played, or their sizes differ, so that no table could
            hold the games of all.
    """
    made = {}
    for name, world in read_mazes(path).items():
        drawn = world.drawing
        cells = {mark: _cells(world.mdp.coordinates, drawn.marks.get(mark, ())) for mark in _MARKS}
        starts, goals = cells["start"], cells["goal"]
        if len(goals) != 1 or len(starts) > 1:
            raise InputError(
                f"the maze {name!r} has {len(starts)} starts and {len(goals)} goals: to be played "
                "it needs one goal, and one start or none (then each game begins somewhere else)"
            )
        made[name] = GridWorldRules(
            drawn.width,
            drawn.height,
            walls=tuple((int(x), int(y)) for y, x in np.argwhere(drawn.blocked)),
            start=starts[0] if starts else None,
            win=goals[0],
            max_moves=max(_MOST_MOVES, drawn.width * drawn.height),
        )
    sizes = {(rules.width, rules.height) for rules in made.values()}
    if len(sizes) > 1:
        raise InputError(
            f"the mazes of {path} have several sizes ({_told(sizes)}), whose games do not go into "
            "one table: give a file with those of one size"
        )
    return made


def as_json(rules: GridWorldRules) -> str:
    """Rules as they are written beside the games."""
    return json.dumps(asdict(rules))


_MARKS = ("start", "goal")


def _cells(coordinates: np.ndarray | None, states: tuple[int, ...]) -> list[tuple[int, int]]:
    """Where states lie."""
    assert coordinates is not None  # those of a board
    return [(int(x), int(y)) for x, y in coordinates[list(states)]]


def _told(sizes: set[tuple[int, int]]) -> str:
    return ", ".join(f"{width} x {height}" for width, height in sorted(sizes))


def open_game(
    log: GameLog,
    rules: Mapping[str, GridWorldRules],
    difficulty: str,
    agent: str | os.PathLike | None,
    seed: int | None,
) -> Callable[[], Session]:
    """The game, ready to be played: each call is a visit with boards of its own.

    Args:
        log: Where games go.
        rules: What can be chosen, by name; boards of one size.
        difficulty: What begins; its rules are compiled here.
        agent: A saved solution that plays beside whoever visits, or None.
        seed: Which boards; None for new ones each time.

    Raises:
        InputError: The saved solution cannot play.
    """
    levels = {
        name: Level(name, as_json(each), grid_simulator(each)) for name, each in rules.items()
    }
    beside = companions(agent, (rules[difficulty].height, rules[difficulty].width))
    chosen = [*beside][-1] if agent else "none"
    offer = Offer(levels, beside, difficulty, chosen, log)
    levels[difficulty].begin(jax.random.key(0))
    seeds = count(secrets.randbits(31) if seed is None else seed)
    return lambda: Session(offer, next(seeds))
