"""Gaussian walks: their evidence and what is known of each moment, in time linear in moments.

Numbers w_t walk, w_t = w_(t-1) + N(0, d_t C) over a time d_t, from w_1 ~ N(0, v_1 K^-1), with

    C = D^1/2 K^-1 D^1/2

where K is what a solver's prior charges and D holds a variance for each block of numbers. The
log-likelihood of each moment is quadratic, h_t' w - w' H_t w / 2 (its expansion around the last
w_t: Laplace's method), so that all moments together have a block-tridiagonal precision. It is
solved by cyclic reduction: every second moment is eliminated, all at once, until one is left, and
comes back with its mean and its covariance with its neighbours. Step sizes are those of the largest
evidence (Roy and others 2021, psytrack; Ashwood and others 2022, dynamic IRL).
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int
from scipy.optimize import minimize

LOG_VARIANCES = (-14.0, 8.0)
"""Between these, nothing moves, and each moment stands for itself."""


@dataclass(frozen=True, eq=False)
class Walks:
    """What the decisions of M moments say, as quadratics in F numbers.

    Attributes:
        curvatures: `[M, F, F]` H.
        slopes: `[M, F]` h, at 0.
        gaps: `[M]` d, time since the moment before; not read at beginnings.
        firsts: `[M]` whether a chain begins.
        penalty: `[F, F]` K.
        blocks: `[F]` which of the B variances each number has.
    """

    curvatures: Float[np.ndarray, "M F F"]
    slopes: Float[np.ndarray, "M F"]
    gaps: Float[np.ndarray, " M"]
    firsts: Bool[np.ndarray, " M"]
    penalty: Float[np.ndarray, "F F"]
    blocks: Int[np.ndarray, " F"]


class Prior(NamedTuple):
    """What the walk expects, before any decision.

    Attributes:
        diagonal: `[M, F, F]` of its precision.
        upper: `[M - 1, F, F]` of its precision, between neighbours; 0 between chains.
        log_det: Logarithm of the determinant of that.
        step: `[F, F]` precision of a step of length 1.
        first: `[F, F]` precision of beginnings.
    """

    diagonal: Float[np.ndarray, "M F F"]
    upper: Float[np.ndarray, "M1 F F"]
    log_det: float
    step: Float[np.ndarray, "F F"]
    first: Float[np.ndarray, "F F"]

    def charge(self, numbers: Float[np.ndarray, "M F"]) -> float:
        """What it charges for numbers, in nats."""
        cost = float(np.einsum("mf,mfg,mg->", numbers, self.diagonal, numbers))
        return cost / 2 + float(np.einsum("mf,mfg,mg->", numbers[:-1], self.upper, numbers[1:]))


class Solved(NamedTuple):
    """A block-tridiagonal system A x = b with symmetric positive definite A.

    Attributes:
        x: `[M, F]`.
        log_det: Logarithm of the determinant of A.
        covers: `[M, F, F]` diagonal blocks of the inverse of A.
        across: `[M - 1, F, F]` the blocks beside them.
    """

    x: Float[np.ndarray, "M F"]
    log_det: float
    covers: Float[np.ndarray, "M F F"]
    across: Float[np.ndarray, "M1 F F"]


class Known(NamedTuple):
    """What is known of every moment under some variances.

    Attributes:
        evidence: Logarithm of it, in nats, up to a constant.
        slope: `[B + 1]` its derivative in the logarithms of the variances of steps and beginnings.
        means: `[M, F]` of the numbers.
        spread: `[M, F]` standard deviations.
        effective: How many numbers are free, of M F.
    """

    evidence: float
    slope: Float[np.ndarray, " V"]
    means: Float[np.ndarray, "M F"]
    spread: Float[np.ndarray, "M F"]
    effective: float


def prior_of(data: Walks, log_variances: Float[np.ndarray, " V"]) -> Prior:
    """What walks with these variances expect: of steps, and last of beginnings."""
    scale = np.exp(-log_variances[:-1] / 2)[data.blocks]
    step = scale[:, None] * data.penalty * scale
    first = data.penalty * np.exp(-log_variances[-1])
    moves = ~data.firsts
    share = np.where(moves, 1 / np.where(moves, data.gaps, 1.0), 0.0)
    after = np.append(share[1:], 0.0)
    diagonal = (share + after)[:, None, None] * step
    diagonal[data.firsts] += first
    size = data.penalty.shape[0]
    log_det = moves.sum() * _log_det(step) + size * np.log(share[moves]).sum()
    log_det += data.firsts.sum() * _log_det(first)
    return Prior(diagonal, -share[1:, None, None] * step, float(log_det), step, first)


def known(data: Walks, log_variances: Float[np.ndarray, " V"]) -> Known:
    """The evidence and the moments, by one solve."""
    prior = prior_of(data, log_variances)
    made = solve_tridiagonal(prior.diagonal + data.curvatures, prior.upper, data.slopes)
    value = prior.log_det - made.log_det + float((data.slopes * made.x).sum())
    second = made.covers + made.x[:, :, None] * made.x[:, None]
    beside = made.across + made.x[:-1, :, None] * made.x[1:, None]
    moves = ~data.firsts[1:]
    apart = second[1:] + second[:-1] - beside - beside.transpose(0, 2, 1)
    apart = np.einsum("mfg,m->fg", apart[moves], 1 / data.gaps[1:][moves])
    steps = np.diagonal(prior.step @ apart) - moves.sum()
    begun = np.diagonal(prior.first @ second[data.firsts].sum(axis=0)) - data.firsts.sum()
    slope = np.append(np.bincount(data.blocks, steps), begun.sum()) / 2
    variances = np.diagonal(made.covers, axis1=1, axis2=2)
    return Known(
        evidence=value / 2,
        slope=slope,
        means=made.x,
        spread=np.sqrt(np.maximum(variances, 0.0)),
        effective=float(np.einsum("mij,mji->", made.covers, data.curvatures)),
    )


def learned(
    data: Walks,
    start: Float[np.ndarray, " V"],
    free: Bool[np.ndarray, " V"],
    reach: float,
) -> Float[np.ndarray, " V"]:
    """Logarithms of the variances at which the evidence is largest, no further than `reach` from
    those at the start; those that are not free stay.
    """
    if not free.any():
        return start

    def cost(x: np.ndarray) -> tuple[float, np.ndarray]:
        at = start.copy()
        at[free] = x
        made = known(data, at)
        return -made.evidence, -made.slope[free]

    lowest, highest = LOG_VARIANCES
    found = minimize(
        cost,
        start[free],
        jac=True,
        method="L-BFGS-B",
        bounds=[(max(lowest, x - reach), min(highest, x + reach)) for x in start[free]],
        options={"maxiter": 30, "ftol": 1e-10, "gtol": 1e-4},
    )
    made = start.copy()
    made[free] = found.x
    return made


def solve_tridiagonal(
    diagonal: Float[np.ndarray, "M F F"],
    upper: Float[np.ndarray, "M1 F F"],
    right: Float[np.ndarray, "M F"],
) -> Solved:
    """By cyclic reduction: work and memory grow with M, and loops with its logarithm."""
    count, size = right.shape
    if count == 1:
        cover, log_det = _inverse(diagonal)
        x = np.einsum("mfg,mg->mf", cover, right)
        return Solved(x, log_det, cover, np.zeros((0, size, size)))
    odd = np.arange(1, count, 2)
    own, log_det = _inverse(diagonal[odd])
    # Pulls of the neighbours of each odd moment, left and right; none behind the last.
    left = own @ upper[odd - 1].transpose(0, 2, 1)
    ends = np.zeros((odd.size, size, size))
    there = odd < count - 1
    ends[there] = upper[odd[there]]
    after = own @ ends
    alone = np.einsum("mfg,mg->mf", own, right[odd])
    reduced, rest = diagonal[::2].copy(), right[::2].copy()
    held = odd.size
    reduced[:held] -= upper[odd - 1] @ left
    rest[:held] -= np.einsum("mfg,mg->mf", upper[odd - 1], alone)
    behind = ends.transpose(0, 2, 1)[there]
    reduced[1:] -= behind @ after[there]
    rest[1:] -= np.einsum("mfg,mg->mf", behind, alone[there])
    half = solve_tridiagonal(reduced, -upper[odd[there] - 1] @ after[there], rest)
    x = np.empty_like(right)
    x[::2] = half.x
    before, beyond = half.x[:held], np.zeros((held, size))
    beyond[there] = half.x[1:]
    x[odd] = alone - np.einsum("mfg,mg->mf", left, before)
    x[odd] -= np.einsum("mfg,mg->mf", after, beyond)
    covers, across = np.empty_like(diagonal), np.empty_like(upper)
    covers[::2] = half.covers
    near = half.covers[:held]
    far, both = np.zeros_like(near), np.zeros_like(near)
    far[there], both[there] = half.covers[1:], half.across
    # Covariances of each odd moment with its neighbours, and from them its own.
    with_left = -(left @ near + after @ both.transpose(0, 2, 1))
    with_right = -(left @ both + after @ far)
    covers[odd] = own - with_left @ left.transpose(0, 2, 1) - with_right @ after.transpose(0, 2, 1)
    across[odd - 1] = with_left.transpose(0, 2, 1)
    across[odd[there]] = with_right[there]
    return Solved(x, log_det + half.log_det, covers, across)


def _inverse(matrices: Float[np.ndarray, "k F F"]) -> tuple[Float[np.ndarray, "k F F"], float]:
    """Inverses of positive definite matrices, and the sum of the logarithms of determinants."""
    roots = np.linalg.cholesky(matrices)
    half = np.linalg.inv(roots)
    log_det = 2 * np.log(np.diagonal(roots, axis1=1, axis2=2)).sum()
    return half.transpose(0, 2, 1) @ half, float(log_det)


def _log_det(matrix: Float[np.ndarray, "F F"]) -> float:
    """Logarithm of the determinant of a positive definite matrix."""
    return float(2 * np.log(np.diagonal(np.linalg.cholesky(matrix))).sum())
