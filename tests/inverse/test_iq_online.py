"""IQ-Learn beside its own play."""

from dataclasses import replace

import jax
import numpy as np
import pytest
from numpy.testing import assert_array_equal

from inverseq._core.errors import InputError
from inverseq.inverse.deep.iq_learn import IQLearn
from inverseq.inverse.deep.iq_online import train_iq_learn
from inverseq.networks import FullyConnected, Planner
from inverseq.play.experts import expert_games
from inverseq.policies.network import network_q
from inverseq.training.lessons import Lessons
from inverseq.training.loop import Loop
from inverseq.worlds import GridWorldRules, grid_simulator

RULES = GridWorldRules(width=4, height=4, num_walls=1, win="random", max_moves=30)
WORLD = grid_simulator(RULES)
GAMES = expert_games(RULES, games=40, seed=0)
LOOP = Loop(steps=400, learn_steps=25, test_games=8, capacity=200)
ONLINE = IQLearn(
    seed=0,
    network=FullyConnected((8,), tiles=4),
    form="value",
    penalised="all",
    discount=0.9,
    lessons=Lessons(batch=16, learning_rate=0.01),
)


def test_online_learning_with_a_planner_wins_its_test_games():
    solver = replace(ONLINE, network=Planner(iterations=8), alpha=2.0)
    solver = replace(solver, lessons=Lessons(batch=32, learning_rate=0.03))
    done = train_iq_learn(solver, GAMES, WORLD, replace(LOOP, steps=1200), jax.random.key(0))
    assert solver.online
    assert done.won.shape == (12,)
    assert done.won[-4:].mean() > 0.95
    assert done.ratio[-4:].mean() < 1.4
    assert done.ratio[0] > done.ratio[-4:].mean()


def test_offline_learning_does_not_depend_on_what_is_played():
    """Another world of the same shape changes the games that are watched, and no number learned."""
    offline = replace(ONLINE, form="value-expert", penalised="expert")
    other = grid_simulator(replace(RULES, num_walls=0))
    seen, loop = GAMES.states[:30], replace(LOOP, test_games=0)
    found = [train_iq_learn(offline, GAMES, w, loop, jax.random.key(1)) for w in (WORLD, other)]
    assert not offline.online
    assert_array_equal(*(network_q(f.solution.policy, seen) for f in found))


def test_an_interrupted_training_is_the_training_and_keys_differ(tmp_path):
    file, loop = tmp_path / "training.npz", replace(LOOP, learn_steps=1, test_games=0)
    key, seen = jax.random.key(2), GAMES.states[:30]

    def stop(*_) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train_iq_learn(ONLINE, GAMES, WORLD, loop, key, checkpoint=file, progress=stop)
    resumed = train_iq_learn(ONLINE, GAMES, WORLD, loop, key, checkpoint=file)
    keys = [key, jax.random.key(3)]
    whole, other = train_iq_learn(ONLINE, GAMES, WORLD, loop, keys)
    q = lambda done: network_q(done.solution.policy, seen)  # noqa: E731
    assert_array_equal(q(resumed), q(whole))
    assert_array_equal(resumed.loss, whole.loss)
    assert not np.array_equal(q(other), q(whole))
    assert whole.solution.status.ok
    assert whole.solution.status.steps == 400


def test_demonstrations_of_another_world_are_refused():
    larger = grid_simulator(GridWorldRules(width=5, height=5))
    with pytest.raises(InputError, match=r"shape \(4, 4\), the simulator shows \(5, 5\)"):
        train_iq_learn(ONLINE, GAMES, larger, LOOP, jax.random.key(0))
    fewer = replace(WORLD, num_actions=2)
    with pytest.raises(InputError, match="action 3, the simulator has actions 0 to 1"):
        train_iq_learn(ONLINE, GAMES, fewer, LOOP, jax.random.key(0))
