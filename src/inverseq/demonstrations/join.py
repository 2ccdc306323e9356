"""Demonstrations behind each other."""

from collections.abc import Sequence

import numpy as np

from inverseq._core.errors import InputError
from inverseq.demonstrations.following import joined
from inverseq.demonstrations.record import Demonstrations


def concatenate(parts: Sequence[Demonstrations]) -> Demonstrations:
    """Several demonstrations behind each other; columns that not all have are left out.

    Raises:
        InputError: Nothing to join, or shapes of states, or names of states or actions differ.
    """
    if not parts:
        raise InputError("concatenate needs at least one part")
    first = parts[0]
    for part in parts[1:]:
        if part.states.shape[1:] != first.states.shape[1:]:
            raise InputError(
                f"the parts have states of different shapes: {first.states.shape[1:]} and "
                f"{part.states.shape[1:]}; numbers and features cannot be mixed"
            )
        if part.actions.shape[1:] != first.actions.shape[1:]:
            raise InputError("the parts have numbered and continuous actions, or such of several D")
        if _names(part) != _names(first):
            raise InputError("the parts name their states or actions differently")
        if _masked(part) != _masked(first):
            raise InputError(
                "the parts do not say alike which actions exist: give allowed, of as many actions, "
                "in all of them or in none"
            )
    shifts = np.cumsum([0] + [p.num_decisions for p in parts])
    join = lambda get: np.concatenate([get(p) for p in parts])  # noqa: E731
    common = lambda maps: [k for k in maps[0] if all(k in m for m in maps)]  # noqa: E731
    decisions = common([p.decisions for p in parts])
    trajectories = common([p.trajectories for p in parts])
    return Demonstrations(
        states=join(lambda p: p.states),
        actions=join(lambda p: p.actions),
        endings=join(lambda p: p.endings),
        starts=np.concatenate(
            [[0], *(p.starts[1:] + s for p, s in zip(parts, shifts, strict=False))]
        ),
        time=None if any(p.time is None for p in parts) else join(lambda p: p.time),
        decisions={k: join(lambda p, k=k: p.decisions[k]) for k in decisions},
        trajectories={k: join(lambda p, k=k: p.trajectories[k]) for k in trajectories},
        state_names=first.state_names,
        action_names=first.action_names,
        feature_names=first.feature_names,
        action_feature_names=first.action_feature_names,
        allowed=join(lambda p: p.allowed) if _masked(first) else None,
        following=joined([p.following for p in parts]),
        source=", ".join(dict.fromkeys(p.source for p in parts)),
    )


def _names(part: Demonstrations) -> tuple[tuple[str, ...], ...]:
    """Everything that names states and actions."""
    return (part.state_names, part.action_names, part.feature_names, part.action_feature_names)


def _masked(part: Demonstrations) -> int:
    """Of how many actions it is said which exist; 0 where all do."""
    return 0 if part.allowed is None else part.allowed.shape[1]
