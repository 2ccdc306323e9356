"""Data sets of Minari: episodes as they were recorded, by id, by folder and in memory."""

import warnings

import numpy as np
import pytest
from gymnasium import spaces

from inverseq import Demonstrations, InputError, read_minari, write_minari
from inverseq.cli import main

minari = pytest.importorskip("minari")


@pytest.fixture
def stored(tmp_path, monkeypatch):
    """Keep a data set of two episodes of three and two decisions; its record."""
    monkeypatch.setenv("MINARI_DATASETS_PATH", str(tmp_path))

    def store(observations, actions, name="walks/test-v0", **more):
        rng = np.random.default_rng(0)
        episodes = []
        for seed, length in enumerate((3, 2)):
            seen = [observations.sample() for _ in range(length + 1)]
            done = [k == length - 1 and seed == 0 for k in range(length)]
            episodes.append(
                minari.data_collector.EpisodeBuffer(
                    id=seed,
                    seed=seed,
                    observations=seen,
                    actions=[actions.sample() for _ in range(length)],
                    rewards=rng.random(length).tolist(),
                    terminations=done,
                    truncations=[k == length - 1 and seed == 1 for k in range(length)],
                    infos={},
                )
            )
        spaces_ = {"observation_space": observations, "action_space": actions}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of missing authors, permalinks and environments
            return minari.create_dataset_from_buffers(name, episodes, **spaces_, **more)

    return store


def test_numbered_episodes_come_back_decision_by_decision(stored, tmp_path):
    data = stored(spaces.Discrete(5, seed=0), spaces.Discrete(3, seed=1))
    episodes = [*data.iterate_episodes()]
    for source in (data, "walks/test-v0", tmp_path / "walks/test-v0"):
        demos = read_minari(source)
        for part, episode in zip(demos.starts[:-1], episodes, strict=True):
            rows = slice(part, part + len(episode.actions))
            assert demos.states[rows].tolist() == episode.observations[:-1].tolist()
            assert demos.next_states[rows].tolist() == episode.observations[1:].tolist()
            assert demos.actions[rows].tolist() == episode.actions.tolist()
            assert demos.decisions["reward"][rows].tolist() == episode.rewards.tolist()
        assert demos.terminated.tolist() == [False, False, True, False, False]
        assert demos.num_actions == 3
        assert demos.source == "walks/test-v0"


def test_arrays_are_features_and_continuous_actions(stored):
    low, high = np.zeros(2, np.float32), np.ones(2, np.float32)
    data = stored(spaces.Box(low, high, seed=0), spaces.Box(low[:1], high[:1], seed=1))
    demos = read_minari(data)
    assert demos.states.shape == (5, 2)
    assert demos.states.dtype == np.float32
    assert demos.actions.shape == (5, 1)


def test_what_cannot_be_read_says_what_to_do(stored):
    with pytest.raises(InputError, match="get it with: minari download none/here-v0"):
        read_minari("none/here-v0")
    parts = spaces.MultiDiscrete([2, 2], seed=0)
    with pytest.raises(InputError, match="observations of odd/test-v0 are MultiDiscrete"):
        read_minari(stored(parts, spaces.Discrete(2, seed=0), "odd/test-v0"))


def test_a_data_set_goes_where_a_table_goes(stored, tmp_path, monkeypatch, capsys):
    stored(spaces.Discrete(5, seed=0), spaces.Discrete(3, seed=1))
    monkeypatch.chdir(tmp_path)
    for source in ("walks/test-v0", "walks/test-v0/data"):
        assert main(["doctor", source]) == 0
        assert "5 decisions in 2 trajectories" in capsys.readouterr().out
    assert main(["doctor", "none/here-v0"]) == 2
    assert "minari download none/here-v0" in capsys.readouterr().err
    assert main(["doctor", "walks/test-v0", "--state", "x"]) == 2
    assert "columns of walks/test-v0 are known" in capsys.readouterr().err


def walk(**more):
    """Two trajectories of three and two decisions; the first ends, the second is broken off."""
    given = {"decisions": {"reward": np.arange(5.0)}} | more
    return Demonstrations.from_arrays(
        np.arange(10.0).reshape(5, 2),
        [0, 1, 0, 1, 1],
        next_states=[[2.0, 3], [4, 5], [9, 9], [8, 9], [7, 7]],
        trajectory=[0, 0, 0, 1, 1],
        terminated=[False, False, True, False, False],
        **given,
    )


def test_what_is_written_is_opened_by_minari_and_read_back(tmp_path, monkeypatch):
    data = walk()
    assert write_minari(data, "walks/own-v0", folder=tmp_path) == tmp_path / "walks/own-v0"
    monkeypatch.setenv("MINARI_DATASETS_PATH", str(tmp_path))
    opened = minari.load_dataset("walks/own-v0")
    first, second = opened.iterate_episodes()
    assert first.observations.tolist() == [[0, 1], [2, 3], [4, 5], [9, 9]]
    assert (first.terminations.tolist(), first.truncations.any()) == ([False, False, True], False)
    assert (second.terminations.any(), second.truncations.tolist()) == (False, [False, True])
    assert second.rewards.tolist() == [3, 4]
    assert opened.action_space == spaces.Discrete(2)
    back = read_minari("walks/own-v0")
    for name in ("states", "actions", "next_states", "endings", "starts"):
        np.testing.assert_array_equal(getattr(back, name)[:5], getattr(data, name)[:5])
    np.testing.assert_array_equal(back.decisions["reward"], data.decisions["reward"])
    assert [p.name for p in (tmp_path / "walks").iterdir()] == ["own-v0"]
    with pytest.raises(InputError, match="is there already"):
        write_minari(data, "walks/own-v0", folder=tmp_path)


def test_environments_are_made_again_and_numbers_stay_numbers(tmp_path):
    seen = np.zeros((3, 4), np.float32)
    cart = Demonstrations.from_arrays(
        seen, [0, 1, 1], next_states=seen, decisions={"reward": [1, 1, 1]}
    )
    told = {"environment": "CartPole-v1", "author": "nobody", "description": "standing still"}
    place = write_minari(cart, "cart/still-v0", folder=tmp_path, **told)
    opened = minari.MinariDataset(place / "data")
    assert opened.recover_environment().spec.id == "CartPole-v1"
    assert opened.storage.metadata["author"] == {"nobody"}
    numbered = Demonstrations.from_arrays(
        [2, 0], [0, 0], next_states=[0, 4], action_names="abc", decisions={"reward": [0.0, 1.0]}
    )
    place = write_minari(numbered, "numbers-v3", folder=tmp_path)
    opened = minari.MinariDataset(place / "data")
    assert (opened.observation_space, opened.action_space) == (
        spaces.Discrete(5),
        spaces.Discrete(3),
    )
    assert read_minari(place).states.tolist() == [2, 0]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"decisions": {}}, "hold rewards"),
        ({"decisions": {"reward": [0, 0, np.nan, 0, 0]}}, "row 3 lacks"),
    ],
)
def test_what_no_episode_can_hold_is_not_written(change, said, tmp_path):
    with pytest.raises(InputError, match=said):
        write_minari(walk(**change), "walks/own-v0", folder=tmp_path)
    assert not any(tmp_path.iterdir())


def test_episodes_of_one_step_are_written(tmp_path):
    for kind in (np.uint16, np.float64):
        states = np.arange(4, dtype=kind).reshape(2, 2)
        data = Demonstrations.from_arrays(
            states,
            [0, 1],
            next_states=states + kind(1),
            trajectory=[0, 1],
            terminated=[True, False],
            decisions={"reward": [1.0, 2.0]},
        )
        back = read_minari(write_minari(data, f"short/{kind.__name__}-v0", folder=tmp_path))
        assert back.starts.tolist() == [0, 1, 2]
        assert back.states.dtype == kind
        np.testing.assert_array_equal(back.states, states)
        np.testing.assert_array_equal(back.terminated, data.terminated)


def test_an_environment_that_is_not_there_is_told(tmp_path):
    with pytest.raises(InputError, match="Nowhere-v0 cannot be made"):
        write_minari(walk(), "walks/own-v0", folder=tmp_path, environment="Nowhere-v0")


def test_a_trajectory_with_a_jump_is_not_written(tmp_path):
    jump = Demonstrations.from_arrays(
        np.zeros((2, 1)), [0, 0], next_states=[[1.0], [0.0]], decisions={"reward": [0, 0]}
    )
    with pytest.raises(InputError, match="row 1 does not lead to the row behind it"):
        write_minari(jump, "walks/jump-v0", folder=tmp_path)
    with pytest.raises(InputError, match="ids of Minari look like"):
        write_minari(jump, "walks/jump", folder=tmp_path)
