"""How alike animals are, by the evidence of Gaussian levels: animals in groups in one population.

The numbers of animal i of group g are theta_i = m + b_g + u_i, with

    u_i ~ N(0, C),    b_g ~ N(0, v_b C),    m ~ N(0, v_0 K^-1),    C = D^1/2 K^-1 D^1/2,

where K is what a solver's prior charges and D holds a variance for each block of numbers: what
differs between animals may differ between groups. The log-likelihood of animal i is quadratic,
h_i' theta - theta' H_i theta / 2 (its expansion around the last theta_i: Laplace's method). All
levels are then integrated exactly, one after the other; the derivatives of the evidence in the
logarithms of the variances follow from second moments (Fisher's identity). Empirical Bayes takes
the variances at which the evidence is largest (MacKay 1992). Of two or three groups the evidence
often says that they do not differ at all, which is no finding: there the largest evidence times the
standard deviation is taken (Chung and others 2013). So it is between animals of each number of its
own kind, where a solver asks for it: intervals hold too few numbers otherwise.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int
from scipy.optimize import minimize

LOG_VARIANCES = (-12.0, 8.0)
"""Between these, animals are as good as the same, and as good as unrelated."""

UNRELATED = 2.0
"""Logarithm of the variance of all animals' mean that a search begins with, in squared units of the
temperature; less of it, that of the variances between animals.
"""


@dataclass(frozen=True, eq=False)
class Quadratics:
    """What the decisions of n animals say, as quadratics in F numbers.

    Attributes:
        curvatures: `[n, F, F]` H.
        slopes: `[n, F]` h, at theta = 0.
        group: `[n]` number of each animal's group.
        penalty: `[F, F]` K.
        blocks: `[F]` which of the B variances each number has.
        cautious: Whether variances between animals are kept away from zero as those of groups are,
            and the mean of all animals is left free.
        alike: Blocks in which no animal differs from its group.
    """

    curvatures: Float[np.ndarray, "n F F"]
    slopes: Float[np.ndarray, "n F"]
    group: Int[np.ndarray, " n"]
    penalty: Float[np.ndarray, "F F"]
    blocks: Int[np.ndarray, " F"]
    cautious: bool = False
    alike: tuple[int, ...] = ()

    @property
    def num_groups(self) -> int:
        """G."""
        return int(self.group.max()) + 1

    @property
    def num_variances(self) -> int:
        """One for each block, one for groups where there are several, one for the population."""
        return int(self.blocks.max()) + 1 + (self.num_groups > 1) + 1


@dataclass(frozen=True, eq=False)
class Levels:
    """What is known of every level under some variances.

    Attributes:
        evidence: Logarithm of it, in nats, up to a constant.
        slope: `[V]` its derivative in the logarithm of each variance.
        pooled: `[F]` mean of m.
        groups: `[G, F]` means of m + b_g.
        animals: `[n, F]` means of theta_i.
        spread: `[n, F]` standard deviations of theta_i.
        group_spread: `[G, F]` of m + b_g.
        effective: How many numbers are free, of n F: the rest is set by other animals.
    """

    evidence: float
    slope: Float[np.ndarray, " V"]
    pooled: Float[np.ndarray, " F"]
    groups: Float[np.ndarray, "G F"]
    animals: Float[np.ndarray, "n F"]
    spread: Float[np.ndarray, "n F"]
    group_spread: Float[np.ndarray, "G F"]
    effective: float


def levels(data: Quadratics, log_variances: Float[np.ndarray, " V"]) -> Levels:
    """All levels, from animals up to the population and down again."""
    own, between, whole = precisions(data, log_variances)
    count, size = data.slopes.shape
    cover, log_cover = _inverse(data.curvatures + own)
    value = count * _log_det(own) + log_cover.sum()
    value += float(np.einsum("nf,nfg,ng->", data.slopes, cover, data.slopes))
    up = own - own @ cover @ own
    lift = np.einsum("fg,ngh,nh->nf", own, cover, data.slopes)
    member = (data.group[:, None] == np.arange(data.num_groups)).astype(np.float64)
    of_group, slope_of_group = np.einsum("ng,nij->gij", member, up), member.T @ lift
    if between is None:
        top, slope_top = of_group[0], slope_of_group[0]
        share = None
    else:
        share, log_share = _inverse(of_group + between)
        value += data.num_groups * _log_det(between) + log_share.sum()
        value += float(np.einsum("gf,gfh,gh->", slope_of_group, share, slope_of_group))
        top = (between - between @ share @ between).sum(axis=0)
        slope_top = np.einsum("fg,agh,ah->f", between, share, slope_of_group)
    cover_top, log_top = _inverse((top + whole)[None])
    pooled_cover = cover_top[0]
    pooled = pooled_cover @ slope_top
    value += _log_det(whole) + log_top[0] + float(slope_top @ pooled)
    slopes = [_moment(whole, pooled_cover + np.outer(pooled, pooled)).sum() - size]
    of_groups = np.zeros(size)
    if between is None or share is None:
        means, covers = pooled[None], pooled_cover[None]
    else:
        means = np.einsum("gij,gj->gi", share, slope_of_group + between @ pooled)
        pull = share @ between
        covers = share + pull @ pooled_cover @ pull.transpose(0, 2, 1)
        away = share @ of_group
        shift = means - pooled
        moments = share + away @ pooled_cover @ away.transpose(0, 2, 1)
        moments += shift[:, :, None] * shift[:, None]
        of_groups = np.sum([_moment(between, m) - 1 for m in moments], axis=0)
        slopes.insert(0, of_groups.sum())
    at = means[data.group]
    animals = np.einsum("nij,nj->ni", cover, data.slopes + at @ own)
    pull = cover @ own
    spread = cover + pull @ covers[data.group] @ pull.transpose(0, 2, 1)
    away = cover @ data.curvatures
    shift = animals - at
    moments = cover + away @ covers[data.group] @ away.transpose(0, 2, 1)
    moments += shift[:, :, None] * shift[:, None]
    of_animals = np.sum([_moment(own, m) - 1 for m in moments], axis=0)
    slopes = [*np.bincount(data.blocks, of_animals + of_groups), *slopes]
    return Levels(
        evidence=value / 2,
        slope=np.array(slopes) / 2,
        pooled=pooled,
        groups=means,
        animals=animals,
        spread=np.sqrt(np.maximum(np.diagonal(spread, axis1=1, axis2=2), 0.0)),
        group_spread=np.sqrt(np.maximum(np.diagonal(covers, axis1=1, axis2=2), 0.0)),
        effective=float(np.einsum("nij,nji->", spread, data.curvatures)),
    )


def learned(
    data: Quadratics, start: Float[np.ndarray, " V"], reach: float = np.inf
) -> Float[np.ndarray, " V"]:
    """Logarithms of the variances at which the evidence is largest, no further than `reach` from
    those at the start.
    """

    def cost(x: np.ndarray) -> tuple[float, np.ndarray]:
        made, (value, slope) = levels(data, x), away_from_zero(data, x)
        return -made.evidence - value, -made.slope - slope

    lowest, highest = LOG_VARIANCES
    most = np.full(start.size, highest)
    most[[*data.alike]] = lowest
    # Between wide animals, all of them would be said to be at zero.
    least = [lowest] * (start.size - 1) + [UNRELATED if data.cautious else lowest]
    found = minimize(
        cost,
        start,
        jac=True,
        method="L-BFGS-B",
        bounds=[
            (max(low, x - reach), min(high, x + reach))
            for low, high, x in zip(least, most, start, strict=True)
        ],
        options={"maxiter": 100, "ftol": 1e-10, "gtol": 1e-4},
    )
    return np.asarray(found.x)


def away_from_zero(
    data: Quadratics, log_variances: Float[np.ndarray, " V"]
) -> tuple[float, Float[np.ndarray, " V"]]:
    """Logarithm of the standard deviation between groups, which is added to the evidence, and its
    slope; nothing with one group. The same of each block, where one is cautious.
    """
    slope = np.zeros(log_variances.size)
    if data.cautious:
        slope[: int(data.blocks.max()) + 1] = 0.5
    if data.num_groups > 1:
        slope[-2] = 0.5
    return float(slope @ log_variances), slope


def precisions(
    data: Quadratics, log_variances: Float[np.ndarray, " V"]
) -> tuple[np.ndarray, np.ndarray | None, np.ndarray]:
    """Inverse covariances of u, of b (None with one group) and of m."""
    blocks = int(data.blocks.max()) + 1
    scale = np.exp(-log_variances[:blocks] / 2)[data.blocks]
    own = scale[:, None] * data.penalty * scale
    between = own * np.exp(-log_variances[blocks]) if data.num_groups > 1 else None
    return own, between, data.penalty * np.exp(-log_variances[-1])


def charge(
    animals: Float[np.ndarray, "n F"],
    group: Int[np.ndarray, " n"],
    own: Float[np.ndarray, "F F"],
    between: Float[np.ndarray, "F F"] | None,
    whole: Float[np.ndarray, "F F"],
) -> float:
    """What the levels above charge for animals' numbers, in nats, themselves where that is least.

    Args:
        animals: The numbers of n animals.
        group: Group of each.
        own: Inverse covariances, as of `precisions`.
        between: The same between groups.
        whole: The same of all.
    """
    member = (group[:, None] == np.arange(int(group.max()) + 1)).astype(np.float64)
    size = member.sum(axis=0)
    means = member.T @ animals / size[:, None]
    away = animals - means[group]
    cost = float(np.einsum("nf,fg,ng->", away, own, away))
    apart = np.zeros_like(own) if between is None else np.linalg.inv(between)
    above = np.stack([np.linalg.inv(np.linalg.inv(n * own) + apart) for n in size])
    top = np.linalg.solve(above.sum(axis=0) + whole, np.einsum("gij,gj->i", above, means))
    gap = means - top
    cost += float(np.einsum("gi,gij,gj->", gap, above, gap)) + float(top @ whole @ top)
    return cost / 2


def _moment(
    precision: Float[np.ndarray, "F F"], second: Float[np.ndarray, "F F"]
) -> Float[np.ndarray, " F"]:
    """Diagonal of precision times second moment: F times 1 where the variances are right."""
    return np.einsum("ij,ji->i", precision, second)


def _log_det(matrix: Float[np.ndarray, "F F"]) -> float:
    """Logarithm of the determinant of a positive definite matrix."""
    return float(2 * np.log(np.diagonal(np.linalg.cholesky(matrix))).sum())


def _inverse(
    matrices: Float[np.ndarray, "k F F"],
) -> tuple[Float[np.ndarray, "k F F"], Float[np.ndarray, " k"]]:
    """Inverses of positive definite matrices, and logarithms of the inverses' determinants."""
    roots = np.linalg.cholesky(matrices)
    half = np.linalg.inv(roots)
    logs = -2 * np.log(np.diagonal(roots, axis1=1, axis2=2)).sum(axis=1)
    return half.transpose(0, 2, 1) @ half, logs
