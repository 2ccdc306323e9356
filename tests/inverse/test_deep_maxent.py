"""DeepMaxEnt: its gradient, rewards that no line can fit, and its laws."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inverseq import FitError, InputError
from inverseq.decisions.counts import Counts
from inverseq.forward.soft import soft_plan
from inverseq.inverse.fit import fit
from inverseq.inverse.maxent.causal import MaxEnt
from inverseq.inverse.maxent.deep import DeepMaxEnt, _Chain, _packed, _unpacked
from inverseq.inverse.replan import replan
from inverseq.policies import log_boltzmann
from inverseq.rewards.network import NetworkReward, forward, random_layers
from inverseq.worlds import gridworld
from strategies import mdps, random_mdp, seeds


@given(seed=seeds, hidden=st.sampled_from([(1,), (4,), (3, 5)]))
def test_the_network_is_what_it_says(seed, hidden):
    rng = np.random.default_rng(seed)
    layers = random_layers(rng, 2, hidden)
    x = rng.normal(size=(6, 2))
    for row, found in zip(x, forward(layers, x), strict=True):
        value = row
        for weights, biases in layers[:-1]:
            value = [np.tanh(w @ value + b) for w, b in zip(weights, biases, strict=True)]
        (last,), (bias,) = layers[-1]
        np.testing.assert_allclose(found, last @ value + bias)


@settings(max_examples=8)  # each compiles anew
@given(mdp=mdps(max_states=5, features=3), seed=seeds)
def test_the_gradient_is_that_of_finite_differences(mdp, seed):
    rng = np.random.default_rng(seed)
    chain = _Chain(mdp, rng.poisson(3.0, mdp.allowed.shape) * mdp.allowed * 1.0)
    layers = random_layers(rng, 3, (4, 3))
    sizes, numbers = [w.shape for w, _ in layers], _packed(layers)
    numbers += 0.3 * rng.normal(size=numbers.size)
    towards = rng.normal(size=numbers.size)
    _, slope = chain(_unpacked(numbers, sizes))
    ends = (chain(_unpacked(numbers + e * towards, sizes))[0] for e in (1e-5, -1e-5))
    up, down = ends
    scale = 1 + abs((up - down) / 2e-5)
    np.testing.assert_allclose(_packed(slope) @ towards, (up - down) / 2e-5, atol=1e-5 * scale)


def ring():
    """A 9 x 9 board; what is wanted is a ring around its middle, which is not linear in place."""
    world = gridworld(9, 9, stay=True, discount=0.8)
    x, y = np.asarray(world.mdp.coordinates).T - 4
    wanted = np.where(np.abs(np.hypot(x, y) - 3) < 0.6, 3.0, 0.0)
    features = np.repeat(np.stack([x, y], 1)[:, None], 5, axis=1)
    mdp = replace(world.mdp, features=features, reward=None, feature_names=("x", "y"))
    return mdp, np.repeat(wanted[:, None], 5, axis=1)


def nats(policy, counts):
    return float((counts * np.log(policy)).sum() / counts.sum())


def test_a_network_finds_what_no_line_can():
    mdp, reward = ring()
    counts = 40 * soft_plan(mdp, reward).policy
    line = fit(Counts(counts), MaxEnt("features", strength=1.0), mdp)
    deep = fit(Counts(counts), DeepMaxEnt(seed=0, hidden=(16, 16)), mdp)
    best = nats(soft_plan(mdp, reward).policy, counts)
    assert nats(line.policy, counts) < best - 0.1
    assert nats(deep.policy, counts) > best - 0.01
    inside = np.corrcoef(deep.reward[:, 0], reward[:, 0])[0, 1]
    assert inside > 0.9
    assert np.ptp(line.reward) < 0.1, "by symmetry, no direction is better than another"
    np.testing.assert_allclose(NetworkReward(deep.parameters).table(mdp), deep.reward, atol=1e-12)
    np.testing.assert_allclose(deep.policy, soft_plan(mdp, deep.reward).policy, atol=1e-9)


def test_the_status_is_that_of_the_gradient():
    mdp, reward = ring()
    counts = soft_plan(mdp, reward).policy
    deep = fit(Counts(counts), DeepMaxEnt(seed=0, hidden=(4,), strength=1.0), mdp)
    chain = _Chain(mdp, counts)
    layers = [(deep.parameters[f"weights_{i}"], deep.parameters[f"biases_{i}"]) for i in range(2)]
    numbers = _packed(layers)
    value, slope = chain(layers)
    gradient = (_packed(slope) - numbers) / counts.sum()
    assert np.abs(gradient).max() == pytest.approx(deep.status.residual, rel=1e-6)
    assert deep.status.residual <= 1e-3
    assert deep.trace[-1] == pytest.approx((value - 0.5 * numbers @ numbers) / counts.sum())
    assert (np.diff(deep.trace) >= -1e-9).all()
    log_policy = log_boltzmann(deep.q, mdp.allowed)
    assert value == pytest.approx((counts * log_policy).sum())


def test_one_seed_one_network():
    mdp, reward = ring()
    counts = Counts(soft_plan(mdp, reward).policy)
    one, again, other = (fit(counts, DeepMaxEnt(s, hidden=(4,)), mdp) for s in (1, 1, 2))
    np.testing.assert_array_equal(one.reward, again.reward)
    assert (one.parameters["weights_0"] != other.parameters["weights_0"]).all()
    with pytest.raises(TypeError, match="seed"):
        DeepMaxEnt()  # pyright: ignore[reportCallIssue]


def test_a_feature_that_never_varies_does_no_harm():
    mdp, reward = ring()
    counts = Counts(soft_plan(mdp, reward).policy)
    constant = np.concatenate([mdp.features, np.full((81, 5, 1), 7.0)], axis=2)
    found = fit(
        counts, DeepMaxEnt(0, hidden=(4,)), replace(mdp, features=constant, feature_names=())
    )
    assert np.isfinite(found.reward).all()


def test_the_network_goes_along_to_another_world():
    mdp, reward = ring()
    found = fit(Counts(40 * soft_plan(mdp, reward).policy), DeepMaxEnt(0, hidden=(8,)), mdp)
    other = gridworld(5, 3, stay=True).mdp
    place = np.repeat((np.asarray(other.coordinates) - 2)[:, None], 5, axis=1)
    other = replace(other, features=place, feature_names=("x", "y"), reward=None)
    planned = replan(found, other)
    old = {tuple(f): r for f, r in zip(mdp.features[:, 0], found.reward[:, 0], strict=True)}
    for f, r in zip(place[:, 0], planned.reward[:, 0], strict=True):
        assert r == pytest.approx(old[tuple(f)])
    np.testing.assert_allclose(planned.policy, soft_plan(other, planned.reward).policy)
    with pytest.raises(InputError, match="features"):
        replan(found, replace(other, features=None, feature_names=()))


def test_discount_one_begins_with_a_cost():
    mdp = replace(gridworld(3, 3, wins=[(2, 2)]).mdp, discount=1.0)
    mdp = replace(mdp, features=np.random.default_rng(0).normal(size=(9, 4, 2)), reward=None)
    cost = np.where(mdp.terminal[:, None], 0.0, -3.0) * np.ones((9, 4))
    counts = Counts(soft_plan(mdp, cost).policy * ~mdp.terminal[:, None])
    assert fit(counts, DeepMaxEnt(0, hidden=(4,)), mdp).status.ok


def test_a_search_cut_short_is_said():
    mdp, reward = ring()
    with pytest.raises(FitError, match="raise max_steps"):
        fit(Counts(soft_plan(mdp, reward).policy), DeepMaxEnt(0, max_steps=5), mdp)


@pytest.mark.parametrize(
    ("given_settings", "message"),
    [({"hidden": ()}, "hidden must be"), ({"strength": -1.0}, "strength must be")],
)
def test_settings_out_of_range_are_refused(given_settings, message):
    with pytest.raises(InputError, match=message):
        DeepMaxEnt(0, **given_settings)


def test_features_are_needed_and_must_be_as_many():
    mdp, reward = ring()
    counts = Counts(soft_plan(mdp, reward).policy)
    with pytest.raises(InputError, match="no features"):
        fit(counts, DeepMaxEnt(0), replace(mdp, features=None, feature_names=()))
    found = fit(counts, DeepMaxEnt(0, hidden=(4,)), mdp)
    other = random_mdp(np.random.default_rng(0), 5, 5, features=3)
    with pytest.raises(InputError, match="depends on 2 features; the world has 3"):
        NetworkReward(found.parameters).table(other)
