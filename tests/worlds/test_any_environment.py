"""Environments of Gymnasium as simulators: in step with them, also after interruptions."""

import gymnasium
import jax
import numpy as np
import pytest
from gymnasium import spaces

import inverseq.worlds.any_environment as module
from inverseq import InputError
from inverseq.forward import DQN, train_dqn
from inverseq.networks import FullyConnected
from inverseq.training import Loop
from inverseq.worlds import MDPEnv, four_by_three, gymnasium_simulator


def played(environment, seed, actions):
    """The oracle: what Gymnasium itself shows, pays and ends with."""
    seen, _ = environment.reset(seed=seed)
    rows = [(seen, 0.0, False, False)]
    for action in actions:
        rows.append(environment.step(int(action))[:4])
        if rows[-1][2] or rows[-1][3]:
            break
    return rows


@pytest.mark.parametrize("name", ["CartPole-v1", "Acrobot-v1", "LunarLander-v3"])
def test_games_are_those_of_the_environment(name):
    simulator = gymnasium_simulator(name, max_moves=60)
    reset, step = jax.jit(jax.vmap(simulator.reset)), jax.jit(jax.vmap(simulator.step))
    game = reset(jax.random.split(jax.random.key(1), 3))
    actions = np.random.default_rng(0).integers(simulator.num_actions, size=(70, 3))
    rows = [(np.asarray(game.seen), np.zeros(3), np.zeros(3, bool), np.zeros(3, bool))]
    keys = jax.random.split(jax.random.key(2), 3)
    for action in actions:
        game, *told = step(keys, game, action.astype(np.int32))
        rows.append((np.asarray(game.seen), *map(np.asarray, told)))
    environment = gymnasium.make(name, max_episode_steps=60)
    for place in range(3):
        wanted = played(environment, int(game.seed[place]), actions[:, place])
        for row, want in zip(rows, wanted, strict=False):
            np.testing.assert_array_equal(row[0][place], want[0])
            np.testing.assert_allclose(row[1][place], want[1], rtol=1e-6)
            assert (bool(row[2][place]), bool(row[3][place])) == want[2:]
        # Behind its end a game stays where it is, over, and earns nothing.
        for row in rows[len(wanted) :]:
            np.testing.assert_array_equal(row[0][place], wanted[-1][0])
            assert row[1][place] == 0
            assert row[2][place] or row[3][place]
        assert int(game.moves[place]) == len(wanted) - 1


class Stop(Exception):
    """The computer is switched off."""


def test_a_training_that_was_interrupted_goes_on_alike(tmp_path):
    # 75 blocks; checkpoints are written after 50.
    loop = Loop(300, training_freq=2, learn_steps=2, test_games=1, capacity=200)
    settings, key = DQN(FullyConnected((8,)), loop, 0.99), jax.random.key(3)
    simulator = gymnasium_simulator("CartPole-v1", max_moves=20)

    def stop(what, done, total):
        raise Stop

    with pytest.raises(Stop):
        train_dqn(settings, simulator, key, checkpoint=tmp_path / "half", progress=stop)
    straight = train_dqn(settings, simulator, key)
    # The environments have been used for other games since then.
    resumed = train_dqn(settings, simulator, key, checkpoint=tmp_path / "half")
    for one, other in zip(straight.trained.arrays, resumed.trained.arrays, strict=True):
        np.testing.assert_array_equal(one, other)
    np.testing.assert_array_equal(straight.earned, resumed.earned)


def test_more_games_than_are_held_are_the_same_games(monkeypatch):
    def games():
        simulator = gymnasium_simulator(lambda: MDPEnv(four_by_three()), max_moves=9)
        keys = jax.random.split(jax.random.key(0), 4)
        game, told = jax.jit(jax.vmap(simulator.reset))(keys), []
        step = jax.jit(jax.vmap(simulator.step))
        for actions in np.random.default_rng(0).integers(4, size=(9, 4)).astype(np.int32):
            game, *ends = step(keys, game, actions)
            told.append([game.seen, *ends])
            assert simulator.allowed_in(game).shape == (4, 4)
        return [np.stack(column) for column in zip(*told, strict=True)]

    many = games()
    assert many[0].sum(axis=2).max() == 1  # whole numbers are seen one-hot
    monkeypatch.setattr(module, "_HELD", 2)
    for one, other in zip(many, games(), strict=True):
        np.testing.assert_array_equal(one, other)


class Chance(gymnasium.Env):
    """An environment that does not obey its seed."""

    observation_space = spaces.Box(0, 1, (1,))
    action_space = spaces.Discrete(2)

    def reset(self, *, seed=None, options=None):
        return np.random.default_rng().random(1, np.float32), {}

    def step(self, action):
        return np.random.default_rng().random(1, np.float32), 0.0, False, False, {}


def test_what_does_not_obey_its_seed_is_told(monkeypatch):
    monkeypatch.setattr(module, "_HELD", 1)
    simulator = gymnasium_simulator(Chance, max_moves=5)
    keys = jax.random.split(jax.random.key(0), 2)
    game = jax.vmap(simulator.reset)(keys)
    with pytest.raises(Exception, match="does not come to the same observation"):
        jax.block_until_ready(jax.vmap(simulator.step)(keys, game, np.zeros(2, np.int32)))


def test_environments_that_cannot_be_played_are_refused():
    with pytest.raises(InputError, match=r"cannot be made: .*CartPole"):
        gymnasium_simulator("CartPol-v1")
    with pytest.raises(InputError, match="needs a limit of 1 move or more"):
        gymnasium_simulator(Chance)
    with pytest.raises(InputError, match="takes no arguments"):
        gymnasium_simulator(Chance, max_moves=5, gravity=3.0)
    with pytest.raises(InputError, match="Wrap the environment"):
        gymnasium_simulator("Blackjack-v1")

    def missing():
        raise gymnasium.error.DependencyNotInstalled("Box2D")

    gymnasium.register("inverseq/Missing-v0", missing)
    try:
        with pytest.raises(InputError, match=r'pip install "inverseq\[control\]"'):
            gymnasium_simulator("inverseq/Missing-v0")
    finally:
        del gymnasium.registry["inverseq/Missing-v0"]
