"""Linear systems of discounted processes, x = b + gamma P x, always to a checked residual."""

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
from jaxtyping import Float
from scipy import sparse
from scipy.sparse.csgraph import reverse_cuthill_mckee

from inverseq._core.errors import InputError
from inverseq._core.factors import (
    Factor,
    banded,
    bandwidth,
    dense,
    is_narrow,
    singular,
    sparse_lu,
)
from inverseq._core.iterate import fixed_point
from inverseq._core.status import Outcome, Status

Method = Literal["auto", "direct", "krylov", "iterate"]

# Crossovers measured on two cores; each costs at most twice the best choice when it is off.
_DENSE_STATES = 500  # below, dense beats sparse where there is no band
_DIRECT_STATES = 200_000  # above, filling in costs more than iterating for a few right-hand sides
_GRID_WIDTH = 4.0  # of a plane world: bandwidth at most this times the root of its states
_SLOW_DISCOUNT = 0.999  # above, iterative methods take thousands of steps
_MANY = 50  # right-hand sides that pay for a factorisation at any size it fits
_ENDLESS = 1e12  # expected steps to the end that rounding cannot tell from infinitely many
_ROUNDING = 64 * float(np.finfo(np.float64).eps)


@dataclass(frozen=True, eq=False)
class System:
    """The system A x = b with A = I - gamma P, prepared for any number of right-hand sides.

    Made by `prepare`. What is costly (ordering, factorisation) is made on first use and kept.

    Attributes:
        transitions: P, `[S, S]`; rows sum to one, or to less where the process ends.
        discount: gamma.
        method: How to solve, as in `prepare`.
    """

    transitions: sparse.csr_array
    discount: float
    method: str = "auto"

    def solve(
        self,
        b: Float[np.ndarray, "S *R"],
        *,
        transposed: bool = False,
        tolerance: float = 1e-10,
    ) -> tuple[Float[np.ndarray, "S *R"], Status]:
        """Find x with A x = b, or with A' x = b.

        The error of x is at most |b - A x| times `stretch`: in the largest entry for A, in the sum
        of the entries for A'. This bound is what `tolerance` limits and what the status reports.

        Args:
            b: `[S]` or `[S, R]` right-hand sides.
            transposed: Solve with the transposed matrix (flows of visits, gradients).
            tolerance: Largest bound of the error, in units of x. Where rounding allows no such
                residual (values of 1e6 and more), the result converged at the limit of rounding,
                and the status says so.

        Returns:
            x, shaped like b, and how it went.

        Raises:
            InputError: The matrix is singular: a discount of 1 without termination.
        """
        stretch = self.stretch
        if not np.isfinite(b).all():
            message = "the right-hand side is not finite"
            return np.full_like(b, np.nan), Status(Outcome.DEGENERATE, 0, float("nan"), message)
        flat = b.reshape(b.shape[0], -1)
        right = flat[:, 0] if flat.shape[1] == 1 else flat
        x, status = self._solved(_Task(self, right, transposed, tolerance, stretch))
        return x.reshape(b.shape), status

    def correction(
        self, rest: Float[np.ndarray, "S *R"], *, transposed: bool = False
    ) -> Float[np.ndarray, "S *R"]:
        """What to add to an x that misses `rest`, for loops that look at what is missing anyway.

        As `solve`, by what suits, but nobody has looked at how near it is: to look takes longer
        than a kept factorisation.
        """
        return self._first_try(_Task(self, rest, transposed, 1e-10, self.stretch))[0]

    def _solved(self, task: "_Task") -> tuple[np.ndarray, Status]:
        """x, and how it went: what suits is tried first, what is surer after it."""
        x, steps = self._first_try(task)
        excess, bound = task.check(x)
        for remedy in (_refined, _krylov, _iterate):
            if excess <= 1:
                break
            x, more = remedy(task, x)
            excess, bound = task.check(x)
            steps += more
        return x, task.status(excess, bound, steps)

    def __getstate__(self) -> dict[str, object]:
        # Factorisations cannot be sent to other processes; they are made again there.
        return {k: v for k, v in self.__dict__.items() if k != "factor"}

    @cached_property
    def stretch(self) -> float:
        """How much larger than the residual of x its error can be: 1 / (1 - gamma).

        At discount 1 it is the longest expected time to the end, the largest entry of h with
        A h = 1. A has no positive entry off its diagonal, so that A h >= 1/2 > 0 for an h > 0
        proves that it has an inverse, whose rows sum to 2 h at most (M-matrices; Berman and
        Plemmons 1994, chapter 6). Where no such h is found there is none, or none to be told from
        none in double precision.

        Raises:
            InputError: The discount is 1 and the process does not end from every state.
        """
        if self.discount < 1:
            return 1 / (1 - self.discount)
        task = _Task(self, np.ones(self.transitions.shape[0]), False, 0.1, 1.0)
        h, _ = self._solved(task)
        longest = float(h.max(initial=1.0))
        if not (longest <= _ENDLESS and (h > 0).all() and (task.apply(h) >= 0.5).all()):
            raise singular()
        return longest

    @property
    def factored(self) -> bool:
        """Whether a factorisation is at hand."""
        return "factor" in self.__dict__

    @cached_property
    def factor(self) -> Factor:
        """The factorisation: banded, dense or sparse, by the structure of the matrix."""
        size = self.transitions.shape[0]
        if is_narrow(size, self.natural_width):
            return banded(self.transitions, self.discount, np.arange(size), self.natural_width)
        order, width = self.ordering
        if is_narrow(size, width):
            return banded(self.transitions, self.discount, order, width)
        build = dense if size < _DENSE_STATES else sparse_lu
        return build(self.transitions, self.discount)

    @cached_property
    def turned(self) -> sparse.csc_array:
        """The transpose of P."""
        return self.transitions.T

    @cached_property
    def natural_width(self) -> int:
        """Largest distance of an entry from the diagonal, as the states are numbered."""
        return bandwidth(self.transitions, np.arange(self.transitions.shape[0]))

    @cached_property
    def ordering(self) -> tuple[np.ndarray, int]:
        """A reverse Cuthill-McKee order of the states, and the bandwidth it gives."""
        order = np.asarray(reverse_cuthill_mckee(self.transitions), dtype=np.int64)
        return order, bandwidth(self.transitions, order)

    def _first_try(self, task: "_Task") -> tuple[np.ndarray, int]:
        """Try the method that suits: x, still unchecked, and the steps taken."""
        if self.method == "iterate":
            return _iterate(task, np.zeros_like(task.b))
        if self.method == "krylov" or not (self.method == "direct" or self._direct_pays(task)):
            return _krylov(task, np.zeros_like(task.b))
        return self.factor(task.b, task.transposed), 0

    def _direct_pays(self, task: "_Task") -> bool:
        """Whether to factor: fill-in bearable, and worth it for these right-hand sides."""
        size = self.transitions.shape[0]
        if self.factored or size < _DENSE_STATES or is_narrow(size, self.natural_width):
            return True
        many = task.b.ndim > 1 and task.b.shape[1] >= _MANY
        worth = size <= _DIRECT_STATES or many or self.discount > _SLOW_DISCOUNT
        return worth and self.ordering[1] <= _GRID_WIDTH * math.sqrt(size)


def prepare(transitions: sparse.csr_array, discount: float, method: Method = "auto") -> System:
    """A system with A = I - discount * transitions, ready for many right-hand sides.

    Args:
        transitions: `[S, S]` probabilities; rows sum to one, or to less where the process ends.
        discount: gamma, in [0, 1].
        method: "direct" (factor once), "krylov" (BiCGSTAB), "iterate" (the fixed point), or "auto":
            factor small and grid-like systems, iterate on the others. A result that misses the
            tolerance is always passed on: from "direct" to "krylov" to "iterate".

    Raises:
        InputError: The method has another name, or the matrix is not square.
    """
    if method not in ("auto", "direct", "krylov", "iterate"):
        raise InputError(f"method must be auto, direct, krylov or iterate; got {method!r}")
    if transitions.shape[0] != transitions.shape[1]:
        raise InputError(f"transitions must be square; got {transitions.shape}")
    return System(transitions, float(discount), method)


@dataclass(frozen=True, eq=False)
class _Task:
    """One call of `solve`: what is to be solved, and when it is."""

    system: System
    b: np.ndarray
    transposed: bool
    tolerance: float
    stretch: float

    @cached_property
    def matrix(self) -> sparse.csr_array | sparse.csc_array:
        """P or its transpose."""
        return self.system.turned if self.transposed else self.system.transitions

    def apply(self, x: np.ndarray) -> np.ndarray:
        """A x."""
        made = self.matrix @ x
        made *= self.system.discount
        return np.subtract(x, made, out=made)

    def residual(self, x: np.ndarray) -> np.ndarray:
        """What is missing, b - A x."""
        return self.b - self.apply(x)

    def norm(self, x: np.ndarray) -> np.ndarray:
        """The norm in which the error is bounded, of each right-hand side."""
        size = np.abs(x)
        return np.atleast_1d(size.sum(0) if self.transposed else size.max(0))

    def goal(self, x: np.ndarray) -> np.ndarray:
        """The residual that will do near `x`, for each right-hand side."""
        rounding = _ROUNDING * (self.norm(self.b) + 2 * self.norm(x))
        return np.maximum(self.tolerance / self.stretch, rounding)

    def check(self, x: np.ndarray) -> tuple[float, float]:
        """The residual over the one that will do, and the bound of the error, both at the worst
        right-hand side. NaN compares as neither.
        """
        size = self.norm(self.residual(x))
        excess = np.max(size / self.goal(x), initial=0.0)
        return float(excess), float(np.max(size, initial=0.0)) * self.stretch

    def status(self, excess: float, bound: float, steps: int) -> Status:
        """How it ended."""
        if not np.isfinite(bound):
            message = "values are no longer finite; lower the discount"
            return Status(Outcome.DIVERGED, steps, bound, message)
        if excess > 1:
            message = f"no solution within {steps} steps; lower the discount or use method='direct'"
            return Status(Outcome.LIMIT, steps, bound, message)
        message = "at the limit of rounding" if bound > self.tolerance else ""
        return Status(Outcome.CONVERGED, steps, bound, message)


def _refined(task: _Task, x: np.ndarray) -> tuple[np.ndarray, int]:
    """One more direct solve, for what is missing: it mends most losses of digits."""
    if not task.system.factored:
        return x, 0
    return x + task.system.factor(task.residual(x), task.transposed), 0


def _krylov(task: _Task, x: np.ndarray) -> tuple[np.ndarray, int]:
    """BiCGSTAB from `x`, restarted until settled; x and the steps taken.

    Every right-hand side has its own coefficients, so that one sweep serves all of them.
    """
    if not np.isfinite(x).all():
        x = np.zeros_like(task.b)
    # Jacobi: rows of states that mostly stay where they are would be small otherwise.
    diagonal = 1 - task.system.discount * task.system.transitions.diagonal()
    weight = _ratio(np.ones_like(diagonal), diagonal).reshape(-1, *(1,) * (task.b.ndim - 1))
    steps = 0
    for _ in range(20):
        before, _ = task.check(x)
        with np.errstate(all="ignore"):  # what overflows is not taken
            tried, more = _bicgstab(task, weight, x, 0.5 * task.goal(x))
        steps += more
        after, _ = task.check(tried)
        if after < before:
            x = tried
        if after <= 1 or not after < 0.5 * before:
            break
    return x, steps


def _bicgstab(
    task: _Task, weight: np.ndarray, x: np.ndarray, goal: np.ndarray
) -> tuple[np.ndarray, int]:
    """One run of BiCGSTAB (van der Vorst 1992) on the rows scaled by `weight`."""
    r = weight * task.residual(x)
    shadow, x = r.copy(), x.copy()
    p, v, spare, other = (np.zeros_like(r) for _ in range(4))
    rho = alpha = omega = np.ones(r.shape[1:])

    def applied(y: np.ndarray) -> np.ndarray:
        made = task.apply(y)
        made *= weight
        return made

    # Large vectors are written where they lie: to ask for new memory takes longer than to add.
    step = 0
    while step < 2000:
        step += 1
        product = _inner(shadow, r)
        beta = _ratio(product * alpha, rho * omega)
        rho = product
        p -= np.multiply(omega, v, out=spare)
        p *= beta
        p += r
        v = applied(p)
        alpha = _ratio(rho, _inner(shadow, v))
        r -= np.multiply(alpha, v, out=spare)
        t = applied(r)
        omega = _ratio(_inner(t, r), _inner(t, t))
        np.multiply(alpha, p, out=spare)
        spare += np.multiply(omega, r, out=other)
        x += spare
        t *= omega
        r -= t
        over = task.norm(np.divide(r, weight, out=spare)) > goal
        if not over.any():
            break
    return x, step


def _inner(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Inner product of each column."""
    return np.asarray(np.dot(a, b) if a.ndim == 1 else np.einsum("ij,ij->j", a, b))


def _ratio(above: np.ndarray | np.float64, below: np.ndarray | np.float64) -> np.ndarray:
    """Quotient, 0 where `below` is 0, which leaves that column as it is."""
    return np.divide(above, below, out=np.zeros(np.shape(above)), where=below != 0)


def _iterate(task: _Task, x: np.ndarray) -> tuple[np.ndarray, int]:
    """The fixed point x = b + gamma P x, which cannot fail where gamma is below 1."""
    if not np.isfinite(x).all():
        x = np.zeros_like(task.b)
    discount = task.system.discount
    step = lambda y: task.b + discount * (task.matrix @ y)  # noqa: E731
    # In the sum of all entries the largest one must be smaller still.
    share = x.shape[0] if task.transposed else 1
    taken, limit = 0, 1_000_000
    while taken < limit:
        before, _ = task.check(x)
        goal = float(np.min(task.goal(x))) / share
        x, status, _ = fixed_point(step, x, tolerance=goal, max_steps=200)
        taken += status.steps
        after, _ = task.check(x)
        if after <= 1 or not after < (1 - 1e-7) * before:
            break
    return x, taken
