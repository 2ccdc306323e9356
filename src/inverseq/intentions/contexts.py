"""What a change of intention may depend on: one row of numbers per context."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Float, Int
from scipy import sparse

from inverseq._core.errors import InputError
from inverseq.decisions.alignment import align
from inverseq.demonstrations import Demonstrations
from inverseq.mdp import MDP

STATE = "state"
PREVIOUS = "previous "


@dataclass(frozen=True, eq=False)
class Contexts:
    """The circumstances in which intentions may change.

    Attributes:
        inputs: `[M, D]` numbers that describe each context.
        context: `[N]` context of the step that leads into each decision.
        constants: What turned the table into inputs (centre, scale), to do the same again.
    """

    inputs: sparse.csr_array
    context: Int[np.ndarray, " N"]
    constants: Mapping[str, np.ndarray] = field(default_factory=dict)

    @property
    def num_contexts(self) -> int:
        """M."""
        return self.inputs.shape[0]

    @property
    def rank(self) -> int:
        """How many numbers a linear function of the inputs with a constant has that can be told
        apart in these contexts: states never seen have none, and one of those seen is the constant.
        """
        ones = sparse.csr_array(np.ones((self.num_contexts, 1)))
        table = sparse.hstack([self.inputs, ones], format="csr")
        gram = sparse.csr_array(table.T @ table)
        size = gram.diagonal()
        # Columns at right angles, such as those of many states, are taken out first.
        apart, met = [], size == 0
        for column in np.flatnonzero(size):
            if not met[column]:
                apart.append(column)
                met[gram.indices[gram.indptr[column] : gram.indptr[column + 1]]] = True
        others = np.setdiff1d(np.flatnonzero(size), apart)
        across = gram[apart][:, others].toarray()
        left = gram[others][:, others].toarray() - across.T @ (across / size[apart, None])
        least = 1e-9 * size.max(initial=1.0)
        return len(apart) + int(np.linalg.matrix_rank(left, tol=least, hermitian=True))


def same_everywhere(size: int) -> Contexts:
    """One context for all of `size` decisions."""
    return Contexts(sparse.csr_array((1, 0)), np.zeros(size, dtype=np.int64))


def find_contexts(
    demonstrations: Demonstrations,
    mdp: MDP | None,
    names: tuple[str, ...],
    constants: Mapping[str, np.ndarray] | None = None,
) -> Contexts:
    """One context per state, or per combination of states and values of some columns.

    Args:
        demonstrations: N decisions.
        mdp: The world, where `names` has "state": a number of its own for each state without
            history.
        names: "state", "step" (decisions since the trajectory began), "time", or columns per
            decision, which are counted in standard deviations from their mean; "previous X" is X
            one row earlier ("previous state" among them): its mean, or no state, where there is
            none.
        constants: Mean and standard deviation of an earlier call; None computes them.

    Raises:
        InputError: There is no such column, a value is missing or no number, or there is no world.
    """
    columns = tuple(name for name in names if name.removeprefix(PREVIOUS) != STATE)
    blocks: list[sparse.csr_array] = []
    codes: list[np.ndarray] = []
    made: dict[str, np.ndarray] = {}
    for name in names:
        if name not in columns:
            state, size = _base_states(demonstrations, mdp)
            if name != STATE:
                state = np.where(demonstrations.continues, np.roll(state, 1), size)
            # The last row is "no state": it has no inputs.
            blocks.append(sparse.eye_array(size + 1, size, format="csr"))
            codes.append(state)
    if columns:
        table = np.stack([_column(demonstrations, name) for name in columns], axis=1)
        made = dict(constants) if constants else _centre_and_scale(table)
        table = np.nan_to_num((table - made["centre"]) / made["scale"], nan=0.0)
        values, code = np.unique(table, axis=0, return_inverse=True)
        blocks.append(sparse.csr_array(values))
        codes.append(code.reshape(-1))
    seen, context = np.unique(np.stack(codes), axis=1, return_inverse=True)
    inputs = sparse.hstack([block[row] for block, row in zip(blocks, seen, strict=True)])
    return Contexts(sparse.csr_array(inputs), context.reshape(-1), made)


def _base_states(
    demonstrations: Demonstrations, mdp: MDP | None
) -> tuple[Int[np.ndarray, " N"], int]:
    """State of each decision without history, and how many there are."""
    base, size = base_of(mdp)
    assert mdp is not None  # as `base_of` has seen
    return base[align(demonstrations, mdp)], size


def base_of(mdp: MDP | None) -> tuple[Int[np.ndarray, " S"], int]:
    """`[S]` each state of the world without its history, and how many of these there are.

    Raises:
        InputError: There is no world.
    """
    if mdp is None:
        raise InputError("switching that depends on the state needs the world: pass mdp=...")
    if mdp.history is None:
        return np.arange(mdp.num_states), mdp.num_states
    return mdp.history.base, mdp.history.num_base_states


def _centre_and_scale(table: Float[np.ndarray, "N columns"]) -> dict[str, np.ndarray]:
    """Mean and standard deviation of each column, 1 for one that never changes."""
    known = np.isfinite(table)
    count = np.maximum(known.sum(axis=0), 1)
    centre = np.where(known, table, 0.0).sum(axis=0) / count
    spread = np.sqrt((np.where(known, table - centre, 0.0) ** 2).sum(axis=0) / count)
    return {"centre": centre, "scale": np.where(spread > 0, spread, 1.0)}


def _column(demonstrations: Demonstrations, name: str) -> Float[np.ndarray, " N"]:
    """One column as numbers; NaN where there is no row before the first."""
    source = name.removeprefix(PREVIOUS)
    known = {"step": demonstrations.step, **demonstrations.decisions}
    if demonstrations.time is not None:
        known["time"] = demonstrations.time
    if source not in known:
        raise InputError(
            f"no column {source!r} per decision; there are {sorted(known)}. Name one of them, or "
            f"{PREVIOUS + 'X'!r} for the value of X one row earlier"
        )
    column = np.asarray(known[source])
    try:
        values = column.astype(np.float64)
    except (TypeError, ValueError) as error:
        raise InputError(
            f"column {source!r} must hold numbers; got {str(column[0])!r} in row "
            f"{demonstrations.row(0)}. Turn it into numbers first"
        ) from error
    if not np.isfinite(values).all():
        row = int(np.argmax(~np.isfinite(values)))
        raise InputError(
            f"row {demonstrations.row(row)}: column {source!r} is {values[row]}; switching needs a "
            "number in every row. Fill it in, or leave these rows out"
        )
    if name == source:
        return values
    return np.where(demonstrations.continues, np.roll(values, 1), np.nan)
