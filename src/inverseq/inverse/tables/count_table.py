"""What happened after the last n states: the yardstick that needs no reward."""

from dataclasses import asdict, dataclass, replace

import numpy as np
from jaxtyping import Int

from inverseq._core.errors import InputError, argument
from inverseq._core.status import Outcome, Status
from inverseq.decisions.counts import Counts
from inverseq.inverse.problem import Problem
from inverseq.inverse.solution import Solution
from inverseq.inverse.tables.leave_out import (
    Rows,
    choose_smoothing,
    leave_out,
    luce,
    tabulate,
    usable_rows,
)
from inverseq.mdp import MDP
from inverseq.mdp.history import Memory
from inverseq.policies.backoff import (
    BackoffTable,
    allowed_at,
    allowed_without_history,
    grow,
    past_columns,
)

_MARGINAL_SMOOTHING = 0.5
"""Decisions per action added to the marginal where smoothing is chosen (Krichevsky and Trofimov
1981). The marginal has all decisions behind it, so that the choice hardly matters."""
_BLOCKS = 10
"""Parts of the rows that are left out in turn where there is only one unit."""


@dataclass(frozen=True)
class CountTable:
    """The share of each action after the last `order` states: p(a | s, previous s, ...).

    Order 0 is the marginal p(a), order 1 is p(a | s), order 2 is p(a | s, previous s). Only
    actions that exist get probability, where an MDP says which.

    Without back-off, `smoothing` decisions are added for each action that exists. With back-off, a
    past is smoothed towards the next shorter one, and towards equal shares where these were chosen
    to count (a Dirichlet prior in two parts; MacKay and Peto 1995 have the first). Where
    `smoothing` is None, what each part is worth at each order is chosen on the training data: it
    maximises the likelihood of every unit (trajectory, session, subject) under the counts of all
    others. Where there is only one unit, tenths of the rows are left out in turn.

    Where not all actions exist everywhere, the marginal is the maximum likelihood estimate of
    p(a | s) proportional to w(a) among the actions that exist at s (Luce 1959), so that states
    with a single action do not touch it.

    Attributes:
        order: States looked at, the present one included.
        smoothing: Decisions per action that exists, added to every past; None chooses.
        backoff: Whether pasts are smoothed towards shorter ones.
        of: What is remembered beyond the present state: earlier "states" or "actions".
        by: The unit left out while smoothing is chosen: "trajectory", "session", "subject" or any
            trajectory column.

    Raises:
        InputError: The order is negative, `of` is neither, or smoothing is negative, not finite,
            or 0 with back-off.
    """

    order: int = 1
    smoothing: float | None = None
    backoff: bool = True
    of: Memory = "states"
    by: str = "trajectory"
    describes_only = True

    def __post_init__(self) -> None:
        if self.order < 0:
            raise InputError(f"order must be 0 or more; got {self.order}")
        if self.of not in ("states", "actions"):
            raise InputError(f'of must be "states" or "actions"; got {self.of!r}')
        if self.smoothing is None:
            return
        if not 0 <= self.smoothing < np.inf or (self.backoff and self.smoothing == 0):
            raise InputError(
                f"smoothing must be a number above 0 (or 0 with backoff=False); got "
                f"{self.smoothing}"
            )

    def solve(self, problem: Problem) -> Solution:
        """The table of `problem`'s decisions.

        Raises:
            InputError: The decisions do not fit the MDP; there are several worlds but no MDP of
                each; or only counts are given and they do not tell the pasts asked for apart.
        """
        collect = _rows_of_counts if problem.demonstrations is None else _rows_of_decisions
        rows = collect(self, problem)
        parents, symbols, levels = grow(rows.columns, self.order)
        added = _MARGINAL_SMOOTHING if self.smoothing is None else self.smoothing
        marginal = luce(rows, added)[0]
        smoothing = np.zeros((self.order, 2))
        status, trace = Status(Outcome.CONVERGED), np.zeros(0)
        if self.smoothing is not None:
            smoothing[:, 0 if self.backoff else 1] = self.smoothing
        elif self.order > 0:
            used = slice(1, None) if self.backoff else slice(self.order, None)
            others = leave_out(rows, levels[:, used], luce(rows, added, left_out=True))
            smoothing[-others.chosen.shape[0] :], status, trace = choose_smoothing(
                others, self.backoff
            )
        mdp = problem.given_mdp
        counts = tuple(tabulate(level, rows) for level in levels.T)
        allowed = None if mdp is None else allowed_without_history(mdp)
        return Solution(
            solver="CountTable",
            settings=asdict(self),
            policy=BackoffTable(self.of, parents, symbols, counts, marginal, smoothing, allowed),
            status=status,
            mdp=mdp,
            visits=None if mdp is None else problem.counts.visits,
            parameters={"smoothing": smoothing, "marginal": marginal},
            num_parameters=_free_probabilities(rows, levels[:, -1]),
            trace=trace,
        )


def _rows_of_decisions(table: CountTable, problem: Problem) -> Rows:
    """The decisions with a known action and a weight above 0."""
    data, mdp = problem.decisions, problem.given_mdp
    if mdp is None and table.order > 0 and len(np.unique(data.trajectories.get("world", ()))) > 1:
        raise InputError(
            'the column "world" names several worlds, whose states are different ones: pass '
            "mdp={name: world, ...}"
        )
    rows, _ = usable_rows(problem, past_columns(data, mdp, table.order, table.of), table.by)
    if rows.units.any():
        return rows
    return replace(rows, units=np.arange(rows.units.size) * _BLOCKS // rows.units.size)


def _rows_of_counts(table: CountTable, problem: Problem) -> Rows:
    """One row per unit, state and action that was counted."""
    counts, mdp = problem.counts, problem.given_mdp
    counts.require_by(table.by, "CountTable")
    columns = _columns_of_states(table, counts, mdp)
    num_actions = counts.state_action.shape[1]
    if counts.units is not None and counts.units.shape[0] > 1:
        cells = counts.units.tocoo()
        unit, cell, weight = cells.row, cells.col, cells.data
    elif table.smoothing is None and table.order > 0:
        raise InputError(
            "counts of a single unit cannot choose the smoothing: give "
            f"{argument('smoothing', 0.5)}, say, or the demonstrations themselves"
        )
    else:
        cell = np.flatnonzero(counts.state_action)
        unit, weight = np.zeros_like(cell), counts.state_action.ravel()[cell]
    keep = weight > 0
    if not keep.any():
        raise InputError("all counts are 0; nothing to count")
    states, actions = np.divmod(cell[keep].astype(np.int64), num_actions)
    chosen = columns[states]
    exists = allowed_at(
        None if mdp is None else allowed_without_history(mdp), chosen[:, 0], num_actions
    )
    return Rows(chosen, actions, weight[keep], unit[keep].astype(np.int64), exists)


def _columns_of_states(
    table: CountTable, counts: Counts, mdp: MDP | None
) -> Int[np.ndarray, "S columns"]:
    """The past that each counted state stands for."""
    states = np.arange(len(counts.state_action))
    history = None if mdp is None else mdp.history
    if history is None or table.order <= 1:
        columns = states if history is None else history.base
        if table.order > 1:
            raise InputError(
                f"counts of states do not say what came before: order {table.order} needs the "
                "demonstrations, or counts in mdp.with_history"
            )
        return columns[:, None]
    if history.of != table.of or history.length < table.order:
        raise InputError(
            f"counts with the last {history.length} {history.of} cannot make a table of order "
            f"{table.order} over {table.of}"
        )
    return np.concatenate([history.base[:, None], history.previous[:, : table.order - 1]], axis=1)


def _free_probabilities(rows: Rows, pasts: Int[np.ndarray, " N"]) -> int:
    """Numbers that the longest pasts leave free: one less than the actions, for each past seen."""
    some = np.zeros(int(pasts.max()) + 1, dtype=np.int64)
    some[pasts] = np.arange(pasts.size)  # one row of each past: all have the same actions
    if some.size == 1:
        return int(rows.exists.any(axis=0).sum()) - 1
    return int((rows.exists[some].sum(axis=1) - 1).sum())
