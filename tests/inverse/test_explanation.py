import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from inverseq._core.errors import InputError
from inverseq._core.status import Outcome, Status
from inverseq.demonstrations import Demonstrations
from inverseq.inverse.explanation import action_probabilities
from inverseq.inverse.fit import fit
from inverseq.inverse.solution import Solution
from inverseq.inverse.tables.count_table import CountTable
from inverseq.mdp import MDP, unite
from inverseq.policies import TabularPolicy
from strategies import play, played, random_mdp, random_policy, seeds


def solution_of(policy: np.ndarray, mdp: MDP | None) -> Solution:
    return Solution("test", {}, TabularPolicy(policy), Status(Outcome.CONVERGED), mdp)


@given(played(missing=0.2))
def test_a_policy_is_looked_up_at_the_present_state(world):
    mdp, policy, demos = world
    found = action_probabilities(solution_of(policy, mdp), demos)
    assert_array_equal(found, [policy[s] for s in demos.states])
    exists = solution_of(policy, mdp).exists(demos)
    assert_array_equal(exists, [mdp.allowed[s] for s in demos.states])


def test_a_policy_over_the_past_is_looked_up_at_the_past():
    rng = np.random.default_rng(1)
    mdp = random_mdp(rng, 5, 3, terminals=False)
    demos = play(rng, mdp, random_policy(rng, mdp), gaps=0.2)
    longer = mdp.with_history(2)
    policy = random_policy(rng, longer)
    found = action_probabilities(solution_of(policy, longer), demos)
    place = {
        (int(s), int(p)): i
        for i, (s, p) in enumerate(
            zip(longer.history.base, longer.history.previous[:, 0], strict=True)
        )
    }
    for row in range(demos.num_decisions):
        before = int(demos.states[row - 1]) if demos.continues[row] else -1
        assert_array_equal(found[row], policy[place[int(demos.states[row]), before]])


def test_worlds_of_a_union_are_told_apart():
    rng = np.random.default_rng(2)
    worlds = {name: random_mdp(rng, 4, 3, terminals=False) for name in ("a", "b")}
    policies = {name: random_policy(rng, mdp) for name, mdp in worlds.items()}
    demos = play(rng, worlds["a"], policies["a"])
    both = solution_of(np.concatenate([*policies.values()]), unite(worlds))
    for name in worlds:
        where = {"world": np.full(demos.num_trajectories, name)}
        here = Demonstrations(
            demos.states,
            np.full(demos.num_decisions, -1),
            demos.next_states,
            demos.endings,
            demos.starts,
            trajectories=where,
        )
        assert_array_equal(action_probabilities(both, here), policies[name][demos.states])


@given(played(missing=0.1), st.integers(0, 3), st.sampled_from(["states", "actions"]), seeds)
def test_nothing_but_the_past_is_used(world, order, of, seed):
    """Whatever is done at a row and comes after it leaves the row's prediction as it was."""
    mdp, _, demos = world
    if (demos.actions < 0).all():
        return
    rng = np.random.default_rng(seed)
    solution = fit(demos, CountTable(order, smoothing=0.5, of=of), mdp)
    before = action_probabilities(solution, demos)
    row = int(rng.integers(demos.num_decisions))
    states, actions = demos.states.copy(), demos.actions.copy()
    states[row + 1 :] = rng.integers(0, mdp.num_states, states[row + 1 :].size)
    actions[row:] = rng.integers(-1, mdp.num_actions, actions[row:].size)
    other = Demonstrations(states, actions, demos.next_states, demos.endings, demos.starts)
    assert_array_equal(action_probabilities(solution, other)[: row + 1], before[: row + 1])


@given(played(missing=0.1, gaps=0.1), st.integers(0, 3))
def test_predictions_are_probabilities_over_what_exists(world, order):
    mdp, _, demos = world
    if (demos.actions < 0).all():
        return
    solution = fit(demos, CountTable(order), mdp)
    found = action_probabilities(solution, demos)
    assert_allclose(found.sum(1), 1, atol=1e-12)
    assert ((found > 0) == solution.exists(demos)).all()


def test_a_table_without_a_world_lets_every_action_exist():
    demos = Demonstrations.from_arrays([0, 1, 2], [0, 2, 1])
    exists = fit(demos, CountTable(1)).exists(demos)
    assert exists.shape == (3, 3)
    assert exists.all()


def test_a_policy_without_a_world_is_refused():
    demos = Demonstrations.from_arrays([0, 1], [0, 1])
    with pytest.raises(InputError, match="no world"):
        action_probabilities(solution_of(np.full((2, 2), 0.5), None), demos)


def test_a_state_outside_the_world_names_its_row():
    rng = np.random.default_rng(3)
    mdp = random_mdp(rng, 4, 3)
    solution = solution_of(random_policy(rng, mdp), mdp)
    with pytest.raises(InputError, match="row 2: state 9"):
        action_probabilities(solution, Demonstrations.from_arrays([0, 9], [0, 0]))
