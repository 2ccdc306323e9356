"""Actions that exist at some decisions only, where states are features and no world says so."""

import jax
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import inverseq as iq
from inverseq.networks import FullyConnected, trained_network
from inverseq.policies.network import NetworkPolicy, network_q, network_values
from inverseq.rewards.read_out import ReadOutReward


def masked(seed: int = 0, size: int = 400) -> iq.Demonstrations:
    """Behaviour that likes action 2 best and 0 least, among those that exist."""
    rng = np.random.default_rng(seed)
    allowed = rng.random((size, 3)) < 0.6
    allowed[:, 0] |= ~allowed.any(axis=1)
    likely = allowed * np.exp([0.0, 1.0, 2.0])
    shares = np.cumsum(likely / likely.sum(axis=1, keepdims=True), axis=1)
    actions = (rng.random(size)[:, None] > shares).sum(axis=1)
    actions[::50] = -1
    return iq.Demonstrations.from_arrays(
        rng.normal(size=(size, 2)).astype(np.float32),
        actions,
        trajectory=np.repeat(np.arange(size // 20), 20),
        terminated=np.arange(size) % 40 == 39,
        decisions={"all": np.zeros(size, dtype=int)},
        allowed=allowed,
    )


def test_masks_go_where_their_rows_go(tmp_path):
    data = masked()
    assert data.allowed.dtype == bool
    assert not data.allowed.flags.writeable
    some = data.take([3, 1])
    assert_array_equal(some.allowed, np.concatenate([data.allowed[60:80], data.allowed[20:40]]))
    both = iq.concatenate([data.take([3]), data.take([1])])
    assert_array_equal(both.allowed, some.allowed)
    again = iq.load(iq.save(data, tmp_path / "masked.npz"), iq.Demonstrations)
    assert_array_equal(again.allowed, data.allowed)
    assert again.fingerprint == data.fingerprint
    states, actions = data.states, data.actions
    free = iq.Demonstrations.from_arrays(states, actions, trajectory=data.trajectory_of)
    assert free.allowed is None
    assert free.next_allowed is None
    assert free.fingerprint != data.fingerprint
    with pytest.raises(iq.InputError, match="in all of them or in none"):
        iq.concatenate([data, free])


def test_what_exists_next_is_what_the_following_row_says():
    data = masked()
    last = np.arange(400) % 20 == 19
    assert_array_equal(data.next_allowed[~last], data.allowed[1:][~last[:-1]])
    assert data.next_allowed[last].all()
    states = np.arange(6.0).reshape(3, 2)
    elsewhere = iq.Demonstrations.from_arrays(
        states,
        [0, 0, 0],
        next_states=[[2.0, 3.0], [9.0, 9.0], [8.0, 8.0]],
        allowed=[[1, 0], [1, 0], [1, 0]],
    )
    assert_array_equal(elsewhere.next_allowed, [[1, 0], [1, 1], [1, 1]])


WRONG = {
    "does not exist there: allowed has": [[1, 1], [1, 0], [1, 1]],
    "row 3: allowed says that no action exists": [[1, 1], [1, 1], [0, 0]],
    "allowed must have shape": [[1, 1], [1, 1]],
    "parts of different lengths": [[1, 1], [1], [1, 1]],
    "true and false, or 1 and 0": [[1, 1], [2, 1], [1, 1]],
}


@pytest.mark.parametrize(("words", "mask"), WRONG.items())
def test_masks_that_cannot_be_are_refused_with_the_row(words, mask):
    with pytest.raises(iq.InputError, match=words) as caught:
        iq.Demonstrations.from_arrays(np.zeros((3, 2)), [0, 1, -1], allowed=mask)
    assert ("row 2: action 1" in str(caught.value)) == ("does not exist" in words)


def test_names_and_masks_say_how_many_actions_there_are():
    states, mask = np.zeros((2, 1)), np.ones((2, 4), dtype=bool)
    assert iq.Demonstrations.from_arrays(states, [0, 1], allowed=mask).num_actions == 4
    with pytest.raises(iq.InputError, match="allowed must have shape"):
        iq.Demonstrations.from_arrays(states, [0, 1], allowed=mask, action_names=("a", "b"))


@pytest.mark.parametrize(
    ("states", "actions"), [([0, 1], [0, 1]), (np.zeros((2, 1)), np.zeros((2, 1)))]
)
def test_a_world_or_densities_have_no_masks(states, actions):
    with pytest.raises(iq.InputError, match="the world says which actions exist"):
        iq.Demonstrations.from_arrays(states, actions, allowed=[[1, 1], [1, 1]])


@pytest.fixture(scope="module")
def policy() -> NetworkPolicy:

    settings = FullyConnected(hidden=(4,))
    module = settings.build(jax.random.key(0), (2,), 3)
    return NetworkPolicy(trained_network(settings, module, (2,), 3), 0.5, discount=0.9)


def test_networks_choose_among_what_exists(policy):
    data = masked()
    chances = policy.probabilities(data, None)
    assert_array_equal(chances == 0, ~data.allowed)
    free = NetworkPolicy.probabilities(
        policy, iq.Demonstrations.from_arrays(data.states, data.actions), None
    )
    among = np.where(data.allowed, free, 0)
    assert_allclose(chances, among / among.sum(axis=1, keepdims=True), rtol=1e-6)
    drawn = policy.act(np.random.default_rng(0), data, None)
    assert data.allowed[np.arange(400), drawn].all()
    values = network_values(policy, data.states, data.allowed)
    assert (values <= network_values(policy, data.states) + 1e-6).all()


def test_rewards_look_ahead_among_what_exists(policy):
    data = masked()
    found = ReadOutReward(policy).values(data, None)
    ahead = network_values(policy, data.states[1:21], data.allowed[1:21])

    q = network_q(policy, data.states)
    assert_allclose(found[1], q[1, data.actions[1]] - 0.9 * ahead[1], rtol=1e-5)


def test_scores_know_what_was_forced_and_what_chance_is():
    data = masked()
    solution = iq.fit(data, iq.ColumnLogit(("all",), (0.1,)))
    assert_array_equal(solution.probabilities(data) == 0, ~data.allowed)
    score = iq.log_likelihood(solution, data)
    options = data.allowed.sum(axis=1)[data.acted]
    assert score.num_forced == (options == 1).sum() > 50
    assert_allclose(score.chance_mean, -np.log(options).mean())
    assert score.free_mean > score.free_chance_mean + 0.1
    one = solution.probabilities(data)[data.allowed.all(axis=1)][0]
    assert_allclose(np.log(one / one[0]), [0, 1, 2], atol=0.4)
    drawn = iq.simulate_like(solution, data, seed=0, states="observed")
    assert_array_equal(drawn.allowed, data.allowed)
    more = iq.Demonstrations.from_arrays(
        np.zeros((1, 2)), [0], allowed=[[1, 1, 1, 1]], decisions={"all": [0]}
    )
    with pytest.raises(iq.InputError, match="speaks of 4 actions, and there are 3"):
        iq.log_likelihood(solution, more)


def test_intentions_choose_among_what_exists():
    data = masked()
    solver = iq.Intentions(2, iq.ColumnLogit(("all",), (1.0,)), max_steps=20)
    solution = iq.fit(data, solver, accept_failure=True)
    assert_array_equal(solution.probabilities(data) == 0, ~data.allowed)
    assert (np.diff(solution.trace) > -1e-4 * data.num_decisions).all()
