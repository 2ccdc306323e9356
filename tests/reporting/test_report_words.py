from dataclasses import replace

import numpy as np
import pytest

from inverseq import MDP, Demonstrations
from inverseq._core.words import number
from inverseq.analysis.family import Family, Model
from inverseq.analysis.findings import (
    Contrast,
    Contrasts,
    Difference,
    Division,
    DivisionKind,
    Failure,
    Findings,
    Reason,
    ScoreRow,
)
from inverseq.analysis.plan import Plan
from inverseq.datasets import load
from inverseq.doctor import diagnose
from inverseq.evaluate.identifiability import Verdict
from inverseq.evaluate.likelihood import Score
from inverseq.inverse.fit import fit
from inverseq.inverse.values.iavi import IAVI
from inverseq.reporting.sections import methods as methods_section
from inverseq.reporting.sections import scores as scores_section
from inverseq.reporting.sections.headline import headline_text as headline

MODELS = {
    "table-1": Model(Family.TABLE, 1, 0.5),
    "table-2": Model(Family.TABLE, 2, 0.5),
    "backoff-2": Model(Family.BACKOFF, 2),
    "backoff-3": Model(Family.BACKOFF, 3),
    "iavi": Model(Family.IAVI),
    "maxent-history": Model(Family.MAXENT, reward="state-actions", memory=2),
}

PLACES = Difference.PLACES
SIZES = np.full(4, 100.0)
CHANCE = -0.7 * SIZES


def row(key, mean, *, yardstick, wobble=0.0):
    sums = mean * SIZES + wobble * np.array([1.0, -1.0, 2.0, -2.0])
    score = Score("trajectory", sums, SIZES, 0 * SIZES, CHANCE, 0.5 * SIZES)
    assert MODELS[key].yardstick == yardstick
    return ScoreRow(key, MODELS[key], score, 7.0, 0.1)


def results(*rows, **changes):
    seen = Demonstrations.from_arrays([0, 1, 0, 1], [0, 1, 1, 0])
    mdp = MDP.estimate(seen, discount=0.9)
    made = Findings(
        plan=Plan(),
        title="t",
        source="s",
        dataset=None,
        fingerprint="f",
        scores=rows,
        failures=(),
        given=mdp,
        diagnosis=diagnose(seen),
        division=Division(DivisionKind.DRAWN, train=(4, 1), test=(4, 1)),
        chosen="iavi",
        reason=Reason.ASKED,
        solution=fit(seen, IAVI(), mdp),
        settings={"folds": 5},
    )
    return replace(made, **changes)


def methods(findings):
    return methods_section.methods(findings).blocks[0].paragraphs


def what_it_adds(findings):
    return scores_section.what_it_adds(findings).blocks[0].paragraphs


TABLE = row("table-1", -0.5, yardstick=True)


@pytest.mark.parametrize(
    ("mean", "words"),
    [
        (-0.4, "better than every table, by 0.1000 nats (± 0.0"),
        (-0.6, "less well than the best table, by 0.1000 nats (± 0.0"),
        (-0.5, "as well as the best table, difference less than 0.0001 nats:"),
    ],
)
def test_the_headline_says_plainly_how_the_reward_does_against_counting(mean, words):
    told = headline(results(TABLE, row("iavi", mean, yardstick=False, wobble=0.5)))
    assert "IAVI predicts held-out decisions best" in told[0]
    assert number(mean) in told[0]
    assert "chance has −0.700" in told[0]
    assert words in told[1]


def test_half_of_the_gain_is_called_half():
    told = headline(results(TABLE, row("iavi", -0.6, yardstick=False, wobble=0.1)))
    assert "reaches 50% of that table's gain over chance" in told[1]


def test_only_what_behaviour_settles_enters_the_headline():
    sure = Contrast(PLACES, ("a", "b"), 2.0, 1.0, 3.0, Verdict.SETTLED)
    unclear = Contrast(PLACES, ("c", "d"), -0.5, -1.5, 0.5, Verdict.SETTLED)
    agreed = Contrast(PLACES, ("e", "f"), 9.0, 8.0, 10.0, Verdict.CONVENTION)
    contrasts = Contrasts((sure, unclear, agreed), 50, 4, "zero-mean", None)
    made = results(TABLE, row("iavi", -0.5, yardstick=False), contrasts=contrasts)
    last = headline(made)[-1]
    assert "Of 2 differences" in last
    assert "1 is clear of zero" in last
    assert "“a − b” with +2.00 (+1.00 to +3.00)" in last
    assert "(95 %) of 50 rewards by IAVI" in methods(made)[-1]


def test_iavi_is_said_to_add_no_prediction():
    told = what_it_adds(results(TABLE, row("iavi", -0.5, yardstick=False)))
    assert "less than 1e-9 nats" in told[0]
    assert "no better forecast" in told[0]


def test_the_methods_state_the_settings():
    division = Division(DivisionKind.DRAWN, train=(4, 1), test=(4, 1), from_step=1)
    made = results(TABLE, row("iavi", -0.5, yardstick=False), division=division)
    told = " ".join(methods(made))
    for words in (
        "4 decisions of 1 trajectories were fitted",
        "from decision 2 of a held-out trajectory on",
        "discount of 0.9",
        "counted in the training part (3 of them, smoothing 0;",
        "5 folds by trajectory",
        "0.5 decisions added",
    ):
        assert words in told


def test_what_went_wrong_comes_before_what_the_doctor_found():
    failures = (Failure("maxent-features", Model(Family.MAXENT, reward="features"), "no features"),)
    made = results(TABLE, row("iavi", -0.5, yardstick=False), failures=failures)
    told = methods_section.the_data(made).blocks[2].items
    assert told[0] == ("problem", "MaxEnt on features was left out: no features")
    assert len(told) == 1 + len(made.diagnosis.findings)


def test_the_data_set_is_cited():
    made = results(TABLE, row("iavi", -0.5, yardstick=False), dataset=load("bandit"))
    assert methods_section.references(made).blocks[0].paragraphs[-1] == load("bandit").citation


def test_numbers_have_real_minus_signs_and_nan_is_unknown():
    assert number(-0.5) == "−0.500"
    assert number(float("nan")) == "unknown"


@pytest.mark.parametrize(("past", "against"), [("2", "table-2"), ("3", "backoff-3")])
def test_a_reward_with_a_memory_is_held_against_the_table_of_the_same_memory(past, against):
    tables = (TABLE, row("table-2", -0.45, yardstick=True), row("backoff-3", -0.42, yardstick=True))
    made = results(*tables, row("maxent-history", -0.4, yardstick=False))
    told = what_it_adds(replace(made, plan=Plan(history=int(past))))
    memory = next(text for text in told if "With a memory" in text)
    assert f"better than the {MODELS[against].name}" in memory


def test_what_was_done_just_before_is_blamed_only_where_a_memory_wins():
    for key, blamed in (("table-1", False), ("backoff-2", True)):
        best = row(key, -0.5, yardstick=True)
        told = headline(results(best, row("iavi", -0.6, yardstick=False)))
        assert ("just before" in told[1]) == blamed


def test_a_single_held_out_unit_is_owned_up_to():
    def alone(key, mean, yardstick):
        one = SIZES[:1]
        score = Score("subject", mean * one, one, 0 * one, CHANCE[:1], 0.5 * one)
        assert MODELS[key].yardstick == yardstick
        return ScoreRow(key, MODELS[key], score, 1.0, 0.1)

    told = headline(results(alone("table-1", -0.5, True), alone("iavi", -0.4, False)))
    assert "a single unit (subject)" in told[-1]
    several = headline(results(TABLE, row("iavi", -0.4, yardstick=False, wobble=0.5)))
    assert not any("single unit" in text for text in several)
