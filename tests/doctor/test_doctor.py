"""The doctor finds what was planted, keeps quiet where nothing is wrong, and never stumbles."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import inverseq.doctor.view as view_module
import strategies
from diagnoses import found, healthy, ring
from inverseq import datasets
from inverseq._core.errors import InputError
from inverseq._core.store import load, save
from inverseq.demonstrations import Demonstrations
from inverseq.doctor import About, Diagnosis, Severity, as_dict, describe, diagnose
from inverseq.mdp import MDP, unite
from inverseq.readers import read_table


def test_a_healthy_table_has_no_errors_and_no_warnings():
    world, demos = healthy()
    diagnosis = diagnose(demos, world)
    assert diagnosis.worst in (None, Severity.NOTE)
    assert diagnosis.facts["decisions"] == demos.num_decisions
    assert diagnosis.facts["states_visited"] == diagnosis.facts["states"] == 4


def test_nothing_at_all_is_said_in_so_many_words():
    assert "Nothing here will hurt a fit" in str(Diagnosis((), diagnose(healthy()[1]).facts, "x"))


def test_states_and_actions_that_do_not_occur():
    demos = Demonstrations.from_arrays([0, 1, 0, 1], [0, 1, 0, 1])
    about = found(diagnose(demos, ring(6)))
    assert about["states never visited"].count == 4
    assert "(2, 3, 4, 5)" in about["states never visited"].text
    assert about["states never visited"].severity is Severity.WARNING
    assert about["actions never taken"].count == 1
    assert about["actions never tried at a state"].count == 4


def test_a_state_that_was_only_arrived_at_was_visited():
    demos = Demonstrations.from_arrays([0], [0], next_states=[1])
    assert "states never visited" not in found(diagnose(demos, ring(2)))


def test_impossible_transitions_name_their_rows():
    demos = Demonstrations.from_arrays([0, 1, 3, 0, 2], [0, 0, 0, 0, 1], rows=np.arange(11, 16))
    finding = found(diagnose(demos, ring()))["impossible transitions"]
    assert (finding.severity, finding.count, finding.rows) == (Severity.ERROR, 2, (12, 14))
    assert "from 1 by 0 to 3" in finding.text
    assert "gap" in finding.remedy


@given(strategies.played(gaps=0.1, missing=0.1), strategies.seeds)
def test_rows_called_impossible_are_those_with_probability_zero(drawn, seed):
    world, _, demos = drawn
    rng = np.random.default_rng(seed)
    following = np.where(
        (rng.random(demos.num_decisions) < 0.3) & (demos.next_states >= 0),
        rng.integers(0, world.num_states, demos.num_decisions),
        demos.next_states,
    )
    spoilt = Demonstrations(demos.states, demos.actions, following, demos.endings, demos.starts)
    expected = [
        i + 1
        for i, (s, a, n) in enumerate(zip(demos.states, demos.actions, following, strict=True))
        if a >= 0
        and n >= 0
        and not any(
            world.successors[s, a, b] == n and world.probabilities[s, a, b] > 0
            for b in range(world.successors.shape[2])
        )
    ]
    finding = found(diagnose(spoilt, world)).get("impossible transitions")
    assert (0 if finding is None else finding.count) == len(expected)
    if finding is not None:
        assert finding.rows == tuple(expected[:5])


def test_an_estimated_world_is_no_proof_against_a_table():
    seen = Demonstrations.from_arrays([0, 1, 2], [0, 0, 0])
    new = Demonstrations.from_arrays([0, 2], [0, 0])
    finding = found(diagnose(new, MDP.estimate(seen, discount=0.9)))["impossible transitions"]
    assert finding.severity is Severity.WARNING


def test_actions_that_do_not_exist_name_their_rows():
    allowed = np.ones((4, 3), bool)
    allowed[1, 2] = False
    demos = Demonstrations.from_arrays([0, 1, 1], [0, 2, 2])
    finding = found(diagnose(demos, ring(allowed=allowed)))["actions that do not exist"]
    assert (finding.severity, finding.count, finding.rows) == (Severity.ERROR, 2, (2, 3))


def test_what_is_outside_the_world_is_an_error_and_no_stumbling_block():
    demos = Demonstrations.from_arrays([0, 9, 1], [0, 0, 7], next_states=[9, 1, 8])
    about = found(diagnose(demos, ring()))
    assert about["state outside the world"].rows == (2,)
    assert about["action outside the world"].rows == (3,)
    assert about["next state outside the world"].count == 2


def test_decisions_after_the_end_and_ends_that_the_world_does_not_know():
    terminal = np.array([False, False, False, True])
    demos = Demonstrations.from_arrays(
        [2, 3, 0], [0, 1, 0], next_states=[3, 2, 1], terminated=[0, 0, 1]
    )
    about = found(diagnose(demos, ring(terminal=terminal)))
    assert about["decisions after the end"].rows == (2,)
    assert about["ends that the world does not know"].rows == (3,)


def test_forced_decisions_are_counted():
    allowed = np.ones((4, 3), bool)
    allowed[1] = [True, False, False]
    demos = Demonstrations.from_arrays([0, 1, 0, 1], [0, 0, 1, 0])
    assert (
        "50.0% of the decisions"
        in found(diagnose(demos, ring(allowed=allowed)))["forced decisions"].text
    )


def test_worlds_are_taken_by_name():
    worlds = {"small": ring(3), "large": ring(5)}
    demos = Demonstrations.from_arrays(
        [0, 1, 4, 2, 1],
        [0, 0, 0, 0, 0],
        trajectory=[0, 0, 1, 1, 2],
        trajectories={"world": np.array(["small", "large", "none"])},
    )
    about = found(diagnose(demos, worlds))
    assert about["worlds without an MDP"].rows == (5,)
    assert about["impossible transitions"].rows == (3,)
    assert "from 4 of large by 0 to 2 of large" in about["impossible transitions"].text
    assert found(diagnose(demos, unite(worlds))).keys() == about.keys()
    nameless = Demonstrations.from_arrays([0], [0])
    assert "no trajectory column 'world'" in str(diagnose(nameless, worlds))


def test_names_that_stand_for_other_numbers():
    demos = Demonstrations.from_arrays([0], [0], action_names=("back", "on", "stay"))
    world = ring(action_names=("on", "back", "stay"))
    about = found(diagnose(demos, world))["action names differ"]
    assert about.severity is Severity.ERROR
    assert "its actions from 0 on back, on, stay, the world on, back, stay" in about.text


def test_gaps_pauses_and_equal_times():
    demos = Demonstrations.from_arrays(
        [0, 1, 2, 3, 0, 1],
        [0] * 6,
        next_states=[1, 3, 3, 0, 1, 2],
        time=np.array([0.0, 1, 2, 3, 9, 9]),
    )
    about = found(diagnose(demos))
    assert about["gaps"].rows == (2,)
    assert about["pauses"].rows == (4,)
    assert "longest_step=1.5" in about["pauses"].remedy
    assert about["equal times"].rows == (5,)
    assert not about["equal times"].remedy
    seconds = np.cumsum([0.0, 1.1, 0.9, 1.2, 30.0, 1.0])
    finding = found(diagnose(Demonstrations.from_arrays([0] * 6, [0] * 6, time=seconds)))["pauses"]
    assert (finding.severity, finding.rows) == (Severity.NOTE, (4,))


def test_a_number_of_the_trial_is_no_time():
    trials = Demonstrations.from_arrays([0] * 9, [0] * 9, time=np.repeat([1.0, 2, 3], 3))
    finding = found(diagnose(trials))["equal times"]
    assert (finding.severity, finding.count) == (Severity.WARNING, 6)
    assert 'trajectory="..."' in finding.remedy


def test_self_loops_missing_actions_and_short_trajectories():
    demos = Demonstrations.from_arrays(
        [0] * 8 + [1], [0, 0, 0, 0, 0, -1, -1, -1, 0], trajectory=[0] * 8 + [1]
    )
    about = found(diagnose(demos))
    assert about["self-loops"].severity is Severity.WARNING
    assert "fixed times" in about["self-loops"].remedy
    assert about["missing actions"].severity is Severity.WARNING
    assert about["missing actions"].rows == (6, 7, 8)
    assert about["one-step trajectories"].rows == (9,)
    assert about["few trajectories"].count == 2


def test_a_single_trajectory_and_a_single_subject():
    demos = Demonstrations.from_arrays([0, 1], [0, 0], trajectories={"subject": np.array(["a"])})
    about = found(diagnose(demos))
    assert about["single trajectory"].severity is Severity.WARNING
    assert about["single subject"].severity is Severity.NOTE


def test_too_few_decisions_depend_on_the_reward_asked_for():
    world, demos = healthy(trajectories=12, length=6)
    about = found(diagnose(demos, world))
    finding = about["too few decisions per state"]
    counts = np.bincount(demos.states, minlength=4)
    assert finding.count == ((counts > 0) & (counts < 20)).sum() > 0
    assert "10 decisions each" in finding.remedy
    assert "too few decisions" not in found(diagnose(demos, world, reward="state"))
    few = demos.take([0])
    assert "4 numbers, one per state" in str(diagnose(few, world, reward="state"))
    features = MDP(world.successors, world.probabilities, 0.9, features=np.ones((4, 3, 2)))
    assert "too few decisions" not in found(diagnose(demos, features, reward="features"))


def reaching_mice() -> tuple[MDP, Demonstrations]:
    """The shape of the data in github.com/HumanCompatibleAI/imitation/issues/808.

    819 trajectories of 1 to 51 decisions (mean 6.2), 50 states, 8 actions, no environment.
    """
    rng = np.random.default_rng(808)
    transitions = rng.dirichlet(np.full(50, 0.05), size=(50, 8))
    policy = rng.dirichlet(np.full(8, 0.3), size=50)
    lengths = np.minimum(1 + rng.negative_binomial(0.5, 0.088, 819), 51)
    lengths[:2] = 1, 51
    states, actions = [], []
    for length in lengths:
        state = int(rng.integers(5))
        for _ in range(length):
            action = int(rng.choice(8, p=policy[state]))
            states.append(state)
            actions.append(action)
            state = int(rng.choice(50, p=transitions[state, action]))
    demos = Demonstrations.from_arrays(
        states, actions, trajectory=np.repeat(np.arange(819), lengths)
    )
    return MDP.from_dense(transitions, discount=0.9), demos


def test_many_short_trajectories_of_mice_are_explained():
    world, demos = reaching_mice()
    diagnosis = diagnose(demos, world)
    about = found(diagnosis)
    assert "from 1 to 51 decisions" in about["trajectories of very different lengths"].text
    assert "fixed horizon" in about["trajectories of very different lengths"].remedy
    assert about["one-step trajectories"].count == (np.diff(demos.starts) == 1).sum() > 100
    assert "none of the 819 trajectories" in about["why trajectories end"].text
    assert "of 400 state-action pairs" in about["actions never tried at a state"].text
    assert about["too few decisions per state"].severity is Severity.WARNING
    assert diagnosis.worst is Severity.WARNING  # it can be fitted


@pytest.mark.parametrize("name", datasets.names())
def test_the_bundled_data_have_no_errors(name):
    dataset = datasets.load(name)
    assert diagnose(dataset.demonstrations, dataset.mdp).worst is not Severity.ERROR


def test_the_worst_comes_first_and_the_text_tells_all(tmp_path):
    demos = Demonstrations.from_arrays([0, 2, 9], [0, 0, 0], source="mice.csv")
    diagnosis = diagnose(demos, ring())
    order = [list(Severity).index(f.severity) for f in diagnosis.findings]
    assert order == sorted(order)
    text = describe(diagnosis)
    assert text == str(diagnosis)
    assert text.startswith("mice.csv\n3 decisions in 1 trajectories")
    for finding in diagnosis.findings:
        assert finding.about in text
        assert " ".join(finding.text.split()[:4]) in " ".join(text.split())
    assert max(map(len, text.splitlines())) <= 110
    tree = json.loads(json.dumps(as_dict(diagnosis)))
    assert tree["worst"] == "error"
    assert len(tree["findings"]) == len(diagnosis.findings)
    again = load(save(diagnosis, tmp_path / "d.npz"), Diagnosis)
    assert as_dict(again) == as_dict(diagnosis)


@given(strategies.any_demonstrations(), st.booleans(), strategies.mdps())
def test_any_table_in_any_world_is_examined(demos, alone, world):
    diagnosis = diagnose(demos, None if alone else world, train=demos if alone else None)
    assert json.dumps(as_dict(diagnosis))
    for finding in diagnosis.findings:
        assert finding.count > 0
        assert all(1 <= row <= demos.num_decisions for row in finding.rows)
        assert "nan" not in finding.text.lower().split()


def test_what_the_doctor_cannot_look_at_is_refused():
    with pytest.raises(InputError, match=r"states are features.*bin them"):
        diagnose(Demonstrations.from_arrays(np.zeros((2, 2)), [0, 0]), ring())
    with pytest.raises(InputError, match="reward must be"):
        diagnose(Demonstrations.from_arrays([0], [0]), reward="wrong")  # pyright: ignore[reportArgumentType]
    with pytest.raises(InputError, match=r"actions are continuous.*bin them"):
        diagnose(Demonstrations.from_arrays([0, 1], np.zeros((2, 2))), ring())
    with pytest.raises(InputError, match="the world without history"):
        diagnose(Demonstrations.from_arrays([0], [0]), ring().with_history(2))


def test_numbers_with_holes_and_worlds_that_do_not_fit_are_told(monkeypatch):
    table = {"state": [7, 725_516, 7, 3], "action": [0, 1, 0, 1]}
    holes = found(diagnose(read_table(table)))[About.RENUMBERED]
    assert (holes.severity, holes.count) == (Severity.NOTE, 3)
    assert "go up to 725,516, and 3 of them occur" in holes.text
    assert About.TOO_LARGE not in found(diagnose(read_table(table)))
    assert About.RENUMBERED not in found(diagnose(read_table(table | {"state": [2, 1, 0, 1]})))
    monkeypatch.setattr(view_module, "available", lambda: 1000.0)
    large = found(diagnose(read_table(table)))[About.TOO_LARGE]
    assert large.severity is Severity.WARNING
    assert "may need up to 1.6 kB of memory, and 1.0 kB are free" in large.text
    assert "Join states" in large.remedy


def test_trips_that_end_at_their_own_goals_are_no_surprise():
    demos = Demonstrations.from_arrays(
        [0, 1, 0, 1, 2],
        [0, 0, 0, 0, 0],
        next_states=[1, 2, 1, 2, -1],
        trajectory=[0, 0, 1, 1, 1],
        terminated=[False, True, False, False, False],
        trajectories={"goal": [2, 4], "place": [3, 4]},
    )
    ends = "ends that the world does not know"
    assert ends not in found(diagnose(demos, ring(), goal="goal"))
    assert found(diagnose(demos, ring(), goal="place"))[ends].count == 1
    with pytest.raises(InputError, match="there is no such column"):
        diagnose(demos, ring(), goal="nowhere")


def test_an_action_that_is_called_none_is_told_with_what_to_add():
    rng = np.random.default_rng(0)
    table = {
        "trajectory": np.repeat(np.arange(30), 10),
        "state": rng.choice(["a", "b"], 300),
        "action": rng.choice(["left", "right", "No choice"], 300),
    }
    told = found(diagnose(read_table(table)))[About.NO_ACTION]
    assert told.count == int((table["action"] == "No choice").sum())
    assert told.remedy.endswith('add missing="No choice".')
    assert About.NO_ACTION not in found(diagnose(read_table(table, missing="No choice")))
    table["action"] = rng.choice(["left", "nose"], 300)
    assert About.NO_ACTION not in found(diagnose(read_table(table)))
