"""Neurons beside an analysis: what is looked at, in which order, and what is refused at once."""

import sys
from dataclasses import replace

import numpy as np
import pytest

from inverseq import Demonstrations, InputError, NeuralPlan, Plan, Recording, Signal, analyse
from inverseq.analysis.foretelling import ending_act
from inverseq.analysis.neural import Beside, chosen_of, in_time
from inverseq.mdp import MDP

RNG = np.random.default_rng(0)
UNITS = {"area": np.array(["CA1", "V1", "V1"]), "quality": np.array(["good", "good", "bad"])}


def recorded(**fields):
    spikes = [np.sort(np.append(RNG.uniform(0, 40, 198), (0.0, 40.0))) for _ in range(3)]
    return Recording.from_spikes(spikes, units=UNITS, source="r", **fields)


def waits(trials=20, action=1, start=0.0):
    """Trials of four decisions, of which the last is an act."""
    acts = np.zeros((trials, 4), dtype=np.int64)
    acts[:, -1] = action
    return Demonstrations.from_arrays(
        np.tile(np.arange(4), trials),
        acts.ravel(),
        trajectory=np.repeat(np.arange(trials), 4),
        time=start + 0.5 * np.arange(4 * trials),
        action_names=("wait", "go"),
    )


def chosen_by_state():
    """The same, with both actions everywhere, one more often the later it is."""
    demos, rng = waits(), np.random.default_rng(1)
    often = np.array([0.1, 0.4, 0.6, 0.9])[demos.states]
    return replace(demos, actions=(rng.random(len(often)) < often).astype(np.int64))


def plan_of(folds=5, intentions=None, **neural):
    return Plan(folds=folds, intentions=intentions, neural=NeuralPlan(**neural))


def test_units_keep_their_numbers_when_some_are_chosen():
    found = chosen_of(recorded(), NeuralPlan(units={"area": "V1"}))
    assert found.units["id"].tolist() == [1, 2]
    found = chosen_of(recorded(), NeuralPlan(units={"area": "V1", "quality": "bad"}))
    assert found.units["id"].tolist() == [2]
    plan = NeuralPlan(units={"area": "V1"}, shuffles=19, foretell=None, window=(-0.3, 0.1))
    demos = chosen_by_state()
    related = analyse(demos, Plan(folds=2, bootstrap=0, neural=plan), recording=recorded()).neural
    assert related.encoding[0].relations.units == ("unit 1", "unit 2")
    assert related.areas == ("V1", "V1")


def test_signals_are_chosen_by_name():
    signal = Signal(np.arange(40.0), np.ones((40, 1)))
    recording = recorded(signals={"pupil": signal, "wheel": signal})
    assert {*chosen_of(recording, NeuralPlan(signals=("wheel",))).signals} == {"wheel"}
    assert {*chosen_of(recording, NeuralPlan()).signals} == {"pupil", "wheel"}
    left = recorded(left_out={"lfp": "no samples"})
    with pytest.raises(InputError, match=r"no signal 'lfp' \(no samples\)"):
        chosen_of(left, NeuralPlan(signals=("lfp",)))


def test_decisions_are_put_in_the_order_of_time():
    demos = waits(3)
    turned = demos.take([2, 0, 1])
    assert (in_time(turned).time == demos.time).all()
    with pytest.raises(InputError, match="overlap in time"):
        in_time(replace(demos, time=demos.time % 2.0))
    with pytest.raises(InputError, match="decisions have no times"):
        in_time(replace(demos, time=None))


def test_what_is_wrong_is_said_before_anything_is_fitted(monkeypatch):
    home = sys.modules["inverseq.analysis.analyse"]
    monkeypatch.setattr(home, "look_at_models", None)  # must not be reached
    plan = Plan(neural=NeuralPlan(area="place"))
    with pytest.raises(InputError, match=r'no column \'place\'.*area="quality"'):
        analyse(waits(), plan, recording=recorded())
    with pytest.raises(InputError, match="give recording="):
        analyse(waits(), Plan(neural=NeuralPlan()))
    with pytest.raises(InputError, match="drop cross_validate"):
        Plan(neural=NeuralPlan(), cross_validate=True)


def test_the_act_that_ends_all_trials_is_found():
    world = MDP.estimate(waits(), discount=0.9)
    assert ending_act(waits(), world, NeuralPlan()) == "go"
    assert ending_act(waits(), world, NeuralPlan(foretell="go")) == "go"
    mixed = replace(waits(), actions=np.tile([0, 1, 0, 1], 20))
    assert ending_act(mixed, world, NeuralPlan()) is None
    with pytest.raises(InputError, match="20 decisions that end no trial, and ends 20 of 20"):
        ending_act(mixed, world, NeuralPlan(foretell="go"))
    with pytest.raises(InputError, match="two actions; here are"):
        ending_act(waits(), {}, NeuralPlan(foretell="go"))


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ({"window": (0.1, 0.0)}, "window must be a time and a later one"),
        ({"bin_width": 0.5}, "bin_width must be above 0, at most the window"),
        ({"lags": ()}, "lags must be one or more"),
        ({"shuffles": 5}, "shuffles must be 19 or more"),
        ({"doses": (0.0,)}, "doses must be shares"),
        ({"null": "shuffle"}, "null must be one of shift, exchange"),
        ({"correction": "none"}, "correction must be one of max, holm, bh"),
        ({"null": "exchange"}, 'say which with within="trajectory"'),
    ],
)
def test_numbers_out_of_range_are_refused(how, message):
    with pytest.raises(InputError, match=message):
        NeuralPlan(**how)


def test_a_lag_that_is_asked_twice_costs_twice():
    demos = chosen_by_state()
    recording = recorded()
    made = [
        analyse(
            demos,
            Plan(folds=2, bootstrap=0, neural=NeuralPlan(shuffles=19, lags=lags, foretell=None)),
            recording=recording,
        ).neural.encoding[0]
        for lags in ((0.0,), (0.0, 0.1))
    ]
    assert np.allclose(made[1].adjusted, np.minimum(2 * made[0].adjusted, 1.0))
    assert (made[1].relations.explained == made[0].relations.explained).all()


def test_beside_holds_areas_of_the_chosen_units():
    made = Beside.of(waits(), recorded(), plan_of(area="quality", units={"area": "V1"}))
    assert made.areas == ("good", "bad")
    bare = replace(recorded(), units={})
    assert Beside.of(waits(), bare, plan_of()).areas == ("all",) * 3


@pytest.mark.parametrize(
    ("told", "message"),
    [
        ({"regressors": ("hope",)}, "no regressor 'hope'; there are"),
        ({"regressors": ("switch",)}, "no regressor 'switch'"),
        ({"intentions": 2, "regressors": ("intention 3",)}, "no regressor 'intention 3'"),
        ({"covariates": ("mood",)}, "no covariate 'mood'"),
        ({"within": "week"}, "week"),
        ({"folds": 41}, "80 decisions .* too few for 41 blocks.*folds=40"),
        ({"folds": 31, "intentions": 2}, "60 decisions .* too few for 31 blocks.*folds=30"),
        ({"folds": 6, "foretell": "go"}, "20 trials are too few to foretell 'go'.*folds=5"),
    ],
)
def test_names_and_folds_are_refused_before_anything_is_fitted(monkeypatch, told, message):
    def fitted(*_):
        raise AssertionError("a fit began")

    for look in ("look_at_models", "look_at_intentions"):
        monkeypatch.setattr(sys.modules["inverseq.analysis.analyse"], look, fitted)
    with pytest.raises(InputError, match=message):
        analyse(waits(), plan_of(**told), recording=recorded())
    right = {"folds": 5, "intentions": told.get("intentions"), "regressors": ("surprise",)}
    with pytest.raises(AssertionError, match="a fit began"):
        analyse(waits(), plan_of(**right), recording=recorded())
