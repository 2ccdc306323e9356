"""The E-step: what `messages` finds, in the quickest way that the model allows.

Where every transition has a probability far above the smallest number, an intention is never ruled
out for good: the next decision finds it at 1e-100 or more, so that rounding a belief of less than
1e-308 to zero changes nothing that can be seen later. Then probabilities, normalised at each
decision (Rabiner 1989, section V A), are as exact as logarithms and several times as quick. Where
intentions never change, sums over chains are enough. Everything else goes through logarithms.
"""

from typing import no_type_check

import numpy as np
from jaxtyping import Float, Int
from scipy import sparse
from scipy.special import logsumexp

from inverseq.intentions.messages import Expected, Model, forward, smooth

_RARE = np.log(1e-100)
"""Logarithm of the rarest transition with which probabilities are safe."""
_PAIRS = 2**21
"""Pairs of intentions held at once."""


def expectation(model: Model) -> tuple[Expected, Float[np.ndarray, " R"]]:
    """What is expected of the hidden intentions, and the log-likelihood of all decisions.

    Returns:
        Posteriors and expected transitions as `messages.smooth` has them, and `[R]`
        log-likelihoods.
    """
    # `[R, K, N]`: a maximum over a few intentions runs along decisions, ten times as quick.
    likely = model.likelihood[model.chains.rows].transpose(1, 2, 0).copy()
    top = likely.max(axis=1)
    if np.isfinite(top).all():
        if _never(model):
            return _whole_chains(model)
        if min(model.initial.min(), model.transition.min()) > _RARE:
            return _in_probabilities(model, likely, top)
    beliefs = forward(model)
    return smooth(model, beliefs), beliefs.evidence.sum(axis=0)


def _never(model: Model) -> bool:
    """Whether intentions cannot change."""
    return len(model.transition) == 1 and bool(
        (model.transition[0] == np.where(np.eye(model.initial.shape[1]), 0.0, -np.inf)).all()
    )


def _whole_chains(model: Model) -> tuple[Expected, Float[np.ndarray, " R"]]:
    """One intention per chain."""
    chain = model.chains
    first = np.sort(chain.rows[chain.at[0]])
    joint = model.initial + np.add.reduceat(model.likelihood, first, axis=0)
    total = logsumexp(joint, axis=-1, keepdims=True)
    belief = np.exp(joint - total)
    steps = np.bincount(chain.chain_of) - 1
    kept = np.einsum("c,crk->rk", steps, belief)
    transitions = np.where(np.eye(kept.shape[1], dtype=bool), kept[:, None], 0.0)[None]
    expected = Expected(belief[chain.chain_of], belief.sum(axis=0), transitions)
    return expected, total[..., 0].sum(axis=0)


def _in_probabilities(
    model: Model, likely: Float[np.ndarray, "R K N"], top: Float[np.ndarray, "R N"]
) -> tuple[Expected, Float[np.ndarray, " R"]]:
    """The filter and the smoother; arrays are `[R, K, N]` inside, decisions in order of time, so
    that the innermost loops of NumPy run along decisions and not along a few intentions. `likely`,
    log-likelihoods and the `top` of each decision, is written over.
    """
    chain = model.chains
    likely -= top[:, None]
    np.exp(likely, out=likely)
    switch = np.exp(model.transition).transpose(1, 0, 2, 3).copy()
    context = model.context[chain.rows] if switch.shape[1] > 1 else None
    filtered = np.empty_like(likely)
    evidence = np.empty((likely.shape[0], likely.shape[2]))
    predicted = np.exp(model.initial)[:, :, None]
    ahead, first = switch.swapaxes(-1, -2).copy(), chain.num_chains
    before = np.empty((*likely.shape[:2], chain.num_decisions - first))
    for step in range(chain.num_steps):
        here = chain.at[step]
        if step > 0:
            known = filtered[:, :, chain.before[step]]
            before[:, :, here.start - first : here.stop - first] = known
            predicted = _through(known, ahead, context, here)
        joint = predicted * likely[:, :, here]
        evidence[:, here] = total = np.einsum("rkn->rn", joint)
        np.divide(joint, total[:, None], out=filtered[:, :, here])
    likely /= evidence[:, None]
    later = np.ones_like(likely)
    for step in range(chain.num_steps - 1, 0, -1):
        here = chain.at[step]
        likely[:, :, here] *= later[:, :, here]
        later[:, :, chain.before[step]] = _through(likely[:, :, here], switch, context, here)
    later *= filtered
    later /= later.sum(axis=1, keepdims=True)
    place = np.empty_like(chain.rows)
    place[chain.rows] = np.arange(place.size)
    expected = Expected(
        smoothed=later.transpose(2, 0, 1)[place],
        initial=later[:, :, chain.at[0]].sum(axis=2),
        transitions=_transitions(
            before, likely[:, :, first:], switch, None if context is None else context[first:]
        ),
    )
    return expected, np.log(evidence).sum(axis=1) + top.sum(axis=1)


@no_type_check  # where annotations are executed, they cost more than the product itself
def _through(belief, switch, context, here):
    """Transitions `[R, M, K, K]` of each decision times beliefs `[R, K, n]`."""
    if context is None:
        return switch[:, 0] @ belief
    return np.einsum("rnij,rjn->rin", switch[:, context[here]], belief)


def _transitions(
    before: Float[np.ndarray, "R K n"],
    ahead: Float[np.ndarray, "R K n"],
    switch: Float[np.ndarray, "R M K K"],
    context: Int[np.ndarray, " n"] | None,
) -> Float[np.ndarray, "M R K K"]:
    """Expected number of transitions by context, from beliefs before them and news after them."""
    if context is None:
        pairs = before @ ahead.swapaxes(1, 2)
        return (pairs[:, None] * switch).transpose(1, 0, 2, 3)
    restarts, num_contexts, k = switch.shape[:3]
    sums = np.zeros((num_contexts, restarts * k * k))
    for start in range(0, context.size, max(_PAIRS // sums.shape[1], 1)):
        rows = slice(start, start + max(_PAIRS // sums.shape[1], 1))
        pair = np.einsum("rin,rjn->nrij", before[:, :, rows], ahead[:, :, rows])
        where = (context[rows], np.arange(len(pair)))
        member = sparse.csr_array((np.ones(len(pair)), where), shape=(num_contexts, len(pair)))
        sums += member @ pair.reshape(len(pair), -1)
    return sums.reshape(num_contexts, restarts, k, k) * switch.transpose(1, 0, 2, 3)
