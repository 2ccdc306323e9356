"""What tests of the doctor share: findings by name, a small world, play in it."""

import numpy as np

import strategies
from inverseq.demonstrations import Demonstrations
from inverseq.doctor import Diagnosis, Finding
from inverseq.mdp import MDP


def found(diagnosis: Diagnosis) -> dict[str, Finding]:
    """The findings by what they are about."""
    return {finding.about: finding for finding in diagnosis.findings}


def ring(size: int = 4, **fields) -> MDP:
    """States in a ring: action 0 goes on, action 1 goes back, action 2 stays."""
    step = np.zeros((size, 3, size))
    here = np.arange(size)
    step[here, 0, (here + 1) % size] = 1
    step[here, 1, (here - 1) % size] = 1
    step[here, 2, here] = 1
    return MDP.from_dense(step, discount=0.9, **fields)


def healthy(trajectories: int = 40, length: int = 30) -> tuple[MDP, Demonstrations]:
    """Much play in a small world in which everything happens."""
    rng = np.random.default_rng(0)
    world = ring()
    policy = np.full((4, 3), 1 / 3)
    return world, strategies.play(rng, world, policy, trajectories=trajectories, length=length)
