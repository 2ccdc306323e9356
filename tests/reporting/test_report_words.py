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
    Intervals,
    Otherwise,
    Reason,
    ScoreRow,
)
from inverseq.analysis.observed import Drawn, Observed
from inverseq.analysis.plan import Plan
from inverseq.datasets import load
from inverseq.doctor import diagnose
from inverseq.evaluate.identifiability import Verdict
from inverseq.evaluate.likelihood import Score
from inverseq.inverse.fit import fit
from inverseq.inverse.values.iavi import IAVI
from inverseq.reporting.document import Picture, Table
from inverseq.reporting.sections import methods as methods_section
from inverseq.reporting.sections import scores as scores_section
from inverseq.reporting.sections import sensitivity as sensitivity_section
from inverseq.reporting.sections import wants as wants_section
from inverseq.reporting.sections.headline import answer
from inverseq.reporting.sections.headline import headline_text as headline

MODELS = {
    "table-1": Model(Family.TABLE, 1, 0.5),
    "table-2": Model(Family.TABLE, 2, 0.5),
    "backoff-2": Model(Family.BACKOFF, 2),
    "backoff-3": Model(Family.BACKOFF, 3),
    "iavi": Model(Family.IAVI),
    "maxent-history": Model(Family.MAXENT, reward="state-actions", memory=2),
}

PLACES, BOOTSTRAP = Difference.PLACES, Intervals.BOOTSTRAP
SIZES = np.full(8, 100.0)
CHANCE = -0.7 * SIZES


def row(key, mean, *, yardstick, wobble=0.1):
    sums = mean * SIZES + wobble * np.array([1.0, -1.0, 2.0, -2.0] * 2)
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
        (-0.4, "predicts better than the best table (one-step table, plus 0.5), by 0.1000 nats"),
        (-0.6, "predicts less well than the best table (one-step table, plus 0.5), by 0.1000 nats"),
        (-0.5, "predicts like the best table (one-step table, plus 0.5), difference less than"),
    ],
)
def test_the_first_screen_says_plainly_how_the_reward_does_against_counting(mean, words):
    told = " ".join(headline(results(TABLE, row("iavi", mean, yardstick=False, wobble=0.5))))
    assert words in told
    assert f"{np.exp(mean + 0.7):.2f} times as likely as by chance" in told
    share = f"explains {(mean + 0.7) / 0.2:.0%} of what can be explained by counting"
    assert ("explains at least as much as counting does" if mean > -0.5 else share) in told
    assert "150%" not in told


def test_only_what_behaviour_settles_is_wanted():
    sure = Contrast(PLACES, ("a", "b"), 2.0, 1.0, 3.0, Verdict.SETTLED)
    less = Contrast(PLACES, ("g", "h"), -1.0, -1.5, -0.5, Verdict.SETTLED)
    unclear = Contrast(PLACES, ("c", "d"), -0.5, -1.5, 0.5, Verdict.SETTLED)
    agreed = Contrast(PLACES, ("e", "f"), 9.0, 8.0, 10.0, Verdict.CONVENTION)
    made = with_contrasts(sure, unclear, agreed, less)
    told = headline(made)
    assert "Most clearly wanted: a rather than b, +2.0 (+1.0 to +3.0)." in told[0]
    assert "Of 3 differences of reward that behaviour settles, 2 are clear of zero" in told[0]
    assert told[1] == "h rather than g: +1.0 (+0.5 to +1.5)"
    assert "Intervals of IAVI are percentile intervals (95 %) of 50 rewards" in methods(made)[-1]
    assert "8 units (trajectory) of random weight (gamma)" in methods(made)[-1]
    refitted = replace(made.contrasts, gauge="", model=Model(Family.MAXENT, reward="states"))
    told = methods(replace(made, contrasts=refitted))[-1]
    assert "each fitted to 8 units (trajectory) drawn with replacement" in told
    assert "gauge" not in told


def test_what_only_a_prior_decides_is_no_headline():
    agreed = Contrast(PLACES, ("e", "f"), 9.0, 8.0, 10.0, Verdict.CONVENTION)
    less = Contrast(PLACES, ("a", "b"), 2.0, 1.0, 3.0, Verdict.CONVENTION)
    made = with_contrasts(less, agreed)
    lead = answer(made).lead[0]
    assert lead.startswith("<strong>A reward explains these decisions better than chance.</strong>")
    assert "2 are clear of zero under the gauge 'zero-mean', the largest e rather than f" in lead
    assert "Behaviour alone settles none of them" not in lead  # it was not examined
    assert "was not examined" in lead
    assert answer(made).points == ("a rather than b: +2.0 (+1.0 to +3.0)",)
    # What behaviour settles without a memory comes before it, and is said to be so.
    sure = Contrast(PLACES, ("g", "h"), 0.5, 0.2, 0.8, Verdict.SETTLED)
    made = replace(made, settled=replace(with_contrasts(sure).contrasts, model=MODELS["table-1"]))
    told = answer(made)
    assert told.lead[0].startswith("<strong>Most clearly wanted: g rather than h, +0.5")
    assert "of 1 difference that behaviour itself settles without a memory; 1 is" in told.lead[0]
    assert told.points[-1].startswith("e rather than f: +9.0")
    assert told.points[-1].endswith("which rests on the gauge 'zero-mean'")
    assert "one-step table, plus 0.5 where behaviour settles them, and of IAVI" in told.lines[0][1]


def test_what_only_the_smoothing_sizes_is_no_headline():
    never = Contrast(PLACES, ("a", "b"), 9.0, 8.0, 10.0, Verdict.SMOOTHED)
    made = with_contrasts(never)
    told = headline(made)
    assert told[0].startswith("A reward explains these decisions better than chance.")
    assert "smoothing of what was never done" in told[0]
    (table,) = [b for b in wants_section.what_they_want(made).more if isinstance(b, Table)]
    assert "“Sized by the smoothing”: an action that matters to it was never taken" in table.note


def test_where_a_reward_of_features_is_worth_most_has_an_interval_or_owns_up():
    edges = np.linspace(0, 4, 5), np.linspace(0, 2, 3)
    values = np.array([[0.0, 1.0, 9.0, 0.0], [0.0, 5.0, 1.0, 0.0]])
    often = np.array([[8, 8, 1, 8], [8, 8, 8, 8]])  # the 9 is noise of one decision
    drawn = Drawn(("x", "y"), edges, often, values[None], values, ("go",))
    seen = Observed(None, "zero-mean", None, None, drawn)
    scores = TABLE, row("iavi", -0.5, yardstick=False, wobble=0.5)
    told = headline(results(*scores, observed=seen))[0]
    assert "Under the gauge 'zero-mean' it is worth most to be near x 1.5, y 1.5. Fits to" in told
    assert "bootstrap=20" in told
    peaks = np.array([[0.5, 1.5], [1.5, 1.5], [2.5, 1.5]])
    told = headline(results(*scores, observed=replace(seen, drawn=replace(drawn, peaks=peaks))))
    assert "near x 1.5 (0.55 to 2.45), y 1.5 (1.5 to 1.5): 95 % of 3 fits to units" in told[0]
    assert "only the place that is worth most has intervals" in told[1]


def test_an_interval_without_a_width_is_clear_of_nothing():
    flat = Contrast(PLACES, ("a", "b"), 1.95, 1.95, 1.95, Verdict.SETTLED)
    assert not flat.clear
    made = with_contrasts(flat)
    assert "No difference of rewards is clear of zero" in headline(made)[0]
    (table,) = [b for b in wants_section.what_they_want(made).more if isinstance(b, Table)]
    assert "without a width means that all units are alike" in table.note


def test_too_few_units_for_intervals_are_owned_up_to():
    nan = float("nan")
    made = with_contrasts(
        Contrast(PLACES, ("a", "b"), 1.95, nan, nan, Verdict.SETTLED), replicates=0, units=3
    )
    told = headline(made)
    assert told[0].startswith("Too few units (3) were fitted for intervals")
    assert "Only 3 units (trajectory) were fitted" in " ".join(told)
    section = wants_section.what_they_want(made)
    (table,) = [b for b in section.more if isinstance(b, Table)]
    assert table.rows[0][2:4] == (None, None)
    assert "6 are needed" in table.note
    assert not any(isinstance(b, Picture) and b.name == "intervals" for b in section.blocks)


def with_contrasts(*rows, replicates=50, units=8):
    how = BOOTSTRAP if replicates else Intervals.NONE
    found = Contrasts(rows, how, replicates, units, "zero-mean", None, Model(Family.IAVI))
    return results(TABLE, row("iavi", -0.5, yardstick=False, wobble=0.5), contrasts=found)


def noise(count, seed=0, mean=-0.7):
    rng = np.random.default_rng(seed)
    sizes = np.full(count, 100.0)
    sums = mean * sizes + rng.normal(0, 1, count)
    return Score("subject", sums, sizes, 0 * sizes, -0.7 * sizes, 0.5 * sizes)


def test_where_nothing_is_above_chance_that_is_said_first_and_nothing_else():
    scores = [ScoreRow(k, MODELS[k], noise(12, i), 1.0, 0.1) for i, k in enumerate(MODELS)]
    sure = Contrast(PLACES, ("a", "b"), 2.0, 1.0, 3.0, Verdict.SETTLED)
    found = Contrasts((sure,), BOOTSTRAP, 50, 12, "zero-mean", None, Model(Family.IAVI))
    made = results(*scores, contrasts=found)
    told = headline(made)
    assert told[0].startswith("Nothing here predicts these decisions clearly better than chance.")
    assert "12 held-out units (subject)" in told[0]
    said = " ".join(told)
    assert not any(word in said for word in ("regularity", "wanted", "explains", "a rather"))
    assert scores_section.what_it_adds(made) is None
    assert "description of noise" in wants_section.what_they_want(made).blocks[0].paragraphs[0]


@pytest.mark.parametrize("units", [1, 2])
def test_with_one_or_two_units_held_out_nothing_is_clear(units):
    best = ScoreRow("iavi", MODELS["iavi"], noise(units, mean=-0.1), 1.0, 0.1)
    table = ScoreRow("table-1", MODELS["table-1"], noise(units), 1.0, 0.1)
    division = Division(DivisionKind.DRAWN, train=(400, 4), test=(100 * units, units), units=9)
    made = results(table, best, division=division)
    told = headline(made)
    assert told[0].startswith("Nothing is shown to predict better than chance:")
    assert f"{units} unit" in told[0]
    assert "is not known" in wants_section.what_they_want(made).blocks[0].paragraphs[0]
    share = float(told[0].split("test=")[1].rstrip("."))
    assert round(share * (9 + units)) >= 3  # as `Demonstrations.split` counts
    few = headline(results(table, best, division=replace(division, units=2)))
    assert "group by something finer (by=" in few[0]


def test_counting_alone_may_be_above_chance():
    table = row("table-1", -0.5, yardstick=True, wobble=0.5)
    told = headline(results(table, row("iavi", -0.7, yardstick=False, wobble=0.5)))
    assert told[0].startswith("No reward that was fitted predicts better than chance, but counting")


def test_iavi_is_said_to_add_no_prediction():
    told = what_it_adds(results(TABLE, row("iavi", -0.5, yardstick=False)))
    assert "less than 1e-9 nats" in told[0]
    assert "no better forecast" in told[0]


def test_the_methods_state_the_settings():
    division = Division(DivisionKind.DRAWN, train=(4, 1), test=(4, 1), from_step=1)
    iavi, maxent = (row(key, -0.5, yardstick=False) for key in ("iavi", "maxent-history"))
    told = " ".join(methods(results(TABLE, iavi, maxent, division=division)))
    for words in (
        "4 decisions of 1 trajectories were fitted",
        "from decision 2 of a held-out trajectory on",
        "discount of 0.9",
        "counted in the training part (3 of them, smoothing 0;",
        "5 folds by trajectory",
        "0.5 decisions added",
    ):
        assert words in told
    # What was not fitted is not among the methods.
    told = " ".join(methods(results(TABLE, iavi, division=division)))
    assert "MaxEnt is" not in told
    assert "IAVI (Kalweit" in told


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


@pytest.mark.parametrize(("past", "against"), [(2, "table-2"), (3, "backoff-3")])
def test_a_reward_with_a_memory_is_held_against_the_table_of_the_same_memory(past, against):
    tables = (TABLE, row("table-2", -0.45, yardstick=True), row("backoff-3", -0.42, yardstick=True))
    mine = row("maxent-history", -0.4, yardstick=False, wobble=0.5)
    made = results(*tables, replace(mine, model=replace(mine.model, memory=past)))
    told = what_it_adds(replace(made, plan=Plan(history=past)))
    memory = next(text for text in told if "With a memory" in text)
    assert f"better than the {MODELS[against].name}" in memory


@pytest.mark.parametrize(
    ("others", "words"), [((-1.0, 2.5), "changes its sign"), ((-2.5, -1.5), "keeps its sign")]
)
def test_other_rewards_are_said_to_change_the_answer_only_where_they_do(others, words):
    down = Contrast(PLACES, ("a", "b"), -2.0, -3.0, -1.0, Verdict.SETTLED)
    kinds = ("states", "state-actions", "features")
    models = [Model(Family.MAXENT, reward=kind) for kind in kinds]
    tried = tuple(map(Otherwise, models, [(each,) for each in (*others, float("nan"))]))
    made = with_contrasts(down)
    made = replace(made, contrasts=replace(made.contrasts, otherwise=tried))
    told, figure = sensitivity_section.what_would_change_it(made).blocks
    assert words in told.paragraphs[0]
    assert f"{-others[1]:+.1f}".replace("-", "−") in told.paragraphs[0]
    assert figure.name == "sensitivity"
    assert "b rather than a" in figure.alt
    assert sensitivity_section.what_would_change_it(replace(made, contrasts=None)) is None
    # What a gauge makes differs between rewards for no reason of the data.
    agreed = replace(made.contrasts, rows=(replace(down, verdict=Verdict.CONVENTION),))
    assert sensitivity_section.what_would_change_it(replace(made, contrasts=agreed)) is None
