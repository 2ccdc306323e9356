"""Probabilities of giving an intention up, against the law itself."""

import numpy as np

from inverseq import Intentions, fit
from inverseq.datasets import switching_grid
from inverseq.intentions.leaving import leaving_probabilities
from inverseq.intentions.switching import DependentMarkov
from inverseq.inverse.values.iavi import IAVI


def test_they_are_what_the_law_says_of_each_state_before():
    data = switching_grid()
    few = data.demonstrations.select(split="train", released=1).take(range(4))
    law = DependentMarkov(("previous state",))
    search = Intentions(2, IAVI(smoothing=0.5), law, restarts=1, max_steps=4)
    solution = fit(few, search, data.mdp, accept_failure=True)
    leaving = leaving_probabilities(solution, 25)
    assert leaving.shape == (25, 2)
    # log p(j | i) = bias[i, j] + weights[i, state, j], normalised over j.
    bias, weights = solution.numbers["bias"], solution.numbers["weights"]
    for state in (0, 7, 24):
        for i in (0, 1):
            score = bias[i] + weights[i, state]
            stays = np.exp(score[i]) / np.exp(score).sum()
            np.testing.assert_allclose(leaving[state, i], 1 - stays, atol=1e-12)
    assert np.ptp(leaving) > 0
