"""Which neuron follows which regressor, and which regressor can be read out of all of them.

Series of behaviour and of neurons drift, and both follow what one does. So every relation is taken
beyond covariates (what was done, how long the trial has lasted, slow cosines of the session), is
scored where it was not fitted (blocks of time held out), and is judged by what it would be had the
regressor happened at other times (`inverseq.neural.nulls`), for all relations together.

The covariates are taken out of both sides once (Frisch and Waugh 1933; Freedman and Lane 1983);
what is shuffled is what is then left of the regressor, and the covariates are taken out of that
again. A circular shift of a whole session is no
null for series that rise or fall over all of it, which is why the cosines are there; where there
are several sessions, `null="exchange"` needs no such help.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from inverseq._core.arrays import freeze, require_shape
from inverseq._core.display import Fact, ShownTable
from inverseq._core.errors import InputError
from inverseq.demonstrations import Demonstrations, Recording
from inverseq.neural.activity import Window, activity_of
from inverseq.neural.choices import Null
from inverseq.neural.nulls import (
    NullComparison,
    compare_with_null,
    exchange_orders,
    shift_orders,
)
from inverseq.neural.series import Regressors
from inverseq.neural.shares import batches, beyond, bounds, gains


@dataclass(frozen=True, eq=False)
class Relations(ShownTable):
    """Relations of F series to G regressors, and what would be found by chance.

    Attributes:
        units: Names of the F series; for decoding, of the windows.
        regressors: Names of the G regressors.
        explained: `[F, G]` share of the variance beyond the covariates that is explained in blocks
            of time held out; below 0 where nothing is.
        correlations: `[F, G]` of what is left of both, in all blocks; NaN for decoding.
        nulls: Comparison of all F * G shares with shuffled regressors.
        kind: "encoding" or "decoding".
    """

    units: tuple[str, ...]
    regressors: tuple[str, ...]
    explained: Float[np.ndarray, "F G"]
    correlations: Float[np.ndarray, "F G"]
    nulls: NullComparison
    kind: str = "encoding"

    def __post_init__(self) -> None:
        freeze(self, np.float64, "explained", "correlations")

    @property
    def p_values(self) -> Float[np.ndarray, "F G"]:
        """Each by itself."""
        return self.nulls.p_values.reshape(self.explained.shape)

    @property
    def adjusted(self) -> Float[np.ndarray, "F G"]:
        """Corrected for all F * G questions (the largest of each shuffle)."""
        return self.nulls.adjusted.reshape(self.explained.shape)

    @property
    def rows(self) -> Sequence[Mapping[str, Any]]:
        """A row per series and regressor."""
        return [
            {
                "series" if self.kind == "encoding" else "window": unit,
                "regressor": name,
                "explained": float(self.explained[i, j]),
                "correlation": float(self.correlations[i, j]),
                "p": float(self.p_values[i, j]),
                "adjusted": float(self.adjusted[i, j]),
            }
            for i, unit in enumerate(self.units)
            for j, name in enumerate(self.regressors)
        ]

    def _facts(self) -> Sequence[Fact]:
        return (
            ("relations", self.explained.size),
            ("series" if self.kind == "encoding" else "windows", len(self.units)),
            ("regressors", len(self.regressors)),
            ("clear after correction", int((self.adjusted <= 0.05).sum())),
        )


def relate(
    recording: Recording,
    found: Regressors,
    demonstrations: Demonstrations,
    *,
    window: Window | None = None,
    covariates: Sequence[str] = ("action", "step"),
    drift: int = 8,
    within: str = "",
    null: Null = "shift",
    shuffles: int = 1000,
    blocks: int = 5,
    seed: int = 0,
) -> Relations:
    """Encoding: how much of each neuron (or signal) each regressor explains beyond covariates.

    Args:
        recording: On the clock of the decisions.
        found: G series of the N decisions, of `regressors` or your own. Decisions at which one of
            them is NaN are left out.
        demonstrations: The decisions.
        window: Of the activity of a decision; the 0.3 s before it where left out. A neuron that
            answers to a decision is looked for after it: `Window(0, 0.3, causal=False)`.
        covariates: What is taken out of both sides: "action", "state", "step" (how long the trial
            has lasted), or names of columns of the decisions.
        drift: Slow cosines of the order of decisions that are taken out as well.
        within: Column of the trajectories whose parts are shuffled each by itself ("session",
            "trajectory"); "" for the recording as one.
        null: "shift" in a circle, or "exchange" of whole parts.
        shuffles: R.
        blocks: Of time, each held out once.
        seed: Of the shuffles.

    Raises:
        InputError: There is no such column, nothing varies, or decisions are fewer than blocks.
    """
    asked = _asked(found, demonstrations, covariates, drift)
    activity = activity_of(recording, demonstrations, window, rows=asked.rows)
    orders = _orders(demonstrations, asked.rows, within, null, shuffles, seed)
    return encoding(
        activity.values.mean(axis=2),
        asked.regressors,
        asked.covariates,
        orders,
        units=activity.names,
        names=found.names,
        blocks=blocks,
    )


def read_out(
    recording: Recording,
    found: Regressors,
    demonstrations: Demonstrations,
    *,
    windows: Sequence[Window] = (),
    penalty: float = 1.0,
    covariates: Sequence[str] = ("action", "step"),
    drift: int = 8,
    within: str = "",
    null: Null = "shift",
    shuffles: int = 200,
    blocks: int = 5,
    seed: int = 0,
) -> Relations:
    """Decoding: how much of each regressor all neurons together tell, in each window.

    Ridge regression; its strength is `penalty` times the mean variance of the neurons, whatever the
    regressor, so that shuffles are treated as the data are.

    Args:
        recording: On the clock of the decisions.
        found: G series of the N decisions.
        demonstrations: The decisions.
        windows: The 0.3 s before decisions where left out.
        penalty: As a share of the number of rows.
        covariates: As in `relate`, and so are the other arguments.
        drift: As there.
        within: As there.
        null: As there.
        shuffles: As there.
        blocks: As there.
        seed: As there.

    Raises:
        InputError: As `relate`.
    """
    asked = _asked(found, demonstrations, covariates, drift)
    chosen = tuple(windows) or (Window(),)
    parts = []
    for window in chosen:
        activity = activity_of(recording, demonstrations, window, rows=asked.rows).values
        orders = _orders(demonstrations, asked.rows, within, null, shuffles, seed)
        flat = activity.reshape(len(activity), -1)
        parts.append(decoding(flat, asked.regressors, asked.covariates, orders, penalty, blocks))
    explained = np.stack([observed for observed, _ in parts])
    shuffled = np.concatenate([null for _, null in parts], axis=1)
    return Relations(
        tuple(f"{w.start:g} to {w.stop:g} s" for w in chosen),
        found.names,
        explained,
        np.full_like(explained, np.nan),
        compare_with_null(explained.ravel(), shuffled, "above"),
        "decoding",
    )


def encoding(
    series: Float[np.ndarray, "N F"],
    regressors: Float[np.ndarray, "N G"],
    covariates: Float[np.ndarray, "N Z"],
    orders: Iterator[Int[np.ndarray, " N"]],
    *,
    units: Sequence[str],
    names: Sequence[str],
    blocks: int = 5,
) -> Relations:
    """`relate` of arrays: F series and G regressors beyond Z covariates, over given shuffles.

    Raises:
        InputError: There are fewer rows than blocks.
    """
    left = beyond(covariates)
    y, g = left(series), left(regressors)
    parts = bounds(len(y), blocks)
    total = np.maximum((y**2).sum(axis=0), 1e-300)
    observed = gains(y, g[:, :, None], parts)[..., 0] / total[:, None]
    small = y.astype(np.float32)
    null = []
    for batch in batches(orders):
        made = np.empty((len(batch), y.shape[1], g.shape[1]), dtype=np.float32)
        for j in range(g.shape[1]):
            shuffled = left(g[:, j][batch.T]).astype(np.float32)[:, None, :]
            made[:, :, j] = (gains(small, shuffled, parts)[:, 0] / total[:, None]).T
        null.append(made.reshape(len(batch), -1))
    size = np.sqrt(total)[:, None] * np.sqrt(np.maximum((g**2).sum(axis=0), 1e-300))
    return Relations(
        tuple(units),
        tuple(names),
        observed,
        (y.T @ g) / size,
        compare_with_null(observed.ravel(), np.concatenate(null), "above"),
    )


def decoding(
    activity: Float[np.ndarray, "N F"],
    regressors: Float[np.ndarray, "N G"],
    covariates: Float[np.ndarray, "N Z"],
    orders: Iterator[Int[np.ndarray, " N"]],
    penalty: float = 1.0,
    blocks: int = 5,
) -> tuple[Float[np.ndarray, " G"], Float[np.ndarray, "R G"]]:
    """Shares of G regressors that F series tell in blocks held out, and those of R shuffles.

    One factorisation for each block held out serves all regressors and shuffles.

    Raises:
        InputError: There are fewer rows than blocks.
    """
    left = beyond(covariates)
    x, g = left(activity), left(regressors)
    spread = x.std(axis=0)
    x = x / np.where(spread > 1e-12, spread, 1.0)
    parts = bounds(len(x), blocks)
    rows = np.arange(len(x))
    tests = [(rows >= low) & (rows < high) for low, high in parts]
    whole = x.T @ x
    ridge = penalty * len(x) * np.eye(x.shape[1])
    solved = [np.linalg.solve(whole - x[t].T @ x[t] + ridge, x[~t].T) for t in tests]

    def shares(wanted: np.ndarray) -> np.ndarray:
        error = np.zeros(wanted.shape[1])
        for test, weights in zip(tests, solved, strict=True):
            error += ((wanted[test] - x[test] @ (weights @ wanted[~test])) ** 2).sum(axis=0)
        total = (wanted**2).sum(axis=0)
        return (total - error) / np.maximum(total, 1e-300)

    null = []
    for batch in batches(orders):
        shuffled = left(g[batch.T].reshape(len(g), -1))  # [N, R * G]
        null.append(shares(shuffled).reshape(len(batch), -1))
    return shares(g), np.concatenate(null)


@dataclass(frozen=True, eq=False)
class _Asked:
    """Rows that are known, and what is asked of them."""

    rows: Int[np.ndarray, " M"]
    regressors: Float[np.ndarray, "M G"]
    covariates: Float[np.ndarray, "M Z"]


def _asked(
    found: Regressors, demonstrations: Demonstrations, covariates: Sequence[str], drift: int
) -> _Asked:
    """Regressors and covariates of the decisions at which all regressors are known."""
    series = np.stack([*found.series.values()], axis=1)
    require_shape(series, (demonstrations.num_decisions, None), "regressors", "N, G")
    rows = np.flatnonzero(np.isfinite(series).all(axis=1))
    if not rows.size:
        raise InputError("no decision has all regressors; leave out those that are NaN everywhere")
    parts = [np.ones((rows.size, 1))]
    for name in covariates:
        parts.append(covariate(name, demonstrations)[rows])
    place = (np.arange(rows.size) + 0.5) / rows.size
    parts.append(np.cos(np.pi * place[:, None] * np.arange(1, drift + 1)))
    return _Asked(rows, series[rows], np.concatenate(parts, axis=1))


def covariate(name: str, demonstrations: Demonstrations) -> Float[np.ndarray, "N Z"]:
    """A covariate as columns: numbers as they are and squared, names and whole numbers one each.

    Raises:
        InputError: There is none of that name, or it is not known at all decisions.
    """
    if name == "step":
        values: np.ndarray = demonstrations.step.astype(np.float64)
    elif name in ("action", "state"):
        values = demonstrations.actions if name == "action" else demonstrations.states
        if values.ndim > 1:
            return values.astype(np.float64)
        return (values[:, None] == np.unique(values)[1:]).astype(np.float64)
    elif name in demonstrations.decisions:
        values = demonstrations.decisions[name]
    else:
        raise InputError(
            f"no covariate {name!r}; there are action, state, step and the columns "
            f"{[*demonstrations.decisions]}"
        )
    if values.dtype.kind in "US":
        return (values[:, None] == np.unique(values)[1:]).astype(np.float64)
    numbers = values.astype(np.float64)
    if not np.isfinite(numbers).all():
        raise InputError(f"{name} is not known at all decisions; fill it in or leave it out")
    spread = float(numbers.std()) or 1.0
    scaled = (numbers - numbers.mean()) / spread
    return np.stack([scaled, scaled**2], axis=1)


def _orders(
    demonstrations: Demonstrations,
    rows: Int[np.ndarray, " M"],
    within: str,
    null: Null,
    shuffles: int,
    seed: int,
) -> Iterator[Int[np.ndarray, " M"]]:
    """Shuffles of the rows that are known."""
    if null not in ("shift", "exchange"):
        raise InputError(f"null must be shift or exchange; got {null!r}")
    parts = np.zeros(rows.size, dtype=np.int64)
    if within:
        parts = demonstrations.units(within)[demonstrations.trajectory_of[rows]]
    edges = np.flatnonzero(np.diff(parts)) + 1
    if len(edges) + 1 != len(np.unique(parts)):
        raise InputError(
            f"parts of {within} do not follow one another; sort the trajectories by it"
        )
    starts = np.concatenate([[0], edges, [rows.size]])
    if null == "exchange" and len(starts) == 2:
        raise InputError(
            'one part has none to change places with: take null="shift", or name in within= the '
            'column whose parts are exchanged ("trajectory" for each by itself)'
        )
    make = shift_orders if null == "shift" else exchange_orders
    return make(starts, permutations=shuffles, seed=seed)
