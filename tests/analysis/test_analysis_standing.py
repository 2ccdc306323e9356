"""What may be claimed at all: coin flips claim nothing, a known effect is found."""

import numpy as np
import pytest

import inverseq as iq
from inverseq.analysis.behaviour import behaviour_of, divide
from inverseq.analysis.standing import Standing, standing_of
from inverseq.evaluate.likelihood import Difference
from inverseq.reporting.sections.headline import headline_text
from inverseq.studies.honesty.study import claimed
from inverseq.studies.honesty.tables import drawn

QUICK = {"bootstrap": 0, "history": 1, "folds": 2}
CLAIMS = ("regularity", "wanted", "explains", "rewards", "unknown of", "likely as by chance")


def coins(animals, seed=0):
    return drawn(seed, 0.0, (animals, animals), (40, 40)).demonstrations


@pytest.mark.parametrize(
    ("animals", "standing"),
    [(20, Standing.CHANCE), (7, Standing.CHANCE), (5, Standing.TOO_FEW)],
)
def test_of_coin_flips_the_first_thing_said_is_that_nothing_beats_chance(animals, standing):
    found = iq.analyse(coins(animals), iq.Plan(**QUICK))
    assert standing_of(found) is standing
    told = headline_text(found)
    assert "better than chance" in told[0]
    assert not any(word in " ".join(told) for word in CLAIMS)


def test_the_advice_for_too_few_units_held_out_is_one_that_works():
    told = headline_text(iq.analyse(coins(7), iq.Plan(**QUICK, test=0.2)))
    share = float(told[0].split("test=")[1].split(".  ")[0].rstrip("."))
    again = iq.analyse(coins(7), iq.Plan(**QUICK, test=share))
    assert standing_of(again) is not Standing.TOO_FEW


@pytest.mark.parametrize(("units", "held"), [(5, 1), (6, 3), (9, 3), (14, 3), (20, 4)])
def test_three_units_are_held_out_where_that_leaves_more(units, held):
    division = divide(behaviour_of(coins(units), iq.Plan())).division
    assert (division.held, division.units) == (held, units - held)


def test_a_large_effect_is_claimed():
    row = claimed(1, 0.35, animals=(30, 30), decisions=(40, 40))
    assert row["true_errors"] > 3
    assert row["claimed"]


def test_where_models_are_compared_the_best_of_noise_is_no_finding():
    found = iq.analyse(coins(12), iq.Plan(cross_validate=True, history=1, folds=2))
    assert standing_of(found) is Standing.CHANCE


@pytest.mark.parametrize(
    ("units", "error", "clear"), [(2, 1e-3, False), (3, 1e-3, True), (9, 0.0, False)]
)
def test_few_units_and_units_that_are_all_alike_make_nothing_clear(units, error, clear):
    gain = Difference(0.1, error, 100, units)
    assert gain.clear() == clear
    assert gain.better == clear


def test_the_interval_is_that_of_student():
    low, high = Difference(0.5, 0.1, 100, 5).interval()
    np.testing.assert_allclose(
        (low, high), (0.5 - 0.27764, 0.5 + 0.27764), atol=1e-5
    )  # t(4) = 2.7764
    assert np.isnan(Difference(0.5, float("nan"), 100, 1).interval()).all()
