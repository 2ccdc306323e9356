"""Trials as points: what their activity has in common, by principal components or as learned."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from inverseq._core.errors import InputError
from inverseq.neural.foretell import Fitted
from inverseq.neural.readout import FittedReadout
from inverseq.neural.trials import Waiting


class Embedding(NamedTuple):
    """Trials as points.

    Attributes:
        points: `[T, D]`, along the directions of most variance.
        shares: `[D]` of the variance.
    """

    points: Float[np.ndarray, "T D"]
    shares: Float[np.ndarray, " D"]


def embed(
    data: Waiting, start: float, stop: float, *, fitted: Fitted | None = None, dimensions: int = 2
) -> Embedding:
    """Place trials by their activity between two times.

    Args:
        data: The trials.
        start: In seconds after the first decision.
        stop: The end; before the first act that is to be looked at, or it enters.
        fitted: A method with a latent layer, whose mean over these times is taken; the square
            roots of spike counts, and signals as they are, where left out.
        dimensions: D.

    Raises:
        InputError: No step lies between the times, the method has no readout, or there are fewer
            trials or numbers than dimensions.
    """
    time = np.arange(data.states.shape[1]) * data.step
    inside = (time >= start - 1e-9) & (time < stop - 1e-9)
    if not inside.any():
        raise InputError(f"no step lies between {start:g} and {stop:g} s; widen them")
    if fitted is None:
        shown = data.activity[..., -1][:, inside]
        shown = np.where(data.units >= 0, np.sqrt(np.maximum(shown, 0.0)), shown)
        rows = shown.mean(axis=1).astype(np.float64)
        spread = rows.std(axis=0)
        rows = rows / np.where(spread > 0, spread, 1.0)
    else:
        readout = getattr(fitted, "readout", None)
        if not isinstance(readout, FittedReadout):
            raise InputError(
                "this method reads nothing out of activity; give NeuRL or a classifier"
            )
        x = fitted.method.inputs.of(data)[:, inside]  # pyright: ignore[reportAttributeAccessIssue]
        hidden = readout.embed(x.reshape(-1, x.shape[2]))
        rows = hidden.reshape(*x.shape[:2], -1).mean(axis=1)
    if not 1 <= dimensions <= min(rows.shape):
        raise InputError(f"dimensions must be 1 to {min(rows.shape)}; got {dimensions}")
    centred = rows - rows.mean(axis=0)
    left, size, _ = np.linalg.svd(centred, full_matrices=False)
    share = size**2 / max(float((size**2).sum()), 1e-300)
    return Embedding(left[:, :dimensions] * size[:dimensions], share[:dimensions])
