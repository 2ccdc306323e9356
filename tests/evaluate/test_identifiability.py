"""What can be known of a reward: dimensions by dense algebra, verdicts by perturbation."""

import numpy as np
import pytest
from hypothesis import given

from inverseq import InputError
from inverseq.evaluate.identifiability import (
    Verdict,
    contrast,
    identify,
    usual_contrasts,
)
from inverseq.inverse.values.iavi import inverse_action_values
from inverseq.mdp import MDP
from inverseq.rewards.gauges import GAUGES, Gauge, shaping
from strategies import mdps, random_mdp, random_policy, seeds


def gauge_named(name, mdp):
    return Gauge(name, mdp.allowed.argmax(1)) if name == "anchor" else Gauge(name)


def dense_world(p, discount, **fields):
    return MDP.from_dense(np.asarray(p, float), discount=discount, **fields)


@pytest.mark.parametrize("name", ["zero-mean", "anchor", "minimum-norm"])
@given(mdp=mdps())
def test_behaviour_leaves_one_number_per_state_and_these_gauges_set_all(name, mdp):
    made = identify(mdp, gauge=gauge_named(name, mdp))
    assert made.ambiguity == mdp.num_states
    assert made.remaining == 0
    assert made.condition >= 1
    assert not made.with_verdict(Verdict.OPEN)


@given(mdp=mdps(terminals=False), seed=seeds)
def test_rewards_on_states_leave_the_null_space_of_the_differences(mdp, seed):
    # Cao and others: v with gamma P_a v equal over the actions of each state.
    dense = mdp.transition_matrix.toarray().reshape(mdp.num_states, mdp.num_actions, -1)
    rows = [
        mdp.discount * (dense[s, a] - dense[s, mdp.allowed[s].argmax()])
        for s in range(mdp.num_states)
        for a in np.flatnonzero(mdp.allowed[s])
    ]
    open_directions = mdp.num_states - np.linalg.matrix_rank(np.array(rows), tol=1e-9)
    assert identify(mdp, gauge="state-only").remaining == open_directions


@pytest.mark.parametrize("name", GAUGES)
@given(mdp=mdps(max_states=5), seed=seeds)
def test_what_is_settled_by_behaviour_is_the_same_in_every_gauge(name, mdp, seed):
    rng = np.random.default_rng(seed)
    policy = random_policy(rng, mdp)
    chosen = usual_contrasts(mdp)
    # Contrasts that shaping cannot reach, besides the usual ones.
    k = shaping(mdp).toarray()
    pairs = np.flatnonzero(mdp.allowed)
    left, values, _ = np.linalg.svd(k[pairs])
    for i in range((values > 1e-9).sum(), len(pairs)):
        made = np.zeros(k.shape[0])
        made[pairs] = left[:, i]
        chosen[f"free {i}"] = made.reshape(mdp.allowed.shape)
    if not chosen:
        return
    known = identify(mdp, gauge=gauge_named(name, mdp), contrasts=chosen)
    assert all(n in known.with_verdict(Verdict.SETTLED) for n in chosen if n.startswith("free"))
    one = inverse_action_values(policy, mdp, backup="soft").reward
    two = inverse_action_values(
        policy, mdp, backup="soft", gauge=gauge_named(name, mdp), terminal_value=3.0
    ).reward
    shaped = one + (shaping(mdp) @ rng.normal(size=mdp.num_states)).reshape(one.shape)
    for n, verdict in zip(known.names, known.verdicts, strict=True):
        values = [(chosen[n] * r).sum() for r in (one, two, shaped)]
        if verdict is Verdict.SETTLED:
            np.testing.assert_allclose(values, values[0], atol=1e-6)
        else:
            assert abs(values[2] - values[0]) > 1e-9


def test_equal_consequences_settle_the_contrast_of_two_actions():
    p = np.zeros((2, 3, 2))
    p[:, 0, 0] = p[:, 1, 0] = p[:, 2, 1] = 1  # actions 0 and 1 lead to the same place
    mdp = dense_world(p, 0.9)
    known = identify(
        mdp,
        gauge="state-only",
        contrasts={
            "same": contrast(mdp, (0, 0), (0, 1)),
            "other": contrast(mdp, (0, 0), (0, 2)),
            "level": np.ones((2, 3)),
        },
    )
    assert known.verdicts == (Verdict.SETTLED, Verdict.CONVENTION, Verdict.OPEN)
    assert known.remaining == 1
    assert "2 numbers" in known.text
    assert "sets all but 1 of them" in known.text


def test_what_an_action_never_taken_earns_is_sized_by_the_smoothing_alone():
    p = np.zeros((2, 3, 2))
    p[0, :, 1] = p[1, :, 0] = 1  # whatever is done leads to the other state
    mdp = dense_world(p, 0.9)
    taken = np.array([[30.0, 10.0, 0.0], [20.0, 20.0, 5.0]])
    asked = {
        "taken": contrast(mdp, (0, 1), (0, 0)),
        "never": contrast(mdp, (0, 2), (0, 0)),
        "elsewhere": contrast(mdp, (1, 2), (1, 0)),
    }
    known = identify(mdp, visits=taken, contrasts=asked)
    assert known.verdicts == (Verdict.SETTLED, Verdict.SMOOTHED, Verdict.SETTLED)
    assert "never taken" in known.text
    # As it says: with another smoothing that number is another, and the others hardly move.
    fits = [
        inverse_action_values((taken + s) / (taken + s).sum(1, keepdims=True), mdp).reward
        for s in (1e-3, 1e-6)
    ]
    moved = {name: abs((c * (fits[0] - fits[1])).sum()) for name, c in asked.items()}
    assert moved["never"] > 6
    assert max(moved["taken"], moved["elsewhere"]) < 1e-3
    by_state = identify(mdp, visits=taken.sum(1), contrasts=asked)
    assert by_state.counts[Verdict.SETTLED] == 3


def test_a_second_discount_settles_all_but_a_constant():
    # Cao and others, Theorem 2.
    rng = np.random.default_rng(0)
    one = dense_world(rng.dirichlet(np.ones(5), (5, 3)), 0.9)
    two = dense_world(rng.dirichlet(np.ones(5), (5, 3)), 0.6)
    contrasts = {"difference": contrast(one, (0, 0), (3, 1)), "level": np.ones((5, 3))}
    known = identify(one, gauge="minimum-norm", contrasts=contrasts, also=[two])
    assert known.ambiguity == 1
    assert known.verdicts == (Verdict.SETTLED, Verdict.CONVENTION)
    again = identify(one, also=[one], contrasts=contrasts)
    assert again.ambiguity == 5


@pytest.mark.parametrize("name", GAUGES)
@given(mdp=mdps(max_states=5), seed=seeds)
def test_unseen_states_matter_exactly_where_it_says(name, mdp, seed):
    rng = np.random.default_rng(seed)
    gauge = gauge_named(name, mdp)
    policy = random_policy(rng, mdp)
    visits = (rng.random(mdp.num_states) < 0.6).astype(float)
    other = policy.copy()
    other[visits == 0] = random_policy(rng, mdp)[visits == 0]
    chosen = usual_contrasts(mdp)
    if not chosen:
        return
    known = identify(mdp, gauge=gauge, visits=visits, contrasts=chosen)
    # With the soft backup the reward is linear in the log-policy.
    one, two = (inverse_action_values(p, mdp, backup="soft", gauge=gauge) for p in (policy, other))
    for i, n in enumerate(known.names):
        touched = (chosen[n][visits == 0] != 0).any()
        assert (known.verdicts[i] is Verdict.UNSEEN) == touched
        change = abs((chosen[n] * (one.reward - two.reward)).sum())
        if known.unseen_share[i] < 1e-12:
            assert change < 1e-8
        if change > 1e-6:
            assert known.unseen_share[i] > 0


def test_a_labyrinth_sized_world_takes_no_time():
    rng = np.random.default_rng(1)
    mdp = random_mdp(rng, 127, 4, terminals=False, discount=0.99)
    known = identify(mdp, visits=np.arange(127) % 3.0)
    assert known.ambiguity == 127
    assert len(known.names) == 127 + mdp.allowed[mdp.allowed.sum(1) > 1].sum()
    assert known.with_verdict(Verdict.UNSEEN)
    assert "states without a decision" in known.text


def test_bad_input_says_what_to_do():
    rng = np.random.default_rng(2)
    mdp = random_mdp(rng, 4, 3, terminals=False)
    ghost = (~mdp.allowed).astype(float)
    for settings, match in (
        ({"contrasts": {"odd": np.zeros((2, 2))}}, "'odd'"),
        ({"contrasts": {"odd": np.zeros((4, 3))}}, "zero everywhere"),
        ({"contrasts": {"odd": ghost}}, "does not exist"),
        ({"visits": np.zeros(3)}, "visits"),
        ({"also": [random_mdp(rng, 4, 3, masks=False)]}, "also"),
        ({"gauge": "gold"}, "gauge"),
    ):
        with pytest.raises(InputError, match=match):
            identify(mdp, **settings)
    with pytest.raises(InputError, match="no state 9"):
        contrast(mdp, (9, 0), (0, 0))
