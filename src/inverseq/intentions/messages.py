"""Exact inference in a chain of hidden intentions: filter, smoother, best path, samples.

The model: p(z_0) = initial, p(z_t = j | z_t-1 = i) = transition[i, j] (of the context of decision
t, where there are several), and decision t has likelihood b_t(z_t). All in logarithms, so that
certainty about an intention can always be undone by later evidence; R models (restarts) at once.
Baum and others 1970; Rabiner 1989, section III; the normalisation follows the filter, so that
`filtered + backward` is the logarithm of the smoothed posterior without further scaling.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int
from scipy import sparse

from inverseq.intentions.chains import Chains

_ROWS = 4096
"""Decisions whose pairs of intentions are held at once."""


@dataclass(frozen=True, eq=False)
class Model:
    """What the recursions read. Logarithms; -inf stands for probability zero.

    Attributes:
        initial: `[R, K]`.
        transition: `[M, R, K, K]` from intention i to j, for each of M contexts.
        likelihood: `[N, R, K]` of each decision under each intention; 0 where it is missing.
        context: `[N]` which transition leads into each decision; not read where a chain begins.
        chains: The N decisions.
    """

    initial: Float[np.ndarray, "R K"]
    transition: Float[np.ndarray, "M R K K"]
    likelihood: Float[np.ndarray, "N R K"]
    context: Int[np.ndarray, " N"]
    chains: Chains

    def into(self, step: int) -> Float[np.ndarray, "n R K K"]:
        """Transitions into the decisions of `step`; one row where all are the same."""
        if len(self.transition) == 1:
            return self.transition
        return self.transition[self.context[self.chains.rows[self.chains.at[step]]]]


@dataclass(frozen=True, eq=False)
class Filtered:
    """What is believed on the way, in logarithms.

    Attributes:
        predicted: `[N, R, K]` p(intention | decisions before).
        filtered: `[N, R, K]` p(intention | decisions up to and including this one).
        evidence: `[N, R]` p(decision | decisions before); -inf where no intention can make it.
    """

    predicted: Float[np.ndarray, "N R K"]
    filtered: Float[np.ndarray, "N R K"]
    evidence: Float[np.ndarray, "N R"]


def forward(model: Model) -> Filtered:
    """The filter.

    Returns:
        Beliefs before and after each decision, and the predictive log-likelihood of each.
    """
    chain = model.chains
    likelihood = model.likelihood[chain.rows]
    predicted = np.empty_like(likelihood)
    filtered = np.empty_like(likelihood)
    evidence = np.empty(likelihood.shape[:2])
    for step in range(chain.num_steps):
        here = chain.at[step]
        if step == 0:
            predicted[here] = model.initial
        else:
            before = filtered[chain.offsets[step - 1] :][: here.stop - here.start]
            joint = before[..., :, None] + model.into(step)
            predicted[here] = _log_sum(joint, axis=-2)
        joint = predicted[here] + likelihood[here]
        evidence[here] = _log_sum(joint, axis=-1)
        # A decision that no intention can make says nothing about which one it was.
        possible = np.isfinite(evidence[here])[..., None]
        filtered[here] = np.where(possible, joint, predicted[here])
        filtered[here] -= np.where(possible, evidence[here][..., None], 0.0)
    back = np.argsort(chain.rows)
    return Filtered(predicted[back], filtered[back], evidence[back])


def backward(model: Model, beliefs: Filtered) -> Float[np.ndarray, "N R K"]:
    """Logarithm of p(later decisions | intention) / p(later decisions | decisions so far)."""
    chain = model.chains
    gain = _gain(model, beliefs)[chain.rows]
    later = np.zeros_like(gain)
    for step in range(chain.num_steps - 1, 0, -1):
        here = chain.at[step]
        joint = model.into(step) + (gain[here] + later[here])[..., None, :]
        start = chain.offsets[step - 1]
        later[start : start + here.stop - here.start] = _log_sum(joint, axis=-1)
    return later[np.argsort(chain.rows)]


@dataclass(frozen=True, eq=False)
class Expected:
    """Sufficient statistics of the hidden intentions.

    Attributes:
        smoothed: `[N, R, K]` p(intention | all decisions of the chain).
        initial: `[R, K]` expected number of chains that begin with each intention.
        transitions: `[M, R, K, K]` expected number of transitions, by context.
    """

    smoothed: Float[np.ndarray, "N R K"]
    initial: Float[np.ndarray, "R K"]
    transitions: Float[np.ndarray, "M R K K"]


def smooth(model: Model, beliefs: Filtered) -> Expected:
    """Posteriors given whole chains, and the transitions expected under them."""
    later = backward(model, beliefs)
    smoothed = np.exp(beliefs.filtered + later)
    smoothed /= smoothed.sum(axis=-1, keepdims=True)
    chain = model.chains
    first = chain.rows[chain.at[0]]
    shape = model.transition.shape
    transitions = np.zeros((shape[0], int(np.prod(shape[1:]))))
    following = np.delete(np.arange(chain.num_decisions), first)
    ahead = _gain(model, beliefs) + later
    for start in range(0, following.size, _ROWS):
        rows = following[start : start + _ROWS]
        between = model.transition if shape[0] == 1 else model.transition[model.context[rows]]
        before = beliefs.filtered[rows - 1][..., :, None]
        pair = np.exp(before + between + ahead[rows][..., None, :])
        flat = pair.reshape(rows.size, -1)
        if shape[0] == 1:
            transitions[0] += flat.sum(axis=0)
        else:
            where = (model.context[rows], np.arange(rows.size))
            sums = sparse.csr_array((np.ones(rows.size), where), shape=(shape[0], rows.size))
            transitions += sums @ flat
    return Expected(smoothed, smoothed[first].sum(axis=0), transitions.reshape(shape))


def best_path(model: Model) -> Int[np.ndarray, "N R"]:
    """The most likely intentions of each chain as a whole (Viterbi 1967)."""
    chain = model.chains
    likelihood = model.likelihood[chain.rows]
    score = np.empty_like(likelihood)
    origin = np.zeros(likelihood.shape, dtype=np.int64)
    for step in range(chain.num_steps):
        here = chain.at[step]
        if step == 0:
            score[here] = model.initial + likelihood[here]
            continue
        before = score[chain.offsets[step - 1] :][: here.stop - here.start]
        joint = before[..., :, None] + model.into(step)
        origin[here] = joint.argmax(axis=-2)
        score[here] = joint.max(axis=-2) + likelihood[here]
    path = score.argmax(axis=-1)
    for step in range(chain.num_steps - 1, 0, -1):
        here = chain.at[step]
        start = chain.offsets[step - 1]
        came = np.take_along_axis(origin[here], path[here][..., None], axis=-1)[..., 0]
        path[start : start + here.stop - here.start] = came
    return path[np.argsort(chain.rows)]


def sample_paths(
    model: Model, beliefs: Filtered, rng: np.random.Generator
) -> Int[np.ndarray, "N R"]:
    """One draw of the intentions of each chain from their posterior (filter forward, draw back)."""
    chain = model.chains
    filtered = beliefs.filtered[chain.rows]
    noise = rng.gumbel(size=filtered.shape)
    path = (filtered + noise).argmax(axis=-1)
    for step in range(chain.num_steps - 1, 0, -1):
        here = chain.at[step]
        span = slice(chain.offsets[step - 1], chain.offsets[step - 1] + here.stop - here.start)
        between = np.broadcast_to(
            model.into(step), (*path[here].shape, *model.transition.shape[2:])
        )
        into = np.take_along_axis(between, path[here][..., None, None], axis=-1)[..., 0]
        path[span] = (filtered[span] + into + noise[span]).argmax(axis=-1)
    return path[np.argsort(chain.rows)]


def _gain(model: Model, beliefs: Filtered) -> Float[np.ndarray, "N R K"]:
    """Likelihood over evidence of each decision; 0 (no news) where no intention can make it."""
    possible = np.isfinite(beliefs.evidence)[..., None]
    evidence = np.where(possible, beliefs.evidence[..., None], 0.0)
    return np.where(possible, model.likelihood - evidence, 0.0)


def _log_sum(values: np.ndarray, axis: int) -> np.ndarray:
    """Logarithm of the sum of exponentials; -inf of nothing but -inf."""
    top = values.max(axis=axis, keepdims=True)
    top[~np.isfinite(top)] = 0.0
    total = np.exp(values - top).sum(axis=axis)
    with np.errstate(divide="ignore"):
        return np.log(total) + np.squeeze(top, axis)
