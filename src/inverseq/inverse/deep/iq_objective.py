"""What IQ-Learn maximises: statistical distances, values, and the loss of a batch of transitions.

Garg, Chakraborty, Cundy, Song and Ermon, "IQ-Learn: Inverse soft-Q Learning for Imitation" (NeurIPS
2021). With r = Q(s, a) - gamma V(s') the loss is

    -mean over expert rows of phi(r) + a value term,

phi(x) = -f*(-x) for the f-divergence whose generator is f (f* its convex conjugate): the distance
between the visits of expert and learner is the largest mean of phi(r) minus the learner's mean r.
"""

from collections.abc import Callable
from typing import Any, Literal, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int, PRNGKeyArray

Distance = Literal[
    "total-variation",
    "chi-square",
    "forward-kl",
    "reverse-kl",
    "jensen-shannon",
    "hellinger",
    "wasserstein",
    "least-squares",
]
Form = Literal["value-expert", "value", "v0"]
Value = Literal["soft", "hard"]

STEEPEST = 100.0
"""Where phi would become steeper than this, it goes on along its tangent: a reward below the domain
of a logarithm, which an untrained network will give, is punished by a large finite slope."""


def _logarithm(x: jax.Array) -> jax.Array:
    return 1 + jnp.log(x)


def _exponential(x: jax.Array) -> jax.Array:
    return -jnp.exp(-x - 1)


def _ratio(x: jax.Array) -> jax.Array:
    return x / (1 + x)


def _mixed(x: jax.Array) -> jax.Array:
    return jnp.log(2 - jnp.exp(-x))


class _Phi(NamedTuple):
    """A phi, and the x below which its slope exceeds `STEEPEST`."""

    of: Callable[[jax.Array], jax.Array]
    lowest: float


_CURVED = {
    "forward-kl": _Phi(_logarithm, 1 / STEEPEST),
    "reverse-kl": _Phi(_exponential, -5.605170185988091),  # -1 - log(STEEPEST)
    "hellinger": _Phi(_ratio, -1 + STEEPEST**-0.5),
    "jensen-shannon": _Phi(_mixed, -0.6831968497067773),  # log((1 + STEEPEST) / (2 STEEPEST))
}


def phi(x: Float[Array, "..."], distance: Distance, alpha: float = 0.5) -> Float[Array, "..."]:
    """The concave phi of a distance, continued along its tangent where steeper than `STEEPEST`.

    | distance | f(u) | phi(x) |
    |---|---|---|
    | total-variation | abs(u - 1) / 2 | x (for rewards within +-1/2) |
    | chi-square | alpha (u - 1)^2 | x - x^2 / (4 alpha) |
    | forward-kl | -log u | 1 + log x |
    | reverse-kl | u log u | -exp(-x - 1) |
    | jensen-shannon | -(u + 1) log((1 + u) / 2) + u log u | log(2 - exp(-x)) |
    | hellinger | (sqrt u - 1)^2 | x / (1 + x) |
    | wasserstein | - | x, with a penalty on the gradient of Q |

    Args:
        x: Rewards.
        distance: One of the names above.
        alpha: Strength of chi-square; rewards stay near or below 2 alpha.
    """
    if distance == "chi-square":
        return x - x**2 / (4 * alpha)
    if distance not in _CURVED:
        return x
    of, lowest = _CURVED[distance]
    value, slope = jax.value_and_grad(of)(jnp.float32(lowest))
    # The inner choice keeps the branch not taken free of NaN, whose gradient would leak.
    return jnp.where(x < lowest, value + slope * (x - lowest), of(jnp.maximum(x, lowest)))


def state_value(q: Float[Array, "*n A"], value: Value, temperature: float) -> Float[Array, " *n"]:
    """V(s): temperature * log sum exp(Q / temperature), or the largest Q."""
    if value == "hard":
        return q.max(-1)
    return temperature * jax.nn.logsumexp(q / temperature, axis=-1)


class Numbers(NamedTuple):
    """What IQ-Learn learns."""

    module: Any
    """The network Q."""
    absorbing: Float[Array, ""]
    """Reward of every step after the world has ended a game."""


class Terms(NamedTuple):
    """What a batch of transitions gives the loss.

    Attributes:
        chosen: `[n]` Q(s, a).
        value: `[n]` V(s).
        ahead: `[n]` gamma V(s'), or gamma times the absorbing value where the world ended the row.
    """

    chosen: Float[Array, " n"]
    value: Float[Array, " n"]
    ahead: Float[Array, " n"]

    @property
    def reward(self) -> Float[Array, " n"]:
        """`[n]` r = Q(s, a) - gamma V(s')."""
        return self.chosen - self.ahead


class Absorbing(NamedTuple):
    """Rows that follow where the world has ended a game: the same state for ever, worth r / (1 -
    gamma).

    Attributes:
        reward: r.
        expert: How many such rows there are for each row of the expert.
        own: The same for each row of the learner.
    """

    reward: Float[Array, ""] | float = 0.0
    expert: Float[Array, ""] | float = 0.0
    own: Float[Array, ""] | float = 0.0


def iq_loss(
    expert: Terms,
    own: Terms | None,
    starts: Float[Array, " m"] | None,
    *,
    distance: Distance,
    form: Form,
    alpha: float,
    discount: float,
    penalised: Literal["expert", "all"] = "expert",
    absorbing: Absorbing | None = None,
) -> Float[Array, ""]:
    """The loss of IQ-Learn for a batch, times the rows, absorbing ones too, per row of the expert.

    Args:
        expert: Transitions of the expert.
        own: Transitions of the learner, which weigh as much as the expert's; None offline.
        starts: `[m]` values of states in which games begin, for the form "v0".
        distance: Which phi.
        form: "value-expert": mean of V(s) - gamma V(s') over the expert's rows. "value": over the
            rows of expert and learner alike. "v0": (1 - gamma) times the mean of `starts`.
        alpha: Strength of chi-square.
        discount: gamma.
        penalised: Whose rewards chi-square penalises: "expert", or "all" rows of a mixture.
        absorbing: Rows after the end; their reward is r, and so is V(s) - gamma V(s').
    """
    after = absorbing or Absorbing()
    mass = 1 + after.expert
    alike = mass / (1 + after.own)

    def of_expert(values: jax.Array, last: Any) -> jax.Array:
        return jnp.mean(values) + after.expert * last

    def of_own(values: jax.Array, last: Any) -> jax.Array:
        return alike * (jnp.mean(values) + after.own * last)

    if distance == "least-squares":
        # What is fitted to a fixed target needs no balance of its rows.
        total = least_squares_loss(expert, own, alpha=alpha, discount=discount)
        total += after.expert * absorbing_loss(
            jnp.asarray(after.reward), distance=distance, form=form, alpha=alpha
        )
        return total + (0.0 if own is None else after.own * (after.reward + 1 / alpha) ** 2)
    last = jnp.asarray(after.reward, expert.chosen.dtype)
    if distance == "chi-square" and penalised == "all" and own is not None:
        squares = of_expert(expert.reward**2, last**2) + of_own(own.reward**2, last**2)
        gain = of_expert(expert.reward, last) - squares / (8 * alpha)
    else:
        gain = of_expert(phi(expert.reward, distance, alpha), phi(last, distance, alpha))
    cost = of_expert(expert.value - expert.ahead, last)
    if form == "value" and own is not None:
        cost = 0.5 * (cost + of_own(own.value - own.ahead, last))
    elif form == "v0" and starts is not None:
        cost = (1 - discount) * mass * jnp.mean(starts)
    return cost - gain


def least_squares_loss(
    expert: Terms, own: Terms | None, *, alpha: float, discount: float
) -> Float[Array, ""]:
    """LS-IQ (Al-Hafez and others 2023): rewards drawn to fixed targets in the mean square.

    With the penalty under the mixture of expert and learner, chi-square completes to squares around
    the rewards 1 / c for the expert and -1 / c for the learner; c is called alpha here. Values
    ahead are cut to what such rewards can sum to, gamma / (c (1 - gamma)), and not learned through.
    Offline, where nobody saw what the learner does, V(s) takes the place of its Q.
    """
    ahead = jax.lax.stop_gradient(expert.ahead)
    if own is None:
        return jnp.mean(least_squares(expert.chosen, expert.value, ahead, alpha, discount))
    gained = _squares(expert.chosen, ahead, 1 / alpha, discount)
    return jnp.mean(gained) + jnp.mean(
        _squares(own.chosen, jax.lax.stop_gradient(own.ahead), -1 / alpha, discount)
    )


def least_squares(
    chosen: Float[Array, "..."],
    value: Float[Array, "..."],
    ahead: Float[Array, "..."],
    alpha: float,
    discount: float,
) -> Float[Array, "..."]:
    """LS-IQ's squares for rows of the expert alone: of Q(s, a), and of V(s) for the learner's."""
    own = _squares(value, ahead, -1 / alpha, discount)
    return _squares(chosen, ahead, 1 / alpha, discount) + own


def _squares(chosen: jax.Array, ahead: jax.Array, target: float, discount: float) -> jax.Array:
    """Squared distance of Q from the target reward plus the value ahead."""
    limit = discount * abs(target) / (1 - discount)
    return (chosen - jnp.clip(ahead, -limit, limit) - target) ** 2


def absorbing_loss(
    reward: Float[Array, "..."], *, distance: Distance, form: Form, alpha: float
) -> Float[Array, "..."]:
    """What one absorbing row of the expert adds to the loss; its reward r, for ever, is worth r /
    (1 - gamma).

    In the forms of differences V(s) - gamma V(s') is r itself. In LS-IQ it has the expert's target;
    offline nobody has seen the learner end a game.
    """
    if distance == "least-squares":
        return (reward - 1 / alpha) ** 2
    return -phi(reward, distance, alpha) + (0.0 if form == "v0" else reward)


def gradient_penalty(
    module: Any,
    key: PRNGKeyArray,
    one: Float[Array, "n *shape"],
    other: Float[Array, "n *shape"],
    actions: Int[Array, " n"],
) -> Float[Array, ""]:
    """Mean of (norm of the gradient of Q - 1)^2 between observations, for the distance of
    Wasserstein (Gulrajani and others 2017; IQ-Learn takes it on Q).

    Args:
        module: A network with `encode` and `values`; the way between two boards is one between
            their encodings, where half a wall has a meaning.
        key: Of the places between.
        one: Observations.
        other: Observations at the other ends.
        actions: Whose Q.
    """

    def slope(one: jax.Array, other: jax.Array, action: jax.Array, share: jax.Array) -> jax.Array:
        between = share * module.encode(one) + (1 - share) * module.encode(other)
        found = jax.grad(lambda seen: module.values(seen)[action])(between)
        # A tiny number under the root: its slope at 0 is infinite.
        return jnp.sqrt(jnp.sum(found**2) + 1e-12)

    shares = jax.random.uniform(key, actions.shape)
    return jnp.mean((jax.vmap(slope)(one, other, actions, shares) - 1) ** 2)
