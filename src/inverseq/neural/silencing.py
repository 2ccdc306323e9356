"""What a method foretells where neurons are held down, on paper."""

from dataclasses import replace

import numpy as np
from jaxtyping import Bool, Float, Int
from scipy.special import chdtri, expit

from inverseq._core.arrays import require_shape
from inverseq._core.errors import InputError
from inverseq.neural.foretell import Fitted
from inverseq.neural.matching import Reading
from inverseq.neural.trials import Waiting
from inverseq.worlds.lever import first_act

_OFTEN = 20
"""Trials that must have reached a step for its mean to count."""
_STEPS = 3
_PARTS = 10
"""Of a session, in each of which neurons may be as active as they are."""
_RIDGE = 0.01
"""Ridge of the regression on means, in variances within a step."""
_LEVEL = 0.01
"""Share of units without a course over steps whose means are taken to have one."""


def silenced(
    data: Waiting,
    units: Bool[np.ndarray, " F"],
    dose: float,
    start: float = 0.0,
    stop: float = float("inf"),
) -> Waiting:
    """Trials as if units had fired less.

    Args:
        data: The trials.
        units: `[F]` which are held down.
        dose: Share of their spikes that is taken away, in [0, 1].
        start: From this time of a trial on, in seconds.
        stop: Until then.

    Raises:
        InputError: The dose is no share, or units are not told for each.
    """
    if not 0 <= dose <= 1:
        raise InputError(f"a dose is a share in [0, 1]; got {dose:g}")
    require_shape(units, (data.activity.shape[2],), "units", "F")
    edges = data.window.edges
    middle = np.arange(data.states.shape[1])[:, None] * data.step + (edges[1:] + edges[:-1]) / 2
    left = 1.0 - dose * ((middle >= start) & (middle < stop))
    factors = np.where(units[:, None], left[:, None, :], 1.0).astype(np.float32)
    return replace(data, activity=data.activity * factors)


def effect_of_means(
    data: Waiting,
    units: Bool[np.ndarray, " F"],
    dose: float,
    start: float = 0.0,
    stop: float = float("inf"),
) -> Float[np.ndarray, " B"]:
    """By how much silencing moves the log-odds of the act, told by the means of steps.

    What a method learned trial by trial (`silenced`) says too little of neurons whose work others
    go on with. A burst that answers to them stays in the record as it was; and what few noisy
    neurons tell of one trial is a fraction of what all of them carry, so that slopes are diluted
    (Spearman 1904). Means over trials have hardly any noise: here the log-odds of acting at each
    step are regressed on the mean spikes of the units in the piece before it, and of all others in
    the piece before that, so that these cannot have answered yet. The price is an assumption: that
    what changes from step to step moves the act through what was recorded.

    Little noise is not none. The means of a unit that does not follow the time in the trial differ
    by chance, and a weight that fits these differences would move the act by all of the unit's
    spikes once they are taken away. So a unit whose means differ no more than its noise has them
    differ (chi-square, 1 %) has no weight, and the means of others are drawn to their average by
    how reliable they are (regression calibration; Carroll and others 2006, section 4). Before that,
    parts of the session are set equal: neurons drift, and not all parts reach late steps alike.

    Args:
        data: N trials, with pieces as long as a step.
        units: `[F]` which are held down.
        dose: Share of their spikes that is taken away, in [0, 1].
        start: From this time of a trial on, in seconds.
        stop: Until then.

    Returns:
        `[B]` nats.

    Raises:
        InputError: As `silenced`, pieces are not as long as a step, or fewer than three steps are
            reached by 20 trials.
    """
    edges = data.window.edges
    if len(edges) < 3 or edges[-1] != 0 or abs(edges[-1] - edges[-2] - data.step) > 1e-6:
        raise InputError(
            "means of steps need the activity of the last two steps apart; make the trials with "
            f"waiting(..., window=Window({-2 * data.step:g}, 0.0, 2))"
        )
    kept = silenced(data, units, dose, start, stop).activity  # refuses what is no dose
    seen, reached = data.seen, data.seen.sum(axis=0)
    often = reached >= _OFTEN
    if often.sum() < _STEPS:
        raise InputError(
            f"{int(often.sum())} steps are reached by {_OFTEN} trials; take more trials"
        )
    mean = lambda values: (values * seen[..., None]).sum(axis=0) / np.maximum(reached, 1)[:, None]  # noqa: E731
    shown = np.where(units, data.activity[..., -1], data.activity[..., -2]).astype(np.float64)
    means, within = _courses(shown, seen)
    spread = np.sqrt(np.where(within > 0, within, 1.0))
    acts = data.acted.sum(axis=0)
    odds = np.log(acts + 0.5) - np.log(reached - acts + 0.5)
    share = np.where(often, reached, 0) / reached[often].sum()
    z = means / spread - share @ (means / spread)
    z = z * _reliability(share @ z**2, reached[often])
    gram = (z * share[:, None]).T @ z + _RIDGE * np.eye(len(units))
    weights = np.linalg.solve(gram, z.T @ (share * (odds - share @ odds))) / spread
    return mean(kept[..., -1] - data.activity[..., -1]) @ weights


def _courses(
    shown: Float[np.ndarray, "T B F"], seen: Bool[np.ndarray, "T B"]
) -> tuple[Float[np.ndarray, "B F"], Float[np.ndarray, " F"]]:
    """Means of steps, with parts of the session set equal (least squares), and the variance within
    steps and parts.
    """
    parts = np.arange(len(seen)) * _PARTS // len(seen)
    part = (parts[:, None] == np.arange(_PARTS)).astype(np.float64)
    counts, trials = seen.astype(np.float64), np.where(seen[..., None], shown, 0.0)
    cross = counts.T @ part
    both = np.block([[np.diag(counts.sum(axis=0)), cross], [cross.T, np.diag(cross.sum(axis=0))]])
    by_part = np.einsum("tk,tbf->kf", part, trials, optimize=True)
    solved = np.linalg.lstsq(both, np.concatenate([trials.sum(axis=0), by_part]), rcond=None)[0]
    means, slow = solved[: counts.shape[1]], solved[counts.shape[1] :]
    left = np.where(seen[..., None], shown - means - slow[parts][:, None], 0.0)
    return means, (left**2).sum(axis=(0, 1)) / counts.sum()


def _reliability(
    varies: Float[np.ndarray, " F"], trials: Int[np.ndarray, " B"]
) -> Float[np.ndarray, " F"]:
    """Share of the variance of a unit's means over steps, in variances within a step, that is not
    the noise of means over so many trials; 0 where noise alone would do.
    """
    free = len(trials) - 1
    noise = free / trials.sum()
    clear = varies > noise * chdtri(free, _LEVEL) / free
    return np.where(clear, 1.0 - noise / np.where(clear, varies, 1.0), 0.0)


def foretold_distribution(
    fitted: Fitted,
    reading: Reading,
    data: Waiting,
    effect: Float[np.ndarray, " B"] | float = 0.0,
) -> Float[np.ndarray, " B1"]:
    """When one acts, as a method foretells it from the activity of those who still wait.

    The hazard of each step is the mean over the trials that have reached it, so that trials that
    ended before are not asked about activity that they never had.

    Args:
        fitted: A method that was fitted.
        reading: Of its logits.
        data: The trials.
        effect: `[B]` nats by which the log-odds of each step are moved, of `effect_of_means`.

    Returns:
        `[B + 1]` probability to act in each step, and never.
    """
    seen = data.seen
    odds = reading.slope * fitted.foretell(data) + reading.offset + effect
    chances = np.where(seen, expit(odds), 0.0).sum(axis=0)
    return first_act(chances / np.maximum(seen.sum(axis=0), 1))
