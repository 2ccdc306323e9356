"""What a fit expects at each decision, and what it believes about hidden intentions."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

from inverseq.alignment import align, check_existing
from inverseq.demonstrations import Demonstrations
from inverseq.intentions.chains import chains
from inverseq.intentions.messages import Model, best_path, forward, sample_paths, smooth
from inverseq.intentions.solution import IntentionSolution
from inverseq.inverse import predict
from inverseq.inverse.solution import Solution


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


def action_probabilities(
    solution: Solution | IntentionSolution, demonstrations: Demonstrations
) -> Float[np.ndarray, "N A"]:
    """Probability of each action at each decision, rows with a missing action included.

    A row depends on the present state and the trajectory before it, never on the action taken
    there nor on anything later. Several intentions are weighed by the filter: p(intention |
    decisions before).

    Args:
        solution: What `fit` returned.
        demonstrations: N decisions, in the world (or worlds) of `solution.mdp`.

    Returns:
        `[N, A]`; 0 at actions that do not exist, rows sum to one.

    Raises:
        InputError: A decision does not fit the world, or a count table is asked about a world in
            which it has counted nothing.
    """
    if isinstance(solution, Solution):
        return predict.action_probabilities(solution, demonstrations)
    each = _each(solution, demonstrations)
    beliefs = forward(_model(solution, demonstrations, each))
    return np.einsum("nk,nka->na", np.exp(beliefs.predicted[:, 0]), each)


def existing_actions(
    solution: Solution | IntentionSolution, demonstrations: Demonstrations
) -> Bool[np.ndarray, "N A"]:
    """The actions that exist at each decision; all of them where no world says which.

    Raises:
        InputError: A decision does not fit the world.
    """
    one = solution if isinstance(solution, Solution) else solution.intentions[0]
    return predict.existing_actions(one, demonstrations)


def posterior(solution: IntentionSolution, demonstrations: Demonstrations) -> Posterior:
    """Beliefs about the intentions behind `demonstrations`, seen in the fit or not.

    Args:
        solution: Of `fit` with `Intentions`.
        demonstrations: N decisions.

    Raises:
        InputError: A decision does not fit the world, or a column that the switching depends on is
            not there.
    """
    model = _model(solution, demonstrations, _each(solution, demonstrations))
    beliefs = forward(model)
    return Posterior(
        predicted=np.exp(beliefs.predicted[:, 0]),
        filtered=np.exp(beliefs.filtered[:, 0]),
        smoothed=smooth(model, beliefs).smoothed[:, 0],
        path=best_path(model)[:, 0],
        evidence=beliefs.evidence[:, 0],
    )


def sample_intentions(
    solution: IntentionSolution, demonstrations: Demonstrations, draws: int, seed: int
) -> Int[np.ndarray, "draws N"]:
    """Intentions of `demonstrations` drawn from their posterior, each draw as a whole path.

    Args:
        solution: Of `fit` with `Intentions`.
        demonstrations: N decisions.
        draws: How many.
        seed: Of the random choices.
    """
    model = _model(solution, demonstrations, _each(solution, demonstrations))
    beliefs = forward(model)
    rng = np.random.default_rng(seed)
    return np.stack([sample_paths(model, beliefs, rng)[:, 0] for _ in range(draws)])


def _each(solution: IntentionSolution, data: Demonstrations) -> Float[np.ndarray, "N K A"]:
    """What each intention would do."""
    return np.stack([predict.action_probabilities(s, data) for s in solution.intentions], axis=1)


def _model(
    solution: IntentionSolution, data: Demonstrations, each: Float[np.ndarray, "N K A"]
) -> Model:
    """What the recursions read."""
    if solution.mdp is not None:
        check_existing(data, solution.mdp, align(data, solution.mdp))
    law = solution.switching
    contexts = law.contexts(data, solution.mdp, solution.constants or None)
    numbers = {name: value[None] for name, value in solution.numbers.items()}
    taken = np.take_along_axis(each, np.maximum(data.actions, 0)[:, None, None], axis=2)[:, :, 0]
    with np.errstate(divide="ignore"):
        logs = np.where(data.actions[:, None] >= 0, np.log(taken), 0.0)
    return Model(
        initial=np.log(numbers["initial"]),
        transition=law.log_transition(numbers, contexts),
        likelihood=logs[:, None],
        context=contexts.context,
        chains=chains(law.begins(data)),
    )
