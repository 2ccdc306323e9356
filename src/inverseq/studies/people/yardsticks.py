"""Walkers without foresight: what people in mazes can be predicted by without a reward.

Each chooses by features of the next move alone, softmax with fitted weights, and may lapse: with a
fitted probability any action that exists is taken, equally often. Where a walker is allowed to know
the way, the shortest path is given to it, not planned by it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float
from scipy.optimize import minimize

from inverseq._core.status import Outcome, Status
from inverseq.decisions.counts import count
from inverseq.demonstrations import Demonstrations
from inverseq.inverse.solution import Solution
from inverseq.mdp import MDP, unite
from inverseq.policies import TabularPolicy, boltzmann, uniform

PATH_FEATURES = ("nearer by path", "nearer by line")
"""Steps by which a move shortens the way to the goal, and the distance without walls."""

_LAPSE_LOGITS = (-15.0, 5.0)


@dataclass(frozen=True)
class Greedy:
    """A walker without foresight.

    Attributes:
        features: What it looks at; none for a walker that knows nothing.
        lapse: Whether it lapses.
    """

    features: tuple[str, ...]
    lapse: bool = False

    @property
    def numbers(self) -> int:
        """How many are fitted."""
        return len(self.features) + self.lapse


def with_paths(mdp: MDP) -> MDP:
    """The world of a maze with `PATH_FEATURES` added to its features.

    Moves that do not change the cell are worth 0, and so is every move from where nothing is
    known to be nearer: at the goal.
    """
    distance = _path_lengths(mdp)
    coordinates = np.asarray(mdp.coordinates)
    goal = coordinates[np.flatnonzero(mdp.terminal)[0]]
    line = np.abs(coordinates - goal).sum(1)
    following = mdp.successors[:, :, 0]
    gains = [d[:, None] - d[following] for d in (distance, line)]
    gains = np.where(mdp.terminal[:, None, None], 0.0, np.stack(gains, axis=-1))
    features = gains if mdp.features is None else np.concatenate([mdp.features, gains], axis=2)
    names = (*mdp.feature_names, *PATH_FEATURES)
    return replace(mdp, features=features, feature_names=names)


def fit_greedy(walker: Greedy, train: Demonstrations, worlds: Mapping[str, MDP]) -> np.ndarray:
    """The most likely weights, and the logit of the lapses behind them."""
    mdp = unite(worlds)
    counts = count(train, mdp).state_action
    looked_at = _chosen(mdp, walker)
    start = np.append(np.zeros(looked_at.shape[2]), [-3.0] * walker.lapse)

    def cost(x: np.ndarray) -> tuple[float, np.ndarray]:
        choice, lapse = _choice(looked_at, mdp, x, walker.lapse)
        policy = (1 - lapse) * choice + lapse * uniform(mdp.allowed)
        log_likelihood = (counts * np.log(np.where(counts > 0, policy, 1.0))).sum()
        # Each decision counts for the weights as far as it was no lapse.
        meant = counts * (1 - lapse) * choice / np.where(policy > 0, policy, 1.0)
        missing = meant - choice * meant.sum(1, keepdims=True)
        slope = np.einsum("sa,saf->f", missing, looked_at)
        if walker.lapse:
            slope = np.append(slope, (counts - meant).sum() - lapse * counts.sum())
        return -log_likelihood / counts.sum(), -slope / counts.sum()

    if not start.size:
        return start
    bounds = [(None, None)] * looked_at.shape[2] + [_LAPSE_LOGITS] * walker.lapse
    return minimize(cost, start, jac=True, method="L-BFGS-B", bounds=bounds).x


def greedy_solution(
    walker: Greedy, numbers: Float[np.ndarray, " X"], worlds: Mapping[str, MDP]
) -> Solution:
    """The policy of a fitted walker in `worlds`."""
    mdp = unite(worlds)
    choice, lapse = _choice(_chosen(mdp, walker), mdp, numbers, walker.lapse)
    return Solution(
        solver="Greedy",
        settings={"features": walker.features, "lapse": lapse},
        policy=TabularPolicy((1 - lapse) * choice + lapse * uniform(mdp.allowed)),
        status=Status(Outcome.CONVERGED),
        mdp=mdp,
        parameters={"weights": numbers[: len(walker.features)]},
        num_parameters=walker.numbers,
    )


def _chosen(mdp: MDP, walker: Greedy) -> Float[np.ndarray, "S A F"]:
    """The features a walker looks at."""
    assert mdp.features is not None  # `with_paths` has added some
    columns: Sequence[int] = [mdp.feature_names.index(name) for name in walker.features]
    return mdp.features[:, :, list(columns)]


def _choice(
    looked_at: Float[np.ndarray, "S A F"], mdp: MDP, numbers: np.ndarray, lapses: bool
) -> tuple[Float[np.ndarray, "S A"], float]:
    """The policy without lapses, and the share of lapses."""
    lapse = float(1 / (1 + np.exp(-numbers[-1]))) if lapses else 0.0
    return boltzmann(looked_at @ numbers[: looked_at.shape[2]], mdp.allowed), lapse


def _path_lengths(mdp: MDP) -> Float[np.ndarray, " S"]:
    """Moves from each state to the goal at least."""
    lengths = np.where(mdp.terminal, 0.0, np.inf)
    while True:
        ahead = lengths[mdp.successors[:, :, 0]].min(1) + 1
        shorter = np.where(mdp.terminal, 0.0, np.minimum(lengths, ahead))
        if (shorter == lengths).all():
            return lengths
        lengths = shorter
