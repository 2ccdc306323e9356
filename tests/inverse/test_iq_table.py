"""IQ-Learn for numbered states: the optimum found by other means, and what must hold there."""

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.optimize import minimize
from scipy.special import logsumexp

from inverseq._core.errors import InputError
from inverseq.decisions.counts import Counts
from inverseq.forward import occupancy
from inverseq.inverse.deep.cloning import BehaviourCloning
from inverseq.inverse.deep.iq_learn import IQLearn
from inverseq.inverse.deep.iq_objective import phi
from inverseq.inverse.fit import fit
from inverseq.mdp import MDP
from strategies import random_mdp, random_policy

TABLE = IQLearn(seed=0, form="v0", temperature=1.0, alpha=0.5, strength=0.0)


def world(seed: int = 0, **options) -> tuple[MDP, np.ndarray]:
    """A small world that goes on for ever, and a policy in it."""
    rng = np.random.default_rng(seed)
    mdp = random_mdp(rng, 5, 3, **({"terminals": False, "discount": 0.8} | options))
    return mdp, random_policy(rng, mdp)


def visits_of(mdp: MDP, policy: np.ndarray) -> np.ndarray:
    """Discounted share `[S, A]` of the decisions that a policy makes."""
    visits = occupancy(mdp, policy)[:, None] * policy
    return visits / visits.sum()


def explain(mdp: MDP, policy: np.ndarray, **settings):
    """The fit to all that a policy does, nothing left to chance."""
    return fit(Counts(1e3 * visits_of(mdp, policy)), replace(TABLE, **settings), mdp)


def by_scipy(mdp: MDP, share: np.ndarray, alpha: float, strength: float) -> np.ndarray:
    """Q that minimises the loss written out in loops, its gradient by differences."""
    allowed = np.argwhere(mdp.allowed)

    def q_of(numbers: np.ndarray) -> np.ndarray:
        q = np.full(share.shape, -np.inf)
        q[tuple(allowed.T)] = numbers
        return q

    def loss(numbers: np.ndarray) -> float:
        q = q_of(numbers)
        v = logsumexp(q, axis=1)
        total = (1 - mdp.discount) * float(mdp.initial @ v) + 0.5 * strength * np.sum(numbers**2)
        for s, a in allowed:
            chances = zip(mdp.probabilities[s, a], mdp.successors[s, a], strict=True)
            r = q[s, a] - mdp.discount * sum(p * v[t] for p, t in chances)
            total -= share[s, a] * (r - r**2 / (4 * alpha))
        return total

    return q_of(minimize(loss, np.zeros(len(allowed)), method="BFGS", options={"gtol": 1e-8}).x)


def test_the_optimum_is_that_of_another_optimiser():
    mdp, policy = world(masks=True)
    assert not mdp.allowed.all()
    share = visits_of(mdp, policy)
    found = explain(mdp, policy, strength=1.0)
    expected = by_scipy(mdp, share, 0.5, 1e-3)
    assert_allclose(found.q[mdp.allowed], expected[mdp.allowed], atol=2e-4)
    v = logsumexp(expected, axis=1)
    chances = (mdp.probabilities * v[mdp.successors]).sum(-1)
    reward = np.where(mdp.allowed, expected - mdp.discount * chances, 0)
    assert_allclose(found.reward, reward, atol=5e-4)


@pytest.mark.parametrize("distance", ["chi-square", "hellinger", "jensen-shannon", "reverse-kl"])
def test_at_the_optimum_visits_are_the_experts_times_the_slope_of_phi(distance):
    """Of phi(r) over the expert's visits minus the soft value of the beginning the gradient in Q
    is 0: visits of the learner = visits of the expert * phi'(r), state by state, action by action.
    """
    mdp, policy = world(seed=1)
    found = explain(mdp, policy, distance=distance)
    slope = jax.vmap(jax.grad(lambda x: phi(x, distance, 0.5)))(jnp.asarray(found.reward.ravel()))
    expected = visits_of(mdp, policy) * np.asarray(slope).reshape(policy.shape)
    assert_allclose(visits_of(mdp, found.policy), expected, atol=2e-6)
    assert not np.allclose(expected, visits_of(mdp, policy), atol=1e-3)


def test_the_cooler_the_closer_to_the_expert():
    """The learner's own entropy pulls it away from the expert; less so at lower temperatures."""
    mdp, policy = world(seed=2)
    far = [
        np.abs(explain(mdp, policy, temperature=t).policy - policy).max() for t in (1, 0.1, 0.01)
    ]
    assert far[0] > far[1] > far[2]
    assert far[2] < 0.02


@pytest.mark.parametrize("form", ["v0", "value-expert"])
def test_total_variation_clones_and_forms_agree_on_whole_visits(form):
    """Without a divergence term V(s) - Q(s, a) is left, the likelihood of the actions; and what
    flows into states flows out of them, so both forms are the same number."""
    mdp, policy = world(seed=3)
    settings = {"distance": "total-variation", "form": form, "strength": 1e-3}
    found = explain(mdp, policy, **settings)
    assert_allclose(found.policy, policy, atol=1e-4)
    cloned = fit(Counts(1e3 * visits_of(mdp, policy)), BehaviourCloning(0, strength=1e-3), mdp)
    assert_allclose(found.policy, cloned.policy, atol=1e-6)


def test_rewards_are_in_units_of_the_temperature():
    """Twice the temperature and twice alpha are the same problem in other units."""
    mdp, policy = world(seed=4)
    one = explain(mdp, policy, strength=1.0)
    two = explain(mdp, policy, temperature=2.0, alpha=1.0, strength=1.0)
    for name in ("q", "v", "reward", "policy"):
        assert_allclose(getattr(two, name), getattr(one, name), atol=1e-5)


def corridor() -> tuple[MDP, Counts]:
    """Three cells and an end; the expert walks right, with one step in ten to the left."""
    left, right = [0, 0, 1, 3], [1, 2, 3, 3]
    mdp = MDP(
        successors=np.stack([left, right], 1)[:, :, None],
        probabilities=np.ones((4, 2, 1)),
        discount=0.9,
        initial=np.array([1.0, 0, 0, 0]),
        terminal=np.array([False, False, False, True]),
    )
    return mdp, Counts(np.array([[10.0, 90], [10, 90], [10, 90], [0, 0]]))


def test_an_end_that_is_learned_is_worth_reaching():
    """With the value 0 after the end all values are drawn to 0; with a reward of its own for what
    lasts for ever they rise towards it."""
    mdp, counts = corridor()
    solver = IQLearn(seed=0, temperature=0.1, strength=0.01)
    learned = fit(counts, solver, mdp)
    zero = fit(counts, replace(solver, absorbing="zero"), mdp)
    assert (np.diff(learned.v[:3]) > 0).all()
    assert learned.v[2] - learned.v[0] > 2 * (zero.v[2] - zero.v[0])
    for found, end in ((learned, learned.v[3]), (zero, 0.0)):
        expected = found.q[2] - 0.9 * np.array([found.v[1], end])
        assert_allclose(found.reward[2], expected, atol=1e-9)


def test_least_squares_pay_the_expert_one_and_the_learner_minus_one():
    mdp, counts = corridor()
    found = fit(counts, IQLearn(seed=0, distance="least-squares", alpha=1.0, strength=1e-3), mdp)
    assert (found.policy[:3, 1] > 0.5).all()
    assert (np.abs(found.reward[:3]) < 10 * 1.2).all()  # 1 in units of the temperature 0.1


def test_what_has_no_meaning_is_refused():
    mdp, counts = corridor()
    for settings, words in (
        ({"distance": "wasserstein"}, "no distances between them"),
        ({"discount": 0.5}, "contradicts the world's 0.9"),
    ):
        with pytest.raises(InputError, match=words):
            fit(counts, IQLearn(seed=0, **settings), mdp)
    for settings, words in (
        ({"distance": "kl"}, "distance must be one of"),
        ({"temperature": 0.0}, "temperature must be above 0"),
        ({"discount": 1.0}, "discount must be from 0 to below 1"),
        ({"strength": -1.0}, "strength must be 0 or more"),
    ):
        with pytest.raises(InputError, match=words):
            IQLearn(seed=0, **settings)
    with pytest.raises(InputError, match="needs a discount below 1"):
        fit(counts, IQLearn(seed=0), replace(mdp, discount=1.0))
    with pytest.raises(InputError, match="leave network out"):
        fit(counts, IQLearn.best(0), mdp)
