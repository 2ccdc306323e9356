"""Worlds as they were before they remembered, and before they were united: for maps and tables."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from inverseq._core.errors import InputError
from inverseq.mdp.record import MDP


def without_history(mdp: MDP) -> MDP:
    """The world whose states are the present ones: undoes `MDP.with_history`."""
    history = mdp.history
    if history is None:
        return mdp
    fresh = np.flatnonzero((history.previous < 0).all(axis=1))
    rows = fresh[np.argsort(history.base[fresh])]  # each state as it is at a beginning
    parts = {name: getattr(mdp, name) for name in ("reward", "features", "coordinates")}
    return replace(
        mdp,
        successors=history.base[mdp.successors[rows]],
        probabilities=mdp.probabilities[rows],
        initial=mdp.initial[rows],
        terminal=mdp.terminal[rows],
        allowed=mdp.allowed[rows],
        history=None,
        **{name: value if value is None else value[rows] for name, value in parts.items()},
    )


def divided(mdp: MDP) -> dict[str, MDP]:
    """The worlds of a union without history by name: undoes `unite`. One that is none has no name.

    Notes stay those of the union.
    """
    if mdp.worlds is None:
        return {"": mdp}
    found = {}
    for world, first, end in zip(
        mdp.worlds.names, mdp.worlds.offsets[:-1], mdp.worlds.offsets[1:], strict=True
    ):
        rows = slice(int(first), int(end))
        parts = {name: getattr(mdp, name) for name in ("reward", "features", "coordinates")}
        found[world] = replace(
            mdp,
            successors=mdp.successors[rows] - first,
            probabilities=mdp.probabilities[rows],
            initial=mdp.initial[rows] / mdp.initial[rows].sum(),
            terminal=mdp.terminal[rows],
            allowed=mdp.allowed[rows],
            state_names=mdp.state_names[rows],
            worlds=None,
            **{name: value if value is None else value[rows] for name, value in parts.items()},
        )
    return found


def looking_at(mdp: MDP, features: Sequence[str]) -> MDP:
    """The world with these of its features only.

    Raises:
        InputError: It has no such feature.
    """
    lacking = [name for name in features if name not in mdp.feature_names]
    if lacking or mdp.features is None:
        raise InputError(f"there is no feature {lacking[:1]}; there are {[*mdp.feature_names]}")
    columns = [mdp.feature_names.index(name) for name in features]
    return replace(mdp, features=mdp.features[:, :, columns], feature_names=tuple(features))
