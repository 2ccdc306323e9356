from dataclasses import replace
from math import log, sqrt

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from inverseq import datasets
from inverseq._core.errors import InputError
from inverseq._core.status import Outcome, Status
from inverseq._core.store import load, save
from inverseq.demonstrations import Demonstrations
from inverseq.evaluate.likelihood import (
    Score,
    difference,
    log_likelihood,
    ratio_error,
)
from inverseq.inverse.fit import fit
from inverseq.inverse.solution import Solution
from inverseq.inverse.tables.count_table import CountTable
from inverseq.mdp import MDP
from inverseq.policies import TabularPolicy, uniform
from strategies import play, played, random_mdp, random_policy, seeds


def solution_of(policy: np.ndarray, mdp: MDP) -> Solution:
    return Solution("test", {}, TabularPolicy(policy), Status(Outcome.CONVERGED), mdp)


@given(played(missing=0.2, gaps=0.1), st.integers(0, 3), st.booleans())
def test_a_score_is_the_sum_of_logarithms_row_by_row(world, from_step, exclude_forced):
    mdp, policy, demos = world
    sums = np.zeros(demos.num_trajectories)
    chance, forced, scored, hits = (np.zeros(demos.num_trajectories) for _ in range(4))
    for trajectory, (begin, end) in enumerate(
        zip(demos.starts[:-1], demos.starts[1:], strict=True)
    ):
        for row in range(begin + from_step, end):
            state, action = demos.states[row], demos.actions[row]
            exists = int(mdp.allowed[state].sum())
            if action < 0 or (exclude_forced and exists == 1):
                continue
            sums[trajectory] += log(policy[state, action])
            chance[trajectory] -= log(exists)
            forced[trajectory] += exists == 1
            scored[trajectory] += 1
            hits[trajectory] += action == policy[state].argmax()
    solution = solution_of(policy, mdp)
    if scored.sum() == 0:
        with pytest.raises(InputError, match="can be scored"):
            log_likelihood(solution, demos, from_step=from_step, exclude_forced=exclude_forced)
        return
    score = log_likelihood(solution, demos, from_step=from_step, exclude_forced=exclude_forced)
    assert_allclose(score.sums, sums, atol=1e-9)
    assert_allclose(score.chance, chance, atol=1e-9)
    assert_allclose(score.decisions, scored)
    assert_allclose(score.forced, forced)
    assert_allclose(score.hits, hits, atol=1e-9)
    assert_allclose(float(score), sums.sum() / scored.sum())
    free = scored.sum() - forced.sum()
    if free:
        assert_allclose(score.free_mean, sums.sum() / free, atol=1e-9)
        assert_allclose(score.free_chance_mean, chance.sum() / free, atol=1e-9)
    else:
        assert np.isnan(score.free_mean)


@given(played(missing=0.2, gaps=0.1), seeds)
def test_rows_are_scored_as_parts_of_their_trajectories(world, seed):
    mdp, _, demos = world
    assume(demos.acted.any())
    solution = fit(demos, CountTable(2), mdp)
    chosen = np.random.default_rng(seed).random(demos.num_decisions) < 0.5
    used = chosen & demos.acted
    if not used.any():
        with pytest.raises(InputError, match="not among rows"):
            log_likelihood(solution, demos, rows=chosen)
        return
    score = log_likelihood(solution, demos, rows=chosen)
    taken = solution.log_likelihoods(demos)[used]
    assert_allclose(score.sums, np.bincount(demos.trajectory_of[used], taken, score.sums.size))
    assert score.num_decisions == used.sum()


def test_rows_that_are_no_mask_are_refused():
    mdp = random_mdp(np.random.default_rng(0), 4, 3)
    policy = uniform(mdp.allowed)
    demos = play(np.random.default_rng(1), mdp, policy, trajectories=2, length=10)
    with pytest.raises(InputError, match=r"True or False; got bool of shape \(3,\)"):
        log_likelihood(solution_of(policy, mdp), demos, rows=np.ones(3, dtype=bool))


def test_units_of_equal_size_have_the_textbook_error():
    rng = np.random.default_rng(0)
    sums, sizes = rng.normal(size=12), np.full(12, 5.0)
    assert_allclose(ratio_error(sums, sizes), (sums / 5).std(ddof=1) / sqrt(12))
    assert_allclose(
        ratio_error(np.append(sums, 0.0), np.append(sizes, 0.0)), ratio_error(sums, sizes)
    )
    assert np.isnan(ratio_error(np.array([-3.0]), np.array([4.0])))


def test_the_error_is_the_spread_over_many_repetitions():
    """Units differ in length and in what makes them easy; the estimate must see both."""
    rng = np.random.default_rng(1)

    def experiment() -> tuple[np.ndarray, np.ndarray]:
        sizes = rng.integers(1, 40, 60).astype(float)
        ease = rng.normal(size=60) + sizes / 40
        return sizes * ease, sizes

    repeated = [experiment() for _ in range(600)]
    spread = np.std([s.sum() / n.sum() for s, n in repeated])
    assert_allclose(np.mean([ratio_error(s, n) for s, n in repeated]), spread, rtol=0.1)


@given(played(max_trajectories=6), seeds)
def test_differences_are_paired_and_change_sign(world, seed):
    mdp, policy, demos = world
    if (demos.actions < 0).all():
        return
    other = random_policy(np.random.default_rng(seed), mdp)
    first, second = (log_likelihood(solution_of(p, mdp), demos) for p in (policy, other))
    gain, loss = difference(first, second), difference(second, first)
    assert_allclose(float(gain), first.mean - second.mean, atol=1e-12)
    assert_allclose(float(gain), -float(loss), atol=1e-12)
    assert_allclose(gain.standard_error, loss.standard_error, atol=1e-12)
    assert gain.decisions == first.num_decisions
    same = difference(first, first)
    assert float(same) == 0
    if np.count_nonzero(first.decisions) > 1:
        assert same.standard_error == 0


def some_play() -> tuple[MDP, np.ndarray, Demonstrations]:
    rng = np.random.default_rng(2)
    mdp = random_mdp(rng, 5, 3, terminals=False)
    policy = random_policy(rng, mdp)
    return mdp, policy, play(rng, mdp, policy, trajectories=6)


def test_units_can_be_sessions_or_subjects():
    mdp, policy, demos = some_play()
    by_trajectory = log_likelihood(solution_of(policy, mdp), demos)
    by_subject = log_likelihood(solution_of(policy, mdp), demos, by="subject")
    assert by_subject.sums.size == 3
    assert_allclose(by_subject.mean, by_trajectory.mean)
    for subject in range(3):
        own = demos.units("subject") == subject
        assert_allclose(by_subject.sums[subject], by_trajectory.sums[own].sum())
    with pytest.raises(InputError, match="different decisions"):
        difference(by_subject, by_trajectory)
    with pytest.raises(InputError, match="cannot group by cage"):
        log_likelihood(solution_of(policy, mdp), demos, by="cage")


def test_the_uniform_policy_scores_chance():
    mdp, _, demos = some_play()
    score = log_likelihood(solution_of(uniform(mdp.allowed), mdp), demos)
    assert_allclose(score.mean, score.chance_mean)
    assert_allclose(score.free_mean, score.free_chance_mean)
    options = mdp.allowed[demos.states].sum(1)
    assert_allclose(score.accuracy, (1 / options).mean())


def test_what_is_impossible_under_the_solution_names_its_row():
    mdp, policy, demos = some_play()
    taken = (demos.states[3], demos.actions[3])
    sure = policy.copy()
    sure[taken] = 0.0
    first = int(np.argmax((demos.states == taken[0]) & (demos.actions == taken[1]))) + 1
    with pytest.raises(InputError, match=f"row {first}: the solution gives action {taken[1]}"):
        log_likelihood(solution_of(sure, mdp), demos)


def test_what_is_impossible_in_the_world_names_its_row():
    mdp, policy, demos = some_play()
    state, action = (int(i) for i in np.argwhere(~mdp.allowed)[0])
    bad = Demonstrations.from_arrays([state, state], [int(mdp.allowed[state].argmax()), action])
    for solution in (solution_of(policy, mdp), fit(demos, CountTable(1), mdp)):
        with pytest.raises(InputError, match=f"row 2: action {action} does not exist"):
            log_likelihood(solution, bad)
    strange = Demonstrations.from_arrays([0, 0], [0, 7])
    with pytest.raises(InputError, match="row 2: action 7 was never seen"):
        log_likelihood(fit(demos, CountTable(1)), strange)


def test_scores_come_back_from_a_file(tmp_path):
    mdp, policy, demos = some_play()
    score = log_likelihood(solution_of(policy, mdp), demos)
    again = load(save(score, tmp_path / "score.npz"), Score)
    assert again.mean == score.mean
    assert again.standard_error == score.standard_error
    assert again.by == "trajectory"


@pytest.mark.parametrize(
    ("order", "published", "ours"),
    [(1, -0.874, -0.8738), (2, -0.679, -0.6792), (3, -0.656, -0.6546), (4, -0.646, -0.6433)],
)
def test_tables_reach_the_published_scores_on_the_labyrinth(order, published, ours):
    """The published tables add 0.5 for every action that exists; ours must be no worse."""
    mice = datasets.load("mice")
    train = mice.demonstrations.select(split="train")
    test = mice.demonstrations.select(split="test")
    plain = fit(train, CountTable(order, smoothing=0.5, backoff=False), mice.mdp)
    score = log_likelihood(plain, test, from_step=1)
    assert score.num_decisions == 23_952
    assert_allclose(score.num_forced / score.num_decisions, 0.162, atol=5e-4)
    assert_allclose(score.chance_mean, -0.921, atol=5e-4)
    assert_allclose(score.mean, published, atol=5e-4)
    if order == 2:
        assert_allclose(score.standard_error, 0.009, atol=5e-4)
    chosen = log_likelihood(fit(train, CountTable(order), mice.mdp), test, from_step=1)
    assert_allclose(chosen.mean, ours, atol=2e-4)
    assert difference(chosen, score).mean > 0


def test_tables_reach_the_published_scores_on_the_bandit():
    bandit = datasets.load("bandit").demonstrations
    train, test = bandit.select(split="train"), bandit.select(split="test")
    one_back = log_likelihood(fit(train, CountTable(1, smoothing=0.5, backoff=False)), test)
    assert one_back.num_decisions == 669
    assert_allclose(one_back.chance_mean, -0.693, atol=5e-4)
    assert_allclose(one_back.mean, -0.393, atol=5e-4)
    total = 0.0
    for subject in np.unique(train.trajectories["subject"]):
        bias = fit(train.select(subject=subject), CountTable(0))
        total += log_likelihood(bias, test.select(subject=subject)).sums.sum()
    assert_allclose(total / 669, -0.653, atol=5e-4)


def test_missing_actions_of_the_bandit_are_not_scored():
    bandit = datasets.load("bandit").demonstrations.select(split="test")
    known = bandit.actions >= 0
    assert not known.all()
    solution = fit(bandit, CountTable(0))
    other = replace(bandit, actions=np.where(known, 1 - bandit.actions, -1))
    scores = [log_likelihood(solution, d) for d in (bandit, other)]
    assert {s.num_decisions for s in scores} == {int(known.sum())}
