"""Differences of rewards: those of the reward that is shown, whatever its model and memory."""

import numpy as np
import pytest

import inverseq as iq
from inverseq.analysis.contrasts import FEWEST_RESAMPLED
from inverseq.analysis.family import Family
from inverseq.analysis.findings import Difference, Intervals
from inverseq.analysis.places import places
from inverseq.demonstrations import Demonstrations
from inverseq.evaluate.identifiability import Verdict
from inverseq.reporting.sections.headline import headline_text

QUICK = {"folds": 2, "bootstrap": 30}


@pytest.mark.parametrize(
    ("plan", "model", "how"),
    [
        ({"solver": "iavi", "history": 1}, "IAVI", Intervals.BOOTSTRAP),
        ({"solver": "maxent-states", "history": 1}, "MaxEnt on states", Intervals.SANDWICH),
        (
            {"solver": "maxent-history", "history": 2},
            "MaxEnt on state-actions, memory of 2 states",
            Intervals.SANDWICH,
        ),
    ],
)
def test_intervals_are_those_of_the_reward_that_is_drawn(plan, model, how):
    found = iq.analyse(iq.datasets.load("bandit"), iq.Plan(**QUICK, **plan))
    assert found.contrasts.model.name == found.row(found.chosen).name == model
    assert found.contrasts.how is how
    drawn, names = places(found.solution).rewards, found.given.state_names
    for row in found.contrasts.rows:
        at = names.index(row.names[0])
        if row.difference is Difference.ELSEWHERE:  # the reward is on states
            expected = drawn[at].mean() - np.delete(drawn, at, axis=0).mean()
        else:
            two = [found.given.action_names.index(a) for a in row.names[1:]]
            expected = drawn[at, two[0]] - drawn[at, two[1]]
        assert row.estimate == pytest.approx(expected, abs=1e-9)
        # Of a place that the prior alone sets to 0 nothing is unsure.
        assert row.low < row.estimate < row.high or abs(row.estimate) < 1e-9
    # Nothing is fitted for them: other rewards with the same memory that were scored anyway.
    rewards = {row.model for row in found.scores if not row.yardstick} - {found.contrasts.model}
    same = {other for other in rewards if other.memory == found.contrasts.model.memory}
    assert {other.model for other in found.contrasts.otherwise} == same
    for other in found.contrasts.otherwise:
        compared = [row.difference is Difference.ACTIONS for row in found.contrasts.rows]
        blind = other.model.reward == "states" and other.model.family is Family.MAXENT
        assert np.isnan(other.estimates).tolist() == [blind and each for each in compared]


@pytest.mark.parametrize("solver", ["iavi", "maxent-state-actions"])
def test_an_action_never_taken_is_not_settled(solver):
    rng, count = np.random.default_rng(0), 16
    actions = (rng.random(40 * count) < 0.2).astype(int)
    data = Demonstrations.from_arrays(
        np.zeros(actions.size, int),
        actions,
        trajectory=np.repeat(np.arange(count), 40),
        action_names=("press", "groom", "never"),
    )
    found = iq.analyse(data, iq.Plan(**QUICK, history=1, solver=solver))
    verdicts = {row.names[1]: row.verdict for row in found.contrasts.rows}
    assert verdicts == {"groom": Verdict.SETTLED, "never": Verdict.SMOOTHED}
    told = " ".join(headline_text(found))
    assert "Most clearly wanted: in state 0, press rather than groom" in told
    assert "Of 1 difference of reward that behaviour settles" in told
    assert "never" not in told


def test_what_hangs_on_an_action_never_taken_elsewhere_is_not_settled_either():
    # In the second state the second action was never taken; its value is in that of the first.
    rng, count = np.random.default_rng(0), 16
    states = np.tile([0, 1], 20 * count)
    actions = np.where(states == 0, rng.random(states.size) < 0.3, False).astype(int)
    data = Demonstrations.from_arrays(
        states,
        actions,
        next_states=np.where(states == 0, actions, 0),
        trajectory=np.repeat(np.arange(count), 40),
        action_names=("stay", "go"),
        state_names=("home", "away"),
    )
    found = iq.analyse(data, iq.Plan(**QUICK, history=1, solver="iavi"))
    rows = {row.names[0]: row for row in found.contrasts.rows}
    assert rows["home"].verdict is Verdict.SMOOTHED  # its own actions were all taken
    assert found.contrasts.identification.with_verdict(Verdict.SMOOTHED) == ("0", "1")


def test_few_units_have_estimates_and_no_intervals():
    rng, count = np.random.default_rng(0), FEWEST_RESAMPLED
    states = rng.integers(0, 2, 30 * count)
    actions = np.where(rng.random(states.size) < 0.9, states, 1 - states)
    trajectory = np.repeat(np.arange(count), 30)
    data = Demonstrations.from_arrays(states, actions, trajectory=trajectory)
    found = iq.analyse(data, iq.Plan(**QUICK, history=1, test=0.5))
    assert found.division.units == count // 2
    assert found.contrasts.how is Intervals.NONE
    for row in found.contrasts.rows:
        assert np.isfinite(row.estimate)
        assert np.isnan([row.low, row.high]).all()
        assert not row.clear
