"""The states of a table and the ways between them, to be drawn."""

import re
from typing import Any

import numpy as np
from jaxtyping import Float

from inverseq._core.arrays import names_or_numbers
from inverseq._core.errors import InputError
from inverseq.app.networks import MOST_STATES, MOST_WAYS
from inverseq.demonstrations import Demonstrations
from inverseq.demonstrations.spaces import Finite

_CELL = re.compile(r"(-?\d+(?:\.\d+)?)\|(-?\d+(?:\.\d+)?)")
"""How states made of two columns of numbers are called."""


def observed(data: Demonstrations, where: Float[np.ndarray, "S 2"] | None) -> dict[str, Any]:
    """The states and the ways of a table, as a network to begin with: for JSON.

    Args:
        data: The decisions.
        where: `[S, 2]` where states lie, y downwards, if that is known.

    Raises:
        InputError: States are measured values, or too many to draw.
    """
    if not isinstance(data.state_space, Finite):
        raise InputError("measured values are no states that could be connected: give --bins")
    if data.num_states > MOST_STATES:
        raise InputError(
            f"{data.num_states:,} states are too many to draw ({MOST_STATES} at most): give a "
            "transition table, or let the world be estimated"
        )
    names = names_or_numbers(data.state_names, data.num_states)
    cells = [_CELL.fullmatch(name) for name in names]
    if where is None and all(cells):  # made of two columns of numbers, whatever they are called
        where = np.array([cell.groups() for cell in cells if cell], dtype=float)
    actions = names_or_numbers(data.action_names, data.num_actions)
    seen = (data.next_states >= 0) & (data.actions >= 0)
    moves = np.stack([data.states[seen], data.actions[seen], data.next_states[seen]], axis=1)
    found, counts = np.unique(moves, axis=0, return_counts=True)
    if len(found) > MOST_WAYS:
        raise InputError(f"{len(found):,} ways are too many to draw ({MOST_WAYS} at most)")
    return {
        "states": [{"name": name} for name in names]
        if where is None
        else [{"name": n, "x": x, "y": y} for n, (x, y) in zip(names, where.tolist(), strict=True)],
        "ways": [
            {"from": names[s], "action": actions[a], "to": names[t], "weight": n}
            for (s, a, t), n in zip(found.tolist(), counts.tolist(), strict=True)
        ],
    }
