"""Ranks of truths: even where posteriors are right, and seen where they are not."""

import numpy as np
import pytest
from scipy.stats import kstest

from inverseq import InputError
from inverseq.evaluate.ranks import ranks_of


def test_right_posteriors_have_even_ranks_and_others_do_not():
    rng = np.random.default_rng(0)
    spread = rng.random(2000) + 0.5
    means = rng.normal(size=2000)
    truths = means + spread * rng.normal(size=2000)
    right = ranks_of(truths, means, spread)
    assert right.p_value > 0.05
    assert abs(right.covered - 0.95) < 0.015
    known = kstest(right.shares, "uniform", method="asymp")
    assert right.farthest == pytest.approx(known.statistic)
    assert right.p_value == pytest.approx(known.pvalue)
    narrow, wide = ranks_of(truths, means, spread / 2), ranks_of(truths, means, spread * 2)
    assert max(narrow.p_value, wide.p_value) < 1e-6
    assert narrow.bins[0] > right.bins[0] > wide.bins[0]
    assert ranks_of(truths, means + 0.3, spread).p_value < 1e-6
    with pytest.raises(InputError):
        ranks_of(truths, means, np.zeros(2000))
