"""The loss of IQ-Learn for numbered states in a known world: exact expectations, no samples."""

import jax.numpy as jnp
from jaxtyping import Array, Float

from inverseq.inverse.deep.iq_objective import (
    Distance,
    Form,
    Value,
    absorbing_loss,
    least_squares,
    phi,
    state_value,
)
from inverseq.inverse.deep.table_fit import Table


def table_values(
    q: Float[Array, "S A"],
    table: Table,
    *,
    value: Value,
    temperature: float,
    discount: float,
    absorbing: str,
) -> tuple[Float[Array, " S"], Float[Array, "S A"]]:
    """V(s), and r(s, a) = Q(s, a) - gamma E V(s') with V of terminal states 0 if `absorbing` is
    "zero".
    """
    masked = jnp.where(table.allowed, q, -jnp.inf)
    v = state_value(masked, value, temperature)
    reached = jnp.where(table.terminal & (absorbing == "zero"), 0.0, v)
    return v, q - discount * table.expected(reached)


def table_loss(
    q: Float[Array, "S A"],
    table: Table,
    *,
    distance: Distance,
    form: Form,
    value: Value,
    temperature: float,
    alpha: float,
    discount: float,
    absorbing: str,
) -> Float[Array, ""]:
    """The loss of IQ-Learn summed over counted decisions; r inside phi is the expected one.

    A terminal state that is learned (`absorbing="learned"`) is stayed in for ever with the reward
    (1 - gamma) V: for each arrival that counts gamma / (1 - gamma) decisions.

    Args:
        q: Action values.
        table: World and counts.
        distance: Which phi; not "wasserstein", which has no meaning for numbered states.
        form: "value" is the same as "value-expert" where only the expert was seen; "v0" takes the
            beginnings of the world.
        value: Soft or hard.
        temperature: Of the soft value.
        alpha: Strength of chi-square.
        discount: gamma.
        absorbing: "learned" or "zero".
    """
    v, reward = table_values(
        q,
        table,
        value=value,
        temperature=temperature,
        discount=discount,
        absorbing=absorbing,
    )
    ahead = q - reward
    counts = table.counts
    if distance == "least-squares":
        # Whole gradients: what is minimised all at once must be one function.
        total = jnp.sum(counts * least_squares(q, v[:, None], ahead, alpha, discount))
    else:
        total = -jnp.sum(counts * phi(reward, distance, alpha))
        if form != "v0":
            total += jnp.sum(counts * (v[:, None] - ahead))
    mass = counts.sum()
    if absorbing == "learned":
        chances = counts[..., None] * table.probabilities
        arrivals = jnp.zeros(v.shape).at[table.successors].add(chances) * table.terminal
        # A decision that was recorded in a terminal state is in the loss already.
        stays = jnp.maximum(arrivals - counts.sum(1), 0.0) * discount / (1 - discount)
        own = absorbing_loss((1 - discount) * v, distance=distance, form=form, alpha=alpha)
        total += jnp.sum(jnp.where(stays > 0, stays * own, 0.0))
        mass += stays.sum()
    if form == "v0" and distance != "least-squares":
        total += (1 - discount) * mass * jnp.sum(table.initial * v)
    return total
