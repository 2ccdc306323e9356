"""The study of cohorts in small: pooling is no worse than what it stands between, and only the test
that counts decisions finds what is not there.
"""

import numpy as np

from inverseq.studies.cohorts.simulated import judged_cell, pooled_cell


def test_learned_pooling_is_no_worse_than_the_better_of_none_and_full():
    for decisions in (50, 400):
        found = [pooled_cell(8, decisions, 1.0, 0.5, seed) for seed in range(2)]
        mean = {name: np.mean([one[name] for one in found]) for name in found[0]}
        assert mean["learned"] <= 1.02 * min(mean["no pooling"], mean["full pooling"])
        assert mean["held"] > 0.8


def test_decisions_are_no_animals():
    found = [judged_cell(8, 400, 0.5, seed) for seed in range(5)]
    wrong = {name: sum(one[name] for one in found) for name in found[0]}
    assert wrong["decisions"] >= 3
    assert wrong["animals"] <= 1
    assert wrong["animals, pooled"] <= 1
