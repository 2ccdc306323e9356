"""Regression on contexts that the table names: a habit with a longer memory than counting has."""

from dataclasses import asdict, dataclass
from itertools import islice

import numpy as np
from jaxtyping import Float, Int
from scipy import sparse
from scipy.optimize import minimize
from scipy.special import log_softmax

from inverseq._core.errors import InputError
from inverseq._core.status import Outcome, Status
from inverseq.inverse.problem import Problem
from inverseq.inverse.solution import Solution
from inverseq.inverse.tables.leave_out import Rows, usable_rows
from inverseq.policies import Policy
from inverseq.policies.columns import context_columns, names_of_columns, own_counts
from inverseq.policies.logit import (
    LogitPolicy,
    covariates_of,
    numbers_of,
    option_columns,
    own_shares,
)


@dataclass(frozen=True)
class ColumnLogit:
    """A softmax of weights of contexts, with a Gaussian prior on each.

    Where `ColumnTable` smooths one context by the next, here all contexts of a decision speak
    together, and what the options themselves are like may speak too: how long ago the place was
    visited to which an action leads, say.

    Attributes:
        columns: Names of columns per decision whose whole numbers name contexts.
        strengths: Weight of the prior of each column, in decisions; larger for longer memories.
        options: Families of columns "NAME 0", "NAME 1", ... one per action, whose whole numbers
            name a bin of that action (-1: none). A bin has one weight, whatever the action.
        option_strength: Weight of the prior of the bins.
        own: Columns in whose contexts the trajectory's own past is counted: each adds one weight of
            the logarithm of its own share of an action so far.
        own_strength: Weight of the prior of these.
        personal: Families of columns as of `options`, each bin of which has a weight of each unit:
            what it does more or less than all (random coefficients). Strangers have none.
        personal_strength: Weight of the prior of these, in decisions.
        of: Column per trajectory that names its unit.
        covariates: Columns per decision whose numbers, fractions too, speak as they are: each has a
            weight for each action, in its own unit. Nothing needs to be binned.
        covariate_strength: Weight of the prior of these; give columns of like size.
        least: Contexts seen less often than this get no weights.
        tolerance: Largest gradient per decision at which the fit has converged.
        max_steps: Evaluations at most.

    Raises:
        InputError: There is no column, or there are not as many strengths, above 0.
    """

    columns: tuple[str, ...]
    strengths: tuple[float, ...]
    options: tuple[str, ...] = ()
    option_strength: float = 2.0
    own: tuple[str, ...] = ()
    own_strength: float = 1.0
    personal: tuple[str, ...] = ()
    personal_strength: float = 4.0
    of: str = "subject"
    covariates: tuple[str, ...] = ()
    covariate_strength: float = 1.0
    least: int = 3
    tolerance: float = 1e-5
    max_steps: int = 300
    describes_only = True

    def __post_init__(self) -> None:
        names_of_columns("columns", self.columns, least=1)
        names_of_columns("options", self.options)
        names_of_columns("own", self.own)
        names_of_columns("personal", self.personal)
        names_of_columns("covariates", self.covariates)
        if len(self.strengths) != len(self.columns) or not all(
            0 < s < np.inf for s in self.strengths
        ):
            raise InputError(
                f"strengths must be {len(self.columns)} numbers above 0, one per column; got "
                f"{self.strengths}"
            )
        for name in ("option_strength", "own_strength", "personal_strength", "covariate_strength"):
            if not 0 < getattr(self, name) < np.inf:
                raise InputError(f"{name} must be a number above 0; got {getattr(self, name)}")

    def solve(self, problem: Problem) -> Solution:
        """The weights behind `problem`; `fit` calls this.

        Raises:
            InputError: A column is missing, or nothing is left to fit.
        """
        search, _ = self.regression(problem)
        found, status, trace = search.run(self.tolerance, self.max_steps)
        return self.solution(problem, search, found, status, trace)

    def regression(self, problem: Problem) -> tuple["Regression", Int[np.ndarray, " kept"]]:
        """The likelihood of `problem`'s decisions as a function of all weights, and which of them
        leave a choice.

        Raises:
            InputError: A column is missing, or nothing is left to fit.
        """
        rows, kept = usable_rows(
            problem, context_columns(problem.decisions, self.columns), "trajectory"
        )
        choice = rows.exists.sum(axis=1) > 1
        if not choice.any():
            raise InputError("every decision is the only one possible: nothing shows a habit")
        rows, kept = rows.take(choice), kept[choice]
        return Regression(self._blocks(problem, rows, kept), rows), kept

    def solution(
        self,
        problem: Problem,
        search: "Regression",
        found: Float[np.ndarray, " X"],
        status: Status,
        trace: Float[np.ndarray, " steps"],
    ) -> Solution:
        """What these weights of `search` say."""
        mdp, rows, blocks = problem.given_mdp, search.rows, search.blocks
        each = zip(blocks, search.split(found), strict=True)
        parts = iter([block.shape(part) for block, part in each])
        policy = LogitPolicy(
            self.columns,
            tuple(block.keys for block in blocks[: len(self.columns)]),
            tuple(islice(parts, len(self.columns))),
            self.options,
            tuple(islice(parts, len(self.options))),
            self.own,
            np.concatenate([*islice(parts, len(self.own)), np.zeros(0)]),
            self.personal,
            tuple(islice(parts, len(self.personal))),
            self._units(problem),
            self.of,
            self.covariates,
            np.concatenate([np.zeros((0, rows.exists.shape[1])), *parts]),
        )
        return Solution(
            solver="ColumnLogit",
            settings=asdict(self),
            policy=policy,
            status=status,
            mdp=mdp,
            visits=None if mdp is None else problem.counts.visits,
            parameters={"marginal": np.bincount(rows.actions, rows.weights, rows.exists.shape[1])},
            num_parameters=int(np.count_nonzero(search.seen)),
            trace=trace,
        )

    def log_prior(self, solution: Solution) -> float:
        """Logarithm of the prior of a solution, up to a constant."""
        return self.log_prior_of(solution.policy)

    def log_prior_of(self, policy: Policy) -> float:
        """The same of its policy."""
        assert isinstance(policy, LogitPolicy)  # this solver finds no other
        strengths = [
            *self.strengths,
            *(self.option_strength for _ in self.options),
            *(self.own_strength for _ in self.own),
            *(self.personal_strength for _ in self.personal),
            *(self.covariate_strength for _ in self.covariates),
        ]
        weights = [*policy.weights, *policy.option_weights, *policy.own_weights]
        weights += [*policy.personal_weights, *policy.covariate_weights]
        squares = (float(np.sum(w**2)) for w in weights)
        return -0.5 * sum(s * w for s, w in zip(strengths, squares, strict=True))

    def _blocks(self, problem: Problem, rows: Rows, kept: np.ndarray) -> list["Block"]:
        """What each group of weights multiplies."""
        data, num_actions = problem.decisions, rows.exists.shape[1]
        made = []
        for column, strength in zip(rows.columns.T, self.strengths, strict=True):
            keys, place, times = np.unique(column, return_inverse=True, return_counts=True)
            common = times >= self.least
            first = np.where(common, (np.cumsum(common) - 1) * num_actions, -1)
            first = first[place.reshape(-1), None]
            cell = np.where(first >= 0, first + np.arange(num_actions), -1)
            made.append(Block(keys[common], _one_hot(cell), strength, num_actions))
        for family in self.options:
            bins = option_columns(data, family, num_actions)[kept]
            made.append(Block(np.zeros(0, int), _one_hot(bins), self.option_strength, 0))
        for column in self.own:
            values = own_shares(own_counts(data, column, num_actions)[kept], rows.exists)
            values = values.reshape(-1, 1)
            made.append(Block(np.zeros(0, int), sparse.csr_array(values), self.own_strength, 0))
        for family in self.personal:
            bins = option_columns(data, family, num_actions)[kept]
            size, units = int(bins.max(initial=0)) + 1, self._units(problem)
            who = numbers_of(data, self.of, units)[data.trajectory_of[kept]]
            cell = np.where(bins >= 0, who[:, None] * size + bins, -1)
            whole = _one_hot(cell, len(units) * size)
            made.append(Block(np.zeros(0, int), whole, self.personal_strength, size))
        for values in covariates_of(data, self.covariates)[kept].T:
            each = sparse.kron(values[:, None], sparse.eye_array(num_actions), format="csr")
            each = sparse.csr_array(each)
            made.append(Block(np.zeros(0, int), each, self.covariate_strength, num_actions))
        return made

    def _units(self, problem: Problem) -> tuple[str, ...]:
        """Names of those who have weights of their own."""
        if not self.personal:
            return ()
        names = problem.decisions.trajectories.get(self.of, ())
        return tuple(sorted({str(name) for name in names}))


@dataclass(frozen=True, eq=False)
class Block:
    """One group of weights: what they multiply, `[N * A, F]`, and their prior."""

    keys: np.ndarray
    matrix: sparse.csr_array
    strength: float
    width: int

    def shape(self, weights: np.ndarray) -> np.ndarray:
        """`[M, A]` for contexts, flat otherwise."""
        return weights.reshape(-1, self.width) if self.width else weights


def _one_hot(cells: np.ndarray, size: int | None = None) -> sparse.csr_array:
    """`[N * A, cells]` one 1 per row, none where the cell is -1."""
    flat = cells.ravel()
    rows = np.flatnonzero(flat >= 0)
    shape = (flat.size, int(flat.max(initial=-1)) + 1 if size is None else size)
    return sparse.csr_array((np.ones(rows.size), (rows, flat[rows])), shape=shape)


class Regression:
    """Penalised log-likelihood per decision as a function of all weights."""

    def __init__(
        self,
        blocks: list[Block],
        rows: Rows,
    ) -> None:
        self.blocks, self.rows = blocks, rows
        self.matrix = sparse.csr_array(sparse.hstack([b.matrix for b in blocks], format="csr"))
        self.transposed = sparse.csr_array(self.matrix.T)
        self.seen = np.diff(self.transposed.indptr) > 0
        sizes = [b.matrix.shape[1] for b in blocks]
        self.cuts = np.cumsum(sizes)[:-1]
        self.strength = np.repeat([b.strength for b in blocks], sizes)
        self.barred = np.where(rows.exists, 0.0, -np.inf)
        self.actions, self.weights = rows.actions, rows.weights
        self.total = float(rows.weights.sum())
        self.trace: list[float] = []

    def split(self, flat: np.ndarray) -> list[np.ndarray]:
        """The weights of each block."""
        return np.split(flat, self.cuts)

    def run(self, tolerance: float, max_steps: int) -> tuple[np.ndarray, Status, np.ndarray]:
        """The most likely weights."""
        found = minimize(
            self.cost,
            np.zeros(self.strength.size),
            jac=True,
            method="L-BFGS-B",
            options={"maxfun": max_steps, "gtol": tolerance, "ftol": 1e-15, "maxcor": 10},
        )
        slope = float(np.abs(found.jac).max(initial=0.0))
        # A search that ends for lack of precision has found the optimum as well as it can be.
        settled = slope <= tolerance or len(self.trace) < max_steps
        outcome = Outcome.CONVERGED if settled else Outcome.LIMIT
        message = "" if settled else "Give more max_steps, or larger strengths."
        return found.x, Status(outcome, len(self.trace), slope, message), np.array(self.trace)

    def logits(self, flat: Float[np.ndarray, " X"]) -> Float[np.ndarray, "N A"]:
        """What the weights give each action, minus infinity where it does not exist."""
        return (self.matrix @ flat).reshape(self.barred.shape) + self.barred

    def cost(self, flat: np.ndarray) -> tuple[float, np.ndarray]:
        """Cost and slope."""
        logs = log_softmax(self.logits(flat), axis=1)
        rows = np.arange(self.actions.size)
        excess = -np.exp(logs)
        excess[rows, self.actions] += 1.0
        excess *= self.weights[:, None]
        value = float(self.weights @ logs[rows, self.actions])
        pull = self.strength * flat
        cost = (0.5 * float(flat @ pull) - value) / self.total
        self.trace.append(-cost * self.total)
        return cost, (pull - self.transposed @ excess.ravel()) / self.total
