"""States that remember: the last n states, or the last n - 1 actions, as one state."""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from jaxtyping import Int
from scipy import sparse

from inverseq._core.arrays import freeze
from inverseq._core.errors import InputError

_MAX_CELLS = 200_000_000  # remembered symbols of all steps out of all pasts: 1.6 GB

Memory = Literal["states", "actions"]


@dataclass(frozen=True, eq=False)
class History:
    """What each state of a history-dependent MDP stands for.

    Attributes:
        length: n, the number of states looked at, the present one included.
        of: Whether the past is remembered as states or as actions.
        base: `[S]` the present state, in the MDP without history.
        previous: `[S, n - 1]` the remembered states or actions, most recent first; -1 where there
            is none (the beginning of a trajectory or the far side of a gap).
        num_base_states: Number of states of the MDP without history.
        num_symbols: Number of different states or actions that can be remembered.
    """

    length: int
    of: Memory
    base: Int[np.ndarray, " S"]
    previous: Int[np.ndarray, "S H"]
    num_base_states: int
    num_symbols: int

    def __post_init__(self) -> None:
        freeze(self, np.int64, "base", "previous")

    def find(
        self, base: Int[np.ndarray, " N"], previous: Int[np.ndarray, "N H"]
    ) -> Int[np.ndarray, " N"]:
        """Indices of the states that stand for (`base`, `previous`); -1 where there is none."""
        keys = context_keys(self.base, self.previous, self.num_symbols)
        order = np.argsort(keys)
        wanted = context_keys(base, previous, self.num_symbols)
        place = np.searchsorted(keys, wanted, sorter=order)
        found = order[np.minimum(place, keys.size - 1)]
        return np.where(keys[found] == wanted, found, -1)


def context_keys(
    base: Int[np.ndarray, " N"], previous: Int[np.ndarray, "N H"], num_symbols: int
) -> Int[np.ndarray, " N"]:
    """One integer per (present state, remembered symbols), in a mixed radix.

    Raises:
        InputError: The history is too long for the number of symbols to be told apart.
    """
    radix = num_symbols + 1
    _require_numbers(int(base.max(initial=0)) + 1, num_symbols, previous.shape[1])
    keys = base.astype(np.int64)
    for column in range(previous.shape[1]):
        keys = keys * radix + previous[:, column] + 1
    return keys


def history_fields(mdp: Any, length: int, of: Memory) -> dict[str, Any]:
    """Fields of the MDP whose states are the last `length` states (or actions) of `mdp`.

    The states are (s, nothing) for every s, where trajectories begin, and every path of up to
    `length` states that the transitions allow.
    """
    num_symbols = mdp.num_states if of == "states" else mdp.num_actions
    _require_numbers(mdp.num_states, num_symbols, length - 1)
    levels = [np.full((mdp.num_states, length), -1, dtype=np.int64)]
    levels[0][:, 0] = np.arange(mdp.num_states)
    for _ in range(length - 1):
        _require_steps(mdp, levels)
        _, _, target = _expand(mdp, levels[-1], of)
        levels.append(np.unique(target, axis=0))
    _require_steps(mdp, levels)
    contexts = np.concatenate(levels)
    history = History(length, of, contexts[:, 0], contexts[:, 1:], mdp.num_states, num_symbols)
    base = history.base
    lists, possible, target = _expand(mdp, contexts, of)
    successors = np.zeros(lists.nnz, dtype=np.int32)
    successors[possible] = history.find(target[:, 0], target[:, 1:])
    shape = (base.size * mdp.num_actions, base.size)
    return {
        "transitions": sparse.csr_array((lists.data, successors, lists.indptr), shape=shape),
        "discount": mdp.discount,
        "initial": np.concatenate([mdp.initial, np.zeros(base.size - mdp.num_states)]),
        "terminal": mdp.terminal[base],
        "allowed": mdp.allowed[base],
        "reward": None if mdp.reward is None else mdp.reward[base],
        "features": None if mdp.features is None else mdp.features[base],
        "feature_names": mdp.feature_names,
        "coordinates": None if mdp.coordinates is None else mdp.coordinates[base],
        "state_names": mdp.state_names,
        "action_names": mdp.action_names,
        "history": history,
        "worlds": mdp.worlds,
        "notes": mdp.notes,
    }


def _require_numbers(states: int, symbols: int, remembered: int) -> None:
    """Raise an `InputError` for more contexts than whole numbers."""
    if states * (symbols + 1) ** remembered >= 2**62:
        raise InputError(
            f"a history of {remembered + 1} over {symbols} symbols has more contexts than can be "
            "numbered; use a shorter history"
        )


def _require_steps(mdp: Any, levels: list[np.ndarray]) -> None:
    """Raise an `InputError` for more pasts than fit into memory with all that may follow them."""
    length = levels[0].shape[1]
    per_state = np.diff(mdp.transitions.indptr[:: mdp.num_actions])
    steps = sum(int(per_state[level[:, 0]].sum()) for level in levels)
    if steps * length > _MAX_CELLS:
        raise InputError(
            f"a history of {length} has more than {sum(map(len, levels))} different pasts here, "
            "too many to keep; use a shorter history"
        )


def _expand(
    mdp: Any, contexts: Int[np.ndarray, "C n"], of: Memory
) -> tuple[sparse.csr_array, np.ndarray, Int[np.ndarray, "E n"]]:
    """Every step out of `contexts`: lists of the world's states, which entries of these can
    happen, and the next context of each that can.
    """
    base, actions = contexts[:, 0], mdp.num_actions
    pairs = base[:, None] * actions + np.arange(actions)
    lists = mdp.transitions[pairs.ravel()]
    rows = np.repeat(np.arange(lists.shape[0]), np.diff(lists.indptr))
    live = (mdp.allowed[base] & ~mdp.terminal[base][:, None]).ravel()
    possible = (lists.data > 0) & live[rows]
    source, action = np.divmod(rows[possible], actions)
    target = np.empty((source.size, contexts.shape[1]), dtype=np.int64)
    target[:, 0] = lists.indices[possible]
    if contexts.shape[1] > 1:
        target[:, 1] = base[source] if of == "states" else action
        target[:, 2:] = contexts[source, 1:-1]
    return lists, possible, target


def history_rows(
    base: Int[np.ndarray, " N"],
    actions: Int[np.ndarray, " N"],
    continues: np.ndarray,
    length: int,
    of: Memory,
) -> Int[np.ndarray, "N H"]:
    """What is remembered at each row of a table of decisions, most recent first, -1 for nothing.

    Args:
        base: `[N]` states in time order.
        actions: `[N]` actions, -1 where missing: nothing before a missing action is remembered
            where actions are.
        continues: `[N]` bool, whether the row goes on from the row before it.
        length: n, as in `History`.
        of: As in `History`.
    """
    previous = np.full((base.size, length - 1), -1, dtype=np.int64)
    symbols = base if of == "states" else actions
    for column in range(length - 1):
        earlier = symbols if column == 0 else previous[:, column - 1]
        shifted = np.concatenate([[-1], earlier[:-1]]) if base.size else earlier
        known = continues if column == 0 else continues & (previous[:, 0] >= 0)
        previous[:, column] = np.where(known, shifted, -1)
    return previous


def check_history(length: int, of: str, already: bool) -> None:
    """Raise an `InputError` for a history that cannot be made."""
    if already:
        raise InputError("this MDP has a history already; call with_history on the plain MDP")
    if not isinstance(length, int | np.integer) or length < 1:
        raise InputError(f"a history must look at 1 state or more; got {length}")
    if of not in ("states", "actions"):
        raise InputError(f'of must be "states" or "actions"; got {of!r}')
