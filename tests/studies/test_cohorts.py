"""The study of cohorts in small: pooling is no worse than what it stands between, only the test
that counts decisions finds what is not there, and learners drawn at spouts are found again.
"""

import numpy as np

from inverseq.inverse.learning.learner import Learner
from inverseq.studies.cohorts.learners_drawn import cell
from inverseq.studies.cohorts.simulated import judged_cell, pooled_cell
from inverseq.studies.cohorts.spouts import choices_alone, spouts


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


def test_whole_sessions_at_spouts_hold_every_trial():
    mice = spouts()
    assert mice.data.num_decisions == 4032
    assert mice.data.num_trajectories == 9
    assert mice.test.sum() == 669
    assert (mice.share[mice.test] >= 0.8).all()
    assert (mice.share[mice.data.acted & ~mice.test] < 0.8).all()
    alone = choices_alone(mice.data)
    assert alone.num_decisions == 3363
    assert (np.diff(alone.starts) == np.bincount(mice.data.trajectory_of, mice.data.acted)).all()


def test_learners_drawn_at_spouts_are_found_again():
    terms = Learner().terms(2)
    middle = np.array([2.5, 1.2, -0.8, 0.0, 1.2, -0.4, -0.3, 0.0, 0.0])
    found = cell(spouts(), terms, middle, np.full(9, 0.4), seed=1)
    assert found["held"].mean() > 0.75
    assert found["pooled"].mean() < 0.7 * found["alone"].mean()
    assert 0 <= found["lost"] < 0.02
    times, expected, done = found["calibration"]
    assert times.sum() == 669
    used = times > 30
    error = np.sqrt(np.maximum(expected * (times - expected), 1.0) / times)
    assert (np.abs(done - expected) < 4 * error + 3)[used].all()
