"""What a report says about several intentions."""

from dataclasses import replace

import numpy as np
import pytest

from inverseq.analysis import Plan, analyse
from inverseq.demonstrations import Demonstrations
from inverseq.intentions.solution import Restarts
from inverseq.plot import to_svg
from inverseq.reporting.document import Picture, Table
from inverseq.reporting.report import build_report, further_tables
from inverseq.reporting.sections.headline import headline_text as headline
from inverseq.reporting.sections.intentions import described, lasting
from inverseq.reporting.sections.sure import how_sure
from inverseq.reporting.summary import remarks, summary
from inverseq.worlds import gridworld


@pytest.fixture(scope="module")
def results():
    """Walks on a 3 x 3 board towards one of two corners, fitted with two intentions."""
    world = gridworld(3, 3)
    mdp, rng = world.mdp, np.random.default_rng(1)
    places = np.asarray(mdp.coordinates)
    rows = []
    for walk in range(30):
        state, goal = 4, 0
        for _ in range(40):
            goal = goal if rng.random() < 0.9 else 8 - goal
            gaps = np.abs(places[mdp.successors[state, :, 0]] - places[goal]).sum(axis=1)
            action = int(rng.choice(np.flatnonzero(gaps == gaps.min())))
            action = action if rng.random() < 0.95 else int(rng.integers(mdp.num_actions))
            reached = int(mdp.successors[state, action, 0])
            rows.append((walk, state, action, reached))
            state = reached
    walk, state, action, reached = np.array(rows).T
    data = Demonstrations.from_arrays(
        state, action, next_states=reached, trajectory=walk, rows=np.arange(1, len(rows) + 1)
    )
    plan = Plan(world=world, intentions=2, history=1, bootstrap=3, simulations=3, title="walks")
    return analyse(data, plan)


def searched(results, restarts):
    """The same found by other searches."""
    solution = replace(results.solution, restarts=restarts)
    found = replace(results.intentions, solution=solution)
    return replace(results, solution=solution, intentions=found)


def test_the_headline_says_what_they_are_and_how_sure(results):
    first, each, sure, predicts = headline(results)[:4]
    assert first == "Two intentions explain the behaviour."
    assert each.startswith("Intention 1 (")
    assert "better than one intention" in sure
    assert "other searches found the same" in sure
    assert "times as likely as by chance" in predicts


def test_where_one_does_as_well_the_first_sentence_says_so(results):
    mine = results.row(results.chosen)
    alike = tuple(replace(r, score=mine.score) if r is results.one else r for r in results.scores)
    first = headline(replace(results, scores=alike))[0]
    assert first == "Two intentions explain the behaviour, no better than one does."


def test_stays_are_those_of_the_law(results):
    stays = lasting(results.intentions)
    assert stays == [dwell.law_mean for dwell in results.intentions.dwells]
    assert f"{stays[0]:,.0f} in a row by the law" in headline(results)[1]
    alone = replace(results.intentions, dwells=())
    leaves = 1 - np.diag(results.solution.numbers["transition"])
    np.testing.assert_allclose(lasting(alone), 1 / leaves, rtol=0.05)


def test_the_places_that_are_named_are_those_of_map_and_alternative_text(results):
    pictures = {p.name: p for p in build_report(results, {}).all_of(Picture)}
    for k, told in enumerate(described(results), 1):
        place = told.removeprefix("rewards ").split(" (")[0]
        drawn = pictures[f"reward_map_intention_{k}"]
        assert f"Highest at {place} (" in drawn.alt
        assert f">{place}<" in to_svg(drawn.drawn())


def test_intentions_are_described_by_the_places_they_reward(results):
    # The corners that the two walk to are the places 0 and 8.
    told = described(results)
    assert {"0" if "place 0" in text else "8" for text in told} == {"0", "8"}
    assert all(text.startswith("rewards place") for text in told)


def test_the_report_has_every_figure_and_table(results):
    report = build_report(results, {})
    pictures = {p.name for p in report.all_of(Picture)}
    assert pictures >= {
        "intention_occupancy",
        "reward_map_intention_1",
        "value_map_intention_2",
        "session_1",
        "session_2",
        "transitions",
        "dwell_intention_1",
        "dwell_intention_2",
        "predictive_checks",
        "scores",
    }
    assert all(p.alt and p.caption for p in report.all_of(Picture))
    tables = [t.name for t in (*report.all_of(Table), *further_tables(results))]
    assert len(set(tables)) == len(tables)
    shares = {t.name: t for t in report.all_of(Table)}["intentions"].rows
    assert sum(row[1] for row in shares) == pytest.approx(100)


def test_searches_that_disagree_are_a_warning(results):
    agreement = np.array([1.0, 0.5, 0.6])
    restarts = Restarts(np.array([-10.0, -20.0, -21.0]), *[np.ones(3, int)] * 2, agreement)
    other = searched(results, restarts)
    told = " ".join(remarks(other))
    assert "find other intentions: at the median they agree with the best on 55%" in told
    assert how_sure(other).blocks[0].items[0][0] == "warning"
    first = " ".join(headline(other))
    assert first.startswith("The intentions are not reproducible: searches from other")
    assert "on 55% of decisions" in first
    assert "none of 2 other searches" in " ".join(headline(other))


def test_searches_that_disagree_and_are_as_good_ask_for_fewer_intentions(results):
    alike = Restarts(np.zeros(3), *[np.ones(3, int)] * 2, np.array([1.0, 0.5, 0.6]))
    other = searched(results, alike)
    told = " ".join(remarks(other))
    assert "their objective is as high. Take fewer intentions." in told


def test_a_single_unit_that_was_held_out_is_owned_up_to(results):
    names = ("sums", "decisions", "forced", "chance", "hits")
    whole = [{n: getattr(row.score, n).sum(keepdims=True) for n in names} for row in results.scores]
    scores = tuple(
        replace(row, score=replace(row.score, **sums))
        for row, sums in zip(results.scores, whole, strict=True)
    )
    told = headline(replace(results, scores=scores))
    assert "1 unit (trajectory) held out is too few" in told[0]


def test_a_search_that_did_not_end_is_a_warning(results):
    restarts = Restarts(np.array([-10.0]), np.array([300]), np.array([0]), np.array([1.0]))
    other = searched(results, restarts)
    assert "had not come to an end" in " ".join(remarks(other))
    assert "a single search was made" in " ".join(headline(other))


def test_an_intention_that_never_stands_out_is_a_warning(results):
    found = results.intentions
    same = np.full_like(found.train.posterior.smoothed, 0.5)
    train = replace(found.train, posterior=replace(found.train.posterior, smoothed=same))
    other = replace(results, intentions=replace(found, train=train))
    told = " ".join(remarks(other))
    assert "Intention 2 of 2 is the most probable one at less than 0.5%" in told
    assert "--intentions 1" in told


def test_the_summary_counts_every_decision_once(results):
    told = summary(results, {})
    assert sum(each["share"] for each in told["intentions"]) == pytest.approx(1)
    assert sum(each["held_out_share"] for each in told["intentions"]) == pytest.approx(1)
    assert {row["key"] for row in told["scores"]} >= {"one", "intentions", "marginal"}
