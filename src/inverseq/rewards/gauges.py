"""The choice among the rewards that explain the same behaviour.

For a policy pi that is positive wherever an action exists, and for **any** values v, the reward

    r(s, a) = log pi(a | s) - top(s) + v(s) - gamma E[v(next state)]

explains pi exactly: Q(s, a) = r(s, a) + gamma E[v(next state)] = log pi(a | s) - top(s) + v(s), so
the Boltzmann policy of Q is pi, and v is the value of Q. With the soft backup, v = log sum exp Q,
this holds with top = 0 (Cao, Cohen and Szpruch 2021, Theorem 1). With the hard backup, v = max Q,
it holds with top(s) = max log pi(. | s); behaviour is then a noisy reading of the values of an
optimal agent (Kalweit and others 2020). Either way one free number per state is left, and a gauge
is a rule that sets it:

* "zero-mean": the rewards of the actions that exist in a state average to zero (Kalweit).
* "anchor": one action in each state has a known reward (Geng and others 2020).
* "state-only": closest to a reward that does not depend on the action, by least squares (Theorem 5
  there says when such a reward exists); what is left of the dependence is reported as the misfit.
* "minimum-norm": the smallest sum of squares over states and actions.

The first two are statewise normalisations, sum_a w(a | s) r(s, a) = g(s): one linear solve. The
others are linear least squares. At terminal states v is given, in every gauge.
"""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from jaxtyping import Float, Shaped
from scipy import sparse
from scipy.sparse.linalg import lsmr

from inverseq._core.arrays import frozen_array, require_finite
from inverseq._core.errors import InputError
from inverseq._core.linear import prepare
from inverseq._core.status import Outcome, Status
from inverseq.mdp import MDP
from inverseq.policies.tabular import uniform

GaugeName = Literal["zero-mean", "anchor", "state-only", "minimum-norm"]
GAUGES: tuple[GaugeName, ...] = ("zero-mean", "anchor", "state-only", "minimum-norm")

_NULL = 1e-11
_DENSE_WORK = 5e9  # rows * columns^2 of a least-squares problem up to which it is solved densely


@dataclass(frozen=True, eq=False)
class Gauge:
    """A rule that picks one of the equivalent rewards.

    Attributes:
        name: One of `GAUGES`.
        anchor: For "anchor": the action with a known reward, one for all states or `[S]`.
        anchor_reward: Its reward, one number or `[S]`.

    Raises:
        InputError: There is no such gauge, or the anchor is missing or not wanted.
    """

    name: GaugeName = "zero-mean"
    anchor: int | tuple[int, ...] | np.ndarray | None = None
    anchor_reward: float | tuple[float, ...] | np.ndarray = 0.0

    def __post_init__(self) -> None:
        if self.name not in GAUGES:
            raise InputError(f"gauge must be one of {', '.join(GAUGES)}; got {self.name!r}")
        if self.name == "anchor" and self.anchor is None:
            raise InputError("gauge='anchor' needs the action whose reward is known: anchor=0, say")
        if self.name != "anchor" and self.anchor is not None:
            raise InputError(f"anchor belongs to gauge='anchor'; the gauge is {self.name!r}")

    @property
    def is_statewise(self) -> bool:
        """Whether the rule is sum_a w(a | s) r(s, a) = g(s)."""
        return self.name in ("zero-mean", "anchor")

    def weights(self, mdp: MDP) -> Float[np.ndarray, "S A"]:
        """w(a | s) of a statewise rule; they sum to one.

        Raises:
            InputError: The anchor action does not exist in some state.
        """
        if self.name == "zero-mean":
            return uniform(mdp.allowed)
        action = per_state(self.anchor, np.int64, "anchor", mdp)
        states = np.arange(mdp.num_states)
        inside = (action >= 0) & (action < mdp.num_actions)
        exists = inside & mdp.allowed[states, np.where(inside, action, 0)]
        missing = ~exists & ~mdp.terminal
        if missing.any():
            s = int(np.argmax(missing))
            raise InputError(
                f"the anchor action {action[s]} does not exist in state {s} ({int(missing.sum())} "
                "such states). Give one action per state, anchor=[...], or choose another gauge."
            )
        # Nothing is normalised at terminal states: any action will do there.
        return np.eye(mdp.num_actions)[np.where(exists, action, mdp.allowed.argmax(axis=1))]

    def target(self, mdp: MDP) -> Float[np.ndarray, " S"]:
        """g(s) of a statewise rule."""
        value = self.anchor_reward if self.name == "anchor" else 0.0
        return per_state(value, np.float64, "anchor_reward", mdp)


def per_state(value: Any, dtype: Any, name: str, mdp: MDP) -> Shaped[np.ndarray, " S"]:
    """One number for all states, or one each, as `[S]`."""
    array = frozen_array(value, dtype, name)
    if array.shape not in ((1,), (mdp.num_states,)):
        raise InputError(f"{name} must be one number or {mdp.num_states}; got shape {array.shape}")
    require_finite(array, name)
    return np.broadcast_to(array, (mdp.num_states,))


def shaping(mdp: MDP) -> sparse.csr_array:
    """`[S * A, S]` the linear map from v to v(s) - gamma E[v(next state)], the reward's freedom.

    Row s * A + a belongs to state s and action a; rows of actions that do not exist are empty.
    """
    size = mdp.num_states * mdp.num_actions
    pairs = np.flatnonzero(mdp.allowed)
    start = sparse.csr_array(
        (np.ones(pairs.size), (pairs, pairs // mdp.num_actions)), shape=(size, mdp.num_states)
    )
    return (start - mdp.discount * mdp.transition_matrix).tocsr()


def within_state(mdp: MDP) -> sparse.csr_array:
    """`[S * A, S * A]` what is left of a reward when the mean over a state's actions is taken out.

    Rows of actions that do not exist, and of terminal states, are empty.
    """
    live = (mdp.allowed & ~mdp.terminal[:, None]).ravel()
    pairs = np.flatnonzero(live)
    states = pairs // mdp.num_actions
    member = sparse.csr_array(
        (np.ones(pairs.size), (pairs, states)), shape=(live.size, mdp.num_states)
    )
    share = sparse.diags_array(1 / mdp.allowed.sum(axis=1))
    return (sparse.diags_array(live.astype(np.float64)) - member @ share @ member.T).tocsr()


def gauge_values(
    mdp: MDP,
    log_policy: Float[np.ndarray, "S A *R"],
    top: Float[np.ndarray, "S *R"],
    gauge: Gauge,
    boundary: Float[np.ndarray, " S"],
    tolerance: float,
) -> tuple[Float[np.ndarray, "S *R"], Status]:
    """The values v that the gauge picks.

    Args:
        mdp: The world.
        log_policy: `[S, A, *R]` log pi; 0 at actions that do not exist.
        top: `[S, *R]` max log pi for the hard backup, 0 for the soft one.
        gauge: The rule.
        boundary: `[S]` v at terminal states; the rest is not read.
        tolerance: Largest error of v, in nats, for statewise rules.

    Returns:
        v `[S, *R]` and how it went; the residual bounds the error of v for statewise rules, and is
        the largest entry of the gradient for least squares.
    """
    if gauge.is_statewise:
        return _statewise(mdp, log_policy, top, gauge, boundary, tolerance)
    return _least_squares_gauge(mdp, log_policy, top, gauge, boundary)


def _statewise(
    mdp: MDP,
    log_policy: np.ndarray,
    top: np.ndarray,
    gauge: Gauge,
    boundary: np.ndarray,
    tolerance: float,
) -> tuple[np.ndarray, Status]:
    """Solve v = g + top - sum_a w log pi + gamma P_w v."""
    weights = gauge.weights(mdp)
    right = top - np.einsum("sa,sa...->s...", weights, log_policy)
    right += over_states(gauge.target(mdp), right)
    right[mdp.terminal] = over_states(boundary, right)[mdp.terminal]
    if gauge.name == "zero-mean":
        system = mdp.uniform_system
    else:
        system = prepare(mdp.under_policy(weights), mdp.discount)
    return system.solve(right, tolerance=tolerance)


def _least_squares_gauge(
    mdp: MDP, log_policy: np.ndarray, top: np.ndarray, gauge: Gauge, boundary: np.ndarray
) -> tuple[np.ndarray, Status]:
    """The v of the smallest reward, or of the smallest dependence of the reward on the action.

    What is still open (a constant, for rewards on states) is set by the smallest v.
    """
    live = (mdp.allowed & ~mdp.terminal[:, None]).ravel()
    freedom, known = shaping(mdp), log_policy - top[:, None]
    known = known.reshape(live.size, -1)
    if gauge.name == "state-only":
        centre = within_state(mdp)
        freedom, known = (centre @ freedom).tocsr(), centre @ known
    v = np.repeat(np.where(mdp.terminal, boundary, 0.0)[:, None], known.shape[1], axis=1)
    given = freedom[live]
    right = -(known[live] + given @ v)
    open_states = np.flatnonzero(~mdp.terminal)
    v[open_states], status = least_squares(given[:, open_states], right)
    return v.reshape(top.shape), status


def least_squares(
    matrix: sparse.csr_array, right: Float[np.ndarray, "M R"]
) -> tuple[Float[np.ndarray, "n R"], Status]:
    """The smallest x that minimises |matrix x - right|: dense SVD, or LSMR (Fong, Saunders 2011).

    Returns:
        x `[n, R]` and how it went; the residual is the largest entry of matrix' (matrix x - right).
    """
    rows, columns = matrix.shape
    steps = 0
    if rows * columns**2 <= _DENSE_WORK:
        left, values, across = np.linalg.svd(matrix.toarray(), full_matrices=False)
        # Entries are differences of numbers near 1: what is smaller than their rounding is zero.
        kept = values > _NULL * values.max(initial=1.0)
        x = across[kept].T @ ((left[:, kept].T @ right) / values[kept, None])
    else:
        x = np.empty((columns, right.shape[1]))
        for i in range(right.shape[1]):
            made = lsmr(matrix, right[:, i], atol=1e-13, btol=1e-13, conlim=0, maxiter=20 * columns)
            x[:, i], steps = made[0], max(steps, int(made[2]))
    gradient = float(np.abs(matrix.T @ (matrix @ x - right)).max(initial=0.0))
    scale = float(np.abs(right).max(initial=1.0))
    if gradient <= 1e-8 * scale:
        return x, Status(Outcome.CONVERGED, steps, gradient)
    message = "least squares did not settle; the policy is exact all the same, the choice is not"
    return x, Status(Outcome.LIMIT, steps, gradient, message)


def over_states(values: Shaped[np.ndarray, " S"], like: np.ndarray) -> np.ndarray:
    """`values` with as many axes as `like`, for arithmetic along the states."""
    return values.reshape(-1, *(1,) * (like.ndim - 1))
