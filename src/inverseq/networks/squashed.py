"""Continuous actions of a network: a Gaussian that tanh squashes into [-1, 1].

Haarnoja, Zhou, Abbeel and Levine, "Soft Actor-Critic: Off-Policy Maximum Entropy Deep Reinforcement
Learning with a Stochastic Actor" (ICML 2018), appendix C. A network's outputs `[2 D]` are the means
of the Gaussian and what its spreads follow from; `Unit` takes actions of a world there and back.
"""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, PRNGKeyArray

_LEAST, _MOST = -5.0, 2.0
"""Logarithm of the spread of the Gaussian."""
_EDGE = 1e-6
"""An action at the very edge of what is possible would have no Gaussian behind it; it is taken for
one this far inside."""


class Unit(NamedTuple):
    """Between actions of a world and [-1, 1]."""

    middle: Float[np.ndarray, " D"]
    half: Float[np.ndarray, " D"]
    """Half of the way from the least to the largest."""

    @classmethod
    def of(cls, bounds: Any) -> "Unit":
        """Of `[D, 2]`, least and largest."""
        low, high = np.asarray(bounds, dtype=np.float32).T
        return cls((low + high) / 2, (high - low) / 2)

    def inside(self, actions: Any) -> Any:
        """Actions of the world in [-1, 1]."""
        return (actions - self.middle) / self.half

    def outside(self, actions: Any) -> Any:
        """Actions in [-1, 1] as those of the world."""
        return self.middle + self.half * actions


def parted(outputs: Any) -> tuple[Any, Any]:
    """Means and spreads of the Gaussian, of a network's outputs `[..., 2 D]`; of JAX or NumPy."""
    some = jnp if isinstance(outputs, jax.Array) else np
    mean, spread = some.split(outputs, 2, axis=-1)
    return mean, some.exp(_LEAST + 0.5 * (_MOST - _LEAST) * (some.tanh(spread) + 1))


def log_density(outputs: Any, actions: Any) -> Any:
    """Logarithm of the density of actions `[..., D]` in [-1, 1], `[...]`; of JAX or NumPy."""
    some = jnp if isinstance(outputs, jax.Array) else np
    return _log_density(outputs, some.arctanh(some.clip(actions, -1 + _EDGE, 1 - _EDGE)))


def drawn(
    key: PRNGKeyArray, outputs: Float[Array, "*n E"]
) -> tuple[Float[Array, "*n D"], Float[Array, " *n"]]:
    """Actions drawn in [-1, 1], and the logarithm of their density there."""
    mean, spread = parted(outputs)
    behind = mean + spread * jax.random.normal(key, mean.shape)
    return jnp.tanh(behind), _log_density(outputs, behind)


def judged(
    critic: Any, observations: Float[Array, "n *shape"], actions: Float[Array, "n D"]
) -> Float[Array, " n"]:
    """Q(s, a) of a network that reads an observation and an action in [-1, 1] in one row."""
    return jax.vmap(critic)(beside(observations, actions))[:, 0]


def beside(observations: Any, actions: Any) -> Any:
    """Observations unrolled and actions in one row each, of JAX or NumPy."""
    some = jnp if isinstance(actions, jax.Array) else np
    return some.concatenate([observations.reshape(len(actions), -1), actions], axis=1)


def _log_density(outputs: Any, behind: Any) -> Any:
    """Logarithm of the density of tanh(behind)."""
    some = jnp if isinstance(outputs, jax.Array) else np
    mean, spread = parted(outputs)
    normal = -0.5 * ((behind - mean) / spread) ** 2 - some.log(spread) - 0.5 * np.log(2 * np.pi)
    # log(1 - tanh(u)^2), without the loss of digits where tanh(u) is near 1.
    steep = 2 * (np.log(2) - behind - some.logaddexp(0.0, -2 * behind))
    return (normal - steep).sum(-1)
