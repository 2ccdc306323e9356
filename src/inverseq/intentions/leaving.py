"""When an intention is given up: the law of switching as one probability per state."""

import numpy as np
from jaxtyping import Float
from scipy import sparse

from inverseq.intentions.contexts import Contexts
from inverseq.intentions.law import transitions_in
from inverseq.intentions.solution import IntentionSolution


def leaving_probabilities(solution: IntentionSolution, num_states: int) -> Float[np.ndarray, "S K"]:
    """Probability of giving up each intention after a decision made in each state, under a law
    that depends on the previous state alone.

    Args:
        solution: Of `Intentions` with `DependentMarkov(("previous state",))`.
        num_states: S.
    """
    contexts = Contexts(sparse.csr_array(sparse.eye_array(num_states)), np.arange(num_states))
    table = transitions_in(solution.switching, solution.numbers, contexts)
    return 1.0 - np.diagonal(table, axis1=1, axis2=2)
