"""What is loaded and compiled before anybody can play; `inverseq play` shows its page beside it."""

import json
import os
import secrets
from collections.abc import Callable
from dataclasses import asdict
from itertools import count

import jax

from inverseq.app.play.companions import companions
from inverseq.app.play.log import GameLog
from inverseq.app.play.match import Level
from inverseq.app.play.session import Offer, Session
from inverseq.worlds.game_rules import RANDOM_WALLS, RANDOM_WIN, STATIC_WALLS, grid_simulator

_LEVELS = {"static-walls": STATIC_WALLS, "random-walls": RANDOM_WALLS, "random-win": RANDOM_WIN}


def open_game(
    log: GameLog, difficulty: str, agent: str | os.PathLike | None, seed: int | None
) -> Callable[[], Session]:
    """The game, ready to be played: each call is a visit with boards of its own.

    Args:
        log: Where games go.
        difficulty: What begins; its rules are compiled here.
        agent: A saved solution that plays beside whoever visits, or None.
        seed: Which boards; None for new ones each time.

    Raises:
        InputError: The saved solution cannot play.
    """
    levels = {
        name: Level(name, json.dumps(asdict(rules)), grid_simulator(rules))
        for name, rules in _LEVELS.items()
    }
    beside = companions(agent, (STATIC_WALLS.height, STATIC_WALLS.width))
    chosen = [*beside][-1] if agent else "none"
    offer = Offer(levels, beside, difficulty, chosen, log)
    levels[difficulty].begin(jax.random.key(0))
    seeds = count(secrets.randbits(31) if seed is None else seed)
    return lambda: Session(offer, next(seeds))
