"""What expectation maximisation owes: the objective never falls, and names mean nothing."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from inverseq._core.errors import FitError
from inverseq.demonstrations import Demonstrations, Ending, concatenate
from inverseq.evaluate.likelihood import log_likelihood
from inverseq.intentions.labels import agreement
from inverseq.intentions.predict import posterior
from inverseq.intentions.solver import Intentions
from inverseq.intentions.switching import DependentMarkov, Markov, Mixture
from inverseq.inverse.explanation import action_probabilities
from inverseq.inverse.fit import fit
from inverseq.inverse.maxent.causal import MaxEnt
from inverseq.inverse.tables.count_table import CountTable
from inverseq.inverse.values.iavi import IAVI
from inverseq.inverse.values.iql import IQL
from inverseq.mdp import MDP
from strategies import play, played, random_mdp, random_policy, seeds

LAWS = {
    "mixture": Mixture(),
    "markov": Markov(),
    "state": DependentMarkov(),
    "step": DependentMarkov(("step",), strength=0.5),
}
every_law = pytest.mark.parametrize("law", LAWS)


def two_kinds(seed: int = 0, trajectories: int = 24) -> tuple[MDP, Demonstrations]:
    """Two policies in one world: one for even trajectories, one for odd ones."""
    rng = np.random.default_rng(seed)
    mdp = random_mdp(rng, 5, 3, terminals=False, discount=0.8)
    parts = [random_policy(rng, mdp) ** 3 for _ in range(2)]
    parts = [p / p.sum(axis=1, keepdims=True) for p in parts]
    how = {"trajectories": trajectories // 2, "length": 30, "missing": 0.1, "gaps": 0.05}
    halves = [play(rng, mdp, p, **how) for p in parts]
    order = np.arange(trajectories).reshape(2, -1).T.ravel()
    return mdp, concatenate(halves).take(order)


def rises(trace: np.ndarray) -> bool:
    """Whether a trace never falls, to rounding."""
    return bool((np.diff(trace) >= -1e-8 * np.abs(trace[:-1])).all())


@settings(max_examples=15)
@given(world=played(missing=0.1, gaps=0.1), k=st.integers(1, 3), law=st.sampled_from(sorted(LAWS)))
def test_the_objective_never_falls(world, k, law):
    mdp, _, demos = world
    free = (demos.actions >= 0) & (mdp.allowed[demos.states].sum(axis=1) > 1)
    enough = demos.num_trajectories if law == "mixture" else free.sum()
    kinds = np.unique(np.stack([demos.states[free], demos.actions[free]]), axis=1).shape[1]
    if not free.any() or k > enough or (k > 1 and kinds < 2):
        return
    how = Intentions(k, switching=LAWS[law], restarts=2, max_steps=25)
    solution = fit(demos, how, mdp, accept_failure=True)
    assert rises(solution.trace)
    assert np.isfinite(solution.trace).all()
    assert_allclose(solution.occupancy.sum(), 1)
    assert (np.diff(solution.occupancy) <= 0).all()


@pytest.mark.parametrize("weighted", [False, True])
def test_the_objective_never_falls_with_a_planning_solver_or_weights(weighted):
    mdp, demos = two_kinds()
    weights = np.random.default_rng(1).random(demos.num_decisions) * 3 if weighted else None
    solver = IAVI() if weighted else MaxEnt("state-actions", strength=1.0, tolerance=1e-8)
    how = Intentions(2, solver, restarts=2, max_steps=15)
    solution = fit(demos, how, mdp, weights=weights, accept_failure=True)
    assert solution.trace.size > 2
    assert rises(solution.trace)


def test_a_solver_that_makes_things_worse_ends_the_search_before_it_does():
    """IQL by sampled updates tends to the maximum; it is seldom there (HIQL)."""
    mdp, demos = two_kinds()
    law = Markov()
    solution = fit(demos, Intentions(2, IQL(), law, restarts=2), mdp)
    assert rises(solution.trace)
    assert "would have fallen by" in solution.status.message
    numbers = {name: value[None] for name, value in solution.numbers.items()}
    assert_allclose(solution.log_likelihood + law.log_prior(numbers), solution.trace[-1])
    assert_allclose(log_likelihood(solution, demos).sums.sum(), solution.log_likelihood)


def test_one_intention_takes_one_step():
    mdp, demos = two_kinds()
    for solver in (IAVI(), MaxEnt(strength=1.0)):
        solution = fit(demos, Intentions(1, solver), mdp)
        assert solution.trace.size == 1
        assert solution.status.ok


def test_the_trace_ends_at_the_penalised_log_likelihood_of_what_is_returned():
    mdp, demos = two_kinds()
    solution = fit(demos, Intentions(2, tolerance=1e-9, max_steps=2000), mdp)
    policies = np.stack([np.asarray(one.policy) for one in solution.intentions], axis=-1)
    prior = IAVI().log_prior_of(policies, mdp).sum() + Markov().log_prior(
        {name: value[None] for name, value in solution.numbers.items()}
    )
    assert_allclose(solution.log_likelihood + prior, solution.trace[-1], rtol=1e-6)
    assert_allclose(log_likelihood(solution, demos).sums.sum(), solution.log_likelihood)
    known = demos.actions >= 0
    assert_allclose(solution.occupancy, posterior(solution, demos).smoothed[known].mean(axis=0))


@every_law
@pytest.mark.parametrize(
    "solver", [IAVI(), MaxEnt(strength=1.0), CountTable(2)], ids=lambda s: type(s).__name__
)
def test_one_intention_is_the_solver_itself(law, solver):
    mdp, demos = two_kinds()
    plain = fit(demos, solver, mdp)
    solution = fit(demos, Intentions(1, solver, LAWS[law]), mdp)
    (part,) = solution.intentions
    if part.reward is not None:
        assert_array_equal(part.policy, plain.policy)
        assert_array_equal(part.reward, plain.reward)
    assert_array_equal(action_probabilities(solution, demos), action_probabilities(plain, demos))
    ours, theirs = log_likelihood(solution, demos), log_likelihood(plain, demos)
    assert_array_equal(ours.sums, theirs.sums)
    assert solution.num_parameters == plain.num_parameters
    assert_array_equal(solution.path, 0)


@every_law
def test_names_of_states_and_actions_mean_nothing(law):
    mdp, demos = two_kinds()
    rng = np.random.default_rng(2)
    state, action = rng.permutation(5), rng.permutation(3)
    pick = lambda array: array[np.argsort(state)][:, np.argsort(action)]  # noqa: E731
    other_mdp = replace(
        mdp,
        successors=state[pick(mdp.successors)],
        probabilities=pick(mdp.probabilities),
        allowed=pick(mdp.allowed),
        reward=None,
        initial=mdp.initial[np.argsort(state)],
        coordinates=None,
    )
    other = replace(
        demos,
        states=state[demos.states],
        next_states=np.where(demos.next_states >= 0, state[demos.next_states], -1),
        actions=np.where(demos.actions >= 0, action[demos.actions], -1),
    )
    how = Intentions(2, switching=LAWS[law], restarts=4, tolerance=1e-8, max_steps=3000)
    first, second = fit(demos, how, mdp), fit(other, how, other_mdp)
    assert_allclose(second.trace[-1], first.trace[-1], rtol=1e-5)
    found = action_probabilities(second, other)[:, action]
    assert_allclose(found, action_probabilities(first, demos), atol=2e-3)


@every_law
def test_weights_of_one_are_no_weights(law):
    mdp, demos = two_kinds()
    how = Intentions(2, switching=LAWS[law], restarts=3)
    plain = fit(demos, how, mdp)
    weighted = fit(demos, how, mdp, weights=np.ones(demos.num_decisions))
    assert_array_equal(weighted.trace, plain.trace)
    assert_array_equal(weighted.smoothed, plain.smoothed)


def test_weights_of_two_are_the_decisions_twice():
    """In a mixture of whole trajectories, whose law counts trajectories, not decisions."""
    mdp, demos = two_kinds()
    how = Intentions(1, IAVI(), Mixture())
    twice = fit(demos, how, mdp, weights=np.full(demos.num_decisions, 2.0))
    both = fit(concatenate([demos, demos]), how, mdp)
    assert_allclose(twice.intentions[0].policy, both.intentions[0].policy)
    assert_allclose(twice.log_likelihood, both.log_likelihood)


def test_a_trajectory_without_weight_changes_nothing_that_is_found():
    mdp, demos = two_kinds()
    kept = np.arange(demos.num_trajectories) % 3 > 0
    how = Intentions(2, tolerance=1e-10, max_steps=3000)
    weights = kept[demos.trajectory_of].astype(float)
    found, alone = fit(demos, how, mdp, weights=weights), fit(demos.take(kept), how, mdp)
    assert_allclose(found.trace[-1], alone.trace[-1], rtol=1e-6)
    assert_allclose(
        action_probabilities(found, demos), action_probabilities(alone, demos), atol=1e-2
    )
    assert_allclose(found.occupancy, alone.occupancy, atol=1e-2)


@every_law
def test_the_order_of_trajectories_does_not_matter(law):
    mdp, demos = two_kinds()
    order = np.random.default_rng(3).permutation(demos.num_trajectories)
    how = Intentions(2, switching=LAWS[law], restarts=4, tolerance=1e-8, max_steps=3000)
    first, second = fit(demos, how, mdp), fit(demos.take(order), how, mdp)
    assert_allclose(second.trace[-1], first.trace[-1], rtol=1e-5)
    beliefs = posterior(second, demos).smoothed
    assert agreement(first.smoothed, beliefs) > 0.98


def test_a_gap_is_a_new_chain_and_a_trajectory_without_its_name():
    """For switching from decision to decision, parts of a trajectory are trajectories."""
    mdp, demos = two_kinds()
    assert (demos.endings == Ending.GAP).any()
    last = demos.endings == Ending.GAP
    starts = np.union1d(demos.starts, np.flatnonzero(last) + 1)
    endings = np.where(last, Ending.TRUNCATED, demos.endings)
    apart = replace(demos, starts=starts, endings=endings, trajectories={})
    how = Intentions(2, restarts=3)
    one, other = fit(demos, how, mdp), fit(apart, how, mdp)
    assert_allclose(one.trace, other.trace, rtol=1e-10)
    assert_allclose(one.smoothed, other.smoothed, atol=1e-9)
    # What is pursued by whole trajectories goes on behind a gap.
    how = replace(how, switching=Mixture())
    smoothed = fit(demos, how, mdp).smoothed
    for row in np.flatnonzero(last):
        assert_allclose(smoothed[row], smoothed[row + 1], atol=1e-12)


def test_the_same_input_gives_the_same_output_and_another_seed_other_beginnings():
    mdp, demos = two_kinds()
    how = Intentions(3, restarts=4)
    first, second = fit(demos, how, mdp), fit(demos, how, mdp)
    assert_array_equal(first.trace, second.trace)
    assert_array_equal(first.restarts.objective, second.restarts.objective)
    assert_array_equal(first.smoothed, second.smoothed)
    other = fit(demos, replace(how, seed=1), mdp)
    assert not np.array_equal(first.restarts.objective, other.restarts.objective)


def test_the_best_restart_on_the_training_data_is_kept():
    mdp, demos = two_kinds()
    solution = fit(demos, Intentions(3, restarts=6), mdp)
    kept = solution.restarts
    assert kept.objective.size == 6
    assert (np.diff(kept.objective) <= 0).all()
    assert kept.objective[0] == solution.trace[-1]
    assert kept.steps[0] == solution.trace.size
    assert kept.agreement[0] == 1
    assert kept.converged.all()


def test_the_drawn_variant_of_the_paper_runs_and_can_fall():
    rng = np.random.default_rng(7)
    mdp = random_mdp(rng, 5, 3, terminals=False)
    demos = play(rng, mdp, random_policy(rng, mdp), trajectories=20, length=30)
    how = Intentions(2, assignment="sampled", restarts=2, max_steps=40)
    solution = fit(demos, how, mdp, accept_failure=True)
    assert np.isfinite(solution.trace).all()
    assert not rises(solution.trace)
    assert "Drawn decisions still changed" in solution.status.message
    exact = fit(demos, replace(how, assignment="weighted", max_steps=300), mdp)
    assert solution.trace[-1] < exact.trace[-1] + 1e-6


def test_a_search_cut_short_is_not_passed_off_as_done():
    mdp, demos = two_kinds()
    with pytest.raises(FitError, match="still rising: give more max_steps"):
        fit(demos, Intentions(2, max_steps=2), mdp)


@given(seed=seeds)
@settings(max_examples=10)
def test_intentions_are_numbered_by_what_they_explain(seed):
    mdp, demos = two_kinds(seed % 1000, 10)
    solution = fit(demos, Intentions(2, restarts=2), mdp, accept_failure=True)
    beliefs = posterior(solution, demos)
    assert_allclose(beliefs.smoothed, solution.smoothed, atol=1e-12)
    assert_allclose(beliefs.filtered, solution.filtered, atol=1e-12)
    assert_array_equal(beliefs.path, solution.path)
    assert_allclose(beliefs.evidence.sum(), solution.log_likelihood)
    assert_allclose(solution.numbers["transition"].sum(axis=1), 1)
