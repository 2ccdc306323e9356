"""Animals that learn: likelihoods against a loop, numbers against those that made the choices."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import inverseq as iq
from inverseq.demonstrations import Ending
from inverseq.inverse.hierarchy.expansion import Expands
from inverseq.inverse.problem import Problem
from inverseq.policies.learning import in_own_units
from inverseq.studies.cohorts.spouts import drawn, spouts
from oracles.learner import chances_of

PARTS = ("losses", "forgetting", "habit", "repetition", "lapse")
VARIANTS = [
    iq.Learner(),
    *(iq.Learner(**{part: False}) for part in PARTS),
    iq.Learner(**dict.fromkeys(PARTS, False)),
]


def choices(seed, num_actions=3, trajectories=4, names=None):
    """Choices at random, some of them missing, that pay one, nothing, a half, or cost."""
    rng = np.random.default_rng(seed)
    lengths = rng.integers(3, 40, trajectories)
    size = int(lengths.sum())
    actions = rng.integers(-1, num_actions, size)
    actions[:num_actions] = np.arange(num_actions)
    reward = np.where(actions < 0, np.nan, rng.choice([1.0, 0.0, 0.5, -1.0], size))
    return iq.Demonstrations.from_arrays(
        np.zeros(size, dtype=int),
        actions,
        trajectory=np.repeat(np.arange(trajectories), lengths),
        decisions={"reward": reward},
        trajectories={} if names is None else {"subject": np.array(names)},
    )


def one_state(allowed):
    """A world of one state in which some actions exist."""
    return iq.MDP.from_dense(
        np.ones((1, len(allowed), 1)), discount=0.9, allowed=np.array([allowed])
    )


@pytest.fixture(scope="module")
def mice():
    """Whole sessions, and which choices are of their last fifth."""
    return spouts()


@pytest.mark.parametrize("solver", VARIANTS)
@pytest.mark.parametrize("seed", [0, 1])
def test_chances_are_those_of_a_loop_over_trials(solver, seed):
    data, rng = choices(seed), np.random.default_rng(seed)
    terms = solver.terms(3)
    numbers = rng.normal(scale=2.0, size=(1, len(terms)))
    policy = iq.LearnerPolicy("reward", terms, numbers)
    told = dict(zip(terms, in_own_units(terms, numbers)[0], strict=True))
    begins = np.isin(np.arange(data.num_decisions), data.starts)
    for world, there in ((None, [True] * 3), (one_state([True, True, True]), [True] * 3)):
        expected = chances_of(
            told, data.actions, data.decisions["reward"], begins, [there] * data.num_decisions
        )
        assert_allclose(policy.probabilities(data, world), expected, atol=1e-10)


def test_actions_that_do_not_exist_are_never_taken():
    data = choices(3)
    data = replace(data, actions=np.where(data.actions == 1, -1, data.actions))
    terms = iq.Learner().terms(3)
    numbers = np.random.default_rng(0).normal(size=len(terms))
    policy = iq.LearnerPolicy("reward", terms, numbers[None])
    begins = np.isin(np.arange(data.num_decisions), data.starts)
    told = dict(zip(terms, in_own_units(terms, numbers), strict=True))
    there = [[True, False, True]] * data.num_decisions
    expected = chances_of(told, data.actions, data.decisions["reward"], begins, there)
    made = policy.probabilities(data, one_state([True, False, True]))
    assert_allclose(made, expected, atol=1e-10)
    assert (made[:, 1] == 0).all()


@pytest.mark.parametrize("solver", VARIANTS)
def test_slopes_are_those_of_finite_differences(solver):
    data, rng = choices(5), np.random.default_rng(2)
    weights = rng.random(data.num_decisions)
    problem = Problem(data, weights=weights)
    assert isinstance(solver, Expands)
    expansion = solver.expand(problem)
    (seen,) = expansion.seen(problem, np.zeros(data.num_decisions, dtype=int))
    at = rng.normal(size=len(expansion.terms))
    small = 1e-5
    for number, slope in enumerate(expansion.quadratic(seen, at, None).slope):
        step = small * (np.arange(at.size) == number)
        ahead, behind = (expansion.quadratic(seen, at + s * step, None).value for s in (1, -1))
        assert slope == pytest.approx((ahead - behind) / (2 * small), rel=1e-5, abs=1e-6)
    policy = iq.LearnerPolicy("reward", expansion.terms, at[None])
    value = weights @ policy.log_likelihoods(data, None)
    assert expansion.quadratic(seen, at, None).value == pytest.approx(value)


def test_the_curvature_is_that_of_the_likelihood_on_average(mice):
    """The information of decisions, against the mean of second derivatives over many draws."""
    solver = iq.Learner(habit=False, repetition=False, lapse=False)
    design = mice.data.take(np.array([0, 1]))
    terms = solver.terms(2)
    truth = np.array([2.0, 0.5, -0.5, -0.5, 0.3])
    means, informations, small = [], [], 1e-4
    for seed in range(25):
        data = drawn(design, mice.pays[: design.num_decisions], terms, truth[None], (0, 0), seed)
        problem = Problem(data)
        expansion = solver.expand(problem)
        (seen,) = expansion.seen(problem, np.zeros(data.num_decisions, dtype=int))
        informations.append(expansion.quadratic(seen, truth, None).curvature)
        steps = small * np.eye(truth.size)
        ahead, behind = (
            np.stack([expansion.quadratic(seen, truth + s * e, None).slope for e in steps])
            for s in (1, -1)
        )
        means.append((behind - ahead) / (2 * small))
    gap = np.mean(np.array(means) - informations, axis=0)
    error = np.std(np.array(means) - informations, axis=0) / np.sqrt(25)
    assert (np.abs(gap) < 4.5 * error + 1e-6).all()
    assert np.diagonal(np.mean(informations, axis=0)).min() > 1


def test_what_is_simulated_is_what_the_policy_expects(mice):
    terms = iq.Learner().terms(2)
    numbers = np.array([2.5, 0.5, -0.5, 0.2, 1.0, -0.5, -0.4, 0.0, 0.3])
    animals = tuple(range(mice.data.num_trajectories))
    data = drawn(mice.data, mice.pays, terms, np.tile(numbers, (9, 1)), animals, seed=1)
    policy = iq.LearnerPolicy("reward", terms, numbers[None])
    expected = policy.probabilities(data, None)[data.acted]
    done = np.eye(2)[data.actions[data.acted]]
    z = (done - expected).sum(axis=0) / np.sqrt((expected * (1 - expected)).sum(axis=0))
    assert np.abs(z).max() < 4
    paid = data.decisions["reward"][data.acted]
    assert_array_equal(paid, mice.pays[data.acted, data.actions[data.acted]])


def test_numbers_come_back_from_many_choices(mice):
    terms = iq.Learner().terms(2)
    numbers = np.array([3.0, 0.5, -0.5, -0.5, 1.0, -1.0, -0.5, 1.0, 0.4])
    design = mice.data.take(np.tile(np.arange(9), 3))
    pays = np.tile(mice.pays, (3, 1))
    data = drawn(design, pays, terms, np.tile(numbers, (27, 1)), tuple(range(27)), seed=4)
    found = iq.fit(data, iq.Learner(strength=1e-3))
    problem = Problem(data)
    expansion = iq.Learner().expand(problem)
    (seen,) = expansion.seen(problem, np.zeros(data.num_decisions, dtype=int))
    spread = np.linalg.inv(expansion.quadratic(seen, numbers, None).curvature)
    away = found.parameters["weights"] - numbers
    # The sum of squares in units of the spread is chi-squared with 9 degrees of freedom.
    assert away @ np.linalg.solve(spread, away) < 27.9  # 0.1 %
    assert np.sqrt(np.diagonal(spread))[:4].max() < 0.35


@pytest.fixture(scope="module")
def found(mice):
    """A learner for each mouse, of all but the last fifth of its choices."""
    weights = np.where(mice.test, 0.0, 1.0)
    return iq.fit(mice.data, iq.Hierarchical(iq.Learner()), weights=weights)


def test_animals_learn_at_their_own_rate_and_strangers_as_all_do(mice, found, tmp_path):
    train, policy = mice.data, found.policy
    each = iq.each_of(found)
    assert set(each) == set(train.trajectories["subject"])
    one = train.select(subject="703548")
    assert_allclose(found.probabilities(one), each["703548"].probabilities(one))
    told = dict(one.trajectories) | {"subject": np.array(["new"])}
    stranger = found.probabilities(replace(one, trajectories=told))
    assert_allclose(stranger, iq.LearnerPolicy("reward", policy.terms, policy.numbers[-1:])
                    .probabilities(one, None))  # fmt: skip
    back = iq.load(iq.save(found, tmp_path / "l.npz"), iq.Solution)
    assert_allclose(back.probabilities(train), found.probabilities(train))


def test_groups_of_learners_are_compared_with_animals_as_units(mice, found):
    names = [str(name) for name in mice.data.trajectories["subject"]]
    lab = {name: "ab"[int(name) > 703548] for name in names}
    told = {"subject": np.array(names), "lab": np.array([lab[name] for name in names])}
    data, each = replace(mice.data, trajectories=told), iq.each_of(found)
    value = np.array(found.settings["numbers"]) == "value"
    made = iq.compare_groups(each, data, 1.0 * value, between="lab")
    own = found.parameters["animals"][:, value].ravel()
    later = np.array([lab[name] == "b" for name in found.policy.members.animals])
    assert made["contrast"].difference == pytest.approx(own[later].mean() - own[~later].mean())
    with pytest.raises(iq.InputError, match="no reward"):
        iq.compare_groups(each, data, np.ones((5, 2)), between="lab")


def test_the_filter_runs_on_from_what_was_learnt(mice, found):
    """Known: two-back table -0.381, Q-learner per mouse -0.351, on the same 669 choices."""
    score = iq.log_likelihood(found, mice.data, rows=mice.test, by="session")
    assert score.num_decisions == 669
    assert score.mean > -0.335
    # A learner that begins anew knows less.
    anew = iq.datasets.bandit().demonstrations.select(split="test")
    assert iq.log_likelihood(found, anew).mean < score.mean


def test_two_intentions_may_learn(mice):
    data = mice.data.take(np.array([2, 3]))
    world, one = iq.datasets.bandit().mdp, iq.Learner(strength=1.0, lapse=False)
    two = iq.Intentions(2, one, restarts=1, seed=0, max_steps=8)
    made, alone = iq.fit(data, two, world, accept_failure=True), iq.fit(data, one, world)
    assert iq.log_likelihood(made, data).mean > iq.log_likelihood(alone, data).mean


def test_a_search_that_ends_where_it_began_has_not_converged(mice):
    data = mice.data.take(np.array([0, 1]))
    with pytest.raises(iq.FitError, match="Give more max_steps"):
        iq.fit(data, iq.Learner(max_steps=1))
    # A line search that finds nothing better ends early, wherever that is.
    solver = iq.Learner(lapse=False)
    near = iq.fit(data, solver)
    far = {"weights": near.parameters["weights"] * np.where(np.arange(8) == 0, 1e4, 1.0)}
    status = solver.solve(Problem(data, near=replace(near, parameters=far))).status
    assert not status.ok
    assert "no likelihood is finite" in status.message


def test_what_happened_in_a_gap_is_not_known():
    data = choices(7, trajectories=1)
    cut = data.num_decisions // 2
    gap = np.arange(data.num_decisions) == cut
    terms = iq.Learner().terms(3)
    numbers = np.random.default_rng(1).normal(size=len(terms))
    told = dict(zip(terms, in_own_units(terms, numbers), strict=True))
    begins = (np.arange(data.num_decisions) == 0) | np.roll(gap, 1)
    expected = chances_of(
        told, data.actions, data.decisions["reward"], begins, [[True] * 3] * data.num_decisions
    )
    policy = iq.LearnerPolicy("reward", terms, numbers[None])
    broken = replace(data, endings=np.where(gap, Ending.GAP, data.endings))
    assert_allclose(policy.probabilities(broken, None), expected, atol=1e-10)


def test_what_cannot_be_learnt_from_is_refused():
    data = choices(0)
    with pytest.raises(iq.InputError, match="no column 'water' per decision"):
        iq.fit(data, iq.Learner(reward="water"))
    holes = np.where(np.arange(data.num_decisions) == 2, np.nan, data.decisions["reward"])
    with pytest.raises(iq.InputError, match="row 3: column 'reward' holds 'nan'"):
        iq.fit(replace(data, decisions={"reward": holes}), iq.Learner())
    with pytest.raises(iq.InputError, match="nothing shows what is learnt"):
        iq.fit(replace(data, actions=np.full(data.num_decisions, -1), action_names=("a", "b")),
               iq.Learner())  # fmt: skip
    for size in (100.0, 0.01):
        other = {"reward": size * np.nan_to_num(data.decisions["reward"])}
        with pytest.raises(iq.InputError, match=f"up to {size:g}.* divide the column by {size:g}"):
            iq.fit(replace(data, decisions=other), iq.Learner())
    with pytest.raises(iq.InputError, match="strength must be"):
        iq.Learner(strength=0.0)
    found = iq.fit(data, iq.Learner(habit=False, lapse=False))
    with pytest.raises(iq.InputError, match="is paid otherwise"):
        iq.recover_parameters(found, iq.Learner(), data, repeats=1, seed=0, states="observed")
