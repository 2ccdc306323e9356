"""What was done in each of several contexts that the table names, each smoothed by the one before.

The contexts need not nest: level l gives

    p_l(a) = (n_l(a) + c_l * p_l-1(a)) / (n_l + c_l),

with n_l the counts in the context of level l and c_l its concentration, and p_0 equal shares of the
actions that exist (a Dirichlet prior per level; MacKay and Peto 1995). A context may join places
where other actions exist, so the last level is shared out among those that exist here. The last
levels may count what this trajectory itself has done so far, which is how a table learns whom it is
watching.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from inverseq._core.arrays import freeze
from inverseq._core.errors import InputError
from inverseq.demonstrations import Demonstrations
from inverseq.mdp import MDP
from inverseq.policies.policy import FinitePolicy


class InContexts(FinitePolicy):
    """A policy of contexts that the columns of a table name, whatever the world.

    Attributes:
        own: Columns in whose contexts the trajectory's own past is counted.
    """

    own: tuple[str, ...]

    @property
    def present_only(self) -> bool:
        """Whether the columns of the row are all it looks at."""
        return not self.own

    def within(self, mdp: MDP) -> "InContexts":
        """The same."""
        return self


@dataclass(frozen=True, eq=False)
class ColumnPolicy(InContexts):
    """Counts in contexts that columns per decision name.

    Attributes:
        columns: Names of the columns, from the widest context to the narrowest: L levels.
        keys: For each level, `[M]` the contexts that were seen, sorted.
        counts: For each level, `[M, A]` weight of each action in each of them.
        concentrations: `[L + O]` decisions that the wider context is worth, own levels last.
        own: Names of the columns in whose contexts the trajectory's own past is counted: O levels.
    """

    columns: tuple[str, ...]
    keys: tuple[Int[np.ndarray, " _"], ...]
    counts: tuple[Float[np.ndarray, "_ A"], ...]
    concentrations: Float[np.ndarray, " L"]
    own: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for name in ("columns", "own"):
            object.__setattr__(self, name, tuple(map(str, getattr(self, name))))
        freeze(self, np.int64, "keys")
        freeze(self, np.float64, "counts", "concentrations")

    @property
    def num_actions(self) -> int:
        """A."""
        return self.counts[0].shape[1]

    def probabilities(
        self, demonstrations: Demonstrations, mdp: MDP | None
    ) -> Float[np.ndarray, "N A"]:
        """What was done in the contexts of each decision.

        Raises:
            InputError: A column is missing, or does not hold whole numbers.
        """
        exists = self.exists(demonstrations, mdp)
        shares = exists / exists.sum(axis=1, keepdims=True)
        levels = []
        columns = context_columns(demonstrations, self.columns).T
        for keys, counts, column in zip(self.keys, self.counts, columns, strict=True):
            place = np.minimum(np.searchsorted(keys, column), keys.size - 1)
            levels.append(np.where((keys[place] == column)[:, None], counts[place], 0.0))
        levels += [own_counts(demonstrations, name, exists.shape[1]) for name in self.own]
        for here, worth in zip(levels, self.concentrations, strict=True):
            shares = (here + worth * shares) / (here.sum(axis=1, keepdims=True) + worth)
        shares = np.where(exists, shares, 0.0)
        return shares / shares.sum(axis=1, keepdims=True)


def names_of_columns(what: str, names: object, least: int = 0) -> None:
    """Raise an `InputError` unless `names` is a tuple of at least so many names."""
    if not isinstance(names, tuple | list) or len(names) < least:
        raise InputError(
            f'{what} must be a tuple of names of columns, such as ("moves 2",); got {names!r}'
        )


def context_columns(
    demonstrations: Demonstrations, names: tuple[str, ...]
) -> Int[np.ndarray, "N L"]:
    """The columns as whole numbers, side by side.

    Raises:
        InputError: A column is missing, or does not hold whole numbers.
    """
    found = []
    for name in names:
        if name not in demonstrations.decisions:
            raise InputError(
                f"no column {name!r} per decision; there are {sorted(demonstrations.decisions)}. "
                "A table of contexts needs each of its columns in every table it is asked about"
            )
        column = np.asarray(demonstrations.decisions[name])
        if column.dtype.kind not in "iub":
            raise InputError(
                f"column {name!r} must hold whole numbers, one per context; got "
                f"{str(column[0])!r} in row {demonstrations.row(0)}"
            )
        found.append(column.astype(np.int64))
    return np.stack(found, axis=1)


def own_counts(
    demonstrations: Demonstrations, column: str, num_actions: int
) -> Float[np.ndarray, "N A"]:
    """How often the trajectory of each decision took each action before, in the same context.

    Args:
        demonstrations: N decisions.
        column: Names the context of each of them.
        num_actions: A.

    Raises:
        InputError: The column is missing, or does not hold whole numbers.
    """
    contexts = context_columns(demonstrations, (column,))[:, 0]
    size = demonstrations.num_decisions
    key = np.unique(contexts, return_inverse=True)[1].reshape(-1)
    pair = demonstrations.trajectory_of * (int(key.max()) + 1) + key
    order = np.argsort(pair, kind="stable")
    done = np.zeros((size, num_actions))
    acted = np.flatnonzero(demonstrations.acted)
    done[acted, demonstrations.actions[acted]] = 1.0
    done = done[order]
    before = np.cumsum(done, axis=0) - done
    first = np.append(True, pair[order][1:] != pair[order][:-1])
    before -= before[np.maximum.accumulate(np.where(first, np.arange(size), 0))]
    found = np.empty_like(before)
    found[order] = before
    return found
