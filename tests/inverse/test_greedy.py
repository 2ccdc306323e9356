"""An agent without foresight: fitted by likelihood, and carried to worlds it has not seen."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.optimize import check_grad, minimize

from inverseq import Counts, Greedy, InputError, align, fit, load, replan, save
from inverseq.datasets import people
from inverseq.mdp.paths import nearer_by
from inverseq.policies import boltzmann, uniform
from inverseq.worlds import maze_features
from strategies import random_mdp


@pytest.fixture(scope="module")
def few():
    """Some people in two mazes, looking at the way and at reversals."""
    data = people()
    names = [*data.worlds][:2]
    worlds = {}
    for name in names:
        mdp = maze_features(data.worlds[name], ["reversal", "step"])
        way = nearer_by(mdp, "path")[..., None]
        worlds[name] = replace(
            mdp,
            features=np.concatenate([mdp.features[:, :, :1], way], axis=2),
            feature_names=("reversal", "nearer"),
        )
    seen = data.demonstrations.select(world=names)
    return seen.take(seen.units("subject") < 20), worlds


def test_weights_and_lapses_are_the_most_likely_ones(few):
    data, worlds = few
    found = fit(data, Greedy(lapse=True), worlds)
    mdp, share = found.mdp, found.settings["lapse"]
    best = np.append(found.parameters["weights"], np.log(share / (1 - share)))
    rows = align(data, mdp), data.actions

    def log_likelihood(x):
        lapse = 1 / (1 + np.exp(-x[-1]))
        chosen = boltzmann(mdp.features @ x[:-1], mdp.allowed)
        return float(np.log((1 - lapse) * chosen + lapse * uniform(mdp.allowed))[rows].mean())

    assert found.log_likelihoods(data).mean() == pytest.approx(log_likelihood(best))
    assert check_grad(log_likelihood, lambda x: np.zeros(x.size), best) < 1e-4
    for nudge in np.eye(3):
        assert log_likelihood(best + 0.3 * nudge) < log_likelihood(best)
        assert log_likelihood(best - 0.3 * nudge) < log_likelihood(best)
    assert found.num_parameters == 3
    assert found.status.ok


def test_without_lapses_it_is_a_choice_by_features():
    mdp = random_mdp(np.random.default_rng(0), states=5, actions=3)
    rng = np.random.default_rng(1)
    mdp = replace(mdp, features=rng.normal(size=(*mdp.allowed.shape, 2)), feature_names=("a", "b"))
    counts = rng.integers(1, 9, mdp.allowed.shape) * mdp.allowed * ~mdp.terminal[:, None]
    found = fit(Counts(counts.astype(float)), Greedy(), mdp)

    def cost(w):
        log_p = np.log(np.where(mdp.allowed, boltzmann(mdp.features @ w, mdp.allowed), 1.0))
        return -(counts * log_p).sum()

    np.testing.assert_allclose(
        found.parameters["weights"], minimize(cost, np.zeros(2)).x, atol=1e-3
    )
    np.testing.assert_allclose(found.policy.table, boltzmann(found.reward, mdp.allowed))


def test_it_goes_to_another_world_with_its_lapses(few):
    data, worlds = few
    first, second = worlds
    found = fit(data.select(world=[first]), Greedy(lapse=True), {first: worlds[first]})
    there = replan(found, {second: worlds[second]})
    share, mdp = found.settings["lapse"], there.mdp
    chosen = boltzmann(mdp.features @ found.parameters["weights"], mdp.allowed)
    wanted = (1 - share) * chosen + share * uniform(mdp.allowed)
    np.testing.assert_allclose(there.policy.table, wanted)


def test_who_looks_at_nothing_does_anything(few):
    data, worlds = few
    blind = {
        name: replace(mdp, features=mdp.features[:, :, :0], feature_names=())
        for name, mdp in worlds.items()
    }
    found = fit(data, Greedy(), blind)
    assert found.num_parameters == 0
    np.testing.assert_allclose(found.policy.table, uniform(found.mdp.allowed))


def test_a_world_without_features_is_refused():
    mdp = random_mdp(np.random.default_rng(0), states=3, actions=2)
    mdp = replace(mdp, features=None, feature_names=())
    with pytest.raises(InputError, match="this world has no features"):
        fit(Counts(mdp.allowed.astype(float)), Greedy(), mdp)


def test_steps_nearer_need_no_features(few, tmp_path):
    data, worlds = few
    known = fit(data, Greedy(lapse=True), worlds)
    backward = {
        name: replace(mdp, features=mdp.features[:, :, :1], feature_names=("reversal",))
        for name, mdp in worlds.items()
    }
    found = fit(data, Greedy("path", lapse=True), backward)
    np.testing.assert_allclose(found.policy.table, known.policy.table, atol=1e-4)
    np.testing.assert_allclose(
        found.parameters["weights"], known.parameters["weights"][::-1], atol=1e-3
    )
    plain = {name: people().worlds[name].mdp for name in worlds}
    path, line = (fit(data, Greedy(way), plain) for way in ("path", "line"))
    assert path.log_likelihoods(data).mean() > line.log_likelihoods(data).mean() + 0.1
    other = [*plain][1]
    kept = load(save(path, tmp_path / "s.npz"), type(path))
    there = replan(kept, {other: plain[other]})
    steps = nearer_by(there.mdp, "path") * path.parameters["weights"]
    np.testing.assert_allclose(there.policy.table, boltzmann(steps, there.mdp.allowed))
    np.testing.assert_allclose(there.v, 0.0 + np.log(np.exp(steps).sum(1)))
