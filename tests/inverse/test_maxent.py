"""MaxEnt: against finite differences, plain iteration and known rewards, and its laws."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inverseq import FitError, InputError, concatenate
from inverseq._core.status import Outcome
from inverseq.decisions.counts import Counts, count
from inverseq.forward import soft_policy_iteration, soft_value_iteration
from inverseq.forward.soft import soft_plan
from inverseq.inverse.fit import fit
from inverseq.inverse.maxent.causal import MaxEnt
from inverseq.inverse.maxent.objective import Model, log_likelihood_and_gradient
from inverseq.inverse.planning import SoftOptimum
from inverseq.inverse.problem import Problem
from inverseq.mdp import MDP
from inverseq.policies import boltzmann, uniform
from inverseq.rewards.linear import make_design, smoothness
from inverseq.worlds import gridworld, labyrinth
from strategies import mdps, play, random_counts, random_mdp, seeds, slope_by_differences

DESIGNS = [
    ("states", "gaussian"),
    ("states", "smooth"),
    ("state-actions", "gaussian"),
    ("state-actions", "smooth"),
    ("features", "gaussian"),
]


@pytest.mark.parametrize(("on", "prior"), DESIGNS)
@given(mdp=mdps(max_states=5, features=3), seed=seeds)
def test_the_gradient_is_that_of_finite_differences(on, prior, mdp, seed):
    rng = np.random.default_rng(seed)
    model = Model(mdp, make_design(mdp, on, prior))
    counts = random_counts(rng, mdp)
    weights = rng.normal(size=model.design.num_weights)
    value = lambda x: log_likelihood_and_gradient(model, counts, x)[0]  # noqa: E731
    _, gradient, _ = log_likelihood_and_gradient(model, counts, weights)
    scale = max(counts.sum(), 1.0)
    np.testing.assert_allclose(gradient, slope_by_differences(value, weights), atol=1e-6 * scale)


def test_the_gradient_is_exact_without_discount():
    world = replace(gridworld(3, 3, wins=[(2, 2)]).mdp, discount=1.0, reward=None)
    rng = np.random.default_rng(0)
    model = Model(world, make_design(world, "states", "gaussian"))
    counts = random_counts(rng, world)
    weights = -2.0 - rng.random(world.num_states)
    value = lambda x: log_likelihood_and_gradient(model, counts, x)[0]  # noqa: E731
    _, gradient, _ = log_likelihood_and_gradient(model, counts, weights)
    np.testing.assert_allclose(gradient, slope_by_differences(value, weights), atol=1e-5)


@given(mdp=mdps(max_discount=0.99), seed=seeds)
def test_values_are_those_of_plain_soft_value_iteration(mdp, seed):
    reward = 5 * np.random.default_rng(seed).normal(size=mdp.allowed.shape)
    plan = soft_plan(mdp, reward)
    slow = soft_value_iteration(mdp, reward)
    assert plan.status.ok
    np.testing.assert_allclose(plan.v, slow.values, atol=1e-6)
    np.testing.assert_allclose(plan.policy, slow.policy, atol=1e-7)


@given(mdp=mdps(max_discount=0.99), seed=seeds)
def test_a_plan_does_not_depend_on_where_it_started(mdp, seed):
    rng = np.random.default_rng(seed)
    first, second = 5 * rng.normal(size=(2, *mdp.allowed.shape))
    near = soft_plan(mdp, first)
    moved = soft_plan(mdp, second, near)
    np.testing.assert_allclose(moved.v, soft_plan(mdp, second).v, atol=1e-7)


@given(mdp=mdps(), seed=seeds)
def test_many_rewards_at_once_are_planned_as_one_by_one(mdp, seed):
    rng = np.random.default_rng(seed)
    middle = rng.normal(size=mdp.allowed.shape)
    rewards = middle[..., None] + 2 * rng.normal(size=(*mdp.allowed.shape, 4))
    v, q = SoftOptimum().values(mdp, rewards, soft_plan(mdp, middle))
    policy = boltzmann(q, mdp.allowed)
    for r in range(4):
        alone = soft_policy_iteration(mdp, rewards[..., r])
        np.testing.assert_allclose(v[:, r], alone.values, atol=1e-7)
        np.testing.assert_allclose(policy[..., r], alone.policy, atol=1e-7)


def test_endless_gain_is_said_to_diverge():
    world = replace(gridworld(3, 3, wins=[(2, 2)]).mdp, discount=1.0)
    plan = soft_plan(world, np.ones((9, 4)))
    assert plan.status.outcome is Outcome.DIVERGED
    assert "make every step cost" in plan.status.message


@given(seed=seeds)
def test_at_the_maximum_expected_features_are_the_observed_ones(seed):
    rng = np.random.default_rng(seed)
    mdp = random_mdp(rng, 5, 3, features=2, discount=0.8)
    counts = random_counts(rng, mdp) + mdp.allowed * ~mdp.terminal[:, None]
    model = Model(mdp, make_design(mdp, "features", "gaussian"))
    solution = fit(Counts(counts), MaxEnt("features", strength=1e-9, tolerance=1e-8), mdp)
    # The model's own decisions, from where the observed ones cannot be traced back further.
    transitions = mdp.under_policy(solution.policy.table).toarray()
    begin = counts.sum(1) - mdp.discount * (mdp.transition_matrix.T @ counts.ravel())
    visits = np.linalg.solve(np.eye(5) - mdp.discount * transitions.T, begin)
    expected = model.design.matrix.T @ (visits[:, None] * solution.policy).ravel()
    observed = model.design.matrix.T @ counts.ravel()
    np.testing.assert_allclose(expected, observed, atol=1e-6 * counts.sum())


def test_a_known_reward_comes_back():
    rng = np.random.default_rng(1)
    mdp = random_mdp(rng, 12, 4, features=3, discount=0.9, terminals=False)
    weights = np.array([1.0, -2.0, 0.5])
    policy = soft_plan(mdp, mdp.features @ weights).policy
    solution = fit(Counts(1e4 * policy), MaxEnt("features", strength=1e-6), mdp)
    np.testing.assert_allclose(solution.parameters["weights"], weights, atol=1e-4)
    np.testing.assert_allclose(solution.policy, policy, atol=1e-6)
    assert solution.num_parameters == 3


@given(mdp=mdps(features=2), seed=seeds, factor=st.sampled_from([2.0, 10.0]))
def test_weights_scale_like_the_prior(mdp, seed, factor):
    counts = random_counts(np.random.default_rng(seed), mdp)
    if counts.sum() == 0:
        return
    once = fit(Counts(counts), MaxEnt("features", strength=1.0, tolerance=1e-8), mdp)
    more = fit(Counts(factor * counts), MaxEnt("features", strength=factor, tolerance=1e-8), mdp)
    np.testing.assert_allclose(more.policy, once.policy, atol=1e-5)


@pytest.mark.parametrize("seed", [27, 35, 41, 58, 114])
def test_the_search_ends_where_rounding_hides_the_cost(seed):
    rng = np.random.default_rng(seed)
    mdp = random_mdp(rng, 4, 3, features=2, discount=0.95)
    counts = random_counts(rng, mdp)
    solution = fit(Counts(counts), MaxEnt("features", strength=1.0, tolerance=1e-10), mdp)
    assert solution.status.residual <= 1e-10


@given(mdp=mdps(), seed=seeds)
def test_relabelling_states_commutes_with_the_fit(mdp, seed):
    rng = np.random.default_rng(seed)
    counts = random_counts(rng, mdp) + mdp.allowed
    order = rng.permutation(mdp.num_states)
    place = np.argsort(order)
    fields = {n: getattr(mdp, n)[order] for n in ("probabilities", "terminal", "allowed")}
    other = MDP(place[mdp.successors[order]], discount=mdp.discount, **fields)
    solver = MaxEnt("states", strength=1.0, tolerance=1e-8)
    policy = fit(Counts(counts), solver, mdp).policy
    np.testing.assert_allclose(
        fit(Counts(counts[order]), solver, other).policy, policy[order], atol=1e-5
    )


def test_several_worlds_share_one_reward_on_features():
    rng = np.random.default_rng(3)
    weights = np.array([1.5, -1.0])
    worlds = {name: random_mdp(rng, 8, 3, features=2, masks=False) for name in "ab"}
    parts = []
    for name, mdp in worlds.items():
        policy = soft_plan(mdp, mdp.features @ weights).policy
        walk = play(rng, mdp, policy, trajectories=60, length=30)
        columns = {"world": np.repeat(name, walk.num_trajectories)}
        parts.append(replace(walk, trajectories=columns))
    together = concatenate(parts)
    solution = fit(together, MaxEnt("features", strength=1.0), worlds)
    np.testing.assert_allclose(solution.parameters["weights"], weights, atol=0.35)
    by_world = MaxEnt("features", strengths=(1.0, 10.0), folds=2, by="world")
    assert set(fit(together, by_world, worlds).settings["cross_validation"]) == {"1", "10"}


@pytest.fixture(scope="module")
def wandering():
    """A short recording of a labyrinth dweller who wants water."""
    mdp = labyrinth().mdp
    reward = np.zeros(mdp.allowed.shape)
    reward[100] = 8.0
    rng = np.random.default_rng(4)
    return play(rng, mdp, soft_plan(mdp, reward).policy, trajectories=20, length=200), mdp


def test_the_strength_is_chosen_by_cross_validation(wandering):
    data, mdp = wandering
    seen = []
    solution = fit(
        data,
        MaxEnt("state-actions", strengths=(1e-3, 1.0, 1e4)),
        mdp,
        progress=lambda what, done, total: seen.append((what, done, total)),
    )
    assert solution.settings["strength"] == 1.0
    assert max(solution.settings["cross_validation"].values()) < 0
    assert seen[-1] == ("cross-validation", 15, 15)
    assert solution.num_parameters == int(mdp.allowed.sum())


def test_smoothness_shrinks_pasts_to_their_present():
    mdp = labyrinth().mdp
    data = play(np.random.default_rng(5), mdp, uniform(mdp.allowed), trajectories=10, length=200)
    longer = mdp.with_history(2)
    base = longer.history.base

    def spread(strength):
        policy = fit(data, MaxEnt("state-actions", "smooth", strength=strength), longer).policy
        return max(np.ptp(policy[base == state], axis=0).max() for state in range(127))

    assert spread(1e5) < 1e-2 < 0.2 < spread(0.1)


@given(mdp=mdps(), seed=seeds)
def test_smoothness_adds_the_squares_over_neighbours(mdp, seed):
    x = np.random.default_rng(seed).normal(size=mdp.num_states)
    link = np.zeros((mdp.num_states, mdp.num_states), dtype=bool)
    for s in np.flatnonzero(~mdp.terminal):
        for a in np.flatnonzero(mdp.allowed[s]):
            link[s, mdp.successors[s, a][mdp.probabilities[s, a] > 0]] = True
    pairs = np.argwhere(np.triu(link | link.T, 1))
    wanted = sum((x[i] - x[j]) ** 2 for i, j in pairs)
    np.testing.assert_allclose(x @ smoothness(mdp) @ x, wanted, atol=1e-10)


def test_a_search_cut_short_is_not_passed_off_as_done(wandering):
    data, mdp = wandering
    short = MaxEnt("states", strength=1.0, max_steps=3)
    with pytest.raises(FitError, match="stopped at the limit"):
        fit(data, short, mdp)
    kept = fit(data, short, mdp, accept_failure=True)
    assert kept.status.outcome is Outcome.LIMIT
    assert kept.status.residual > 1e-6


def test_discount_one_needs_a_reward_that_can_cost_every_step():
    mdp = replace(gridworld(3, 3, wins=[(2, 2)]).mdp, discount=1.0)
    features = np.zeros((9, 4, 1))
    features[0, 0] = 1.0
    data = Counts(np.ones((9, 4)) * ~mdp.terminal[:, None])
    with pytest.raises(FitError, match="every step must cost something"):
        fit(data, MaxEnt("features", strength=1.0), replace(mdp, features=features))
    costly = replace(mdp, features=np.ones((9, 4, 1)) * ~mdp.terminal[:, None, None])
    toward = Counts(soft_plan(mdp, -3.0 * costly.features[..., 0]).policy * data.state_action)
    found = fit(toward, MaxEnt("features", strength=1e-6), costly)
    np.testing.assert_allclose(found.parameters["weights"], [-3.0], atol=1e-3)


@pytest.mark.parametrize(
    ("solver", "message"),
    [
        (MaxEnt("features"), "no features"),
        (MaxEnt("states", strength=None, folds=40), "40 folds by trajectory"),
        (MaxEnt("things"), '"states", "state-actions" or "features"'),
        (MaxEnt("states", "flat"), '"gaussian" or "smooth"'),
    ],
)
def test_settings_that_do_not_fit_are_refused(wandering, solver, message):
    data, mdp = wandering
    with pytest.raises(InputError, match=message):
        fit(data, solver, mdp)


@pytest.mark.parametrize("settings", [{"strength": -1.0}, {"strengths": ()}])
def test_a_strength_is_a_number_of_decisions(settings):
    with pytest.raises(InputError, match="strength must be"):
        MaxEnt("states", **settings)


def test_counts_without_units_cannot_choose_a_strength(wandering):
    data, mdp = wandering
    with pytest.raises(InputError, match="which trajectory"):
        fit(Counts(count(data, mdp).state_action), MaxEnt("states"), mdp)


def test_a_search_may_start_from_a_solution_nearby(wandering):
    data, mdp = wandering
    solver = MaxEnt("states", strength=1.0)
    cold = fit(data, solver, mdp)
    warm = solver.solve(Problem(data, mdp, near=cold))
    assert warm.status.ok
    assert warm.status.steps == 1 < cold.status.steps
    np.testing.assert_allclose(warm.policy, cold.policy, atol=1e-5)


def test_the_solver_never_raises_for_a_poor_fit(wandering):
    data, mdp = wandering
    solution = MaxEnt("states", strength=1.0, max_steps=1).solve(Problem(data, mdp))
    assert not solution.status.ok


@pytest.mark.parametrize(
    ("on", "prior"), [("states", "smooth"), ("state-actions", "smooth"), ("states", "gaussian")]
)
def test_what_a_prior_pulls_has_its_covariance(on, prior):
    mdp = gridworld(2, 2).mdp
    design = make_design(mdp, on, prior)
    rngs = [np.random.default_rng(seed) for seed in range(3000)]
    pulls = design.pulls(rngs)
    wanted = design.penalty.toarray()
    np.testing.assert_allclose(np.cov(pulls), wanted, atol=0.12 * wanted.max())
