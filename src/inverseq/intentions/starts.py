"""Where the searches for intentions begin."""

import warnings

import numpy as np
from jaxtyping import Float, Int
from scipy import sparse

from inverseq.decisions.alignment import align
from inverseq.demonstrations import Demonstrations
from inverseq.intentions.chains import Chains
from inverseq.mdp import MDP

_WINDOWS = (10, 20, 40)
"""Decisions in a window, in turn."""
_DIRECTIONS = 24
"""Random directions in which windows are compared."""
_SITUATIONS = 20
"""Groups of similar observations, or of similar actions, at most."""
_SURE = 0.8
"""Share of a window's decisions that its own group gets at first."""


def starting_weights(
    states: Int[np.ndarray, " N"],
    actions: Int[np.ndarray, " N"],
    chains: Chains,
    k: int,
    restarts: int,
    rng: np.random.Generator,
    *,
    whole: bool,
) -> Float[np.ndarray, "N R K"]:
    """Shares of k intentions in each decision, from groups of windows with similar behaviour.

    Chains are cut into windows. What is done in a window, beyond what is usual in its states, is
    seen from random directions and grouped by k-means (k-means++ beginnings), with other windows,
    directions and beginnings in each restart.

    Args:
        states: `[N]`.
        actions: `[N]`, -1 where missing.
        chains: The N decisions.
        k: Number of intentions.
        restarts: R.
        rng: Random choices.
        whole: Whether a window is a whole chain.
    """
    weights = np.full((states.size, restarts, k), 1.0 / k)
    if k == 1:
        return weights
    residual = _residual(states, actions)
    for r in range(restarts):
        window = _windows(chains, states.size if whole else _WINDOWS[r % len(_WINDOWS)])
        group = _groups(window, residual, k, rng)
        shares = np.full((group.size, k), (1 - _SURE) / (k - 1))
        shares[np.arange(group.size), group] = _SURE
        weights[:, r] = shares[window]
    return weights


def situations(
    demonstrations: Demonstrations, mdp: MDP | None, rng: np.random.Generator
) -> Int[np.ndarray, " N"]:
    """A number for the situation of each decision, for windows to be compared by: its state, or
    where states are features one of a few groups of similar ones.
    """
    if mdp is not None:
        return align(demonstrations, mdp)
    if demonstrations.states.ndim == 1:
        return demonstrations.states
    return _kinds(demonstrations.states, rng)


def deeds(demonstrations: Demonstrations, rng: np.random.Generator) -> Int[np.ndarray, " N"]:
    """A number for what was done at each decision, -1 where that is missing: its action, or where
    actions are continuous one of a few groups of similar ones.
    """
    if demonstrations.actions.ndim == 1:
        return demonstrations.actions
    acted = demonstrations.acted
    found = np.full(acted.size, -1, dtype=np.int64)
    found[acted] = _kinds(demonstrations.actions[acted], rng)
    return found


def _kinds(values: np.ndarray, rng: np.random.Generator) -> Int[np.ndarray, " N"]:
    """Groups of similar rows."""
    flat = values.reshape(len(values), -1).astype(np.float64)
    spread = flat.std(axis=0)
    scaled = (flat - flat.mean(axis=0)) / np.where(spread > 0, spread, 1.0)
    if scaled.shape[1] > _DIRECTIONS:
        scaled = scaled @ rng.normal(size=(scaled.shape[1], _DIRECTIONS))
    return _nearest(scaled, min(_SITUATIONS, max(len(flat) // 10, 1)), rng)


def _residual(states: Int[np.ndarray, " N"], actions: Int[np.ndarray, " N"]) -> sparse.csr_array:
    """`[N, S * A]` what was done less what is usual in that state, each state on its own scale."""
    acted = np.flatnonzero(actions >= 0)
    num_states, num_actions = int(states.max()) + 1, int(max(actions.max(), 0)) + 1
    cell = states[acted] * num_actions + actions[acted]
    counts = np.bincount(cell, minlength=num_states * num_actions).reshape(num_states, num_actions)
    total = counts.sum(axis=1)
    usual = counts / np.maximum(total, 1)[:, None]
    # A rare state tells little about a window, whatever was done in it.
    scale = np.sqrt(total / (total + 10.0))
    here = states[acted]
    shape = (states.size, num_states * num_actions)
    done = sparse.coo_array((scale[here], (acted, cell)), shape=shape)
    every = (here[:, None] * num_actions + np.arange(num_actions)).ravel()
    expected = (scale[here, None] * usual[here]).ravel()
    rows = np.repeat(acted, num_actions)
    return (done - sparse.coo_array((expected, (rows, every)), shape=shape)).tocsr()


def _windows(chains: Chains, length: int) -> Int[np.ndarray, " N"]:
    """Window of each decision, numbered from 0: pieces of chains of at most `length` decisions."""
    begins = np.append(True, chains.chain_of[1:] != chains.chain_of[:-1])
    first = np.flatnonzero(begins)
    step = np.arange(begins.size) - first[chains.chain_of]
    return np.cumsum(begins | (step % length == 0)) - 1


def _groups(
    window: Int[np.ndarray, " N"], residual: sparse.csr_array, k: int, rng: np.random.Generator
) -> Int[np.ndarray, " W"]:
    """Groups of windows; random ones where there are too few different windows."""
    size = int(window[-1]) + 1
    directions = rng.normal(size=(residual.shape[1], _DIRECTIONS))
    member = sparse.csr_array(
        (np.ones(window.size), (window, np.arange(window.size))), shape=(size, window.size)
    )
    seen = member @ (residual @ directions)
    seen /= np.sqrt(np.asarray(member.sum(axis=1)))[:, None]
    if size <= k or np.ptp(seen, axis=0).max() < 1e-9:
        return rng.permutation(size) % k
    return _nearest(seen, k, rng)


def _nearest(
    points: Float[np.ndarray, "N D"], k: int, rng: np.random.Generator
) -> Int[np.ndarray, " N"]:
    """Groups of points by k-means, some perhaps empty, which is no loss."""
    from scipy.cluster.vq import kmeans2  # takes a while to load, and only intentions need it

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return kmeans2(points, k, iter=20, minit="++", rng=rng)[1].astype(np.int64)
