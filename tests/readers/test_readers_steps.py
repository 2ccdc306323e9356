"""Trials with a start and an act become decisions, one a step: as the lever's own rows say."""

import re

import numpy as np
import pytest

import inverseq as iq

TRIALS = {
    "press_time": [10.0, 13.0, 20.0],
    "release_time": [10.31, np.nan, 20.05],
    "stop_time": [10.5, 13.25, 21.0],
    "outcome": ["treat", "none", "early"],
}
TOLD = {"act": "release_time", "start": "press_time"}


def test_the_trials_of_the_lever_give_its_own_decisions():
    pynwb = pytest.importorskip("pynwb")
    from inverseq.datasets.files import bundled

    own = iq.datasets.load("lever").demonstrations
    with bundled("lever.nwb") as path, pynwb.NWBHDF5IO(str(path), "r") as stream:
        made = iq.steps_of(stream.read().trials.to_dataframe(), act="release")
    for name in ("states", "actions", "starts", "time", "terminated"):
        assert (getattr(made, name) == getattr(own, name)).all(), name
    assert (made.next_states[~made.terminated] == own.next_states[~own.terminated]).all()
    assert made.trajectories["outcome"].tolist() == own_outcomes(own)


def own_outcomes(own):
    return [own.state_names[state] for state in own.next_states[own.terminated]]


def test_acts_end_trials_and_those_without_are_waited_through():
    made = iq.steps_of(TRIALS, **TOLD)
    assert made.states.tolist() == [0, 1, 2, 3, 0, 1, 0]
    assert made.actions.tolist() == [0, 0, 0, 1, 0, 0, 1]
    assert made.next_states.tolist() == [1, 2, 3, 4, 1, -1, 4]
    assert made.terminated.tolist() == [False] * 3 + [True] + [False] * 2 + [True]
    assert np.allclose(made.time, [10, 10.1, 10.2, 10.3, 13, 13.1, 20])
    assert made.state_names == ("0 s", "0.1 s", "0.2 s", "0.3 s", "after release")
    assert made.action_names == ("wait", "release")
    assert made.trajectories["outcome"].tolist() == TRIALS["outcome"]
    for said in ("steps of 0.1 s", "'press_time'", "1 trials without it to 'stop_time'"):
        assert said in made.source


@pytest.mark.parametrize("step", [0.05, 0.1, 0.2])
def test_a_time_on_the_edge_of_a_step_belongs_to_the_step_that_begins(step):
    places = np.arange(1, 60)
    starts = 1e4 * np.arange(len(places)) + 0.3
    made = iq.steps_of({"start_time": starts, "act": starts + places * step}, act="act", step=step)
    assert (np.diff(made.starts) == places + 1).all()


def test_sessions_have_clocks_of_their_own():
    trials = {"start_time": [0.0, 0.0], "act": [0.5, 0.5], "session": ["a", "b"]}
    assert iq.steps_of(trials, act="act").num_trajectories == 2
    with pytest.raises(iq.InputError, match="trial 2 begins before trial 1 is over"):
        iq.steps_of({name: trials[name] for name in ("start_time", "act")}, act="act")


@pytest.mark.parametrize(
    ("change", "told", "message"),
    [
        ({}, {"act": "relase_time"}, "Did you mean 'release_time'"),
        ({}, {"start": "press"}, "no column 'press'.*start="),
        ({}, {"step": 0.0}, "step=0.1 is a time above 0"),
        ({}, {"step": 0.3}, "trial 2 has no act and is shorter than a step of 0.3 s"),
        ({"press_time": [np.nan, 13.0, 20.0]}, {}, "trial 1 has no time in 'press_time'"),
        ({"release_time": [9.0, np.nan, 20.05]}, {}, "trial 1 ends before it begins"),
        ({"release_time": [10.6, np.nan, 20.05]}, {}, "trial 1 has its act after its end"),
        ({"stop_time": [10.5, np.nan, 21.0]}, {}, "trial 2 has no act and no end.*stop="),
        ({}, {"stop": "end"}, "trial 2 has no act and no end.*stop="),
        ({"press_time": [10.0, 10.2, 20.0]}, {}, "trial 2 begins before trial 1 is over"),
        ({"release_time": [np.nan] * 3}, {}, "nobody acts"),
        ({"press_time": ["x", "13", "20"]}, {}, "row 1, column 'press_time': 'x' is not a time"),
    ],
)
def test_what_cannot_be_is_refused_in_one_message(change, told, message):
    with pytest.raises(iq.InputError) as caught:
        iq.steps_of({**TRIALS, **change}, **{**TOLD, **told})
    assert re.search(message, str(caught.value)), str(caught.value)
    assert "\n" not in str(caught.value)
