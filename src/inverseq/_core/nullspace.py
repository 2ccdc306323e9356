"""What a matrix leaves open, and least squares all the same: dense, or sparse where it is large."""

from abc import ABC, abstractmethod
from functools import cached_property

import numpy as np
from jaxtyping import Float
from scipy import sparse
from scipy.sparse.linalg import ArpackNoConvergence, LinearOperator, SuperLU, eigsh, splu

_NULL = 1e-9  # singular values below this share of the largest (of 1, for rewards) count as 0
_NULL_SPARSE = 1e-6  # the same where squares of them are all that can be had
_SHIFT = 1e-13  # share of the largest eigenvalue that makes M' M invertible
_REFINEMENTS = 4
_POWERS = 20
_DENSE_WORK = 5e9  # rows * columns^2 up to which singular values are taken

LISTED = 24
"""Directions of a large null space that are listed at most."""


class NullSpace(ABC):
    """What is known of a matrix M `[m, n]`."""

    @property
    @abstractmethod
    def nullity(self) -> int:
        """How many directions x have M x = 0."""

    @property
    @abstractmethod
    def basis(self) -> Float[np.ndarray, "n k"]:
        """Orthonormal directions with M x = 0: all, or at most `LISTED` of a large matrix."""

    @property
    @abstractmethod
    def condition(self) -> float:
        """Largest over smallest singular value that is not 0; infinite where none was found."""

    @abstractmethod
    def open_part(self, x: Float[np.ndarray, "n C"]) -> Float[np.ndarray, " C"]:
        """Length of the part of each x in the null space."""

    @abstractmethod
    def least_squares(self, right: Float[np.ndarray, "m R"]) -> Float[np.ndarray, "n R"]:
        """Of all x with the least |M x - right|, the smallest."""

    @abstractmethod
    def pseudo_inverse_transposed(self, y: Float[np.ndarray, "n C"]) -> Float[np.ndarray, "m C"]:
        """pinv(M)' y."""


def null_space(matrix: sparse.csr_array) -> NullSpace:
    """What `matrix` leaves open, by singular values where it is small."""
    rows, columns = matrix.shape
    if rows == 0:
        return Nothing(columns)
    if max(rows, columns) * columns**2 <= _DENSE_WORK:
        return DenseNullSpace(matrix.toarray())
    return SparseNullSpace(sparse.csr_array(matrix))


class Nothing(NullSpace):
    """Of a matrix without rows everything is open."""

    def __init__(self, size: int) -> None:
        self.size = size

    @property
    def nullity(self) -> int:
        return self.size

    @property
    def basis(self) -> Float[np.ndarray, "n k"]:
        return np.eye(self.size, min(self.size, LISTED))

    @property
    def condition(self) -> float:
        return 1.0

    def open_part(self, x: Float[np.ndarray, "n C"]) -> Float[np.ndarray, " C"]:
        return np.linalg.norm(x, axis=0)

    def least_squares(self, right: Float[np.ndarray, "m R"]) -> Float[np.ndarray, "n R"]:
        return np.zeros((self.size, right.shape[1]))

    def pseudo_inverse_transposed(self, y: Float[np.ndarray, "n C"]) -> Float[np.ndarray, "m C"]:
        return np.zeros((0, y.shape[1]))


class DenseNullSpace(NullSpace):
    """By all singular values."""

    def __init__(self, matrix: Float[np.ndarray, "m n"]) -> None:
        left, values, right = np.linalg.svd(matrix, full_matrices=matrix.shape[0] < matrix.shape[1])
        self.rank = int((values > _NULL * values.max(initial=1.0)).sum())
        self.left, self.values = left[:, : self.rank], values[: self.rank]
        self.right, self.rest = right[: self.rank], right[self.rank :]

    @property
    def nullity(self) -> int:
        return len(self.rest)

    @property
    def basis(self) -> Float[np.ndarray, "n k"]:
        return self.rest.T

    @property
    def condition(self) -> float:
        return float(self.values[0] / self.values[-1]) if self.rank else 1.0

    def open_part(self, x: Float[np.ndarray, "n C"]) -> Float[np.ndarray, " C"]:
        return np.linalg.norm(self.rest @ x, axis=0)

    def least_squares(self, right: Float[np.ndarray, "m R"]) -> Float[np.ndarray, "n R"]:
        return self.right.T @ ((self.left.T @ right) / self.values[:, None])

    def pseudo_inverse_transposed(self, y: Float[np.ndarray, "n C"]) -> Float[np.ndarray, "m C"]:
        return self.left @ ((self.right @ y) / self.values[:, None])


class SparseNullSpace(NullSpace):
    """By one sparse factorisation of M' M plus next to nothing.

    What is lost by squaring comes back: residuals are of M itself in least squares, and directions
    are judged by the length of M x.
    """

    def __init__(self, matrix: sparse.csr_array) -> None:
        self.matrix = matrix

    @cached_property
    def square(self) -> sparse.csc_array:
        """M' M."""
        return sparse.csc_array(self.matrix.T @ self.matrix)

    @cached_property
    def largest(self) -> float:
        """The largest singular value."""
        made = eigsh(self.square, k=1, return_eigenvectors=False, tol=1e-6)
        return float(np.sqrt(made[0]))

    @cached_property
    def factor(self) -> SuperLU:
        """Of M' M, made invertible."""
        return self._factored(_SHIFT * self.largest**2)

    @cached_property
    def smallest(self) -> tuple[Float[np.ndarray, " k"], Float[np.ndarray, "n k"]]:
        """Smallest singular values, until one is not 0 or `LISTED` are found; their directions."""
        values, found = self._smallest(4)
        if values[-1] <= _NULL_SPARSE * self.largest:
            values, found = self._smallest(LISTED + 1)
        return values, found

    def _smallest(self, wanted: int) -> tuple[Float[np.ndarray, " k"], Float[np.ndarray, "n k"]]:
        """So many, by Lanczos' method on the inverse."""
        size = self.matrix.shape[1]
        inverse = LinearOperator((size, size), matvec=self.factor.solve, dtype=np.float64)
        shift = -_SHIFT * self.largest**2
        count = min(wanted, size - 1)
        start = np.random.default_rng(0).normal(size=(size, count))
        try:
            _, found = eigsh(self.square, count, sigma=shift, OPinv=inverse, v0=start[:, 0])
        except ArpackNoConvergence as error:
            found = np.linalg.qr(error.eigenvectors)[0]
            if not found.shape[1]:  # it settled none: powers of the inverse, all at once
                found = start
                for _ in range(_POWERS):
                    found = np.linalg.qr(self.factor.solve(found))[0]
        # Lengths of M x are exact where eigenvalues of M' M are rounding.
        _, values, turned = np.linalg.svd(np.linalg.qr(self.matrix @ found, "r"))
        return values[::-1], (found @ turned.T)[:, ::-1]

    @property
    def nullity(self) -> int:
        return self.counted

    @cached_property
    def counted(self) -> int:
        """Open directions: the negative pivots of M' M minus a little (Sylvester's law of inertia).
        Lanczos' method may miss one of several that are equally open.
        """
        pivots = self._factored(-((_NULL_SPARSE * self.largest) ** 2)).U.diagonal()
        return max(int((pivots < 0).sum()), self.basis.shape[1])

    @property
    def basis(self) -> Float[np.ndarray, "n k"]:
        values, found = self.smallest
        return found[:, values <= _NULL_SPARSE * self.largest][:, :LISTED]

    @property
    def condition(self) -> float:
        values = self.smallest[0]
        seen = values[values > _NULL_SPARSE * self.largest]
        return float(self.largest / seen[0]) if seen.size else np.inf

    def open_part(self, x: Float[np.ndarray, "n C"]) -> Float[np.ndarray, " C"]:
        if self.nullity == self.basis.shape[1]:
            return np.linalg.norm(self.basis.T @ x, axis=0)
        part = x
        for _ in range(3):  # each takes out what is not open once more
            part = _SHIFT * self.largest**2 * self.factor.solve(part)
        return np.linalg.norm(part, axis=0)

    def least_squares(self, right: Float[np.ndarray, "m R"]) -> Float[np.ndarray, "n R"]:
        # Corrected seminormal equations (Björck 1987).
        x = np.zeros((self.matrix.shape[1], right.shape[1]))
        for _ in range(_REFINEMENTS):
            x += self._without_open(self.factor.solve(self.matrix.T @ (right - self.matrix @ x)))
        return x

    def pseudo_inverse_transposed(self, y: Float[np.ndarray, "n C"]) -> Float[np.ndarray, "m C"]:
        if not y.shape[1]:
            return np.zeros((self.matrix.shape[0], 0))
        return self.matrix @ self._without_open(self.factor.solve(self._without_open(y)))

    def _without_open(self, x: Float[np.ndarray, "n C"]) -> Float[np.ndarray, "n C"]:
        """What is left without the part in the listed directions."""
        return x - self.basis @ (self.basis.T @ x)

    def _factored(self, shift: float) -> SuperLU:
        """Of M' M + shift, without pivoting: it is symmetric."""
        matrix = self.square + shift * sparse.eye_array(self.square.shape[0], format="csc")
        return splu(
            sparse.csc_array(matrix),
            permc_spec="MMD_AT_PLUS_A",
            diag_pivot_thresh=0.0,
            options={"SymmetricMode": True},
        )
