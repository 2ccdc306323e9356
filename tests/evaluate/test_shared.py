"""One reward from several worlds: recovered, refused where ranks fail, dense as sparse."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from scipy import sparse
from scipy.sparse.linalg import ArpackNoConvergence, eigsh

import inverseq as iq
from inverseq import InputError
from inverseq._core import nullspace
from inverseq._core.nullspace import LISTED, DenseNullSpace, SparseNullSpace
from inverseq.evaluate.identifiability import Verdict, contrast, identify
from inverseq.evaluate.shared import agreement, behaviour_of, shared_reward
from inverseq.forward import policy_iteration, soft_policy_iteration
from inverseq.inverse.planning import Greedily, HardOptimum, SoftOptimum
from inverseq.policies import TabularPolicy, boltzmann
from strategies import mdps, random_mdp, seeds

CONVERGED = iq.Status(iq.Outcome.CONVERGED, 1, 0.0)


def dense_world(rng, discount, states=12, actions=3):
    return iq.MDP.from_dense(rng.dirichlet(np.ones(states), (states, actions)), discount=discount)


def expert(mdp, reward, hard=False):
    """A solution that knows the agent exactly."""
    if hard:
        policy = boltzmann(policy_iteration(mdp, reward).q, mdp.allowed)
    else:
        policy = soft_policy_iteration(mdp, reward).policy
    planning = HardOptimum() if hard else SoftOptimum()
    return iq.Solution("expert", {}, TabularPolicy(policy), CONVERGED, mdp=mdp, planning=planning)


def up_to_a_constant(found, true, mdp):
    return np.ptp((found - true)[mdp.allowed])


@pytest.mark.parametrize("hard", [False, True])
@pytest.mark.parametrize("discounts", [(0.9, 0.5), (0.9, 0.9), (0.95, 0.25, 0.9)])
def test_several_agents_tell_the_reward_up_to_a_constant(discounts, hard):
    # Rolland and others 2022: two experts do where the stacked matrix has rank 2 S - 1.
    rng = np.random.default_rng(len(discounts))
    worlds = [dense_world(rng, gamma) for gamma in discounts]
    reward = rng.normal(size=(12, 3))
    one, *rest = (expert(world, reward, hard) for world in worlds)
    shared = identify(one, also=rest).shared
    assert shared.rank == shared.columns - 1 == len(worlds) * 12 - 1
    assert up_to_a_constant(shared.reward, reward, worlds[0]) < 1e-10
    assert shared.num_open == 0
    assert shared.misfit < 1e-12
    assert shared.openness.max() < 1e-12
    assert "up to a constant" in shared.text


@pytest.mark.parametrize("planning", [SoftOptimum(0.2), HardOptimum(0.2)])
def test_lapses_are_taken_out_before_the_reward_is_read(planning):
    rng = np.random.default_rng(11)
    worlds = [dense_world(rng, gamma) for gamma in (0.9, 0.5)]
    reward = rng.normal(size=(12, 3))
    one, other = (
        replace(
            expert(world, reward), policy=planning.plan(world, reward).policy, planning=planning
        )
        for world in worlds
    )
    assert up_to_a_constant(identify(one, also=[other]).shared.reward, reward, worlds[0]) < 1e-9


@given(mdp=mdps(max_discount=0.9), seed=seeds)
@settings(max_examples=15)
def test_whatever_the_world_what_is_given_back_is_true_and_the_rest_is_refused(mdp, seed):
    rng = np.random.default_rng(seed)
    reward = rng.normal(size=mdp.allowed.shape)
    # At an end one reward is paid, whatever is done there.
    reward[mdp.terminal] = rng.normal(size=(int(mdp.terminal.sum()), 1))
    other = replace(mdp, discount=0.3)
    shared = identify(expert(mdp, reward), also=[expert(other, reward)]).shared
    if shared.num_open:
        with pytest.raises(InputError, match="openness"):
            _ = shared.reward
        # Along what it calls open, no agent behaves otherwise. (Where the process ends, a constant
        # is no matter of taste, and directions have theirs taken out.)
        if not mdp.terminal.any():
            moved = reward + shared.directions[0]
            for world in (mdp, other):
                same = [soft_policy_iteration(world, r).policy for r in (reward, moved)]
                np.testing.assert_allclose(*same, atol=1e-7)
    else:
        assert up_to_a_constant(shared.reward, reward, mdp) < 1e-7


def test_the_same_agent_twice_is_refused_and_where_worlds_do_not_differ_is_shown():
    rng = np.random.default_rng(3)
    one = dense_world(rng, 0.9)
    reward = rng.normal(size=(12, 3))
    twice = identify(expert(one, reward), also=[expert(one, reward)]).shared
    assert (twice.rank, twice.num_open) == (12, 11)
    with pytest.raises(InputError, match="11 numbers"):
        _ = twice.reward
    # Two rooms without a door: in the second nothing differs.
    rooms = np.zeros((2, 8, 2, 8))
    for world in range(2):
        rooms[world, :4, :, :4] = rng.dirichlet(np.ones(4), (4, 2))
    rooms[:, 4:, :, 4:] = rng.dirichlet(np.ones(4), (4, 2))
    worlds = [iq.MDP.from_dense(p, discount=0.9) for p in rooms]
    half = identify(worlds[0], also=worlds[1:]).shared
    assert half.num_open == 4  # four values there, one constant of its own less the common one
    assert half.openness[:4].max() < 0.3 < half.openness[4:].mean()
    settled = identify(
        worlds[0],
        also=worlds[1:],
        contrasts={
            "here": contrast(worlds[0], (0, 0), (3, 1)),
            "there": contrast(worlds[0], (4, 0), (7, 1)),
        },
    )
    assert settled.verdicts == (Verdict.SETTLED, Verdict.CONVENTION)


def test_agents_that_want_different_things_leave_a_misfit():
    rng = np.random.default_rng(4)
    worlds = [dense_world(rng, gamma) for gamma in (0.9, 0.5)]
    rewards = rng.normal(size=(2, 12, 3))
    shared = identify(expert(worlds[0], rewards[0]), also=[expert(worlds[1], rewards[1])]).shared
    assert shared.misfit > 0.1


def test_of_counted_behaviour_it_comes_ever_closer_and_sure_numbers_count_more():
    rng = np.random.default_rng(5)
    worlds = [dense_world(rng, gamma, states=6) for gamma in (0.9, 0.3)]
    reward = rng.normal(size=(6, 3))
    agents = [expert(world, reward) for world in worlds]

    def error(n, weighed=True):
        told = []
        for agent in agents:
            visits = n * np.array([1, 1, 1, 1, 1, 0.01])
            table = np.stack(
                [
                    rng.multinomial(max(int(v), 9), p) + 0.5
                    for v, p in zip(visits, agent.policy.table, strict=True)
                ]
            )
            told.append(
                replace(
                    agent,
                    policy=TabularPolicy(table / table.sum(1, keepdims=True)),
                    visits=table.sum(1) if weighed else None,
                )
            )
        shared = identify(told[0], also=told[1:]).shared
        return (shared.reward - reward)[:5].std()

    few, many = (np.mean([error(n) for _ in range(5)]) for n in (1e3, 1e5))
    assert many < 0.2 * few
    assert many < np.mean([error(1e5, weighed=False) for _ in range(5)])


def test_sparse_and_dense_say_the_same():
    rng = np.random.default_rng(6)
    worlds = [random_mdp(rng, 20, 3, masks=False, terminals=False)]
    worlds += [replace(worlds[0], discount=0.4)]
    for pair in (worlds, [worlds[0]] * 2):
        matrix = agreement(pair)
        dense, thin = DenseNullSpace(matrix.toarray()), SparseNullSpace(matrix)
        assert thin.nullity == dense.nullity
        np.testing.assert_allclose(thin.condition, dense.condition, rtol=1e-5)
        span = dense.basis @ (dense.basis.T @ thin.basis)
        np.testing.assert_allclose(span, thin.basis, atol=1e-7)
        x = rng.normal(size=(40, 4))
        np.testing.assert_allclose(thin.open_part(x), dense.open_part(x), atol=1e-7)
        right = matrix @ x
        np.testing.assert_allclose(thin.least_squares(right), dense.least_squares(right), atol=1e-9)
        solved = [one.pseudo_inverse_transposed(matrix.T @ right) for one in (thin, dense)]
        np.testing.assert_allclose(*solved, atol=1e-6)


@pytest.mark.parametrize("blocks", [2, 24, 30])
def test_none_of_several_equally_open_directions_is_missed(blocks):
    # Blocks that are the same have equal singular values, of which Lanczos' method may miss one.
    block = np.random.default_rng(9).normal(size=(12, 5))
    block -= block.mean(axis=1, keepdims=True)
    matrix = sparse.csr_array(sparse.block_diag([block] * blocks))
    dense, thin = DenseNullSpace(matrix.toarray()), SparseNullSpace(matrix)
    assert thin.nullity == dense.nullity == blocks
    np.testing.assert_allclose(matrix @ thin.basis, 0.0, atol=1e-7)
    x = np.random.default_rng(10).normal(size=(5 * blocks, 3))
    np.testing.assert_allclose(thin.open_part(x), dense.open_part(x), rtol=0.01)


def test_of_worlds_that_differ_little_the_constant_is_still_the_constant():
    # What is squared knows the one open direction to 1e-7 only.
    worlds = [replace(iq.worlds.gridworld(8, 8).mdp, discount=gamma) for gamma in (0.99, 0.9899)]
    opened = SparseNullSpace(agreement(worlds))
    assert opened.condition > 1e5
    found = shared_reward([behaviour_of(world, "") for world in worlds], opened)
    assert found.rank == found.columns - 1
    assert found.num_open == 0
    assert len(found.directions) == 0


@pytest.mark.parametrize("terminals", [0, 1])
def test_many_open_directions_are_counted_with_ends_and_without(terminals, monkeypatch):
    rng = np.random.default_rng(0)
    made = random_mdp(rng, 40, 3, masks=False, terminals=False, discount=0.9)
    mdp = replace(made, terminal=np.arange(40) < terminals)
    dense = identify(mdp, contrasts={}, also=[mdp]).shared
    monkeypatch.setattr(nullspace, "_DENSE_WORK", 0.0)
    sparse_too = identify(mdp, contrasts={}, also=[mdp]).shared
    assert dense.num_open > nullspace.LISTED
    assert sparse_too.num_open == dense.num_open


def test_directions_are_found_where_lanczos_settles_none(monkeypatch):
    def settles_none(square, *given, **how):
        if "sigma" not in how:  # the largest
            return eigsh(square, *given, **how)
        raise ArpackNoConvergence("none of %d", np.zeros(0), np.zeros((square.shape[0], 0)))

    monkeypatch.setattr(nullspace, "eigsh", settles_none)
    matrix = sparse.csr_array(np.diag([1.0, 2.0, 0.0, 3.0, 0.5, 4.0, 5.0])[:, ::-1])
    found = nullspace.SparseNullSpace(matrix)
    assert found.nullity == 1
    np.testing.assert_allclose(np.abs(found.basis[:, 0]), np.eye(7)[4], atol=1e-6)


def test_large_worlds_are_sparse_and_quick():
    grid = iq.worlds.gridworld(24, 24).mdp
    reward = np.random.default_rng(7).normal(size=grid.allowed.shape)
    other = replace(grid, discount=0.5)
    shared = identify(expert(grid, reward), also=[expert(other, reward)]).shared
    assert up_to_a_constant(shared.reward, reward, grid) < 1e-8
    twice = identify(grid, also=[grid], contrasts={"one": contrast(grid, (0, 0), (40, 1))})
    assert twice.ambiguity == grid.num_states
    assert twice.verdicts == (Verdict.CONVENTION,)
    assert twice.shared.openness is None
    assert len(twice.shared.directions) == LISTED
    with pytest.raises(InputError, match="solutions"):
        _ = identify(grid, also=[other]).shared.reward


def test_bad_input_says_what_to_do():
    rng = np.random.default_rng(8)
    one, two = (dense_world(rng, gamma) for gamma in (0.9, 0.5))
    sure = replace(
        expert(one, np.zeros((12, 3))), policy=TabularPolicy(np.eye(3)[np.zeros(12, int)])
    )
    with pytest.raises(InputError, match="smoothing"):
        identify(sure, also=[expert(two, np.zeros((12, 3)))])
    steered = replace(expert(one, np.zeros((12, 3))), planning=Greedily(0.1))
    with pytest.raises(InputError, match="more than a reward"):
        identify(steered, also=[expert(two, np.zeros((12, 3)))])
    ends = replace(two, terminal=np.arange(12) == 3)
    with pytest.raises(InputError, match=r"also\[0\] ends"):
        identify(one, also=[ends])
