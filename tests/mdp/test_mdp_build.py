"""Worlds from tables, Gymnasium and observations, each against another way to get them."""

import gymnasium
import numpy as np
import polars
import pytest
from hypothesis import given
from hypothesis import strategies as st

import strategies
from inverseq._core.errors import InputError
from inverseq.demonstrations import Demonstrations
from inverseq.mdp import MDP


def rows_of(mdp: MDP) -> dict[str, np.ndarray]:
    """The table of a world: one row for every successor of every action that exists."""
    exists = mdp.allowed & ~mdp.terminal[:, None]
    s, a, b = np.nonzero(exists[:, :, None] & (mdp.probabilities > 0))
    return {
        "state": s,
        "action": a,
        "next_state": mdp.successors[s, a, b].astype(np.int64),
        "probability": mdp.probabilities[s, a, b],
        "reward": mdp.reward[s, a],
    }


def optimal_values(mdp: MDP, sweeps: int = 3000) -> np.ndarray:
    """Value iteration on the record."""
    values = np.zeros(mdp.num_states)
    for _ in range(sweeps):
        q = np.where(mdp.allowed, mdp.reward + mdp.discount * mdp.expected(values), -np.inf)
        values = q.max(1)
    return values


@given(strategies.mdps(), strategies.seeds)
def test_a_table_in_any_order_gives_the_world_back(mdp, seed):
    table = rows_of(mdp)
    order = np.random.default_rng(seed).permutation(len(table["state"]))
    shuffled = {name: values[order] for name, values in table.items()}
    again = MDP.from_table(shuffled, discount=mdp.discount)
    # A state that only a terminal one could lead to is not in the table.
    size, actions = again.num_states, again.num_actions
    matrix = mdp.transition_matrix.toarray().reshape(-1, mdp.num_actions, mdp.num_states)
    found = again.transition_matrix.toarray().reshape(size, actions, size)
    np.testing.assert_allclose(found, matrix[:size, :actions, :size], atol=1e-12)
    lives = ~again.terminal
    assert (again.terminal == mdp.terminal[:size]).all()
    assert (again.allowed[lives] == mdp.allowed[:size, :actions][lives]).all()
    exists = again.allowed & lives[:, None]
    np.testing.assert_allclose(again.reward[exists], mdp.reward[:size, :actions][exists], atol=1e-9)


def test_names_are_numbered_in_sorted_order_and_rewards_are_expected_ones():
    table = {
        "state": ["shore", "shore", "shore"],
        "action": ["swim", "swim", "rest"],
        "next_state": ["deep", "shore", "shore"],
        "probability": [0.75, 0.25, 1.0],
        "reward": [4.0, -4.0, 0.5],
    }
    mdp = MDP.from_table(table, discount=0.9)
    assert mdp.state_names == ("deep", "shore")
    assert mdp.action_names == ("rest", "swim")
    assert mdp.terminal.tolist() == [True, False]  # no row begins there
    assert mdp.reward[1].tolist() == [0.5, 2.0]
    np.testing.assert_allclose(mdp.expected(np.array([1.0, 10.0]))[1], [10, 3.25])


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"probability": [0.5, 0.4]}, "sum to 0.9"),
        ({"probability": [1.5, -0.5]}, "row 2: probability is -0.5"),
        ({"probability": [np.nan, 1]}, "row 1: probability is nan"),
        ({"probability": ["a", "b"]}, "probability cannot be read"),
        ({"state": [0, -3]}, "row 2: state is -3; numbers start at 0"),
        ({"state": [0, 0.5]}, "state must hold whole numbers"),
        ({"action": [0, np.nan]}, "action must hold whole numbers"),
        ({"action": [0, 1, 0]}, "columns of the transition table differ in length"),
        ({"next_state": [0, -3]}, "row 2: state is -3; numbers start at 0"),
        ({"state": ["a", "a"], "next_state": ["a", None]}, "row 2: state is empty"),
        ({"next_state": [0, 10**9]}, "state numbers go up to 1000000000, but there are only 2"),
    ],
)
def test_a_table_that_makes_no_world_is_refused_with_its_row(changes, words):
    table = {"state": [0, 0], "action": [0, 0], "next_state": [0, 1], "probability": [0.5, 0.5]}
    with pytest.raises(InputError, match=words):
        MDP.from_table(table | changes, discount=0.9)


def test_a_table_without_a_column_or_rows_is_refused():
    with pytest.raises(InputError, match=r"no column 'next_state'; it has .*'action'"):
        MDP.from_table({"state": [0], "action": [0], "probability": [1]}, discount=0.9)
    with pytest.raises(InputError, match="no column 'next_state'"):
        MDP.from_table(polars.DataFrame({"state": [0], "action": [0]}), discount=0.9)
    with pytest.raises(InputError, match="a frame or a mapping of columns; got int"):
        MDP.from_table(5, discount=0.9)
    empty = {name: [] for name in ("state", "action", "next_state", "probability")}
    with pytest.raises(InputError, match="no rows"):
        MDP.from_table(empty, discount=0.9)


def make(name: str, **settings) -> gymnasium.Env:
    """The newest version of a task, whichever release of Gymnasium is here."""
    versions = [spec.version for spec in gymnasium.registry.values() if spec.name == name]
    return gymnasium.make(f"{name}-v{max(versions)}", **settings)


TASKS = [
    ("FrozenLake", {"is_slippery": True}),
    ("FrozenLake", {"is_slippery": False, "map_name": "8x8"}),
    ("CliffWalking", {}),
    ("Taxi", {}),
]


@pytest.mark.parametrize(("name", "settings"), TASKS)
def test_gymnasium_tasks_have_the_values_of_their_own_table(name, settings):
    """Value iteration by loops over the published P, `terminated` ending everything."""
    environment = make(name, **settings)
    mdp = MDP.from_gymnasium(environment, discount=0.9)
    published = environment.unwrapped.P
    values = np.zeros(len(published))
    for _ in range(300):
        values = np.array(
            [
                max(
                    sum(p * (r + 0.9 * (not done) * values[n]) for p, n, r, done in branches)
                    for branches in actions.values()
                )
                for actions in published.values()
            ]
        )
    begins = environment.unwrapped.initial_state_distrib > 0
    assert begins.any()
    ours = optimal_values(mdp, 300)
    np.testing.assert_allclose(ours[: begins.size][begins], values[begins], atol=1e-9)
    live = ~mdp.terminal[: values.size]
    np.testing.assert_allclose(ours[: values.size][live], values[live], atol=1e-9)
    np.testing.assert_allclose(mdp.initial[: begins.size][begins].sum(), 1)


def test_frozen_lake_and_the_cliff_have_their_known_values():
    lake = MDP.from_gymnasium(make("FrozenLake"), discount=1.0)
    np.testing.assert_allclose(optimal_values(lake)[0], 14 / 17, atol=1e-6)
    cliff = MDP.from_gymnasium(make("CliffWalking"), discount=1.0)
    np.testing.assert_allclose(optimal_values(cliff, 100) @ cliff.initial, -13)


def test_a_task_that_hides_its_transitions_is_told_what_to_use_instead():
    with pytest.raises(InputError, match=r"CartPoleEnv does not publish .* MDP\.estimate"):
        MDP.from_gymnasium(make("CartPole"))
    with pytest.raises(InputError, match=r"needs an environment, gymnasium\.make"):
        MDP.from_gymnasium("FrozenLake-v1")


def estimated_by_hand(demos: Demonstrations, smoothing: float) -> np.ndarray:
    """The formula in the docstring of `MDP.estimate`, by loops."""
    states, actions = demos.num_states, demos.num_actions
    seen = np.zeros((states, actions, states))
    for s, a, n in zip(demos.states, demos.actions, demos.next_states, strict=True):
        if a >= 0 and n >= 0:
            seen[s, a, n] += 1
    result = np.zeros_like(seen)
    for s in range(states):
        total = seen[s].sum()
        q = seen[s].sum(0) / total if total else np.eye(states)[s]
        for a in range(actions):
            count = seen[s, a].sum()
            if count + smoothing == 0 or count == 0:
                result[s, a] = q
            else:
                result[s, a] = (seen[s, a] + smoothing * q) / (count + smoothing)
    return result


@given(strategies.played(gaps=0.2, missing=0.2), st.sampled_from([0.0, 0.5, 3.0]))
def test_an_estimate_is_what_its_formula_says(drawn, smoothing):
    demos = drawn[2]
    if not ((demos.actions >= 0) & (demos.next_states >= 0)).any():
        with pytest.raises(InputError, match="no row has both an action and a next state"):
            MDP.estimate(demos, discount=0.9)
        return
    mdp = MDP.estimate(demos, discount=0.9, smoothing=smoothing)
    by_hand = estimated_by_hand(demos, smoothing)
    live = ~mdp.terminal
    matrix = mdp.transition_matrix.toarray().reshape(by_hand.shape)
    np.testing.assert_allclose(matrix[live], by_hand[live], atol=1e-12)
    assert mdp.notes["smoothing"] == smoothing
    assert "estimated" in mdp.notes
    ends = demos.next_states[demos.terminated]
    left = demos.states[(demos.actions >= 0) & (demos.next_states >= 0)]
    assert set(np.flatnonzero(mdp.terminal)) == set(ends[ends >= 0]) - set(left)


def test_an_estimate_from_much_play_is_near_the_truth():
    rng = np.random.default_rng(0)
    world = strategies.random_mdp(rng, 5, 3, masks=False, terminals=False)
    policy = strategies.random_policy(rng, world)
    demos = strategies.play(rng, world, policy, trajectories=200, length=200)
    mdp = MDP.estimate(demos, discount=0.9)
    truth = world.transition_matrix.toarray()
    assert np.abs(mdp.transition_matrix.toarray() - truth).max() < 0.08
    assert np.abs(mdp.initial - world.initial).max() < 0.15


def test_an_estimate_refuses_what_it_cannot_use():
    features = Demonstrations.from_arrays(np.zeros((3, 2)), [0, 0, 0])
    with pytest.raises(InputError, match=r"states are features .*: bin them"):
        MDP.estimate(features, discount=0.9)
    labels = Demonstrations.from_arrays([10**9, 10**9 + 1], [0, 0])
    with pytest.raises(InputError, match="state numbers go up to 1000000001, but there are only"):
        MDP.estimate(labels, discount=0.9)
    with pytest.raises(InputError, match="smoothing must be 0 or more; got -1"):
        MDP.estimate(Demonstrations.from_arrays([0, 1], [0, 0]), discount=0.9, smoothing=-1.0)


def test_an_estimate_can_be_told_of_states_that_other_data_hold():
    demos = Demonstrations.from_arrays([0, 1, 0], [0, 1, 0])
    small = MDP.estimate(demos, discount=0.9)
    large = MDP.estimate(demos, discount=0.9, num_states=4, num_actions=3)
    assert (large.num_states, large.num_actions) == (4, 3)
    np.testing.assert_array_equal(large.successors[3, :, 0], 3)  # never left: it stays
    old = small.transition_matrix.toarray().reshape(2, 2, 2)
    new = large.transition_matrix.toarray().reshape(4, 3, 4)
    np.testing.assert_array_equal(new[:2, :2, :2], old)
    assert MDP.estimate(demos, discount=0.9, num_states=1).num_states == 2
