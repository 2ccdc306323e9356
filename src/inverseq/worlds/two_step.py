"""The two-step task: choices lead to places, mostly but not always to the same, and places pay.

Daw, Gershman, Seymour, Dayan and Dolan, "Model-based influences on humans' choices and striatal
prediction errors", Neuron 2011, in the form for rats of Miller, Botvinick and Brody, "Dorsal
hippocampus contributes to model-based planning", Nature Neuroscience 2017: the place reached leaves
nothing to choose, one of two places pays with a high probability, and which one changes in blocks.
"""

from collections.abc import Mapping

import numpy as np

from inverseq._core.errors import InputError
from inverseq.demonstrations import Demonstrations
from inverseq.policies.learning import (
    BIAS,
    FORGETTING,
    HABIT,
    HABIT_LEARNING,
    LAPSE,
    LEARNING,
    LOSSES,
    PLACE_LEARNING,
    PLACES,
    REPETITION,
    VALUE,
)

_SHORTEST, _TURNS = 10, 0.02
"""Trials before the good place may change, and the probability with which it does, each trial."""

_KNOWN = (
    *(VALUE, LEARNING, LOSSES, FORGETTING, PLACES, PLACE_LEARNING),
    *(HABIT, HABIT_LEARNING, REPETITION, LAPSE, f"{BIAS} 1"),
)


def two_step(
    numbers: Mapping[str, float],
    *,
    sessions: int = 10,
    trials: int = 200,
    common: float = 0.8,
    good: float = 0.8,
    seed: int = 0,
) -> Demonstrations:
    """Choices of a learner in the two-step task.

    Args:
        numbers: Those of `Learner` by name, rates as shares: "value" and "learning" for an agent
            that repeats what paid, "value of places" and "learning of places" for one that goes
            where it pays; what is left out is 0.
        sessions: Trajectories.
        trials: Of each.
        common: How likely the first choice leads to the first place, and the second to the second.
        good: Probability that the good place pays; the other pays with 1 - good.
        seed: Which random choices.

    Returns:
        Choices 0 and 1 with the columns "reward" (0 or 1), "place" ("left" or "right") and
        "common" (whether the choice led where it mostly leads).

    Raises:
        InputError: A number has another name, or a probability lies outside 0 to 1.
    """
    if unknown := sorted(set(numbers) - set(_KNOWN)):
        raise InputError(f"a learner has no {unknown[0]!r}; its numbers are {[*_KNOWN]}")
    for name, chance in (("common", common), ("good", good)):
        if not 0 <= chance <= 1:
            raise InputError(f"{name} is a probability; got {chance}")
    own = dict.fromkeys(_KNOWN, 0.0) | {LOSSES: numbers.get(LEARNING, 0.0)} | dict(numbers)
    rng = np.random.default_rng(seed)
    leads = np.array([[common, 1 - common], [1 - common, common]])
    bias = np.array([0.0, own[f"{BIAS} 1"]])
    rows: list[tuple[int, int, int]] = []
    for _ in range(sessions):
        value, worth, habit, last = (np.zeros(2) for _ in range(4))
        best, since = int(rng.integers(2)), 0
        for _ in range(trials):
            turned = since >= _SHORTEST and rng.random() < _TURNS
            best, since = (1 - best, 0) if turned else (best, since + 1)
            odds = own[VALUE] * value + own[PLACES] * leads @ worth + own[HABIT] * habit
            odds += own[REPETITION] * last + bias
            second = 1 / (1 + np.exp(odds[0] - odds[1]))
            action = int(rng.random() < (1 - own[LAPSE]) * second + own[LAPSE] / 2)
            place = action if rng.random() < common else 1 - action
            paid = int(rng.random() < (good if place == best else 1 - good))
            rows.append((action, place, paid))
            last, there = np.eye(2)[action], np.eye(2)[place]
            rate = own[LEARNING] if paid else own[LOSSES]
            value += np.where(last > 0, rate, own[FORGETTING]) * (last * paid - value)
            rate = np.where(there > 0, own[PLACE_LEARNING], own[FORGETTING])
            worth += rate * (there * paid - worth)
            habit += own[HABIT_LEARNING] * (last - habit)
    action, place, paid = np.array(rows, dtype=np.int64).reshape(-1, 3).T
    return Demonstrations.from_arrays(
        np.zeros(action.size, dtype=np.int64),
        action,
        trajectory=np.repeat(np.arange(sessions), trials),
        decisions={
            "reward": paid.astype(np.float64),
            "place": np.array(["left", "right"])[place],
            "common": place == action,
        },
    )
