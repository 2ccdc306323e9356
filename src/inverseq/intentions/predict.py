"""What a fit with several intentions believes about them."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from inverseq.demonstrations import Demonstrations
from inverseq.intentions.messages import best_path, forward, sample_paths, smooth
from inverseq.intentions.solution import IntentionSolution, several
from inverseq.inverse.explanation import Explanation, check_arguments


@dataclass(frozen=True, eq=False)
class Posterior:
    """What is believed about the intention behind each of N decisions.

    Attributes:
        predicted: `[N, K]` p(intention | decisions before this one): what a forecast may use.
        filtered: `[N, K]` p(intention | decisions up to this one).
        smoothed: `[N, K]` p(intention | all decisions of the chain).
        path: `[N]` the most likely intentions of each chain as a whole (Viterbi).
        evidence: `[N]` log-likelihood of each decision given those before it; 0 where missing.
    """

    predicted: Float[np.ndarray, "N K"]
    filtered: Float[np.ndarray, "N K"]
    smoothed: Float[np.ndarray, "N K"]
    path: Int[np.ndarray, " N"]
    evidence: Float[np.ndarray, " N"]


def posterior(solution: Explanation, demonstrations: Demonstrations) -> Posterior:
    """Beliefs about the intentions behind `demonstrations`, seen in the fit or not.

    Args:
        solution: Of `fit` with `Intentions`.
        demonstrations: N decisions.

    Raises:
        InputError: A decision does not fit the world, or a column that the switching depends on is
            not there.
    """
    solution = several(solution, demonstrations, "posterior")
    model = solution.model(demonstrations)
    beliefs = forward(model)
    return Posterior(
        predicted=np.exp(beliefs.predicted[:, 0]),
        filtered=np.exp(beliefs.filtered[:, 0]),
        smoothed=smooth(model, beliefs).smoothed[:, 0],
        path=best_path(model)[:, 0],
        evidence=beliefs.evidence[:, 0],
    )


def likely_path(solution: Explanation, demonstrations: Demonstrations) -> Int[np.ndarray, " N"]:
    """`posterior(...).path`, without what takes longer to find.

    Args:
        solution: Of `fit` with `Intentions`.
        demonstrations: N decisions.

    Raises:
        InputError: As `posterior`.
    """
    solution = several(solution, demonstrations, "likely_path")
    return best_path(solution.model(demonstrations))[:, 0]


def sample_intentions(
    solution: Explanation, demonstrations: Demonstrations, draws: int, seed: int
) -> Int[np.ndarray, "draws N"]:
    """Intentions of `demonstrations` drawn from their posterior, each draw as a whole path.

    Args:
        solution: Of `fit`; all draws of a solution with one intention are that one, number 0.
        demonstrations: N decisions.
        draws: How many.
        seed: Of the random choices.
    """
    check_arguments(solution, demonstrations, "sample_intentions")
    if not isinstance(solution, IntentionSolution):
        return np.zeros((draws, demonstrations.num_decisions), dtype=np.int64)
    model = solution.model(demonstrations)
    beliefs = forward(model)
    rng = np.random.default_rng(seed)
    return np.stack([sample_paths(model, beliefs, rng)[:, 0] for _ in range(draws)])
