"""The sampled updates of inverse Q-learning, compiled: one pass over the transitions is one scan.

Speed comes from the form of the loop. All values of a state and action stand side by side in one
table that the loop reads and then writes once; so the compiler updates it in place, and makes one
native function of the whole step. What is known beforehand for every row (running counts of visits,
step sizes) is computed outside.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Bool, Float, Int

from inverseq.inverse.values.iql_transitions import Transitions

_VISITS, _SHIFTED, _REWARD, _Q, _SAFE_Q = range(5)
"""Columns of the table."""


class Steps(NamedTuple):
    """Numbers of the updates; they may change without compiling anew.

    Attributes:
        reward: Step size of r.
        q: Step size of Q.
        shifted: Step size of the shifted Q.
        safe_q: Step size of the constrained Q.
        smoothing: What is added to shares inside the logarithm.
        power: Step sizes are multiplied by (1 + visits / scale) ** -power.
        scale: In visits.
    """

    reward: float
    q: float
    shifted: float
    safe_q: float
    smoothing: float
    power: float
    scale: float


@dataclass(frozen=True, eq=False)
class Sampled:
    """What a run over the transitions left behind; 0 at pairs that were never seen.

    Attributes:
        shifted: `[S, A]` Q^Sh, discount * E[max Q(next state)].
        reward: `[S, A]` r.
        q: `[S, A]` Q.
        safe_q: `[S, A]` Q^C, or None without constraints.
        changes: `[epochs]` largest change of any of them in each pass.
    """

    shifted: Float[np.ndarray, "S A"]
    reward: Float[np.ndarray, "S A"]
    q: Float[np.ndarray, "S A"]
    safe_q: Float[np.ndarray, "S A"] | None
    changes: Float[np.ndarray, " epochs"]


class _Rows(NamedTuple):
    """Each transition as the loop needs it, `[M]` each."""

    here: jax.Array  # first cell of the state
    cell: jax.Array
    ahead: jax.Array  # first cell of the next state
    discount: jax.Array  # 0 where the process ended
    peers: jax.Array  # other actions that exist
    weight: jax.Array
    total: jax.Array  # visits to the state in the first pass, this one included
    total_pass: jax.Array  # visits to the state in a whole pass
    taken: jax.Array  # visits to the pair in the first pass, before this one
    taken_pass: jax.Array


def run_epochs(
    transitions: Transitions,
    steps: Steps,
    epochs: int,
    *,
    safe: Bool[np.ndarray, "S A"] | None = None,
    tolerance: float = 0.0,
    report: Callable[[int], None] | None = None,
) -> Sampled:
    """Algorithm 1 of Kalweit and others (2020), `epochs` times over the transitions in their order.

    Args:
        transitions: What to learn from.
        steps: Step sizes and smoothing.
        epochs: Passes at most.
        safe: `[S, A]` safe actions, where a constrained Q is to be learned as well.
        tolerance: Stop after a pass in which nothing changed by more than this; 0 never stops.
        report: Called with the number of passes made.
    """
    allowed = transitions.mdp.allowed
    changes = []
    with jax.enable_x64(True):
        rows = _Rows(*map(jnp.asarray, _rows(transitions)))
        width = 4 if safe is None else 5
        table = jnp.zeros((allowed.size, width))
        exists = jnp.asarray(allowed.ravel())
        may = exists if safe is None else jnp.asarray(safe.ravel())
        numbers = Steps(*map(jnp.float64, steps))
        for epoch in range(epochs):
            table, change = _one_pass(
                table, exists, may, rows, np.float64(epoch), numbers, allowed.shape[1]
            )
            changes.append(float(change))
            if report is not None:
                report(epoch + 1)
            if (changes[-1] <= tolerance and tolerance > 0) or not np.isfinite(changes[-1]):
                break
        values = np.asarray(table).reshape(*allowed.shape, width)
    return Sampled(
        shifted=values[..., _SHIFTED],
        reward=values[..., _REWARD],
        q=values[..., _Q],
        safe_q=None if safe is None else values[..., _SAFE_Q],
        changes=np.array(changes),
    )


@partial(jax.jit, static_argnames="actions", donate_argnames="table")
def _one_pass(
    table: jax.Array,
    exists: jax.Array,
    safe: jax.Array,
    rows: _Rows,
    epoch: jax.Array,
    steps: Steps,
    actions: int,
) -> tuple[jax.Array, jax.Array]:
    """The table after one pass over all rows, and the largest change of a value in it."""
    total = rows.total + epoch * rows.total_pass
    taken = rows.taken + epoch * rows.taken_pass
    fade = jax.lax.cond(
        steps.power == 0,
        lambda: jnp.ones_like(taken),
        lambda: (1 + taken / steps.scale) ** -steps.power,
    )
    scanned = (
        *(rows.here, rows.cell, rows.ahead, rows.discount, rows.peers, rows.weight),
        *(total, rows.weight * fade),
    )
    number = jnp.arange(actions, dtype=jnp.uint32)

    def update(table: jax.Array, row: tuple[jax.Array, ...]) -> tuple[jax.Array, None]:
        here, cell, ahead, discount, peers, weight, total, pace = row
        column = lambda start, which: _slice(table, start, which, actions)  # noqa: E731
        mask = lambda of, start: jax.lax.dynamic_slice(of, (start,), (actions,))  # noqa: E731
        step = lambda size: jnp.minimum(1.0, pace * size)  # noqa: E731
        best = discount * _largest(column(ahead, _Q), mask(exists, ahead))
        # r - eta, up to the part of eta that is yet to come, summed over the other actions.
        log_share = jnp.log(column(here, _VISITS) / total + steps.smoothing)
        gap = column(here, _REWARD) - log_share + column(here, _SHIFTED)
        others = mask(exists, here) & (number != cell - here)
        gap = jnp.where(others, gap, 0.0).sum()
        old = jax.lax.dynamic_slice(table, (cell, jnp.uint32(0)), (1, table.shape[1]))[0]
        visits = old[_VISITS] + weight
        shifted = old[_SHIFTED] + step(steps.shifted) * (best - old[_SHIFTED])
        target = jnp.log(visits / total + steps.smoothing) - shifted + gap / peers
        # Where nothing else can be done the choice says nothing, and the reward stays 0.
        reward = old[_REWARD] + step(steps.reward) * jnp.where(peers > 0, target - old[_REWARD], 0)
        q = old[_Q] + step(steps.q) * (reward + best - old[_Q])
        new = [visits, shifted, reward, q]
        if table.shape[1] > _SAFE_Q:
            best = discount * _largest(column(ahead, _SAFE_Q), mask(safe, ahead))
            new.append(old[_SAFE_Q] + step(steps.safe_q) * (reward + best - old[_SAFE_Q]))
        return jax.lax.dynamic_update_slice(
            table, jnp.stack(new)[None], (cell, jnp.uint32(0))
        ), None

    after, _ = jax.lax.scan(update, table, scanned)
    return after, jnp.abs(after - table)[:, _SHIFTED:].max()


def _slice(table: jax.Array, start: jax.Array, column: int, size: int) -> jax.Array:
    """One column of the cells of a state. Unsigned indices spare the test for negative ones."""
    return jax.lax.dynamic_slice(table, (start, jnp.uint32(column)), (size, 1))[:, 0]


def _largest(values: jax.Array, mask: jax.Array) -> jax.Array:
    """The largest value where the mask is true."""
    return jnp.where(mask, values, -jnp.inf).max()


def _rows(transitions: Transitions) -> tuple[np.ndarray, ...]:
    """The fields of `_Rows`."""
    mdp, weight = transitions.mdp, transitions.weights
    states, cells = transitions.states, transitions.cells
    first_cell = lambda state: (state * mdp.num_actions).astype(np.uint32)  # noqa: E731
    total, total_pass = _running(states, weight)
    taken, taken_pass = _running(cells, weight)
    return (
        first_cell(states),
        cells.astype(np.uint32),
        first_cell(transitions.next_states),
        mdp.discount * transitions.goes_on,
        mdp.allowed.sum(1)[states] - 1.0,
        weight,
        total,
        total_pass,
        taken - weight,
        taken_pass,
    )


def _running(
    groups: Int[np.ndarray, " M"], weights: Float[np.ndarray, " M"]
) -> tuple[Float[np.ndarray, " M"], Float[np.ndarray, " M"]]:
    """Weight of each row's group up to and with the row, and in all."""
    order = np.argsort(groups, kind="stable")
    total = np.cumsum(weights[order])
    first = np.searchsorted(groups[order], groups[order])
    running = np.empty_like(total)
    running[order] = total - np.where(first > 0, total[first - 1], 0.0)
    return running, np.bincount(groups, weights)[groups]
