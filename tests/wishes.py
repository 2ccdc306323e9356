"""Behaviour of two intentions that are easy to tell apart, in a small world."""

from functools import cache

import numpy as np

from inverseq.demonstrations import Demonstrations
from inverseq.forward.switching import simulate_switching
from inverseq.intentions.solution import IntentionSolution
from inverseq.intentions.solver import Intentions
from inverseq.inverse.fit import fit
from inverseq.mdp import MDP

STAY = np.array([[0.9, 0.1], [0.2, 0.8]])
SETTINGS = Intentions(2, restarts=2)


def ring(size: int = 4, slip: float = 0.1) -> MDP:
    """States in a circle; action 0 goes back, 1 forward, 2 stays, but for slips in place."""
    here = np.arange(size)
    to = np.stack([(here - 1) % size, (here + 1) % size, here], axis=1)
    successors = np.stack([to, np.repeat(here[:, None], 3, axis=1)], axis=2)
    probabilities = np.broadcast_to([1 - slip, slip], successors.shape).copy()
    successors[:, 2], probabilities[:, 2] = here[:, None], [1.0, 0.0]
    return MDP(successors, probabilities, 0.9, initial=np.full(size, 1 / size))


def policies(mdp: MDP) -> np.ndarray:
    """`[2, S, A]`: one goes back, the other forward, nine times in ten."""
    wishes = np.array([[0.9, 0.05, 0.05], [0.05, 0.9, 0.05]])
    return np.broadcast_to(wishes[:, None], (2, mdp.num_states, 3)).copy()


def switching_play(trajectories: int = 12, length: int = 60, seed: int = 0) -> Demonstrations:
    """Behaviour with the true intentions in `decisions["intention"]`."""
    mdp = ring()
    return simulate_switching(
        policies(mdp), [0.5, 0.5], STAY, mdp, trajectories=trajectories, length=length, seed=seed
    )


@cache
def fitted(trajectories: int = 12, length: int = 60) -> tuple[IntentionSolution, Demonstrations]:
    """A fit of two intentions, and what it was fitted to."""
    data = switching_play(trajectories, length)
    return fit(data, SETTINGS, ring()), data
