"""Rewards of animals that are alike: between one fit for all and one for each, as the data say."""

import tracemalloc
from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_allclose

import inverseq as iq
from inverseq.inverse.hierarchy.expansion import Expands
from inverseq.inverse.problem import Problem
from inverseq.studies.cohorts import simulated
from strategies import random_mdp


def cohort(mdp, rewards, decisions, groups=None, seed=0):
    """Decisions of animals with these rewards `[n, S, A]`."""
    parts = []
    for number, (reward, size) in enumerate(zip(rewards, decisions, strict=True)):
        policy = iq.forward.soft_policy_iteration(mdp, reward).policy
        made = iq.forward.simulate(
            mdp, policy, trajectories=max(1, size // 10), steps=min(size, 10), seed=seed + number
        )
        told = {"subject": np.repeat(f"m{number}", made.num_trajectories)}
        if groups is not None:
            told["genotype"] = np.repeat(groups[number], made.num_trajectories)
        parts.append(
            iq.Demonstrations.from_arrays(
                made.states, made.actions, trajectory=made.trajectory_of, trajectories=told
            )
        )
    return iq.concatenate(parts)


@pytest.fixture(scope="module")
def world():
    return random_mdp(np.random.default_rng(5), 5, 3, terminals=False, features=3, discount=0.8)


@pytest.fixture(scope="module")
def drawn(world):
    """Twelve animals of two groups, whose weights of features differ by 0.5."""
    rng = np.random.default_rng(1)
    weights = np.array([1.0, -1.0, 0.5]) + 0.5 * rng.normal(size=(12, 3))
    weights[6:, 0] += 1.5
    rewards = np.einsum("saf,nf->nsa", world.features, weights) * world.allowed
    groups = ["a"] * 6 + ["b"] * 6
    return weights, cohort(world, rewards, [40, 40, 400] * 4, groups)


@pytest.fixture(scope="module")
def fitted(world, drawn):
    solver = iq.Hierarchical(iq.MaxEnt("features"), group="genotype")
    return iq.fit(drawn[1], solver, world)


@pytest.mark.parametrize(
    "solver", [iq.MaxEnt("states"), iq.MaxEnt("state-actions"), iq.MaxEnt("features"), iq.IAVI()]
)
def test_expansions_have_the_slopes_and_curvatures_of_the_likelihood(world, solver):
    assert isinstance(solver, Expands)
    expansion, rng = solver.expand(Problem(None, world)), np.random.default_rng(0)
    policy = iq.forward.soft_policy_iteration(world, rng.normal(size=world.allowed.shape)).policy
    data = iq.forward.simulate(world, policy, trajectories=4, steps=50, seed=0)
    counts = iq.count(data, world).state_action
    weights = 0.3 * rng.normal(size=len(expansion.blocks))
    at = expansion.quadratic(counts, weights, None)
    direction, small = rng.normal(size=weights.size), 1e-4
    ahead, behind = (
        expansion.quadratic(counts, weights + sign * small * direction, None) for sign in (1, -1)
    )
    slope = (ahead.value - behind.value) / (2 * small)
    bend = -(ahead.slope - behind.slope) / (2 * small)
    assert at.slope @ direction == pytest.approx(slope, rel=1e-5, abs=1e-5)
    assert_allclose(at.curvature @ direction, bend, rtol=1e-4, atol=1e-3)
    explained = expansion.explain(weights, None)
    logs = np.log(np.where(counts > 0, explained.policy, 1.0))
    assert (counts * logs).sum() == pytest.approx(at.value)


def test_animals_with_few_decisions_are_nearer_to_the_truth_than_alone(world, drawn, fitted):
    weights, data = drawn
    each = iq.each_of(fitted)
    alone = iq.fit_each(data, iq.MaxEnt("features", strength=0.1), world)
    pooled = iq.fit(data, iq.MaxEnt("features", strength=0.1), world)
    error = lambda found: np.mean([  # noqa: E731
        ((found[f"m{i}"].parameters["weights"] - w) ** 2).mean() for i, w in enumerate(weights)
    ])  # fmt: skip
    best = min(error(alone), error(dict.fromkeys(each, pooled)))
    assert error(each) < best


def test_groups_and_all_stand_beside_animals(fitted, drawn):
    reward, weights = fitted.reward_function, drawn[0]
    assert reward.members.groups == ("a", "b")
    gap = reward.each[13].weights[0] - reward.each[12].weights[0]
    assert 0.3 < gap < weights[6:, 0].mean() - weights[:6, 0].mean()
    assert_allclose(fitted.parameters["weights"], reward.each[-1].weights)
    assert fitted.parameters["between_animals"].shape == (3,)
    assert fitted.parameters["between_groups"].shape == (1, 3)
    assert 4 < fitted.num_parameters < 36


def test_each_decision_is_scored_by_its_own_animal(world, drawn, fitted):
    data = drawn[1]
    third = data.select(subject="m2")
    alone = iq.each_of(fitted)["m2"]
    assert_allclose(fitted.probabilities(third), alone.probabilities(third))
    assert_allclose(
        iq.transition_rewards(fitted, third), iq.transition_rewards(alone, third), atol=1e-12
    )
    pooled = iq.fit(data, iq.MaxEnt("features", strength=1.0), world)
    assert float(iq.log_likelihood(fitted, data)) > float(iq.log_likelihood(pooled, data))


def test_an_animal_that_was_never_seen_gets_its_groups(world, drawn, fitted):
    data = drawn[1].select(subject="m2")
    told = dict(data.trajectories) | {"subject": np.repeat("new", data.num_trajectories)}
    new = replace(data, trajectories=told)
    members = fitted.policy.members
    assert set(members.which(new)) == {12}
    lost = replace(data, trajectories=told | {"genotype": np.repeat("c", data.num_trajectories)})
    assert set(members.which(lost)) == {14}
    soft = iq.forward.soft_policy_iteration(
        world, fitted.reward_function.each[12].table(world)
    ).policy
    assert_allclose(fitted.probabilities(new), soft[new.states], atol=1e-8)
    nobody = replace(data, trajectories={})
    with pytest.raises(iq.InputError, match="nothing says whose these decisions are"):
        fitted.probabilities(nobody)


def test_each_animal_plans_in_another_world(world, drawn, fitted):
    other = replace(world, discount=0.5)
    moved = iq.replan(fitted, other)
    own = iq.replan(iq.each_of(fitted)["m2"], other)
    data = drawn[1].select(subject="m2")
    assert_allclose(moved.probabilities(data), own.probabilities(data))


@pytest.mark.parametrize("solver", [iq.MaxEnt("states"), iq.IAVI(backup="soft")])
def test_animals_that_are_all_alike_are_pooled(world, solver):
    reward = np.where(world.allowed, np.array([1.5, 0, 0, -1, 0])[:, None], 0.0)
    data = cohort(world, [reward] * 8, [60] * 8)
    made = iq.fit(data, iq.Hierarchical(solver), world)
    tables = made.policy.tables
    alone = iq.fit_each(data, iq.IAVI(), world)
    apart = np.std([one.policy.table for one in alone.values()], axis=0).mean()
    assert np.std(tables[:8], axis=0).mean() < 0.35 * apart


def test_animals_with_many_decisions_speak_for_themselves(world):
    rng = np.random.default_rng(3)
    rewards = [np.where(world.allowed, 2 * rng.normal(size=(5, 1)), 0.0) for _ in range(3)]
    data = cohort(world, rewards, [4000] * 3)
    made = iq.each_of(iq.fit(data, iq.Hierarchical(iq.IAVI()), world))
    alone = iq.fit_each(data, iq.IAVI(), world)
    for name, one in alone.items():
        assert_allclose(made[name].policy.table, one.policy.table, atol=0.03)


def test_few_decisions_of_few_animals_do_not_run_away():
    """Expansions around numbers that are far off must not promise variances that are not there."""
    board = simulated.world()
    weights, data = simulated.cohort(board, 12, 10, 1.0, 0.5, seed=3)
    found = iq.fit(data, iq.Hierarchical(iq.MaxEnt("features"), group="genotype"), mdp=board)
    assert found.status.ok
    numbers = found.reward_function.numbers[: len(weights)]
    assert np.abs(numbers).max() < 5
    pooled = iq.fit(data, iq.MaxEnt("features", strength=0.1), mdp=board).parameters["weights"]
    assert np.abs(numbers - weights).mean() <= np.abs(pooled - weights).mean()


def test_more_steps_change_nothing(world, drawn, fitted):
    again = iq.fit(
        drawn[1],
        iq.Hierarchical(iq.MaxEnt("features"), group="genotype", tolerance=1e-6),
        world,
    )
    assert_allclose(again.policy.tables, fitted.policy.tables, atol=2e-3)


def test_it_is_saved_whole(fitted, drawn, tmp_path):
    back = iq.load(iq.save(fitted, tmp_path / "h.npz"), iq.Solution)
    assert_allclose(back.probabilities(drawn[1]), fitted.probabilities(drawn[1]))
    assert [*iq.each_of(back)] == [f"m{i}" for i in range(12)]


def test_what_cannot_be_pooled_is_refused(world, drawn):
    data = drawn[1]
    for solver, words in (
        (iq.Hierarchical(iq.CountTable(1)), r"IAVI\(\) or Learner\(\); got CountTable"),
        (iq.Hierarchical(iq.IAVI(), by="cage"), "no column 'cage'"),
        (iq.Hierarchical(iq.IAVI(), by="genotype", group="subject"), "in several groups"),
    ):
        with pytest.raises(iq.InputError, match=words):
            iq.fit(data, solver, world)
    with pytest.raises(iq.InputError, match="has one reward for all"):
        iq.each_of(iq.fit(data, iq.IAVI(), world))


def test_rewards_that_know_their_groups_are_not_compared_between_them(fitted, drawn, world):
    weights = np.array([1.0, 0.0, 0.0])
    with pytest.raises(iq.InputError, match="leave group out"):
        iq.compare_groups(iq.each_of(fitted), drawn[1], weights)
    blind = iq.fit(drawn[1], iq.Hierarchical(iq.MaxEnt("features")), world)
    found = iq.compare_groups(iq.each_of(blind), drawn[1], weights)
    assert found["contrast"].difference > 0.5


def test_the_search_starts_from_weights_of_decisions(world, drawn):
    problem = Problem(drawn[1], world, weights=np.zeros(drawn[1].num_decisions))
    made = iq.Hierarchical(iq.IAVI()).solve(problem)
    assert_allclose(made.policy.tables[0], world.allowed / world.allowed.sum(1, keepdims=True))


def test_counts_of_animals_take_no_more_memory_than_animals():
    number, size = 4000, 200
    data = iq.Demonstrations.from_arrays(
        np.arange(number) % size,
        np.arange(number) % 2,
        trajectory=np.arange(number),
        trajectories={"subject": np.arange(number) % 2},
    )
    mdp = iq.MDP.from_dense(np.full((size, 2, size), 1 / size), discount=0.9)
    expansion, problem = iq.IAVI().expand(Problem(data, mdp)), Problem(data, mdp)
    tracemalloc.start()
    seen = expansion.seen(problem, np.arange(number) % 2)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert np.sum(seen) == number
    assert seen[0][::2].sum() == number / 2
    assert most < 4e6  # a table for each trajectory would take 13e6
