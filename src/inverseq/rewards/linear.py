"""What a reward may depend on: from free numbers to a reward, and what the prior charges them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Float
from scipy import sparse

from inverseq._core.errors import InputError
from inverseq.mdp import MDP
from inverseq.rewards.tables import FeatureReward, StateActionReward, StateReward

RewardOn = Literal["states", "state-actions", "features"]
Prior = Literal["gaussian", "smooth"]

_RIDGE = 0.1
"""Share of the Gaussian prior in the smoothness prior: it settles what smoothness leaves open."""


@dataclass(frozen=True, eq=False)
class Design:
    """A reward that is linear in F free numbers.

    Attributes:
        matrix: `[S * A, F]` reward of each state and action = matrix @ weights; rows of actions
            that do not exist are empty.
        penalty: `[F, F]` the prior at strength 1 charges weights @ penalty @ weights / 2 nats.
        on: What the reward depends on.
    """

    matrix: sparse.csr_array
    penalty: sparse.csr_array
    on: RewardOn

    @property
    def num_weights(self) -> int:
        """F."""
        return self.matrix.shape[1]

    def reward(self, weights: Float[np.ndarray, "F *R"], mdp: MDP) -> Float[np.ndarray, "S A *R"]:
        """The reward of each state and action."""
        flat = self.matrix @ weights
        return flat.reshape(mdp.num_states, mdp.num_actions, *weights.shape[1:])

    def function(
        self, weights: Float[np.ndarray, " F"], mdp: MDP
    ) -> StateReward | StateActionReward | FeatureReward:
        """The same as a record that says what it depends on."""
        if self.on == "states":
            return StateReward(weights)
        if self.on == "features":
            return FeatureReward(weights)
        return StateActionReward(self.reward(weights, mdp))

    def pulls(self, draws: Sequence[np.random.Generator]) -> Float[np.ndarray, "F R"]:
        """Normal numbers with the covariance `penalty`, once with each generator.

        Off its diagonal the penalty is 0 or below: it adds up squares of differences of two weights
        and squares of single ones, and each of these gets a normal number.
        """
        links = sparse.triu(self.penalty, 1, format="coo")
        size, ends = self.num_weights, np.arange(links.nnz)
        apart = sparse.csr_array((np.sqrt(-links.data), (links.row, ends)), (size, links.nnz))
        apart -= sparse.csr_array((np.sqrt(-links.data), (links.col, ends)), (size, links.nnz))
        alone = np.sqrt(np.maximum(np.asarray(self.penalty.sum(axis=1)).ravel(), 0.0))
        each = [one.standard_normal(links.nnz + size) for one in draws]
        return np.stack([apart @ n[: links.nnz] + alone * n[links.nnz :] for n in each], axis=1)


def make_design(mdp: MDP, on: RewardOn, prior: Prior) -> Design:
    """The design of a reward on states, on state-action pairs that exist, or on features.

    Raises:
        InputError: The world has no features, or smoothness is asked of features.
    """
    exists = mdp.allowed.ravel()
    if on == "features":
        if mdp.features is None:
            raise InputError(
                "this world has no features; give MDP(features=[S, A, F]) or use "
                'MaxEnt(reward="states")'
            )
        if prior == "smooth":
            raise InputError('a smooth prior needs a reward on states; use prior="gaussian"')
        flat = mdp.features.reshape(exists.size, -1)
        matrix = sparse.csr_array(flat * exists[:, None])
        return Design(matrix, sparse.csr_array(sparse.eye_array(flat.shape[1])), on)
    rows = np.flatnonzero(exists)
    state = rows // mdp.num_actions
    if on == "states":
        columns, count = state, mdp.num_states
    elif on == "state-actions":
        columns, count = np.arange(rows.size), rows.size
    else:
        raise InputError(f'reward must be "states", "state-actions" or "features"; got {on!r}')
    ones = np.ones(rows.size)
    matrix = sparse.coo_array((ones, (rows, columns)), shape=(exists.size, count)).tocsr()
    if prior == "gaussian":
        return Design(matrix, sparse.csr_array(sparse.eye_array(count)), on)
    if prior != "smooth":
        raise InputError(f'prior must be "gaussian" or "smooth"; got {prior!r}')
    laplacian = smoothness(mdp)
    if on == "state-actions":
        everywhere = sparse.kron(laplacian, sparse.eye_array(mdp.num_actions), format="csr")
        edges = everywhere[rows][:, rows]
        # Pairs that do not exist are no neighbours: what they took from the diagonal goes back.
        laplacian = edges - sparse.diags_array(np.asarray(edges.sum(1)).ravel())
    return Design(matrix, sparse.csr_array(laplacian + _RIDGE * sparse.eye_array(count)), on)


def smoothness(mdp: MDP) -> sparse.csr_array:
    """`[S, S]` graph Laplacian of the world: x' L x adds (x_i - x_j)^2 over neighbours i, j.

    Without history, neighbours are states that one action links. With history, they are the
    states that share the present state and differ in their past, each edge weighed by one over
    the number of pasts, so that weights shrink towards their common mean.
    """
    size = mdp.num_states
    if mdp.history is None:
        edges = mdp.transition_matrix.tocoo()
        source = edges.row // mdp.num_actions
        link = sparse.coo_array((np.ones(edges.nnz), (source, edges.col)), shape=(size, size))
        weights = sparse.csr_array(link + link.T)
        weights.data[:] = 1.0
    else:
        base = mdp.history.base
        member = sparse.coo_array(
            (np.ones(size), (np.arange(size), base)), shape=(size, mdp.history.num_base_states)
        ).tocsr()
        share = np.asarray(member.sum(0)).ravel()
        weights = sparse.csr_array((member / np.maximum(share, 1)) @ member.T)
    weights = weights - sparse.diags_array(weights.diagonal())
    return sparse.csr_array(sparse.diags_array(np.asarray(weights.sum(1)).ravel()) - weights)
