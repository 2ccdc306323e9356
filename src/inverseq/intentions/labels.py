"""The same intention under the same number, across restarts, folds and animals."""

from dataclasses import replace

import numpy as np
from jaxtyping import Float, Int
from scipy.optimize import linear_sum_assignment

from inverseq.demonstrations import Demonstrations
from inverseq.intentions.predict import posterior
from inverseq.intentions.solution import IntentionSolution, reorder


def match(
    reference: Float[np.ndarray, "N K"], other: Float[np.ndarray, "N L"]
) -> Int[np.ndarray, " L"]:
    """Which intention of `reference` each intention of `other` is, from beliefs about N decisions.

    The matching makes the expected number of decisions on which both agree as large as possible
    (Kuhn 1955). Where `other` has more intentions, those without a partner get numbers from K on.

    Args:
        reference: `[N, K]` probabilities of intentions.
        other: `[N, L]` probabilities of intentions of the same decisions under another fit.
    """
    overlap = other.T @ reference
    mine, theirs = linear_sum_assignment(-overlap)
    found = np.full(other.shape[1], -1)
    found[mine] = theirs
    alone = found < 0
    found[alone] = reference.shape[1] + np.arange(int(alone.sum()))
    return found


def agreement(reference: Float[np.ndarray, "N K"], other: Float[np.ndarray, "N L"]) -> float:
    """Share of N decisions whose most probable intention is the same, labels matched so that this
    share is as large as possible.
    """
    mine, theirs = (values.argmax(axis=1) for values in (reference, other))
    place = match(np.eye(reference.shape[1])[mine], np.eye(other.shape[1])[theirs])
    return float((mine == place[theirs]).mean())


def renumber(
    solution: IntentionSolution, reference: IntentionSolution, demonstrations: Demonstrations
) -> IntentionSolution:
    """A fit with its intentions in the order of another's: of another fold, or another animal.

    Both are asked about the same decisions, and intentions that are believed in at the same ones
    (smoothed) get the same number. Where `solution` has more, the others come last; where it has
    fewer, those that it has move up.

    Args:
        solution: Of `fit` with `Intentions`.
        reference: The fit whose numbers are taken.
        demonstrations: Decisions in the world of both, seen in either fit or in none: those of all
            animals together, say.

    Raises:
        InputError: As `posterior`.
    """
    acted = demonstrations.acted
    mine, theirs = (posterior(s, demonstrations).smoothed[acted] for s in (solution, reference))
    return reordered(solution, np.argsort(match(theirs, mine), kind="stable"))


def reordered(solution: IntentionSolution, order: Int[np.ndarray, " K"]) -> IntentionSolution:
    """The same fit with its intentions in another order.

    Args:
        solution: Of `fit` with `Intentions`.
        order: `[K]` the present number of each intention.
    """
    return replace(
        solution,
        intentions=tuple(solution.intentions[i] for i in order),
        numbers={name: reorder(value, order) for name, value in solution.numbers.items()},
        filtered=solution.filtered[:, order],
        smoothed=solution.smoothed[:, order],
        path=np.argsort(order)[solution.path],
        occupancy=solution.occupancy[order],
    )
