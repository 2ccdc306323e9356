"""Agents that learn while they play."""

import gymnasium
import numpy as np
import pytest
from gymnasium import spaces
from gymnasium.envs.toy_text import FrozenLakeEnv

from inverseq import MDP, FitError, InputError, fit
from inverseq.forward import policy_iteration
from inverseq.forward.dqn import DQN
from inverseq.inverse.deep.iq_learn import IQLearn
from inverseq.networks import FullyConnected, action_values
from inverseq.play import DQNAgent, IQLearnAgent, Orchestrator, QAgent, expert_games
from inverseq.training.lessons import Lessons
from inverseq.training.loop import Loop
from inverseq.worlds import GridWorldEnv, GridWorldRules, MDPEnv, World
from inverseq.worlds.record import Drawing

BOARD = {"width": 4, "height": 4, "walls": ((1, 1), (2, 2))}
SMALL = FullyConnected((32,), tiles=4)


def test_deep_q_learning_learns_a_small_board_by_playing_it():
    environment = GridWorldEnv("tiles", **BOARD)
    settings = DQN(network=SMALL, loop=Loop(2400, capacity=512), learning_rate=3e-3)
    agent = DQNAgent(environment, settings, seed=0)
    recording = Orchestrator(environment, agent, training_freq=4).play(moves=2400, seed=0)
    assert recording.losses.size == (2400 - 28) // 4
    early, late = (recording.distance_ratio[part] for part in (slice(0, 5), slice(-40, -1)))
    assert np.nanmean(late) < 1.6 < np.nanmean(early)
    best = Orchestrator(environment, QAgent(agent.trained(), 0)).play(games=50, seed=1)
    assert best.terminated.all()
    assert best.distance_ratio.mean() < 1.05


def test_whole_numbers_are_seen_one_hot_and_a_seed_decides_everything():
    def play(seed: int):
        environment = FrozenLakeEnv(is_slippery=False)
        agent = DQNAgent(environment, DQN(network=FullyConnected((8,))), seed=seed)
        assert agent.shape == (16,)
        return Orchestrator(environment, agent, training_freq=4).play(moves=150, seed=0)

    one, again, other = play(0), play(0), play(1)
    assert one.demonstrations.fingerprint == again.demonstrations.fingerprint
    np.testing.assert_array_equal(one.losses, again.losses)
    assert one.demonstrations.fingerprint != other.demonstrations.fingerprint


def test_agents_that_learn_take_and_value_only_actions_that_exist():
    """Two states; in each, another one of three actions does not exist."""
    rows = {"state": [0, 0, 1, 1], "action": [0, 1, 0, 2], "next_state": [1, 0, 0, 1]}
    rows |= {"probability": np.ones(4), "reward": [1.0, 0.0, 0.0, 0.5]}
    mdp = MDP.from_table(rows, discount=0.5)
    doors = World("doors", mdp, Drawing(2, 1, np.zeros((1, 2), dtype=bool)), "none")
    environment = gymnasium.wrappers.TimeLimit(MDPEnv(doors), max_episode_steps=20)
    loop = Loop(600, capacity=256, learn_from=32, test_games=0)
    agent = DQNAgent(
        environment, DQN(FullyConnected(()), loop, 0.5, learning_rate=0.1, target_every=20), seed=0
    )
    played = Orchestrator(environment, agent, training_freq=1).play(moves=600, seed=0)
    done = played.demonstrations
    assert mdp.allowed[done.states, done.actions].all()
    assert not mdp.allowed.all()
    learned = action_values(agent.trained(), np.eye(2))
    right = policy_iteration(mdp).q
    np.testing.assert_allclose(learned[mdp.allowed], right[mdp.allowed], atol=0.15)


def test_iq_learn_by_steps_is_iq_learn_by_fit():
    rules = GridWorldRules(**BOARD)
    demos = expert_games(rules, games=60, seed=0)
    environment = GridWorldEnv("tiles", **BOARD)
    lessons = Lessons(steps=400, batch=32, learning_rate=3e-3, schedule="constant")
    settings = IQLearn(3, network=SMALL, discount=0.9, lessons=lessons, num_actions=4)
    agent = IQLearnAgent(environment, settings, demos)
    recording = Orchestrator(environment, agent, training_freq=1).play(moves=420, seed=0)
    assert recording.losses.size == 400  # its lessons are over
    assert recording.losses[-50:].mean() < recording.losses[:50].mean()
    fitted = fit(demos, settings).policy.network
    for mine, theirs in zip(agent.trained().arrays, fitted.arrays, strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=1e-3, atol=1e-4)
    play = Orchestrator(environment, QAgent(agent.trained(), 0)).play(games=50, seed=1)
    assert play.distance_ratio.mean() < 1.05


def test_a_loss_that_is_not_finite_is_noticed():
    environment = FrozenLakeEnv(is_slippery=False)
    settings = DQN(network=FullyConnected(()), learning_rate=1e30)
    agent = DQNAgent(environment, settings, seed=0)
    with pytest.raises(FitError, match="lower learning_rate"):
        Orchestrator(environment, agent, training_freq=4).play(moves=100, seed=0)


def test_what_cannot_be_learned_is_refused():
    environment = GridWorldEnv("tiles", **BOARD)
    agent = DQNAgent(environment, DQN(network=SMALL), seed=0)
    with pytest.raises(InputError, match="ask for one"):
        agent.inform_result(np.zeros((4, 4)), 0.0, False, False)
    assert agent.train() is None  # nothing is stored yet
    demos = expert_games(GridWorldRules(3, 3, 0), games=2, seed=0)
    with pytest.raises(InputError, match=r"of shape \(4, 4\), the demonstrations hold \(3, 3\)"):
        IQLearnAgent(environment, IQLearn(0, network=SMALL, discount=0.9), demos)
    environment.observation_space = spaces.Discrete(9, start=1)
    with pytest.raises(InputError, match="must count from 0"):
        DQNAgent(environment, DQN(network=SMALL), seed=0)
    environment.observation_space = spaces.Dict({})
    with pytest.raises(InputError, match="arrays or whole numbers"):
        DQNAgent(environment, DQN(network=SMALL), seed=0)
    environment.action_space = spaces.Box(0, 1)
    with pytest.raises(InputError, match="actions must be Discrete"):
        DQNAgent(environment, DQN(network=SMALL), seed=0)
