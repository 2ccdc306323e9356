"""Tables of made-up animals: coin flips, and choices that stay after a win."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int

from inverseq.demonstrations import Demonstrations

ACTIONS = ("left", "right")


class Table(NamedTuple):
    """Decisions of several animals, and what is true of them.

    Attributes:
        demonstrations: States are the choice and the outcome before; a trajectory is an animal.
        chances: `[N]` true probability of each action taken.
    """

    demonstrations: Demonstrations
    chances: Float[np.ndarray, " N"]


def drawn(seed: int, effect: float, animals: tuple[int, int], decisions: tuple[int, int]) -> Table:
    """Animals at two spouts that pay with 0.5 each: they stay with 0.5 + `effect` after a win and
    with 0.5 - `effect` after a loss; 0 is a coin that is flipped.
    """
    rng = np.random.default_rng(seed)
    number = int(rng.integers(animals[0], animals[1] + 1))
    lengths = rng.integers(decisions[0], decisions[1] + 1, number)
    parts = [_animal(rng, effect, int(length)) for length in lengths]
    states, actions, chances = (np.concatenate(each) for each in zip(*parts, strict=True))
    animal = np.repeat(np.arange(number), lengths)
    names = ("start", *(f"{a} {won}" for a in ACTIONS for won in ("lost", "won")))
    made = Demonstrations.from_arrays(
        states, actions, trajectory=animal, state_names=names, action_names=ACTIONS
    )
    return Table(made, chances)


def _animal(
    rng: np.random.Generator, effect: float, length: int
) -> tuple[Int[np.ndarray, " n"], Int[np.ndarray, " n"], Float[np.ndarray, " n"]]:
    """States, actions and the true chances of the actions of one animal."""
    states, actions, chances = (np.zeros(length, kind) for kind in (int, int, float))
    won = rng.random(length) < 0.5
    for n in range(length):
        right = 0.5
        if n:
            states[n] = 1 + 2 * actions[n - 1] + won[n - 1]
            stay = 0.5 + (effect if won[n - 1] else -effect)
            right = stay if actions[n - 1] else 1 - stay
        actions[n] = rng.random() < right
        chances[n] = right if actions[n] else 1 - right
    return states, actions, chances
