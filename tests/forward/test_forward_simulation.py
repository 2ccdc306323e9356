"""Simulated behaviour: its frequencies, its bounds, and the states that are found again."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given

from inverseq import Ending, InputError, align, count, unite, worlds
from inverseq.forward import simulate
from inverseq.policies import uniform
from strategies import mdps, random_policy, seeds


@given(mdps(), seeds)
def test_every_row_can_happen(mdp, seed):
    policy = random_policy(np.random.default_rng(seed), mdp)
    seen = simulate(mdp, policy, trajectories=5, steps=7, seed=seed)
    table = mdp.transition_matrix.toarray().reshape(mdp.num_states, mdp.num_actions, -1)
    assert (mdp.initial[seen.states[seen.starts[:-1]]] > 0).all()
    assert (policy[seen.states, seen.actions] > 0).all()
    assert (table[seen.states, seen.actions, seen.next_states] > 0).all()
    goes_on = seen.endings == Ending.CONTINUES
    np.testing.assert_array_equal(
        seen.next_states[:-1][goes_on[:-1]], seen.states[1:][goes_on[:-1]]
    )
    np.testing.assert_array_equal(seen.terminated, mdp.terminal[seen.next_states])
    assert not mdp.terminal[seen.states].any()
    assert seen.num_trajectories == 5
    lengths = np.diff(seen.starts)
    assert lengths.max() <= 7
    last = seen.starts[1:] - 1
    assert (seen.terminated[last] | (lengths == 7)).all()
    np.testing.assert_array_equal(seen.time, seen.step)


def test_frequencies_are_the_probabilities():
    mdp = worlds.gridworld(3, 3, [(1, 1)], wind=0.4, stay=True).mdp
    policy = random_policy(np.random.default_rng(3), mdp)
    seen = simulate(mdp, policy, trajectories=4000, steps=50, seed=0)
    counts = np.zeros((mdp.num_states, mdp.num_actions))
    np.add.at(counts, (seen.states, seen.actions), 1)
    visits = counts.sum(1, keepdims=True)
    assert (np.abs(counts / visits - policy) < 5 * np.sqrt(0.25 / visits)).all()
    moves = np.zeros((mdp.num_states, mdp.num_actions, mdp.num_states))
    np.add.at(moves, (seen.states, seen.actions, seen.next_states), 1)
    table = mdp.transition_matrix.toarray().reshape(moves.shape)
    error = np.abs(moves / counts[..., None] - table)
    assert (error < 5 * np.sqrt(0.25 / counts[..., None])).all()


def test_one_seed_one_behaviour():
    mdp = worlds.labyrinth().mdp
    draw = lambda seed: simulate(mdp, uniform(mdp.allowed), trajectories=3, steps=20, seed=seed)  # noqa: E731
    np.testing.assert_array_equal(draw(1).actions, draw(1).actions)
    assert (draw(1).actions != draw(2).actions).any()


def test_remembered_states_are_found_again():
    mdp = worlds.labyrinth().mdp.with_history(2)
    # A policy that depends on the past: never straight back where there is another way.
    back = np.asarray(mdp.history.base)[mdp.successors[:, :, 0]] == mdp.history.previous
    allowed = mdp.allowed & ~back
    policy = uniform(np.where(allowed.any(1, keepdims=True), allowed, mdp.allowed))
    seen = simulate(mdp, policy, trajectories=40, steps=60, seed=0)
    states = align(seen, mdp)
    assert (policy[states, seen.actions] > 0).all()
    forced = mdp.allowed[states].sum(1) == 1
    turned = seen.next_states[1:] == seen.states[:-1]
    assert not turned[seen.continues[1:] & ~forced[1:]].any()
    assert turned[seen.continues[1:] & forced[1:]].all()


def test_each_trajectory_stays_in_its_own_world():
    layouts = {"a": ["S.G"], "b": ["S..", "..G"], "c": ["S", ".", "G"]}
    plain = {k: replace(worlds.maze(v).mdp, coordinates=None) for k, v in layouts.items()}
    for mdp in (
        unite(plain),
        unite({k: m.with_history(2, of="actions") for k, m in plain.items()}),
    ):
        policy = uniform(mdp.allowed)
        seen = simulate(mdp, policy, trajectories=60, steps=30, seed=2)
        assert set(seen.trajectories["world"]) == set(layouts)
        sizes = np.array([plain[str(w)].num_states for w in seen.trajectories["world"]])
        assert (seen.states < sizes[seen.trajectory_of]).all()
        states = align(seen, mdp)
        reached = mdp.transition_matrix.toarray().reshape(*mdp.allowed.shape, -1)
        goes_on = np.flatnonzero(seen.endings == Ending.CONTINUES)
        assert (reached[states[goes_on], seen.actions[goes_on], states[goes_on + 1]] == 1).all()
        assert count(seen, mdp).visits.sum() == seen.num_decisions


def test_a_world_of_one_decision():
    bandit = replace(worlds.four_by_three().mdp, terminal=np.ones(11, bool), discount=0.5)
    seen = simulate(bandit, uniform(bandit.allowed), trajectories=10, steps=5, seed=0)
    assert seen.num_decisions == 10
    assert seen.terminated.all()


def test_nothing_to_simulate_is_refused():
    mdp = worlds.labyrinth().mdp
    with pytest.raises(InputError, match="1 or more trajectories"):
        simulate(mdp, uniform(mdp.allowed), trajectories=0, steps=5, seed=0)
    with pytest.raises(InputError, match=r"policy\[0\]"):
        simulate(mdp, np.full((127, 4), 0.25), trajectories=1, steps=5, seed=0)
