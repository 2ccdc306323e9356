"""Q-learning against the exact values, a plain loop, and its keys."""

from dataclasses import replace

import jax
import numpy as np
import pytest

from inverseq import MDP, InputError, Outcome, worlds
from inverseq.forward import q_learning, value_iteration


def everywhere(mdp: MDP) -> MDP:
    """The same world, begun in every state that is no end."""
    return replace(mdp, initial=~mdp.terminal / (~mdp.terminal).sum())


def test_it_finds_the_lectures_values():
    mdp = everywhere(worlds.four_by_three().mdp)
    exact = value_iteration(mdp)
    learned = q_learning(
        jax.random.key(0), mdp, steps=400_000, halving=20.0, exploration=0.3, checkpoints=40
    )
    assert learned.status.ok
    assert np.abs(learned.values - exact.values).max() < 0.05
    assert (learned.policy.argmax(1) == exact.policy.argmax(1))[~mdp.terminal].all()
    assert learned.curve.shape == (40, 11)
    assert learned.steps[-1] == learned.status.steps == 400_000
    errors = np.abs(learned.curve - exact.values).max(1)
    assert errors[-1] < 0.25 * errors[0]
    np.testing.assert_array_equal(learned.curve[-1], learned.values)


def test_without_chance_it_is_exact():
    mdp = everywhere(worlds.gridworld(4, 3, [(1, 1)], [(3, 0)]).mdp)
    learned = q_learning(
        jax.random.key(1),
        mdp,
        steps=20_000,
        step_size=1.0,
        halving=float("inf"),
        exploration=1.0,
        checkpoints=2,
    )
    exact = value_iteration(mdp)
    np.testing.assert_allclose(learned.q[~mdp.terminal], exact.q[~mdp.terminal], atol=1e-4)
    assert learned.status.residual < 1e-4


def test_one_key_one_course():
    mdp = worlds.four_by_three().mdp
    run = lambda key: q_learning(jax.random.key(key), mdp, steps=500, checkpoints=5)  # noqa: E731
    np.testing.assert_array_equal(run(0).curve, run(0).curve)
    assert (run(0).q != run(1).q).any()


def test_actions_that_do_not_exist_are_never_learned():
    world = worlds.labyrinth(discount=0.5)
    reward = np.zeros(127)
    reward[116] = 1.0
    mdp = world.mdp
    learned = q_learning(
        jax.random.key(2), mdp, -1.0 + reward, steps=20_000, exploration=1.0, checkpoints=4
    )
    assert not learned.q[~mdp.allowed].any()
    assert (learned.policy[~mdp.allowed] == 0).all()
    assert (learned.values[mdp.allowed.sum(1) == 1] < 1).all()


def test_a_cut_episode_is_no_end():
    # Two states in a ring that pay 1 for ever: were the limit an end, values would stay below 2.
    ring = MDP(np.array([[[1]], [[0]]]), np.ones((2, 1, 1)), 0.9, reward=np.ones((2, 1)))
    learned = q_learning(
        jax.random.key(0),
        ring,
        steps=5000,
        step_size=1.0,
        halving=float("inf"),
        episode_limit=2,
        checkpoints=1,
    )
    np.testing.assert_allclose(learned.values, 10.0, atol=1e-3)


def test_too_few_steps_are_said():
    learned = q_learning(jax.random.key(0), worlds.four_by_three().mdp, steps=10, checkpoints=3)
    assert learned.status.outcome is Outcome.LIMIT
    assert "raise steps" in learned.status.message
    assert learned.status.steps == 12, "rounded up to whole blocks"


@pytest.mark.parametrize(
    "settings",
    [
        {"steps": 0},
        {"step_size": 0.0},
        {"step_size": 1.5},
        {"halving": 0.0},
        {"exploration": 0.0},
        {"episode_limit": 0},
        {"checkpoints": 0},
    ],
)
def test_settings_out_of_range_are_refused(settings):
    with pytest.raises(InputError, match=next(iter(settings))):
        q_learning(jax.random.key(0), worlds.four_by_three().mdp, **({"steps": 10} | settings))


def test_a_reward_is_needed():
    with pytest.raises(InputError, match="no reward"):
        q_learning(jax.random.key(0), worlds.labyrinth().mdp, steps=10)
