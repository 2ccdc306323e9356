"""What a sampler of the posterior of a hierarchy draws, and what is made of it.

All levels are made of standard normal numbers as Laplace's method draws them for the present
variances: pooled first, then groups given it, then animals given theirs. Were the likelihoods
quadratic, the posterior of these numbers would be standard normal whatever the variances, so that
the funnel of a hierarchy never arises and few draws go far. What likelihoods are beyond that is in
the density, with the determinant of the transformation.
"""

from collections.abc import Mapping
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.scipy.linalg import solve_triangular
from jaxtyping import Array, Float

from inverseq.inverse.hierarchy.evidence import LOG_VARIANCES
from inverseq.inverse.hierarchy.search import Search


class Made(NamedTuple):
    """All levels of n animals with F numbers in G groups.

    Attributes:
        animals: `[n, F]`.
        groups: `[G, F]`.
        pooled: `[F]`.
        log_variances: `[V - 1]` as of `evidence`, without that of the population.
    """

    animals: Float[Array, "n F"]
    groups: Float[Array, "G F"]
    pooled: Float[Array, " F"]
    log_variances: Float[Array, " V"]


Drawn = Mapping[str, Float[Array, "..."]]
"""Standard normal numbers "pooled", "groups" (where there are several), "animals"; "levels", of
which the variances are made."""


class Levels:
    """The posterior of the levels whose search has ended, as a function of what is drawn.

    Attributes:
        blocks: B, how many variances between animals there are.
    """

    def __init__(self, search: Search, width: float) -> None:
        data = search.data()
        self.blocks = int(data.blocks.max()) + 1
        self._width, self._found = width, search.log_variances
        self._search = search
        self._curvatures, self._slopes = jnp.asarray(data.curvatures), jnp.asarray(data.slopes)
        self._penalty, self._block = jnp.asarray(data.penalty), np.asarray(data.blocks)
        member = np.equal.outer(data.group, np.arange(data.num_groups))
        self._member = jnp.asarray(member, dtype=np.float64)
        self._likelihood = _likelihood(search)

    def beginnings(self, seed: int, chains: int) -> dict[str, Float[Array, "..."]]:
        """Where chains begin: apart from each other around the numbers of the search."""
        rng = np.random.default_rng(seed)
        count, groups = self._member.shape
        size = len(self._block)
        shapes = {"levels": (len(self._found) - 1,), "pooled": (size,), "animals": (count, size)}
        if groups > 1:
            shapes["groups"] = (groups, size)
        drawn = {name: rng.normal(size=(chains, *shape)) for name, shape in shapes.items()}
        # Deviations that the search has put at zero are not begun with.
        drawn["levels"] = 0.3 * drawn["levels"] + np.maximum(self._found[:-1], -2.0)
        return {n: jnp.asarray(v if chains > 1 else v[0]) for n, v in drawn.items()}

    def made(self, drawn: Drawn) -> Made:
        """The levels of what was drawn."""
        return self._transformed(drawn)[0]

    def potential(self, drawn: Drawn) -> Float[Array, ""]:
        """Minus the logarithm of the posterior density of what is drawn, up to a constant."""
        made, log_size = self._transformed(drawn)
        own, between, whole = self._precisions(made.log_variances)
        at = self._member @ made.groups
        worth = self._likelihood(made.animals) + log_size
        worth += _normal(made.animals - at, own) + _normal(made.pooled[None], whole)
        if between is not None:
            worth += _normal(made.groups - made.pooled, between)
        # Half-normal deviations, and the determinant of a deviation's logarithm.
        log_variances = made.log_variances
        worth += (log_variances / 2 - jnp.exp(log_variances) / (2 * self._width**2)).sum()
        return -worth

    def _precisions(self, log_variances: Array) -> tuple[Array, Array | None, Array]:
        """Inverse covariances of animals, of groups where there are several, of all."""
        scale = jnp.exp(-log_variances[: self.blocks] / 2)[self._block]
        own = scale[:, None] * self._penalty * scale
        several = self._member.shape[1] > 1
        between = own * jnp.exp(-log_variances[self.blocks]) if several else None
        return own, between, self._penalty * jnp.exp(-self._found[-1])

    def _transformed(self, drawn: Drawn) -> tuple[Made, Float[Array, ""]]:
        """The levels, and the logarithm of the determinant of how they are made."""
        log_variances = jnp.clip(drawn["levels"], *LOG_VARIANCES)
        own, between, whole = self._precisions(log_variances)
        root = jnp.linalg.cholesky(self._curvatures + own)
        cover = jnp.linalg.inv(self._curvatures + own)
        up, lift = own - own @ cover @ own, jnp.einsum("fg,ngh,nh->nf", own, cover, self._slopes)
        of_group = jnp.einsum("ng,nij->gij", self._member, up)
        slope = self._member.T @ lift
        if between is None:
            top = jnp.linalg.cholesky(of_group[0] + whole)
            pooled = _drawn(top, slope[0], drawn["pooled"])
            groups, sizes = pooled[None], [top]
        else:
            share = jnp.linalg.inv(of_group + between)
            above = (between - between @ share @ between).sum(axis=0) + whole
            top = jnp.linalg.cholesky(above)
            pooled = _drawn(top, jnp.einsum("fg,agh,ah->f", between, share, slope), drawn["pooled"])
            middle = jnp.linalg.cholesky(of_group + between)
            groups = jax.vmap(_drawn)(middle, slope + between @ pooled, drawn["groups"])
            sizes = [top, middle]
        at = self._member @ groups
        animals = jax.vmap(_drawn)(root, self._slopes + at @ own, drawn["animals"])
        sizes.append(root)
        log_size = jnp.zeros(())
        for one in sizes:
            log_size -= jnp.log(jnp.diagonal(one, axis1=-2, axis2=-1)).sum()
        return Made(animals, groups, pooled, drawn["levels"]), log_size


def _drawn(
    root: Float[Array, "F F"], slope: Float[Array, " F"], normal: Float[Array, " F"]
) -> Float[Array, " F"]:
    """A draw with this Cholesky root of the precision, and precision times mean."""
    mean = solve_triangular(root, slope, lower=True)
    return solve_triangular(root.T, mean + normal, lower=False)


def _normal(away: Float[Array, "k F"], precision: Float[Array, "F F"]) -> Float[Array, ""]:
    """Logarithm of the density of k normal vectors around zero, up to a constant."""
    root = jnp.linalg.cholesky(precision)
    size = jnp.log(jnp.diagonal(root)).sum()
    return away.shape[0] * size - ((away @ root) ** 2).sum() / 2


def _likelihood(search: Search):
    """The log-likelihood of all animals, differentiable; it is NumPy's, called from the sampler."""
    count, size = search.animals.shape
    near = [one.near for one in search.quadratics]

    # Double precision is that of a thread, and the sampler calls from another: bits are exchanged.
    def called(bits: Array) -> np.ndarray:
        animals = np.asarray(bits).view(np.float64).reshape(count, size)
        made = [
            search.expansion.quadratic(seen, numbers, n)
            for seen, numbers, n in zip(search.seen, animals, near, strict=True)
        ]
        slopes = np.concatenate([one.slope for one in made])
        return np.append(slopes, sum(one.value for one in made)).view(np.uint32).reshape(-1, 2)

    shape = jax.ShapeDtypeStruct((count * size + 1, 2), np.uint32)

    def both(animals: Array) -> tuple[Array, Array]:
        bits = jax.lax.bitcast_convert_type(animals.ravel(), np.uint32)
        told = jax.pure_callback(called, shape, bits, vmap_method="sequential")
        told = jax.lax.bitcast_convert_type(told, np.float64)
        return told[-1], told[:-1].reshape(count, size)

    @jax.custom_vjp
    def value(animals: Array) -> Array:
        return both(animals)[0]

    def ahead(animals: Array) -> tuple[Array, Array]:
        return both(animals)

    def back(slopes: Array, by: Array) -> tuple[Array]:
        return (by * slopes,)

    value.defvjp(ahead, back)
    return value
