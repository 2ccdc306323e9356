"""From activity to numbers: linear, or through a latent layer; least squares or chances."""

from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
from jaxtyping import Float
from scipy.special import expit

from inverseq._core.arrays import freeze
from inverseq._core.ascent import ascend
from inverseq._core.errors import InputError

Kind = Literal["values", "chances"]

_TOLERANCE = 1e-5


@dataclass(frozen=True)
class Readout:
    """A regression on activity that was brought to mean 0 and variance 1.

    Attributes:
        penalty: Of the squared weights, in rows: what a prior of so many rows is worth (ridge).
        latent: Units of the latent layer (tanh); 0 for none, a linear regression.
        steps: Evaluations of L-BFGS at most; few of them are a prior too (early stopping). Not
            asked where the solution is in closed form (no latent layer, values).
        seed: Of the first weights of the latent layer.
    """

    penalty: float = 10.0
    latent: int = 0
    steps: int = 100
    seed: int = 0

    def __post_init__(self) -> None:
        if not self.penalty > 0 or self.latent < 0 or self.steps < 1:
            raise InputError(
                "a readout needs a penalty above 0, latent units from 0 and 1 or more steps; got "
                f"{self}"
            )


@dataclass(frozen=True, eq=False)
class FittedReadout:
    """A readout that was fitted.

    Attributes:
        centre: `[F]` what is taken from the activity.
        scale: `[F]` what it is then divided by.
        into: `[F, L]` weights of the latent layer; None where there is none.
        into_bias: `[L]`.
        out: `[L or F, R]` weights of the results.
        bias: `[R]`.
    """

    centre: Float[np.ndarray, " F"]
    scale: Float[np.ndarray, " F"]
    into: Float[np.ndarray, "F L"] | None
    into_bias: Float[np.ndarray, " L"] | None
    out: Float[np.ndarray, "H R"]
    bias: Float[np.ndarray, " R"]

    def __post_init__(self) -> None:
        freeze(self, np.float64, *self.__dataclass_fields__)

    def embed(self, x: Float[np.ndarray, "N F"]) -> Float[np.ndarray, "N H"]:
        """`[N, L]` the latent layer; the standardised activity where there is none."""
        if self.into is None or self.into_bias is None:
            return (x - self.centre) / self.scale
        return np.tanh(self._after(x, self.into, self.into_bias))

    def predict(self, x: Float[np.ndarray, "N F"]) -> Float[np.ndarray, "N R"]:
        """`[N, R]` values, or logits of chances."""
        if self.into is None:
            return self._after(x, self.out, self.bias)
        return self.embed(x) @ self.out + self.bias

    def _after(self, x: np.ndarray, weights: np.ndarray, bias: np.ndarray) -> np.ndarray:
        """Standardised activity, weighted: the scale goes into the weights, as rows are many."""
        own = weights / self.scale[:, None]
        return x @ own.astype(x.dtype) + (bias - self.centre @ own)


class Design:
    """N rows of activity, brought to mean 0 and variance 1, and what all fits to them share.

    Attributes:
        centre: `[F]` what was taken from the activity.
        scale: `[F]` what it was then divided by.
        z: `[N, F]` what came out, as precise as what was given.
    """

    def __init__(self, x: Float[np.ndarray, "N F"]) -> None:
        self.centre, self.scale = x.mean(axis=0, dtype=np.float64), _spread(x)
        self.z = (x - self.centre.astype(x.dtype)) / self.scale.astype(x.dtype)

    @cached_property
    def spectrum(self) -> tuple[Float[np.ndarray, " F"], Float[np.ndarray, "F F"]]:
        """Eigenvalues `[F]` and eigenvectors of z'z: one factorisation for all penalties."""
        return np.linalg.eigh((self.z.T @ self.z).astype(np.float64))


def fit_readout(
    settings: Readout, design: Design, y: Float[np.ndarray, "N R"], kind: Kind = "values"
) -> FittedReadout:
    """Fit a readout.

    Args:
        settings: How.
        design: Of `[N, F]` activity.
        y: `[N, R]` values, or chances in [0, 1].
        kind: "values" by least squares, each column in units of its own spread; "chances" by
            maximum likelihood of the logistic function.

    Raises:
        InputError: There is no such kind.
    """
    if kind not in ("values", "chances"):
        raise InputError(f"kind must be values or chances; got {kind!r}")
    middle = np.zeros(y.shape[1]) if kind == "chances" else y.mean(axis=0)
    unit = np.ones(y.shape[1]) if kind == "chances" else _spread(y)
    wanted = ((y - middle) / unit).astype(design.z.dtype)
    if kind == "values" and settings.latent == 0:
        sizes, axes = design.spectrum
        out = axes @ (axes.T @ (design.z.T @ wanted) / (sizes + settings.penalty)[:, None])
        into = into_bias = None
        bias = np.zeros(y.shape[1])
    else:
        into, into_bias, out, bias = _climb(settings, design.z, wanted, kind)
    return FittedReadout(
        design.centre, design.scale, into, into_bias, out * unit, bias * unit + middle
    )


def _spread(values: Float[np.ndarray, "N F"]) -> Float[np.ndarray, " F"]:
    """Standard deviations; 1 where nothing varies."""
    deviation = values.std(axis=0, dtype=np.float64)
    return np.where(deviation > 1e-12, deviation, 1.0)


def _climb(
    settings: Readout, z: Float[np.ndarray, "N F"], wanted: Float[np.ndarray, "N R"], kind: Kind
) -> tuple[np.ndarray | None, np.ndarray | None, np.ndarray, np.ndarray]:
    """Weights by L-BFGS on the penalised mean loss."""
    (rows, width), results, latent = z.shape, wanted.shape[1], settings.latent
    shapes = [(width, latent), (latent,)] if latent else []
    shapes += [(latent or width, results), (results,)]
    sizes = np.cumsum([0, *(int(np.prod(shape)) for shape in shapes)])
    weigh = settings.penalty / rows

    def parts(point: np.ndarray) -> list[np.ndarray]:
        point = point.astype(z.dtype)
        cut = zip(sizes[:-1], sizes[1:], shapes, strict=True)
        return [point[low:high].reshape(shape) for low, high, shape in cut]

    def objective(point: np.ndarray) -> tuple[float, np.ndarray]:
        *first, out, bias = parts(point)
        hidden = np.tanh(z @ first[0] + first[1]) if first else z
        made = hidden @ out + bias
        if kind == "values":
            error = made - wanted
            loss = 0.5 * (error**2).sum(dtype=np.float64) / rows
        else:
            loss = (np.logaddexp(0.0, made) - wanted * made).sum(dtype=np.float64) / rows
            error = expit(made) - wanted
        error = error / rows
        slopes = [hidden.T @ error + weigh * out, error.sum(axis=0)]
        if first:
            back = (error @ out.T) * (1.0 - hidden**2)
            slopes = [z.T @ back + weigh * first[0], back.sum(axis=0), *slopes]
        held = sum(float((each**2).sum()) for each in (*first[:1], out))
        return float(-loss) - 0.5 * weigh * held, -np.concatenate([s.ravel() for s in slopes])

    start = np.zeros(sizes[-1])
    if latent:
        rng = np.random.default_rng(settings.seed)
        start[: sizes[1]] = rng.standard_normal(sizes[1]) / np.sqrt(width)
        start[sizes[2] : sizes[3]] = rng.standard_normal(sizes[3] - sizes[2]) / np.sqrt(latent)
    best, _, _ = ascend(objective, start, tolerance=_TOLERANCE, max_steps=settings.steps)
    *first, out, bias = parts(best)
    into, into_bias = first or (None, None)
    return into, into_bias, out, bias
