"""Arithmetic of relations: covariates taken out, blocks of time, what is explained there."""

from collections.abc import Callable, Iterator
from itertools import pairwise

import numpy as np
from jaxtyping import Float, Int

from inverseq._core.errors import InputError

BATCH = 250
"""Shuffles at once."""
_ROUNDING = 1e-10
"""Share of the size of a series below which what is left of it is rounding."""


def beyond(covariates: Float[np.ndarray, "N Z"]) -> Callable[[np.ndarray], np.ndarray]:
    """From series `[N, ...]` to what covariates leave of them: 0 where that is rounding."""
    base, size, _ = np.linalg.svd(covariates, full_matrices=False)
    base = base[:, size > 1e-10 * size[0]]

    def left(series: np.ndarray) -> np.ndarray:
        rest = series - base @ (base.T @ series)
        kept = (rest**2).sum(axis=0) > _ROUNDING**2 * (series**2).sum(axis=0)
        return np.where(kept, rest, 0.0)

    return left


def bounds(rows: int, blocks: int) -> list[tuple[int, int]]:
    """Blocks of neighbouring rows."""
    if not 2 <= blocks <= rows:
        raise InputError(f"{rows} decisions cannot be cut into {blocks} blocks; ask for 2 or more")
    edges = np.linspace(0, rows, blocks + 1).astype(int).tolist()
    return [*pairwise(edges)]


def gains(
    y: np.ndarray, g: np.ndarray, bounds: list[tuple[int, int]]
) -> Float[np.ndarray, "F G R"]:
    """Squares that each of the regressors `[N, G, R]` takes from each series in blocks held out:
    2 b g'y - b^2 g'g there, with b = g'y / g'g of the other blocks.
    """
    flat = g.reshape(len(g), -1)
    products = np.stack([y[low:high].T @ flat[low:high] for low, high in bounds])
    squares = np.stack([(flat[low:high] ** 2).sum(axis=0) for low, high in bounds])
    others = np.maximum(squares.sum(axis=0) - squares, 1e-30)
    slope = (products.sum(axis=0) - products) / others[:, None]
    gain = (2 * slope * products - slope**2 * squares[:, None]).sum(axis=0)
    return gain.reshape(y.shape[1], *g.shape[1:])


def batches(orders: Iterator[Int[np.ndarray, " N"]]) -> Iterator[Int[np.ndarray, "r N"]]:
    """Shuffles, many at a time."""
    batch = []
    for order in orders:
        batch.append(order)
        if len(batch) == BATCH:
            yield np.stack(batch)
            batch = []
    if batch:
        yield np.stack(batch)
