"""The orchestrator: what was played is what is recorded."""

import gymnasium
import numpy as np
import pytest
from gymnasium import spaces
from gymnasium.envs.toy_text import CliffWalkingEnv, FrozenLakeEnv, TaxiEnv
from PIL import Image

from inverseq import Ending, InputError, worlds
from inverseq.play import Agent, Orchestrator, ShortestPathAgent
from inverseq.worlds import GridWorldEnv, MDPEnv


@pytest.mark.parametrize("kind", [FrozenLakeEnv, TaxiEnv, CliffWalkingEnv])
def test_any_discrete_environment_is_played_and_recorded(kind):
    environment = gymnasium.wrappers.TimeLimit(kind(), max_episode_steps=40)
    agent = Agent(int(environment.action_space.n), seed=0)
    recording = Orchestrator(environment, agent).play(games=5, moves=190, seed=3)
    demos = recording.demonstrations
    assert recording.num_games == demos.num_trajectories <= 5
    assert recording.moves.sum() == demos.num_decisions <= 190
    # The same seeds give the same play, written down here by hand.
    environment.action_space.seed(0)
    state, info = environment.reset(seed=3)
    agent, earned, row = Agent(int(environment.action_space.n), seed=0), [], 0
    for game in range(recording.num_games):
        total, over = 0.0, False
        while not over and row < demos.num_decisions:
            mask = info.get("action_mask")  # of the Taxi
            agent.allowed = None if mask is None else np.array(mask, dtype=bool)
            action = agent.get_action(state)
            following, reward, terminated, truncated, info = environment.step(action)
            written = (demos.states[row], demos.actions[row], demos.next_states[row])
            assert written == (state, action, following)
            assert demos.trajectory_of[row] == game
            total, over, row, state = total + reward, terminated or truncated, row + 1, following
            if terminated or truncated:
                expected = Ending.TERMINATED if terminated else Ending.TRUNCATED
                assert demos.endings[row - 1] == expected
        earned.append(total)
        state, info = environment.reset()
    np.testing.assert_allclose(recording.rewards, earned)
    assert np.isnan(recording.distance_ratio).all()
    assert "best_moves" not in demos.trajectories


def test_boards_are_recorded_with_their_distances():
    environment = GridWorldEnv("tiles", win="random")
    recording = Orchestrator(environment, ShortestPathAgent(0)).play(games=20, seed=0)
    demos = recording.demonstrations
    assert demos.states.shape == (recording.moves.sum(), 10, 10)
    np.testing.assert_array_equal(demos.trajectories["best_moves"], recording.moves)
    np.testing.assert_array_equal(recording.rewards, 11 - recording.moves)
    last = demos.starts[1:] - 1
    assert (demos.endings[last] == Ending.TERMINATED).all()
    assert demos.terminated.sum() == 20
    inner = np.setdiff1d(np.arange(demos.num_decisions), last)
    np.testing.assert_array_equal(demos.next_states[inner], demos.states[inner + 1])
    np.testing.assert_array_equal(recording.distance_ratio, 1.0)


def test_a_game_left_unfinished_is_marked():
    environment = GridWorldEnv("flat", start=(0, 0), num_walls=0)
    recording = Orchestrator(environment, ShortestPathAgent(0)).play(moves=25, seed=0)
    assert recording.moves.tolist() == [18, 7]
    assert recording.over.tolist() == [True, False]
    assert recording.terminated.tolist() == [True, False]
    assert recording.distance_ratio[0] == 1
    assert np.isnan(recording.distance_ratio[1])
    assert np.isnan(recording.manhattan_ratio[1])
    assert recording.demonstrations.endings[-1] == Ending.TRUNCATED


def test_a_lost_game_counts_with_the_moves_of_the_limit():
    environment = GridWorldEnv("flat", start=(0, 0), num_walls=0, max_moves=5)
    recording = Orchestrator(environment, Agent(4, seed=0)).play(games=3, seed=0)
    assert recording.over.all()
    assert not recording.terminated.any()
    np.testing.assert_allclose(recording.distance_ratio, 5 / 18)


class Counting(Agent):
    """Remembers what it was told, and learns when asked."""

    def __init__(self):
        super().__init__(4, seed=0)
        self.told: list = []

    def inform_result(self, next_observation, reward, terminated, truncated):
        self.told.append((next_observation, reward, terminated, truncated))

    def train(self):
        return None if len(self.told) < 9 else float(len(self.told))


def test_agents_are_told_of_every_move_and_trained_every_few():
    environment = MDPEnv(worlds.gridworld(3, 3, wins=[(2, 2)]))
    agent = Counting()
    recording = Orchestrator(environment, agent, training_freq=4).play(moves=21, seed=0)
    demos = recording.demonstrations
    assert [told[0] for told in agent.told] == demos.next_states.tolist()
    assert [told[2] for told in agent.told] == demos.terminated.tolist()
    assert recording.losses.tolist() == [12.0, 16.0, 20.0]
    assert Orchestrator(environment, Counting()).play(moves=21, seed=0).losses.size == 0


def test_a_film_has_a_picture_of_every_board(tmp_path):
    environment = GridWorldEnv("flat", "rgb_array", width=4, height=3, num_walls=1)
    recording = Orchestrator(environment, ShortestPathAgent(0, 4)).play(games=2, seed=0, video=True)
    assert len(recording.frames) == recording.moves.sum() + 2
    assert recording.frames[0].shape == (96, 128, 3)
    assert (recording.frames[0] != recording.frames[1]).any()
    path = recording.save_gif(tmp_path / "play.gif", seconds=0.2)
    with Image.open(path) as film:
        assert film.n_frames == len(recording.frames)
        assert film.info["duration"] == 200
        for number, frame in enumerate(recording.frames):
            film.seek(number)
            shown = np.asarray(film.convert("RGB"), dtype=int)
            assert np.abs(shown - frame).max() < 12  # a film has 256 colours
    with pytest.raises(InputError, match="a name that ends in"):
        recording.save_gif(tmp_path / "play.png")


def test_what_cannot_be_played_is_refused(tmp_path):
    environment = GridWorldEnv("flat")
    with pytest.raises(InputError, match="4 actions, the agent 3"):
        Orchestrator(environment, Agent(3, seed=0))
    with pytest.raises(InputError, match="training_freq"):
        Orchestrator(environment, Agent(4, seed=0), training_freq=0)
    orchestrator = Orchestrator(environment, Agent(4, seed=0))
    for limits in ({}, {"games": 0}, {"games": 3, "moves": -1}):
        with pytest.raises(InputError, match="give games or moves"):
            orchestrator.play(seed=0, **limits)
    with pytest.raises(InputError, match="render_mode"):
        orchestrator.play(seed=0, games=1, video=True)
    with pytest.raises(InputError, match="nothing was filmed"):
        orchestrator.play(seed=0, games=1).save_gif(tmp_path / "none.gif")
    environment.action_space = spaces.MultiDiscrete([2, 2])
    with pytest.raises(InputError, match="actions must be Discrete"):
        Orchestrator(environment, Agent(4, seed=0))
    environment.action_space = spaces.Discrete(4)
    environment.observation_space = spaces.Dict({})
    with pytest.raises(InputError, match="FlattenObservation"):
        Orchestrator(environment, Agent(4, seed=0))
