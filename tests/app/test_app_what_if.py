"""What would be done if something were otherwise, against planning anew in that world."""

from dataclasses import replace

import numpy as np
import pytest

import inverseq
from inverseq import InputError, MaxEnt
from inverseq.app.scenes import scene_of
from inverseq.app.what_if import Change, planned
from inverseq.worlds import maze

ROWS = ("S..", ".#.", "..G")


@pytest.fixture(scope="module")
def world():
    return maze(ROWS, name="ring", discount=0.9)


@pytest.fixture(scope="module")
def fitted(world):
    """A fit to somebody who walks around the ring to the goal."""
    mdp = world.mdp
    rng, states, actions, trajectory, led = np.random.default_rng(1), [], [], [], []
    for walk in range(30):
        state = int(world.state_at(0, 0))
        while not mdp.terminal[state] and len(states) < 2000:
            action = int(rng.choice(4, p=[0.1, 0.45, 0.35, 0.1]))
            row = mdp.transitions[[state * 4 + action]].toarray()[0]
            states, actions = [*states, state], [*actions, action]
            state = int(row.argmax())
            trajectory, led = [*trajectory, walk], [*led, state]
    demos = inverseq.Demonstrations.from_arrays(
        states, actions, next_states=led, trajectory=trajectory
    )
    return inverseq.fit(demos, MaxEnt("states", strength=0.3), mdp=mdp)


def soft_plan(mdp, reward, sweeps=3000):
    """Soft value iteration, dense and slow."""
    full = mdp.transition_matrix.toarray()
    value = np.zeros(mdp.num_states)
    for _ in range(sweeps):
        q = reward + mdp.discount * (full @ value).reshape(reward.shape)
        q = np.where(mdp.allowed, q, -np.inf)
        value = np.logaddexp.reduce(q, axis=1)
    return np.exp(q - value[:, None])


def test_nothing_changed_is_the_fit_itself(fitted):
    made = planned(fitted, Change(), (0, 8))
    policy = fitted.policy.per_state(fitted.mdp)
    np.testing.assert_allclose(made["policy"], policy, atol=1e-3)


def test_a_closed_door_is_an_action_that_does_not_exist(fitted, world):
    a, b = int(world.state_at(1, 0)), int(world.state_at(2, 0))
    made = planned(fitted, Change(closed=((a, b),)), (0, 8))
    allowed = fitted.mdp.allowed.copy()
    allowed[a, 1] = allowed[b, 3] = False  # right from one, left from the other
    oracle = soft_plan(replace(fitted.mdp, allowed=allowed), np.asarray(fitted.reward))
    inside = ~fitted.mdp.terminal
    np.testing.assert_allclose(made["policy"][inside], oracle[inside], atol=1e-3)
    assert made["policy"][a, 1] == 0
    # The way that is left leads along the other side.
    assert b not in made["path"]
    assert int(world.state_at(0, 2)) in made["path"] or int(world.state_at(0, 1)) in made["path"]


def test_ways_that_never_end_have_no_length(fitted, world):
    goal, left, up = (int(world.state_at(*cell)) for cell in ((2, 2), (1, 2), (2, 1)))
    assert planned(fitted, Change(), (0, 8))["moves"] > 3
    made = planned(fitted, Change(closed=((left, goal), (up, goal))), (0, 8))
    assert made["moves"] is None
    assert made["visits"].sum() == pytest.approx(1 / (1 - fitted.mdp.discount), rel=1e-3)


def test_two_places_exchange_what_they_are_worth(fitted, world):
    a, b = int(world.state_at(0, 2)), int(world.state_at(2, 0))
    made = planned(fitted, Change(swapped=(a, b), discount=0.8), (0, 8))
    reward = np.array(fitted.reward)
    reward[[a, b]] = reward[[b, a]]  # a reward on states: the same for all actions
    oracle = soft_plan(replace(fitted.mdp, discount=0.8), reward)
    inside = ~fitted.mdp.terminal
    np.testing.assert_allclose(made["policy"][inside], oracle[inside], atol=1e-3)


def test_what_cannot_be_is_refused(fitted, world):
    a, right, down = (int(world.state_at(*cell)) for cell in ((0, 0), (1, 0), (0, 1)))
    with pytest.raises(InputError, match="numbers from 0 to 7"):
        planned(fitted, Change(closed=((0, 99),)), (0, 8))
    with pytest.raises(InputError, match="the discount lies between 0 and 1"):
        planned(fitted, Change(discount=1.5), (0, 8))
    stuck = replace(fitted.mdp, allowed=fitted.mdp.allowed.copy())
    only = stuck.allowed.copy()
    only[a] = [False, True, True, False]  # no walls to bump into
    walled = replace(fitted, mdp=replace(fitted.mdp, allowed=only))
    with pytest.raises(InputError, match="no way would be left at place"):
        planned(walled, Change(closed=((a, right), (a, down))), (0, 8))


def test_a_scene_says_where_places_lie_and_which_lead_to_which(fitted):
    scene = scene_of(fitted)["worlds"][""]
    assert scene["xy"].tolist()[:3] == [[0, 0], [1, 0], [2, 0]]
    assert scene["doors"].tolist() == [
        [0, 1], [0, 3], [1, 2], [2, 4], [3, 5], [4, 7], [5, 6], [6, 7]
    ]  # fmt: skip
    assert scene["steps"][0].tolist() == [[0, 0], [1, 0], [0, 1], [0, 0]]
    assert scene["ends"].tolist() == [7]


@pytest.mark.parametrize("within", [(0, 9), (3, 3), (5, 2), (-1, 4)])
def test_places_that_no_world_has_are_refused(fitted, within):
    with pytest.raises(InputError, match="places have numbers from 0 to 7"):
        planned(fitted, Change(), within)
