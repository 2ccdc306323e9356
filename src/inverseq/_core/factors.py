"""Factorisations of I - gamma P, for any number of right-hand sides."""

from collections.abc import Callable

import numpy as np
from scipy import sparse
from scipy.linalg import lapack
from scipy.sparse.linalg import splu

from inverseq._core.errors import InputError

Factor = Callable[[np.ndarray, bool], np.ndarray]
"""From right-hand sides, and whether the matrix is to be transposed, to the solution."""

# Crossovers measured on two cores; each costs at most twice the best choice when it is off.
_BANDED_WIDTH = 64  # up to here LAPACK's band solver beats a sparse factorisation
_BANDED_CELLS = 20_000_000  # and while the band takes no more than 160 MB


def bandwidth(transitions: sparse.csr_array, order: np.ndarray) -> int:
    """Bandwidth of the matrix when states are put in `order`."""
    place = np.empty(order.size, dtype=np.int32)
    place[order] = np.arange(order.size, dtype=np.int32)
    row = np.repeat(place, np.diff(transitions.indptr))
    return int(np.abs(row - place[transitions.indices]).max(initial=0))


def is_narrow(size: int, width: int) -> bool:
    """Whether a band of this width is solved best as a band."""
    return width <= _BANDED_WIDTH and size * (3 * width + 1) <= _BANDED_CELLS


def singular() -> InputError:
    """The error for a matrix without an inverse."""
    return InputError(
        "the linear system is singular: with a discount of 1 the process must end from every "
        "state. Lower the discount (0.99, say) or mark terminal states."
    )


def banded(transitions: sparse.csr_array, discount: float, order: np.ndarray, width: int) -> Factor:
    """LU of a banded matrix by LAPACK, states put in `order`."""
    size = order.size
    place = np.empty(size, dtype=np.int64)
    place[order] = np.arange(size)
    row = np.repeat(place, np.diff(transitions.indptr))
    column = place[transitions.indices]
    height = 3 * width + 1
    cell = column * height + 2 * width + row - column
    band = np.bincount(cell, -discount * transitions.data, minlength=height * size)
    band = band.reshape(size, height).T
    band[2 * width] += 1
    lu, pivots, failed = lapack.dgbtrf(band, width, width, overwrite_ab=1)
    if failed:
        raise singular()

    def solve(b: np.ndarray, transposed: bool) -> np.ndarray:
        x = np.empty_like(b)
        x[order] = lapack.dgbtrs(lu, width, width, b[order], pivots, trans=int(transposed))[0]
        return x

    return solve


def dense(transitions: sparse.csr_array, discount: float) -> Factor:
    """LU of the full matrix."""
    matrix = np.eye(transitions.shape[0]) - discount * transitions.toarray()
    lu, pivots, failed = lapack.dgetrf(matrix)
    if failed:
        raise singular()
    return lambda b, transposed: lapack.dgetrs(lu, pivots, b, trans=int(transposed))[0]


def sparse_lu(transitions: sparse.csr_array, discount: float) -> Factor:
    """Sparse LU, ordered for matrices of symmetric structure, without pivoting.

    Rows are diagonally dominant, so that no pivoting is needed.
    """
    matrix = (sparse.eye_array(transitions.shape[0]) - discount * transitions).tocsc()
    try:
        lu = splu(
            matrix,
            permc_spec="MMD_AT_PLUS_A",
            diag_pivot_thresh=0.0,
            options={"SymmetricMode": True},
        )
    except RuntimeError as error:
        raise singular() from error
    return lambda b, transposed: lu.solve(b, trans="T" if transposed else "N")
