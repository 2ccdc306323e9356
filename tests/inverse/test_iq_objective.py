"""IQ-Learn's loss: each phi beside its definition, each value term beside sums by hand."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from numpy.testing import assert_allclose

from inverseq.inverse.deep.iq_objective import (
    STEEPEST,
    Absorbing,
    Terms,
    absorbing_loss,
    gradient_penalty,
    iq_loss,
    least_squares_loss,
    phi,
    state_value,
)
from inverseq.networks import FullyConnected

GENERATORS = {
    "chi-square": lambda u: 0.5 * (u - 1) ** 2,
    "forward-kl": lambda u: -np.log(u),
    "hellinger": lambda u: (np.sqrt(u) - 1) ** 2,
    "jensen-shannon": lambda u: -(u + 1) * np.log((1 + u) / 2) + u * np.log(u),
    "reverse-kl": lambda u: u * np.log(u),
    "total-variation": lambda u: 0.5 * np.abs(u - 1),
}


@pytest.mark.parametrize("distance", GENERATORS)
def test_phi_is_minus_the_conjugate_of_its_generator(distance):
    """phi(x) = -f*(-x) = the smallest u x + f(u) over u > 0, here on a fine grid of u."""
    u = np.exp(np.linspace(-12, 5, 400_001))
    x = np.linspace(0.05, 0.45, 9)
    expected = [float(np.min(u * point + GENERATORS[distance](u))) for point in x]
    assert_allclose(phi(jnp.asarray(x), distance, 0.5), expected, atol=2e-5)


@pytest.mark.parametrize("distance", ["wasserstein", *GENERATORS])
def test_phi_is_concave_finite_everywhere_and_no_steeper_than_its_limit(distance):
    x = jnp.linspace(-20, 20, 4001)
    slope = jax.vmap(jax.grad(lambda point: phi(point, distance)))(x)
    assert jnp.isfinite(phi(x, distance)).all()
    assert (jnp.diff(slope) <= 1e-3).all()
    assert slope.max() <= STEEPEST * 1.001


def test_values_are_the_largest_or_the_soft_one():
    q = jnp.array([[1.0, 3.0, 2.0], [0.0, 0.0, 0.0]])
    assert_allclose(state_value(q, "hard", 0.5), [3, 0])
    by_hand = 0.5 * np.log(np.exp(np.asarray(q) / 0.5).sum(1))
    assert_allclose(state_value(q, "soft", 0.5), by_hand, rtol=1e-6)


def some_terms(seed: int) -> Terms:
    return Terms(*(jnp.asarray(part) for part in np.random.default_rng(seed).normal(size=(3, 6))))


def test_the_three_forms_by_hand():
    expert, own, starts = some_terms(0), some_terms(1), jnp.array([0.5, 1.5])
    settings = {"distance": "chi-square", "alpha": 0.7, "discount": 0.8}
    reward = np.asarray(expert.chosen - expert.ahead)
    gain = np.mean(reward - reward**2 / 2.8)
    flow = np.mean(expert.value - expert.ahead)
    both = (flow + np.mean(own.value - own.ahead)) / 2
    found = {f: iq_loss(expert, own, starts, form=f, **settings) for f in ("value-expert", "value")}
    assert_allclose(found["value-expert"], flow - gain, rtol=1e-5)
    assert_allclose(found["value"], both - gain, rtol=1e-5)
    beginning = iq_loss(expert, own, starts, form="v0", **settings)
    assert_allclose(beginning, 0.2 * 1.0 - gain, rtol=1e-5)


def test_a_mixture_is_penalised_in_both_halves():
    expert, own = some_terms(2), some_terms(3)
    settings = {"distance": "chi-square", "form": "value", "alpha": 0.7, "discount": 0.8}
    made = [iq_loss(expert, own, None, penalised=p, **settings) for p in ("expert", "all")]
    mine, other = np.mean(expert.reward**2), np.mean(own.reward**2)
    assert_allclose(made[1] - made[0], (other - mine) / 2 / 2.8, rtol=1e-4)


def test_least_squares_draw_rewards_to_their_targets():
    """Q that pays 1 / c on the expert's rows and -1 / c on the learner's has no loss."""
    ahead = jnp.array([0.3, -0.2])
    expert, own = (Terms(ahead + target, ahead, ahead) for target in (2.0, -2.0))
    assert least_squares_loss(expert, own, alpha=0.5, discount=0.9) == 0
    assert least_squares_loss(own, expert, alpha=0.5, discount=0.9) == pytest.approx(32)
    # What no rewards of that size can sum to, 0.9 * 2 / 0.1 = 18, is cut.
    far = Terms(jnp.array([20.0]), jnp.array([16.0]), jnp.array([1e4]))
    assert least_squares_loss(far, None, alpha=0.5, discount=0.9) == pytest.approx(0, abs=1e-6)


def test_absorbing_rows_are_rows_like_any_other():
    """V = r / (1 - gamma) in a state that is never left gives r as its reward and its flow."""
    gamma, reward = 0.9, jnp.float32(0.3)
    value = reward / (1 - gamma)
    row = Terms(*(jnp.array([x]) for x in (value, value, gamma * value)))
    for distance in (*GENERATORS, "least-squares"):
        made = absorbing_loss(reward, distance=distance, form="value-expert", alpha=0.5)
        if distance == "least-squares":
            assert made == pytest.approx((0.3 - 2) ** 2)
        else:
            settings = {"distance": distance, "alpha": 0.5, "discount": gamma}
            row_loss = iq_loss(row, None, None, form="value-expert", **settings)
            assert made == pytest.approx(float(row_loss), abs=1e-5)


@pytest.mark.parametrize("form", ["value-expert", "value", "v0"])
@pytest.mark.parametrize("penalised", ["expert", "all"])
def test_absorbing_rows_count_as_if_they_stood_in_the_batch(form, penalised):
    """Of expert and of learner alike: 3 such rows after 6 of the expert, 2 after 6 of its own."""
    expert, own, starts = some_terms(4), some_terms(5), jnp.array([0.5, 1.5])
    gamma, reward = 0.8, 0.3
    last = Terms(*(jnp.array([x]) for x in (1.5, 1.5, gamma * 1.5)))
    longer = [
        Terms(*(jnp.concatenate([one, *[more] * n]) for one, more in zip(seen, last, strict=True)))
        for seen, n in ((expert, 3), (own, 2))
    ]
    settings = {"distance": "chi-square", "form": form, "alpha": 0.7, "discount": gamma}
    settings |= {"penalised": penalised}
    found = iq_loss(expert, own, starts, absorbing=Absorbing(reward, 3 / 6, 2 / 6), **settings)
    assert_allclose(found, 1.5 * iq_loss(*longer, starts, **settings), rtol=1e-5)


def test_the_learner_s_ends_have_its_own_target_in_least_squares():
    expert, own = some_terms(6), some_terms(7)
    settings = {"distance": "least-squares", "form": "value", "alpha": 0.5, "discount": 0.8}
    found = [
        iq_loss(expert, own, None, absorbing=a, **settings)
        for a in (None, Absorbing(0.3, 0.5, 0.25))
    ]
    added = 0.5 * (0.3 - 2) ** 2 + 0.25 * (0.3 + 2) ** 2
    assert_allclose(found[1] - found[0], added, rtol=1e-4)


def test_the_gradient_penalty_of_a_linear_network():
    """Q = w x has the gradient w everywhere, so the penalty is (norm of w - 1)^2."""
    module = FullyConnected(()).build(jax.random.key(0), (3,), 2)
    weights = np.asarray(module.layers[0].weight)
    one, other = np.random.default_rng(0).normal(size=(2, 4, 3))
    actions = jnp.array([0, 1, 1, 0])
    found = gradient_penalty(
        module, jax.random.key(1), jnp.asarray(one), jnp.asarray(other), actions
    )
    norms = np.linalg.norm(weights, axis=1)[np.asarray(actions)]
    assert_allclose(found, np.mean((norms - 1) ** 2), rtol=1e-5)
