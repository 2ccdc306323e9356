"""IQL: against Algorithm 1 written out, against its own fixed point, and its laws."""

from dataclasses import replace

import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inverseq import FitError, InputError
from inverseq._core.status import Outcome
from inverseq._core.store import load, save
from inverseq.decisions.alignment import align
from inverseq.demonstrations import Demonstrations, Ending
from inverseq.forward.simulation import simulate
from inverseq.inverse.fit import fit
from inverseq.inverse.problem import Problem
from inverseq.inverse.solution import Solution
from inverseq.inverse.values.iql import IQL, Fading
from inverseq.inverse.values.iql_loop import _one_pass
from inverseq.inverse.values.iql_transitions import observed_transitions
from inverseq.mdp import MDP, unite
from oracles.iql_reference import inverse_q_learning
from strategies import play, played, random_mdp, random_policy, seeds

QUICK = IQL(reward_step=0.05, q_step=0.3, shifted_step=0.2, epochs=3)


def rows_of(demonstrations, mdp, weights=None):
    """Transitions as plain numbers: found row by row, by the words of the docstrings."""
    rows = []
    for i in range(demonstrations.num_decisions):
        s, a = int(demonstrations.states[i]), int(demonstrations.actions[i])
        following = int(demonstrations.next_states[i])
        ended = demonstrations.endings[i] == Ending.TERMINATED or bool(mdp.terminal[s])
        weight = 1.0 if weights is None else float(weights[i])
        if a >= 0 and weight > 0 and (ended or following >= 0):
            rows.append((s, a, following, ended, weight))
    return rows


def reference(demonstrations, mdp, solver, weights=None):
    fading = solver.schedule or Fading(power=0.0)
    return inverse_q_learning(
        rows_of(demonstrations, mdp, weights),
        mdp.allowed.tolist(),
        discount=mdp.discount,
        reward_step=solver.reward_step,
        q_step=solver.q_step,
        shifted_step=solver.shifted_step,
        smoothing=solver.smoothing,
        epochs=solver.epochs,
        power=fading.power,
        scale=fading.scale,
    )


@given(
    case=played(missing=0.1, gaps=0.1),
    power=st.sampled_from([0.0, 0.7, 1.0]),
    epochs=st.integers(1, 5),
    weighted=st.booleans(),
    seed=seeds,
)
def test_it_is_algorithm_1(case, power, epochs, weighted, seed):
    mdp, _, demonstrations = case
    solver = replace(QUICK, epochs=epochs, schedule=Fading(power, 3.0))
    size = demonstrations.num_decisions
    weights = np.random.default_rng(seed).integers(0, 9, size) / 4 if weighted else None
    if not rows_of(demonstrations, mdp, weights):
        with pytest.raises(InputError, match="no transition to learn from"):
            fit(demonstrations, solver, mdp, weights=weights)
        return
    found = fit(demonstrations, solver, mdp, weights=weights)
    reward, q, _, _ = reference(demonstrations, mdp, solver, weights)
    np.testing.assert_allclose(found.reward, reward, atol=1e-9)
    np.testing.assert_allclose(found.q, q, atol=1e-9)


def test_a_longer_run_with_the_papers_steps_is_algorithm_1():
    rng = np.random.default_rng(3)
    mdp = random_mdp(rng, 12, 5)
    demonstrations = play(rng, mdp, random_policy(rng, mdp), trajectories=40, length=20)
    solver = IQL(epochs=20)
    found = fit(demonstrations, solver, mdp)
    reward, q, _, _ = reference(demonstrations, mdp, solver)
    np.testing.assert_allclose(found.reward, reward, atol=1e-9)
    np.testing.assert_allclose(found.q, q, atol=1e-9)
    assert np.abs(found.q).max() > 0.1


def mean_updates(demonstrations, mdp, reward, q, smoothing):
    """What a pass of updates would change in the mean, Q^Sh being at its own; by enumeration."""
    rows, gamma = rows_of(demonstrations, mdp), mdp.discount
    count = np.zeros(q.shape)
    for s, a, *_ in rows:
        count[s, a] += 1
    shifted = np.zeros(q.shape)
    for s, a, following, ended, _ in rows:
        ahead = 0.0 if ended else gamma * q[following][mdp.allowed[following]].max()
        shifted[s, a] += ahead / count[s, a]
    change_reward, change_q = np.zeros(q.shape), np.zeros(q.shape)
    for s, a in np.argwhere(count > 0):
        exist = np.flatnonzero(mdp.allowed[s])
        eta = np.log(count[s] / count[s].sum() + smoothing) - shifted[s]
        others = exist[exist != a]
        if others.size:
            target = eta[a] + np.mean(reward[s, others] - eta[others])
            change_reward[s, a] = target - reward[s, a]
        change_q[s, a] = reward[s, a] + shifted[s, a] - q[s, a]
    return count, change_reward, change_q


@given(case=played(missing=0.05, gaps=0.05, max_trajectories=12))
def test_the_exact_point_stands_still(case):
    mdp, _, demonstrations = case
    if not rows_of(demonstrations, mdp):
        return
    found = fit(demonstrations, IQL(method="exact"), mdp)
    assert found.status.ok
    count, change_reward, change_q = mean_updates(demonstrations, mdp, found.reward, found.q, 1e-6)
    np.testing.assert_allclose(change_reward, 0, atol=1e-9)
    np.testing.assert_allclose(change_q, 0, atol=1e-9)
    assert (found.reward[count == 0] == 0).all()
    assert (found.q[count == 0] == 0).all()
    for s in np.flatnonzero((count > 0).any(1) & ((count > 0) == mdp.allowed).all(1)):
        exist = mdp.allowed[s]
        # What small updates leave unchanged from where they begin.
        assert abs((found.reward[s, exist] / count[s, exist]).sum()) < 1e-9


@given(case=played(missing=0.0, gaps=0.0))
def test_the_exact_policy_is_the_smoothed_observed_one(case):
    mdp, _, demonstrations = case
    rows = rows_of(demonstrations, mdp)
    if not rows:
        return
    found = fit(demonstrations, IQL(method="exact", smoothing=0.01), mdp)
    count = np.zeros(found.q.shape)
    for s, a, *_ in rows:
        count[s, a] += 1
    share = np.where(mdp.allowed, count / np.maximum(count.sum(1), 1)[:, None] + 0.01, 0)
    np.testing.assert_allclose(found.policy, share / share.sum(1, keepdims=True), atol=1e-9)


@pytest.mark.parametrize("all_seen", [True, False])
def test_decaying_steps_tend_to_the_exact_point(all_seen):
    """The distance is proportional to the first step; extrapolated to steps of zero it vanishes."""
    rng = np.random.default_rng(1)
    mdp = random_mdp(rng, 4, 3, masks=not all_seen, terminals=not all_seen, discount=0.5)
    trajectories, length = (12, 20) if all_seen else (7, 8)
    demonstrations = play(
        rng, mdp, random_policy(rng, mdp), trajectories=trajectories, length=length
    )
    counts = observed_transitions(Problem(demonstrations, mdp), None).counts
    assert (counts > 0).all() == all_seen
    exact = fit(demonstrations, IQL(method="exact"), mdp)

    def run(step):
        epochs = int(12_000 / step / demonstrations.num_decisions)
        fading = Fading(1.0, 120 / step)
        solver = IQL(step, step, step, epochs=epochs, schedule=fading)
        return fit(demonstrations, solver, mdp)

    coarse, fine = run(0.01), run(0.005)
    for name in ("reward", "q"):
        limit = getattr(exact, name)
        far, near = getattr(coarse, name) - limit, getattr(fine, name) - limit
        assert np.abs(near).max() < 0.6 * np.abs(far).max()
        assert np.abs(2 * near - far).max() < 0.02 * np.abs(limit).max()


def test_the_past_of_a_history_goes_with_the_transition():
    rng = np.random.default_rng(0)
    base = random_mdp(rng, 5, 3, terminals=True)
    demonstrations = play(rng, base, random_policy(rng, base), trajectories=9, length=12, gaps=0.1)
    for length, of in ((2, "states"), (3, "states"), (2, "actions")):
        mdp = base.with_history(length, of)
        found = observed_transitions(Problem(demonstrations, mdp), None)
        states = align(demonstrations, mdp)
        used = (demonstrations.next_states >= 0) | demonstrations.terminated
        used |= mdp.terminal[states]
        goes_on = demonstrations.endings[used] == Ending.CONTINUES
        # Where the next row goes on, the transition leads to where that row stands.
        following = np.append(states[1:], -1)[used]
        np.testing.assert_array_equal(found.next_states[goes_on], following[goes_on])
        possible = mdp.transition_matrix.toarray()[found.cells, found.next_states] > 0
        assert possible[found.goes_on].all()


def test_worlds_that_share_learn_as_if_alone():
    rng = np.random.default_rng(4)
    worlds = {"a": random_mdp(rng, 4, 3), "b": random_mdp(rng, 6, 3)}
    both = unite(worlds)
    policy = random_policy(rng, both)
    joint = simulate(both, policy, trajectories=30, steps=10, seed=1)
    found = fit(joint, QUICK, both)
    first = 0
    for name, mdp in worlds.items():
        alone = fit(joint.select(world=name), QUICK, mdp)
        np.testing.assert_array_equal(found.q[first : first + mdp.num_states], alone.q)
        first += mdp.num_states


def corridor(**ending):
    """0 -> 1 -> 2 with one step back, in a world of three states without a model."""
    return Demonstrations.from_arrays(
        states=[0, 1, 0, 1], actions=[0, 1, 1, 0], next_states=[1, 0, 1, 2], **ending
    )


def test_nothing_is_foreseen_after_an_end():
    solver = replace(QUICK, discount=0.9, epochs=50)
    cut = fit(corridor(), solver)
    ended = fit(corridor(terminated=[False, False, False, True]), solver)
    # State 2 is never left, so that its value is 0 and both agree.
    np.testing.assert_array_equal(cut.q, ended.q)
    back = Demonstrations.from_arrays([0, 1], [0, 1], next_states=[1, 0])
    back_ended = Demonstrations.from_arrays(
        [0, 1], [0, 1], next_states=[1, 0], terminated=[False, True]
    )
    assert fit(back, solver).q[1, 1] != fit(back_ended, solver).q[1, 1]


def test_a_row_without_a_next_state_is_left_out_and_an_end_needs_none():
    mdp = MDP.from_dense(np.full((2, 2, 2), 0.5), discount=0.9)
    open_end = Demonstrations.from_arrays([0, 1, 0], [0, 1, 1])
    first_two = Demonstrations.from_arrays([0, 1], [0, 1], next_states=[1, 0])
    np.testing.assert_array_equal(
        fit(open_end, QUICK, mdp).reward, fit(first_two, QUICK, mdp).reward
    )
    ended = Demonstrations.from_arrays([0, 1, 0], [0, 1, 1], terminated=[False, False, True])
    assert fit(ended, QUICK, mdp).visits.tolist() == [2, 1]
    assert fit(open_end, QUICK, mdp).visits.tolist() == [1, 1]


def test_one_action_only_says_nothing():
    mdp = MDP.from_dense(np.ones((1, 1, 1)), discount=0.9)
    demonstrations = Demonstrations.from_arrays([0, 0, 0], [0, 0, 0])
    for method in ("sample", "exact"):
        found = fit(demonstrations, replace(QUICK, method=method), mdp)
        assert found.reward.tolist() == [[0.0]]
        assert found.policy.table.tolist() == [[1.0]]


def test_without_a_world_the_same_is_learned():
    rng = np.random.default_rng(5)
    mdp = random_mdp(rng, 5, 3, masks=False, terminals=False)
    demonstrations = play(rng, mdp, random_policy(rng, mdp), trajectories=20)
    for method in ("sample", "exact"):
        solver = replace(QUICK, method=method)
        free = fit(demonstrations, replace(solver, discount=mdp.discount))
        given_world = fit(demonstrations, solver, mdp)
        np.testing.assert_array_equal(free.q, given_world.q)
        np.testing.assert_array_equal(free.reward, given_world.reward)
        assert "estimated" in free.mdp.notes


@settings(max_examples=12)
@given(case=played(missing=0.0), seed=seeds)
def test_weights_of_one_are_no_weights_and_of_zero_no_rows(case, seed):
    mdp, _, demonstrations = case
    if not rows_of(demonstrations, mdp):
        return
    ones = np.ones(demonstrations.num_decisions)
    plain, weighted = fit(demonstrations, QUICK, mdp), fit(demonstrations, QUICK, mdp, weights=ones)
    np.testing.assert_array_equal(plain.q, weighted.q)
    kept = np.random.default_rng(seed).random(demonstrations.num_trajectories) < 0.5
    part = demonstrations.take(kept) if kept.any() else None
    if part is not None and rows_of(part, mdp):
        switched = kept[demonstrations.trajectory_of].astype(float)
        np.testing.assert_allclose(
            fit(demonstrations, QUICK, mdp, weights=switched).q, fit(part, QUICK, mdp).q, atol=1e-12
        )


def case():
    rng = np.random.default_rng(6)
    mdp = random_mdp(rng, 6, 3, terminals=False)
    return mdp, play(rng, mdp, random_policy(rng, mdp), trajectories=10)


def test_a_run_is_reproducible_and_its_order_matters():
    mdp, demonstrations = case()
    again = [fit(demonstrations, QUICK, mdp).q for _ in range(2)]
    np.testing.assert_array_equal(*again)
    turned = demonstrations.take(np.arange(demonstrations.num_trajectories)[::-1])
    assert np.abs(fit(turned, QUICK, mdp).q - again[0]).max() > 1e-6


def test_it_compiles_once_per_shape():
    mdp, demonstrations = case()
    fit(demonstrations, QUICK, mdp)
    before = _one_pass._cache_size()
    steps = {"reward_step": 0.2, "epochs": 7, "smoothing": 0.1, "schedule": Fading(0.6)}
    fit(demonstrations, replace(QUICK, **steps), mdp)
    fit(demonstrations, QUICK, replace(mdp, discount=0.5))
    assert _one_pass._cache_size() == before


def test_double_precision_stays_inside():
    mdp, demonstrations = case()
    fit(demonstrations, QUICK, mdp)
    assert jnp.zeros(1).dtype == jnp.float32


def test_progress_and_trace_count_epochs():
    mdp, demonstrations = case()
    seen = []
    found = fit(demonstrations, QUICK, mdp, progress=lambda *a: seen.append(a))
    assert seen == [("inverse Q-learning", i, 3) for i in (1, 2, 3)]
    assert found.trace.shape == (3,)
    assert found.status.residual == found.trace[-1] > 0
    assert "all 3 epochs" in found.status.message


def test_a_tolerance_stops_early_or_fails():
    mdp, demonstrations = case()
    found = fit(demonstrations, replace(QUICK, epochs=50, tolerance=10.0), mdp)
    assert found.status.steps == 1
    with pytest.raises(FitError, match="raise epochs"):
        fit(demonstrations, replace(QUICK, tolerance=1e-12), mdp)
    kept = fit(demonstrations, replace(QUICK, tolerance=1e-12), mdp, accept_failure=True)
    assert kept.status.outcome is Outcome.LIMIT


def test_the_solution_is_saved_and_read(tmp_path):
    mdp, demonstrations = case()
    found = fit(demonstrations, replace(QUICK, schedule=Fading(0.7)), mdp)
    save(found, tmp_path / "s.npz")
    again = load(tmp_path / "s.npz", Solution)
    np.testing.assert_array_equal(again.q, found.q)
    assert again.settings["schedule"] == {"power": 0.7, "scale": 100.0}


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"reward_step": 0.0}, "reward_step must lie above 0"),
        ({"q_step": 1.5}, "q_step must lie above 0 and be at most 1"),
        ({"shifted_step": float("nan")}, "shifted_step"),
        ({"epochs": 0}, "epochs must be 1 or more"),
        ({"smoothing": 0.0}, "smoothing must be above 0"),
        ({"method": "guess"}, '"sample" or "exact"; got'),
        ({"tolerance": -1.0}, "tolerance must be 0 or more"),
    ],
)
def test_settings_that_make_no_sense_are_refused(wrong, words):
    with pytest.raises(InputError, match=words):
        IQL(**wrong)


def test_a_schedule_is_checked():
    with pytest.raises(InputError, match="power from 0 to 1"):
        Fading(power=1.5)


def test_data_that_cannot_be_used_are_refused():
    mdp, demonstrations = case()
    with pytest.raises(InputError, match=r"give IQL\(discount=0\.9\)"):
        fit(demonstrations, QUICK)
    with pytest.raises(InputError, match="contradicts the world's"):
        fit(demonstrations, replace(QUICK, discount=0.5), mdp)
    outside = Demonstrations.from_arrays([0, 1], [0, 0], next_states=[1, 9])
    with pytest.raises(InputError, match="row 2: next state 9 is outside its world"):
        fit(outside, QUICK, MDP.from_dense(np.full((2, 1, 2), 0.5), discount=0.9))
    with pytest.raises(InputError, match="weights must not be negative"):
        fit(demonstrations, QUICK, mdp, weights=-np.ones(demonstrations.num_decisions))
    one_way = MDP.from_dense(np.eye(3)[[1, 2, 0]][:, None], discount=0.9).with_history(2)
    wrong = Demonstrations.from_arrays([0, 1], [0, 0], next_states=[1, 0])
    with pytest.raises(InputError, match="row 2: next state 0 cannot follow"):
        fit(wrong, QUICK, one_way)
