"""Groups of animals: animals are counted, labels exchanged as the design allows, and no decision
counts as an animal.
"""

from dataclasses import replace
from itertools import permutations

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import stats

import inverseq as iq
from inverseq.evaluate.design import Kind, design_of
from inverseq.evaluate.groups import compare_values
from inverseq.evaluate.power import detectable
from strategies import random_mdp

GROUPS = ("ko", "ko", "wt", "wt", "wt", "ko", "wt", "ko", "wt")


def table(rows, **columns):
    """Three decisions per trajectory; a row per trajectory: (subject, level, session)."""
    names = ("subject", "genotype", "session")[: len(rows[0])]
    told = {n: np.array(v) for n, v in zip(names, zip(*rows, strict=True), strict=True)}
    size = 3 * len(rows)
    rng = np.random.default_rng(len(rows))
    return iq.Demonstrations.from_arrays(
        rng.integers(0, 3, size),
        rng.integers(0, 2, size),
        trajectory=np.arange(size) // 3,
        trajectories=told | columns,
    )


def between(groups=GROUPS):
    return design_of(table([(f"m{i}", g) for i, g in enumerate(groups)]), "genotype")


def within(number=6):
    rows = [(f"m{i}", g) for i in range(number) for g in ("drug", "saline")]
    return design_of(table(rows), "genotype")


@pytest.fixture(scope="module")
def unpaired():
    design = between()
    values = np.random.default_rng(1).normal(size=(9, 1, 3)) + 2.0
    values[:, 0, 1] += 4.0 * design.group
    return values, compare_values(design, values, ("a", "b", "c"))


@pytest.fixture(scope="module")
def paired():
    values = np.random.default_rng(2).normal(size=(6, 2, 2))
    values[:, 1, 0] += 3.0
    return values, compare_values(within(), values, ("a", "b"))


def test_the_design_is_found_from_the_table():
    plain = between()
    assert (plain.kind, plain.levels, plain.sizes) == (Kind.BETWEEN, ("ko", "wt"), (4, 5))
    assert not plain.nested
    assert within().kind is Kind.WITHIN
    rows = [(f"m{i}", g, s) for i, g in enumerate(GROUPS) for s in range(3)]
    assert design_of(table(rows), "genotype").sessions.tolist() == [3] * 9
    assert design_of(table([("a", 10), ("b", 9), ("c", 9), ("d", 10)]), "genotype").levels == (
        "9",
        "10",
    )


def test_animals_without_a_decision_or_a_condition_are_left_out_by_name():
    rows = [(f"m{i}", g) for i in range(4) for g in ("drug", "saline")] + [("late", "drug")]
    assert design_of(table(rows), "genotype").left_out == ("late",)


@pytest.mark.parametrize(
    ("rows", "asked", "words"),
    [
        ([("a", "x"), ("b", "y")], {}, "has one animal"),
        ([("a", "x"), ("b", "x")], {}, "names 1 groups"),
        ([(c, g) for c, g in zip("aabcde", "xyxxyy", strict=True)], {}, "a is in several groups"),
        ([("a", "x"), ("b", "y")], {"between": "sex"}, "no such column"),
        ([("a", "x"), ("b", "y")], {"by": "cage"}, "no such column"),
        ([("a", "x"), ("b", "y")], {"between": "subject"}, "names the animals themselves"),
    ],
)
def test_what_is_no_design_is_refused(rows, asked, words):
    with pytest.raises(iq.InputError, match=words):
        design_of(table(rows), **{"between": "genotype"} | asked)


def test_intervals_between_animals_are_welchs(unpaired):
    values, found = unpaired
    for c, name in enumerate(found.names):
        ko, wt = (values[found.design.group == g, 0, c] for g in (0, 1))
        known = stats.ttest_ind(wt, ko, equal_var=False)
        low, high = known.confidence_interval(0.95)
        assert_allclose([found[name].low, found[name].high], [low, high], rtol=1e-9)
        spread = np.sqrt((3 * ko.var(ddof=1) + 4 * wt.var(ddof=1)) / 7)
        expected = (1 - 3 / 27) * (wt.mean() - ko.mean()) / spread
        assert found[name].effect == pytest.approx(expected)


def test_intervals_within_animals_are_those_of_pairs(paired):
    values, found = paired
    for c, name in enumerate(found.names):
        known = stats.ttest_rel(values[:, 1, c], values[:, 0, c])
        low, high = known.confidence_interval(0.95)
        assert_allclose([found[name].low, found[name].high], [low, high], rtol=1e-9)


def test_labels_of_animals_are_exchanged_in_every_way(unpaired):
    values, found = unpaired
    assert (found.exact, found.labellings, found.smallest) == (True, 126, 1 / 126)
    t = lambda x, y, axis: stats.ttest_ind(x, y, axis=axis, equal_var=False).statistic  # noqa: E731
    for c, name in enumerate(found.names):
        parts = [values[found.design.group == g, 0, c] for g in (1, 0)]
        known = stats.permutation_test(
            parts, lambda x, y, axis: np.abs(t(x, y, axis)), alternative="greater", n_resamples=1000
        )
        assert found[name].p == pytest.approx(known.pvalue, abs=1e-12)


def test_levels_are_exchanged_within_each_animal(paired):
    values, found = paired
    assert (found.exact, found.labellings, found.smallest) == (True, 64, 2 / 64)
    for c, name in enumerate(found.names):
        known = stats.permutation_test(
            (values[:, 1, c] - values[:, 0, c],),
            lambda x, axis: np.abs(stats.ttest_1samp(x, 0, axis=axis).statistic),
            permutation_type="samples",
            alternative="greater",
            n_resamples=1000,
        )
        assert found[name].p == pytest.approx(known.pvalue, abs=1e-12)


def test_correction_is_by_the_largest_statistic(unpaired):
    values, found = unpaired
    largest = []
    for order in {*permutations(found.design.group.tolist())}:
        group = np.array(order)
        parts = [values[group == g, 0] for g in (1, 0)]
        largest.append(np.abs(stats.ttest_ind(*parts, equal_var=False).statistic).max())
    for c, name in enumerate(found.names):
        parts = [values[found.design.group == g, 0, c] for g in (1, 0)]
        own = abs(stats.ttest_ind(*parts, equal_var=False).statistic)
        expected = np.mean([top >= own * (1 - 1e-9) for top in largest])
        assert found[name].corrected == pytest.approx(expected, abs=1e-12)
        assert found[name].corrected >= found[name].p


def test_labels_that_are_drawn_agree_with_all_of_them(unpaired):
    values, found = unpaired
    drawn = compare_values(found.design, values, found.names, labellings=125, seed=3)
    assert not drawn.exact
    for name in found.names:
        error = 3 * np.sqrt(found[name].p / 125) + 1 / 126
        assert abs(drawn[name].p - found[name].p) < error


def test_three_groups_are_compared_two_by_two():
    design = between(("a", "a", "a", "b", "b", "b", "c", "c", "c"))
    values = np.random.default_rng(4).normal(size=(9, 1, 1))
    values[design.group == 2] += 5
    found = compare_values(design, values, ("x",))
    assert [each.groups for each in found.differences] == [("a", "b"), ("a", "c"), ("b", "c")]
    assert found.labellings == 1680
    assert found.differences[1].difference == pytest.approx(
        values[design.group == 2].mean() - values[design.group == 0].mean()
    )


def test_animals_that_lack_a_contrast_are_left_out_of_it_alone(unpaired):
    values, whole = unpaired
    cut = values.copy()
    cut[0, 0, 2] = np.nan
    found = compare_values(whole.design, cut, whole.names)
    assert (found["c"].animals, found["a"].animals) == ((3, 5), (4, 5))
    assert found["a"].p == whole["a"].p
    kept = np.arange(9) != 0
    known = stats.ttest_ind(
        cut[kept & (whole.design.group == 1), 0, 2],
        cut[kept & (whole.design.group == 0), 0, 2],
        equal_var=False,
    ).confidence_interval()
    assert_allclose((found["c"].low, found["c"].high), known, rtol=1e-9)


def test_many_levels_within_animals_are_drawn_and_not_listed():
    """12 doses can stand in 479,001,600 orders for each animal."""
    rows = [(f"m{i}", f"dose {g:02d}") for i in range(4) for g in range(12)]
    values = np.random.default_rng(3).normal(size=(4, 12, 1))
    found = compare_values(design_of(table(rows), "genotype"), values, ("a",), labellings=500)
    assert (found.exact, found.labellings) == (False, 500)
    assert np.isfinite([each.p for each in found.differences]).all()


def test_what_nobody_has_is_unknown(unpaired):
    values, whole = unpaired
    cut = values.copy()
    cut[:, 0, 1] = np.nan
    found = compare_values(whole.design, cut, whole.names)
    assert not found["b"].known
    assert not found["b"].clear
    assert found["a"].known


@pytest.mark.parametrize(
    ("sizes", "effect"), [((64, 64), 0.5), ((26, 26), 0.8), ((394, 394), 0.2), ((34,), 0.5)]
)
def test_detectable_effects_are_those_of_the_tables(sizes, effect):
    """Cohen 1988, table 2.4.1: animals per group for 80 % power at a level of 5 %."""
    assert detectable(*sizes) == pytest.approx(effect, rel=0.012)


@pytest.mark.parametrize("sizes", [(2,), (2, 2), (3,), (8,), (200, 200)])
def test_detectable_effects_are_found_as_often_as_they_say(sizes):
    rng, effect = np.random.default_rng(0), detectable(*sizes)
    first = rng.normal(effect, 1.0, (20_000, sizes[0]))
    if len(sizes) == 1:
        p = stats.ttest_1samp(first, 0, axis=1).pvalue
    else:
        p = stats.ttest_ind(first, rng.normal(size=(20_000, sizes[1])), axis=1).pvalue
    assert (p < 0.05).mean() == pytest.approx(0.8, abs=0.012)


def test_intervals_by_drawing_animals_hold_the_truth_as_often_as_they_say():
    rng, design = np.random.default_rng(0), between(("a",) * 8 + ("b",) * 8)
    held = []
    for repeat in range(200):
        values = rng.normal(size=(16, 1, 1))
        (one,) = compare_values(
            design, values, ("x",), labellings=1, replicates=400, seed=repeat
        ).differences
        held.append([one.low < 0 < one.high, one.drawn_low < 0 < one.drawn_high])
    assert (np.mean(held, axis=0) > 0.91).all()
    assert (np.mean(held, axis=0) < 0.995).all()


@pytest.fixture(scope="module")
def animals():
    """Ten animals of 12 trajectories in one world; ko likes state 1 more."""
    rng = np.random.default_rng(6)
    mdp = random_mdp(rng, 4, 3, terminals=False, discount=0.8)
    parts = []
    for number in range(10):
        group = "ko" if number % 2 else "wt"
        reward = np.zeros((4, 3))
        reward[1] = 2.0 if group == "ko" else 0.0
        policy = iq.forward.soft_policy_iteration(mdp, reward).policy
        data = iq.forward.simulate(mdp, policy, trajectories=12, steps=15, seed=number)
        own = {"subject": np.repeat(f"m{number}", 12), "genotype": np.repeat(group, 12)}
        own["cage"] = np.repeat("AB"[number // 5], 12)
        parts.append(type(data).from_arrays(
            data.states, data.actions, trajectory=data.trajectory_of, trajectories=own
        ))  # fmt: skip
    return iq.concatenate(parts), mdp


def test_each_fit_is_that_of_its_animal_alone(animals):
    data, mdp = animals
    each = iq.fit_each(data, iq.MaxEnt(strength=1.0), mdp)
    alone = iq.fit(data.select(subject="m3"), iq.MaxEnt(strength=1.0), mdp)
    assert [*each] == [f"m{i}" for i in range(10)]
    assert_allclose(each["m3"].reward, alone.reward, atol=1e-9)
    both = iq.fit_each(data, iq.IAVI(), mdp, by=("subject", "genotype"))
    assert ("m3", "ko") in both


def test_what_a_solver_chooses_is_chosen_once_for_all(animals):
    data, mdp = animals
    each = iq.fit_each(data, iq.MaxEnt(strengths=(0.3, 3.0), folds=2), mdp)
    assert len({one.settings["strength"] for one in each.values()}) == 1


def test_groups_that_differ_are_told_apart_and_said(animals):
    data, mdp = animals
    each = iq.fit_each(data, iq.MaxEnt(strength=1.0), mdp)
    liking = np.zeros((4, 3))
    liking[1], liking[[0, 2, 3]] = 1 / 3, -1 / 9
    found = iq.compare_groups(each, data, {"liking": liking})
    assert found["liking"].groups == ("ko", "wt")
    assert found["liking"].clear
    assert -2.5 < found["liking"].difference < -1
    assert "10 animals (subject) in 2 groups of genotype: 5 ko, 5 wt." in found.text
    assert "1 of 1 comparisons differs after correction" in found.text
    assert len(found.to_pandas()) == 1
    cages = iq.compare_groups(each, data, {"liking": liking}, between="cage")
    assert not cages["liking"].clear
    assert "an unclear difference is no proof of none" in cages.text


def test_explanations_of_no_use_are_refused(animals):
    data, mdp = animals
    each = iq.fit_each(data, iq.IAVI(), mdp)
    with pytest.raises(iq.InputError, match="there is no explanation of"):
        iq.compare_groups({"m1": each["m1"]}, data)
    with pytest.raises(iq.InputError, match=r"shape \(2, 2\)"):
        iq.compare_groups(each, data, np.ones((2, 2)))
    with pytest.raises(iq.InputError, match="IAVI has no weights"):
        iq.compare_groups(each, data, np.ones(3))


def test_an_animal_that_was_never_there_has_no_contrast_of_a_place(animals):
    data, mdp = animals
    each = iq.fit_each(data, iq.IAVI(), mdp)
    visits = np.asarray(each["m0"].visits).copy()
    visits[2] = 0
    each["m0"] = replace(each["m0"], visits=visits)
    place = np.zeros((4, 3))
    place[2, 0], place[2, 1] = 1.0, -1.0
    found = iq.compare_groups(each, data, {"x": place})
    assert found["x"].animals == (5, 4)
