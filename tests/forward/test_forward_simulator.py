"""Finite worlds as pure functions: they behave as their MDP says."""

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from inverseq import MDP, InputError, worlds
from inverseq.forward import policy_evaluation, simulator_of
from inverseq.forward.simulator import TabularState
from inverseq.policies import uniform
from strategies import random_mdp


def drawn(mdp: MDP, games: int, moves: int, seed: int) -> tuple[np.ndarray, ...]:
    """States, actions, next states, rewards and ends `[moves, games]` of acting at random."""
    simulator = simulator_of(mdp, max_moves=moves)
    allowed = jnp.where(jnp.asarray(mdp.allowed), 0.0, -jnp.inf)

    def one_game(key):
        def move(state, key):
            key_act, key_step = jax.random.split(key)
            action = jax.random.categorical(key_act, allowed[state.state])
            following, *outcome = simulator.step(key_step, state, action)
            return following, (state.state, action, following.state, *outcome)

        key_reset, key_moves = jax.random.split(key)
        keys = jax.random.split(key_moves, moves)
        return jax.lax.scan(move, simulator.reset(key_reset), keys)[1]

    keys = jax.random.split(jax.random.key(seed), games)
    return tuple(np.asarray(a).T for a in jax.jit(jax.vmap(one_game))(keys))


@pytest.mark.parametrize("seed", range(3))
def test_steps_are_drawn_from_the_transitions_of_the_mdp(seed):
    mdp = random_mdp(np.random.default_rng(seed), 5, 2)
    state, action, following, reward, terminated, truncated = drawn(mdp, 4000, 4, seed)
    begins = np.bincount(state[0], minlength=5) / 4000
    assert np.abs(begins - mdp.initial).max() < 5 * np.sqrt(0.25 / 4000)
    played = np.cumsum(np.vstack([np.zeros(4000, bool), terminated[:-1]]), axis=0) == 0
    assert not truncated[:-1].any()
    np.testing.assert_array_equal(truncated[-1], ~terminated[-1])
    wanted = np.zeros((5, 2, 5))
    for s, a, b in np.ndindex(mdp.successors.shape):
        wanted[s, a, mdp.successors[s, a, b]] += mdp.probabilities[s, a, b]
    compared = 0
    for s, a in np.ndindex(5, 2):
        here = played & (state == s) & (action == a)
        if here.sum() < 50:
            continue
        compared += 1
        np.testing.assert_allclose(reward[here], mdp.reward[s, a], rtol=1e-6)
        chance = np.eye(5)[s] if mdp.terminal[s] else wanted[s, a]
        seen = np.bincount(following[here], minlength=5) / here.sum()
        assert np.abs(seen - chance).max() < 5 * np.sqrt(0.25 / here.sum())
        assert terminated[here].all() or not mdp.terminal[s]
    assert compared >= 4


def test_returns_are_the_values_of_the_mdp():
    mdp = worlds.four_by_three(step_reward=-0.5).mdp
    _, _, _, reward, terminated, _ = drawn(mdp, 4000, 400, 1)
    played = np.cumsum(np.vstack([np.zeros(4000, bool), terminated[:-1]]), axis=0) == 0
    returns = (reward * played).sum(0)
    value = mdp.initial @ policy_evaluation(mdp, uniform(mdp.allowed)).values
    assert abs(returns.mean() - value) < 4 * returns.std() / np.sqrt(4000)


def test_an_action_that_does_not_exist_stays_and_earns_nothing():
    mdp = worlds.labyrinth().mdp
    simulator = simulator_of(mdp, np.ones(mdp.num_states))
    state = simulator.reset(jax.random.key(0))
    assert int(state.state) == 0
    following, reward, *_ = simulator.step(jax.random.key(1), state, jnp.int32(2))
    assert (int(following.state), float(reward)) == (0, 0.0)
    assert int(simulator.step(jax.random.key(1), state, jnp.int32(0))[0].state) == 1
    np.testing.assert_array_equal(simulator.observe(state), np.eye(mdp.num_states)[0])
    assert simulator.observation_shape == (mdp.num_states,)


def test_a_world_without_rewards_and_a_limit_of_none_are_refused():
    mdp = worlds.labyrinth().mdp
    with pytest.raises(InputError, match="reward"):
        simulator_of(mdp)
    with pytest.raises(InputError, match="max_moves"):
        simulator_of(mdp, np.ones(mdp.num_states), max_moves=0)


def test_a_simulator_says_which_actions_exist():
    mdp = random_mdp(np.random.default_rng(4), 5, 2)
    allowed = mdp.allowed.copy()
    allowed[:, 1] = [True, False, True, False, True]
    allowed[:, 0] = True
    simulator = simulator_of(replace(mdp, allowed=allowed))
    for state in range(5):
        np.testing.assert_array_equal(
            simulator.allowed_in(TabularState(jnp.int32(state), jnp.int32(0))), allowed[state]
        )
    everywhere = simulator_of(replace(mdp, allowed=np.ones_like(allowed)))
    assert everywhere.allowed is None
