"""The fixed point of the sampled updates, solved directly.

Where the updates of inverse Q-learning stand still in the mean, the transitions are their observed
shares (Q^Sh = gamma E[V(s')], Q = r + Q^Sh, V = max Q) and the policy is the observed one, with the
smoothing inside the logarithm, l(s, a) = log(pi(a | s) + eps). Pairs that were never seen are never
updated: r, Q and Q^Sh stay 0 there, and enter the reward of the others as they are. What
r(s, a) = eta(s, a) + mean over the others of (r - eta), eta = l - Q^Sh, then says depends on what
was seen of the state:

* Nothing: r = Q = 0 for all its actions.
* Some actions, not all. Every seen action has the same r - eta, namely -log eps, which the actions
  never seen settle: Q(s, a) = l(s, a) - log eps for all actions, so that V is known.
* All. The equations leave one number per state open, Q(s, a) = l(s, a) + c(s). Small updates keep
  sum_a r(s, a) / n(s, a) at 0, where it begins, because the reward of an action moves in proportion
  to its visits n. So sum_a w r = 0 with weights w proportional to 1 / n, and V = max l + c obeys a
  linear system, (I - gamma P_w) V = max_a l - sum_a w l, where V is known in the other states.

Nothing pulls c(s) back when larger steps or steps that fade early push it away; see the page of the
algorithm. The paper's other solver, IAVI, chooses c(s) such that the rewards of a state sum to 0.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from scipy import sparse

from inverseq._core.linear import prepare
from inverseq._core.status import Status
from inverseq.inverse.values.iql_transitions import Transitions


@dataclass(frozen=True, eq=False)
class FixedPoint:
    """Where the updates stand still; 0 at actions that do not exist and at pairs never seen.

    Attributes:
        reward: `[S, A]` r.
        q: `[S, A]` Q.
        v: `[S]` the largest Q of the actions that exist.
        status: How the linear system was solved.
    """

    reward: Float[np.ndarray, "S A"]
    q: Float[np.ndarray, "S A"]
    v: Float[np.ndarray, " S"]
    status: Status


def fixed_point_of(transitions: Transitions, smoothing: float) -> FixedPoint:
    """The point that sampled inverse Q-learning tends to as its constant steps become small.

    Args:
        transitions: What it learns from.
        smoothing: eps, added to the observed shares inside the logarithm.

    Raises:
        InputError: The discount is 1 and the observed process does not end.
    """
    mdp, counts = transitions.mdp, transitions.counts
    seen, visits = counts > 0, counts.sum(1)
    visited = visits > 0
    share = counts / np.maximum(visits, np.finfo(float).tiny)[:, None]
    log_share = np.where(mdp.allowed & visited[:, None], np.log(share + smoothing), 0.0)
    top = np.where(mdp.allowed, log_share, -np.inf).max(1)
    complete = visited & (seen == mdp.allowed).all(1)
    known = np.where(visited, top - np.log(smoothing), 0.0)
    slowness = np.where(seen & complete[:, None], 1 / np.where(seen, counts, 1.0), 0.0)
    weights = slowness / np.where(complete, slowness.sum(1), 1.0)[:, None]
    right = np.where(complete, top - (weights * log_share).sum(1), known)
    v, status = prepare(_mixed(transitions, weights), mdp.discount).solve(right)
    offset = np.where(visited, v - top, 0.0)[:, None]
    q = np.where(seen, log_share + offset, 0.0)
    ahead = mdp.discount * (transitions.shares @ v).reshape(q.shape)
    return FixedPoint(np.where(seen, q - ahead, 0.0), q, v, status)


def _mixed(transitions: Transitions, weights: Float[np.ndarray, "S A"]) -> sparse.csr_array:
    """`[S, S]` observed transitions, averaged over actions with `weights`."""
    states, actions = weights.shape
    pointer = np.arange(0, states * actions + 1, actions, dtype=np.int32)
    cells = np.arange(states * actions, dtype=np.int32)
    mean = sparse.csr_array((weights.ravel(), cells, pointer), shape=(states, states * actions))
    mixed = mean @ transitions.shares
    mixed.eliminate_zeros()
    return mixed
