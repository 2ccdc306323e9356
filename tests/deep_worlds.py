"""Worlds and walks on which deep inverse Q-learning is tested, with and without constraints."""

import numpy as np

import inverseq as iq
from inverseq.networks import FullyConnected
from strategies import random_mdp, random_policy

TABLE = FullyConnected(hidden=())
"""One linear layer, which on one-hot states is a table."""
EXACT = iq.DIQL(
    0,
    0.8,
    TABLE,
    smoothing=0.0,
    support=0.0,
    follow=0.05,
    held_out=0.0,
    lessons=iq.Lessons(4000, 256, 0.03),
)


def everything(mdp: iq.MDP, policy: np.ndarray) -> tuple[iq.Demonstrations, np.ndarray]:
    """Every transition that can happen, with its probability: data without noise."""
    states, actions = policy.shape
    chance = mdp.transition_matrix.toarray().reshape(states, actions, states)
    chance = chance * policy[:, :, None] * ~mdp.terminal[:, None, None]
    s, a, t = np.nonzero(chance)
    data = iq.Demonstrations.from_arrays(
        np.eye(states)[s],
        a,
        next_states=np.eye(states)[t],
        trajectory=np.arange(s.size),
        terminated=mdp.terminal[t],
        allowed=mdp.allowed[s],
    )
    return data, chance[s, a, t]


def each_state(mdp: iq.MDP) -> iq.Demonstrations:
    """One row per state, with an action that exists."""
    eye, actions = np.eye(mdp.num_states), mdp.allowed.argmax(axis=1)
    return iq.Demonstrations.from_arrays(
        eye, actions, trajectory=np.arange(len(eye)), allowed=mdp.allowed
    )


def world(seed: int = 0, **asked):
    rng = np.random.default_rng(seed)
    mdp = random_mdp(rng, 5, 3, discount=0.8, **asked)
    return mdp, random_policy(rng, mdp)


def centred(values: np.ndarray, allowed: np.ndarray) -> np.ndarray:
    inside = np.where(allowed, values, 0.0)
    return np.where(allowed, values - inside.sum(1, keepdims=True) / allowed.sum(1)[:, None], 0.0)


def error(found: np.ndarray, right: np.ndarray, mdp: iq.MDP) -> float:
    off = centred(found, mdp.allowed) - centred(right, mdp.allowed)
    return float(np.abs(off[~mdp.terminal]).max())


def walk(seed: int = 0, count: int = 40, length: int = 60) -> iq.Demonstrations:
    """A walker in metres and degrees who turns towards x = 300 and stops there."""
    rng = np.random.default_rng(seed)
    rows = []
    for walker in range(count):
        x, heading = rng.uniform(0, 600), rng.uniform(-180, 180)
        for _ in range(length):
            away = (300 - x) / 100
            q = np.array([0.0, away, -away])
            chance = np.exp(q - q.max())
            action = rng.choice(3, p=chance / chance.sum())
            rows.append((walker, x, heading, action))
            x += [0, 20, -20][action] + rng.normal(scale=2)
            heading = (heading + rng.normal(scale=10) + 180) % 360 - 180
    trajectory, x, heading, actions = map(np.array, zip(*rows, strict=True))
    return iq.Demonstrations.from_arrays(
        np.column_stack([x, heading]), actions, trajectory=trajectory
    )
