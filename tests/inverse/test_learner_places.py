"""Learners that know where actions lead: the two-step task."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_allclose

import inverseq as iq
from inverseq.inverse.problem import Problem
from inverseq.policies.leading import Leading
from inverseq.policies.learning import in_own_units
from oracles.learner import chances_of

PLANS = {"value of places": 3.0, "learning of places": 0.5}
REPEATS = {"value": 3.0, "learning": 0.5}
LEADS = np.array([[0.7, 0.1, 0.2], [0.25, 0.25, 0.5]])


@pytest.fixture(scope="module")
def planned():
    return iq.worlds.two_step(PLANS, seed=1)


def stays(data, common, paid):
    """How often the last choice is made again, after such a trial."""
    inner = np.flatnonzero(data.continues)
    before = inner - 1
    reward, usual = data.decisions["reward"], data.decisions["common"]
    chosen = (usual[before] == common) & (reward[before] == paid)
    return (data.actions[inner] == data.actions[before])[chosen].mean()


def test_who_plans_goes_by_the_place_and_who_repeats_by_the_pay():
    planned, repeated = (iq.worlds.two_step(one, seed=2) for one in (PLANS, REPEATS))
    for data in (planned, repeated):
        assert data.decisions["common"].mean() == pytest.approx(0.8, abs=0.03)
        place = np.where(data.decisions["place"] == "left", 0, 1)
        assert ((place == data.actions) == data.decisions["common"]).all()
    # Daw and others 2011, Figure 2: an interaction for planning, a main effect for repeating.
    crossed = lambda data: (  # noqa: E731
        stays(data, True, 1) - stays(data, False, 1) - stays(data, True, 0) + stays(data, False, 0)
    )
    assert crossed(planned) > crossed(repeated) + 0.25
    assert stays(repeated, False, 1) > stays(repeated, False, 0) + 0.1


@pytest.mark.parametrize("forgetting", [True, False])
def test_chances_are_those_of_a_loop_over_trials(forgetting):
    rng = np.random.default_rng(0)
    data = iq.worlds.two_step(PLANS, sessions=3, trials=30)
    missing = rng.random(data.num_decisions) < 0.2
    place = np.where(missing, "", rng.choice(["a", "b", "c"], data.num_decisions))
    actions = np.where(missing, -1, data.actions)
    told = {"reward": data.decisions["reward"], "port": place}
    data = replace(data, actions=actions, decisions=told)
    terms = iq.Learner(places="port", forgetting=forgetting).terms(2)
    numbers = rng.normal(scale=2.0, size=(1, len(terms)))
    leading = Leading("port", ("a", "b", "c"), LEADS)
    policy = iq.LearnerPolicy("reward", terms, numbers, leading=leading)
    own = dict(zip(terms, in_own_units(terms, numbers)[0], strict=True))
    begins = np.isin(np.arange(data.num_decisions), data.starts)
    reached = np.where(missing, -1, np.searchsorted(["a", "b", "c"], place))
    expected = chances_of(
        own, actions, told["reward"], begins, [[True] * 2] * begins.size, reached, LEADS.tolist()
    )
    assert_allclose(policy.probabilities(data, None), expected, atol=1e-10)


def test_slopes_are_those_of_the_likelihood(planned):
    solver = iq.Learner(places="place")
    expansion = solver.expand(Problem(planned, None))
    seen = expansion.seen(Problem(planned, None), np.zeros(planned.num_decisions, dtype=np.int64))
    rng = np.random.default_rng(0)
    numbers, direction = rng.normal(size=(2, len(expansion.terms)))
    ahead, at, behind = (
        expansion.quadratic(seen[0], numbers + sign * 1e-5 * direction, None) for sign in (1, 0, -1)
    )
    slope = (ahead.value - behind.value) / 2e-5
    assert at.slope @ direction == pytest.approx(slope, rel=1e-5)


@pytest.mark.parametrize(("truth", "weight"), [(PLANS, (0.0, 3.0)), (REPEATS, (3.0, 0.0))])
def test_who_plans_is_told_from_who_repeats(truth, weight):
    data = iq.worlds.two_step(truth, seed=3)
    found = iq.fit(data, iq.Learner(places="place", habit=False, forgetting=False, losses=False))
    numbers = dict(zip(found.settings["numbers"], found.parameters["own_units"], strict=True))
    assert numbers["value"] == pytest.approx(weight[0], abs=0.8)
    assert numbers["value of places"] == pytest.approx(weight[1], abs=0.8)
    assert isinstance(found.policy, iq.LearnerPolicy)
    assert found.policy.leading is not None
    assert_allclose(found.policy.leading.chances, [[0.8, 0.2], [0.2, 0.8]], atol=0.05)
    mine, plain = (
        iq.log_likelihood(found, data),
        iq.log_likelihood(iq.fit(data, iq.Learner()), data),
    )
    assert (mine.mean > plain.mean + 0.02) == (truth is PLANS)


def test_animals_have_numbers_of_their_own_and_are_saved(planned, tmp_path):
    told = {"subject": np.repeat(["m1", "m2"], 5)}
    data = replace(planned, trajectories=told)
    found = iq.fit(data, iq.Hierarchical(iq.Learner(places="place", habit=False)))
    assert isinstance(found.policy, iq.LearnerPolicy)
    assert found.policy.leading is not None
    assert found.policy.leading.names == ("left", "right")
    iq.save(found, tmp_path / "found.npz")
    again = iq.load(tmp_path / "found.npz", iq.Solution)
    assert_allclose(again.probabilities(data), found.probabilities(data))
    alone = iq.each_of(found)["m2"]
    own = data.select(subject="m2")
    assert_allclose(alone.probabilities(own), found.probabilities(own))


def test_what_is_missing_is_said(planned):
    solver = iq.Learner(places="port")
    with pytest.raises(iq.InputError, match="no column 'port' per decision, of where an action le"):
        iq.fit(planned, solver)
    holes = np.array(planned.decisions["place"], dtype="<U8")
    holes[7] = ""
    data = replace(planned, decisions=dict(planned.decisions) | {"port": holes})
    with pytest.raises(iq.InputError, match="row 8: column 'port' holds '', not the place"):
        iq.fit(data, solver)
    found = iq.fit(planned, iq.Learner(places="place"))
    new = np.where(np.arange(len(holes)) == 3, "middle", planned.decisions["place"])
    other = replace(planned, decisions=dict(planned.decisions) | {"place": new})
    with pytest.raises(iq.InputError, match=r"row 4: .*'middle', not the place .* seen in the fit"):
        found.probabilities(other)
    with pytest.raises(iq.InputError, match="a learner has no 'plan'"):
        iq.worlds.two_step({"plan": 1.0})
    with pytest.raises(iq.InputError, match="common is a probability; got 2"):
        iq.worlds.two_step({}, common=2.0)
