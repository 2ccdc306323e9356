"""Fields of an MDP from what people have: a full array, a table, a simulator, observations."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Int
from scipy import sparse
from scipy.sparse import csgraph

from inverseq._core.arrays import frozen_array, require_finite, require_numbering, require_shape
from inverseq._core.errors import InputError, argument
from inverseq._core.memory import require_room

Fields = dict[str, Any]

_EMPTY = ("", "None", "nan", "NaN", "<NA>", "NaT")
"""How missing values of Python and its frames read as text."""


def fields_from_dense(transitions: Float[np.ndarray, "S A S"]) -> Fields:
    """Successor lists of a full transition array."""
    array = frozen_array(transitions, np.float64, "transitions")
    require_shape(array, (None, None, array.shape[0]), "transitions", "S, A, S")
    state, action, following = np.nonzero(array)
    return lists_of(state, action, following, array[state, action, following], array.shape[:2])


def lists_of(
    state: np.ndarray,
    action: np.ndarray,
    following: np.ndarray,
    probability: np.ndarray,
    shape: tuple[int, int],
) -> Fields:
    """Lists of successors from one row per (state, action, next state); duplicates are added."""
    num_states, num_actions = shape
    pair = state.astype(np.int64) * num_actions + action
    merged = sparse.coo_array(
        (probability, (pair, following)), shape=(num_states * num_actions, num_states)
    )
    return {"transitions": merged.tocsr()}


def listed(successors: Any, probabilities: Any) -> sparse.csr_array:
    """Lists of successors from arrays `[S, A, B]` that hold equally many of each pair."""
    following = frozen_array(successors, np.int32, "successors")
    chances = frozen_array(probabilities, np.float64, "probabilities")
    require_shape(following, (None, None, None), "successors", "S, A, B")
    require_shape(chances, following.shape, "probabilities", "S, A, B")
    require_finite(chances, "probabilities")
    states, actions, width = following.shape
    if states == 0 or actions == 0:
        raise InputError("an MDP needs at least one state and one action")
    kind = np.int32 if following.size < 2**31 else np.int64
    pointer = np.arange(states * actions + 1, dtype=kind) * width
    parts = (chances.ravel(), following.ravel(), pointer)
    return sparse.csr_array(parts, shape=(states * actions, states))


def frozen_transitions(lists: sparse.csr_array) -> sparse.csr_array:
    """The lists, read-only.

    Raises:
        InputError: They are no sparse matrix with a row per state and action.
    """
    if not sparse.issparse(lists) or 0 in lists.shape or lists.shape[0] % lists.shape[1]:
        raise InputError("transitions must be a sparse array [S * A, S] with a row per pair")
    rows = sparse.csr_array(lists)
    kind = np.int32 if rows.nnz < 2**31 else np.int64
    parts = (rows.data, np.float64), (rows.indices, kind), (rows.indptr, kind)
    frozen = tuple(frozen_array(part, dtype, "transitions") for part, dtype in parts)
    return sparse.csr_array(frozen, shape=rows.shape)


def rows_of(lists: sparse.csr_array) -> Int[np.ndarray, " E"]:
    """The row of each entry."""
    return np.repeat(np.arange(lists.shape[0]), np.diff(lists.indptr))


def padded(lists: sparse.csr_array) -> tuple[Int[np.ndarray, "S A B"], Float[np.ndarray, "S A B"]]:
    """Successors and probabilities as arrays, views where all lists are equally long.

    Raises:
        InputError: They do not fit into memory.
    """
    num_states, counts = lists.shape[1], np.diff(lists.indptr)
    width = max(int(counts.max(initial=0)), 1)
    shape = (num_states, lists.shape[0] // num_states, width)
    if (counts == width).all():
        return lists.indices.reshape(shape), lists.data.reshape(shape)
    require_room(
        float(np.prod(shape, dtype=float)) * 12,
        f"an array of {shape[0]:,} states, {shape[1]:,} actions and the {width:,} successors of "
        "the widest",
        "leave out what asked for it (maximum causal entropy and IAVI do without), or join "
        "states, so that fewer follow one",
    )
    # Padding points back at the state itself, so that a picture of the arrays stays readable.
    successors = np.repeat(np.arange(num_states, dtype=np.int32), shape[1])[:, None]
    successors = np.tile(successors, (1, width))
    probabilities = np.zeros(successors.shape)
    rows = rows_of(lists)
    places = np.arange(lists.nnz) - lists.indptr[rows]
    successors[rows, places] = lists.indices
    probabilities[rows, places] = lists.data
    for array in (successors, probabilities):
        array.setflags(write=False)
    return successors.reshape(shape), probabilities.reshape(shape)


def columns_of(table: Any) -> list[Any]:
    """Names of the columns of a mapping or frame."""
    names = getattr(table, "columns", None)
    if names is None and not isinstance(table, Mapping):
        raise InputError(f"a table is a frame or a mapping of columns; got {type(table).__name__}")
    return list(table if names is None else names)


def column(table: Any, name: str) -> np.ndarray:
    """One column of a mapping or frame as an array."""
    present = columns_of(table)
    if name not in present:
        raise InputError(f"the table has no column {name!r}; it has {present}")
    return np.asarray(table[name])


def codes(values: np.ndarray, what: str, rows: int) -> tuple[np.ndarray, tuple[str, ...]]:
    """Whole numbers for states or actions, and the names they stand for (if any).

    `values` are one column of so many `rows`, or several behind each other.
    """
    if values.dtype.kind in "OUS" or str(values.dtype).startswith("str"):
        texts = values.astype(str)
        empty = np.isin(texts, _EMPTY)
        if empty.any():
            raise InputError(f"row {int(np.argmax(empty)) % rows + 1}: {what} is empty")
        names, number = np.unique(texts, return_inverse=True)
        return number.astype(np.int64), tuple(names.tolist())
    number = frozen_array(values, np.int64, what)
    require_numbering(number, what, ", or give them as texts")
    if number.size and number.min() < 0:
        worst = int(np.argmax(number < 0))
        raise InputError(f"row {worst % rows + 1}: {what} is {number[worst]}; numbers start at 0")
    return number, ()


def fields_from_table(table: Any, num_actions: int = 0) -> Fields:
    """Successor lists, allowed actions, terminal states and rewards of a transition table."""
    state, action, following = (column(table, c) for c in ("state", "action", "next_state"))
    probability = frozen_array(column(table, "probability"), np.float64, "probability")
    if not len(state):
        raise InputError("the transition table has no rows")
    lengths = {len(c) for c in (state, action, following, probability)}
    if len(lengths) > 1:
        raise InputError(f"the columns of the transition table differ in length: {lengths}")
    bad = ~np.isfinite(probability) | (probability < 0)
    if bad.any():
        row = int(np.argmax(bad))
        raise InputError(f"row {row + 1}: probability is {probability[row]}; give one in [0, 1]")
    both, state_names = codes(np.concatenate([state, following]), "state", len(state))
    action_codes, action_names = codes(action, "action", len(action))
    state_codes, following_codes = both[: len(state)], both[len(state) :]
    shape = (int(both.max()) + 1, max(int(action_codes.max()) + 1, num_actions))
    exists = np.zeros(shape, dtype=bool)
    exists[state_codes, action_codes] = True
    terminal = exists.sum(1) == 0
    made = lists_of(state_codes, action_codes, following_codes, probability, shape)
    made |= {
        "allowed": exists | terminal[:, None],
        "terminal": terminal,
        "state_names": state_names,
        "action_names": action_names,
    }
    if "reward" in columns_of(table):
        reward = np.zeros(shape)
        earned = probability * frozen_array(column(table, "reward"), np.float64, "reward")
        np.add.at(reward, (state_codes, action_codes), earned)
        made["reward"] = reward
    return made


def fields_from_gymnasium(environment: Any) -> Fields:
    """Successor lists and expected rewards of a toy-text environment's `P`."""
    if not hasattr(environment, "unwrapped"):
        raise InputError(
            f"from_gymnasium needs an environment, gymnasium.make(...); got {environment!r}"
        )
    published = getattr(environment.unwrapped, "P", None)
    if not isinstance(published, Mapping):
        raise InputError(
            f"{environment.unwrapped.__class__.__name__} does not publish its transitions as P. "
            "Use MDP.from_table with its transitions, or MDP.estimate on recorded play."
        )
    outcomes = [
        (s, a, int(n), float(p), float(r), bool(d))
        for s, actions in published.items()
        for a, branches in actions.items()
        for p, n, r, d in branches
    ]
    state, action, following, probability, reward, done = (
        np.array(c) for c in zip(*outcomes, strict=True)
    )
    num_states, num_actions = len(published), int(action.max()) + 1
    exists = np.zeros((num_states, num_actions), dtype=bool)
    exists[state, action] = True
    terminal, earns = _ends(state, following, probability > 0, done, num_states)
    lost = done & ~terminal[state] & ~terminal[following]
    if lost.any():
        # Some state both ends an episode and is passed through: endings get a state of their own.
        following = np.where(lost, num_states, following)
        num_states += 1
        terminal, earns = np.append(terminal, True), np.append(earns, False)
        exists = np.append(exists, [[True] * num_actions], axis=0)
    expected = np.zeros((num_states, num_actions))
    np.add.at(expected, (state, action), probability * reward)
    expected[~earns] = 0.0
    initial = getattr(environment.unwrapped, "initial_state_distrib", None)
    if initial is not None:
        initial = np.concatenate([initial, np.zeros(num_states - len(initial))])
    made = lists_of(state, action, following, probability, (num_states, num_actions))
    return made | {
        "terminal": terminal,
        "allowed": exists | ~exists.any(1, keepdims=True),
        "reward": expected,
        "initial": initial,
    }


def _ends(
    state: np.ndarray, following: np.ndarray, possible: np.ndarray, done: np.ndarray, count: int
) -> tuple[Bool[np.ndarray, " S"], Bool[np.ndarray, " S"]]:
    """Which states are terminal, and which earn a reward, judging by when episodes end.

    A state that is entered only as the episode ends is terminal and earns nothing any more. One
    that is entered while the episode goes on, and ends it with every action, is terminal and earns
    what these actions do.
    """
    marked = lambda where, which: np.bincount(where[which & possible], minlength=count) > 0  # noqa: E731
    moved = state != following
    entered_at_end = marked(following, done & moved)
    entered_before = marked(following, ~done & moved)
    closes = marked(state, done) & ~marked(state, ~done)
    silent = entered_at_end & ~entered_before
    return silent | (closes & ~entered_at_end), ~silent


def terminal_states(
    ended: Int[np.ndarray, " E"], left: Float[np.ndarray, " S"]
) -> Bool[np.ndarray, " S"]:
    """Which states are ends: those in which the world ended something, and which nobody left."""
    terminal = np.zeros(left.size, dtype=bool)
    terminal[ended] = True
    return terminal & (left == 0)  # a state that was also left is passed through, not an end


def transition_shares(
    state: np.ndarray,
    action: np.ndarray,
    following: np.ndarray,
    weight: np.ndarray,
    shape: tuple[int, int],
    smoothing: float,
) -> tuple[Fields, Float[np.ndarray, " S"], Float[np.ndarray, " P"]]:
    """Successor lists of weighted transitions, smoothed towards each state's own average.

    Returns:
        The fields, the weight of the transitions out of each state, and that of each pair of
        state and action.
    """
    if smoothing < 0:
        raise InputError(f"smoothing must be 0 or more; got {smoothing}")
    states, actions = shape
    pair = state.astype(np.int64) * actions + action
    counts = sparse.coo_array((weight, (pair, following)), shape=(states * actions, states))
    by_state = sparse.coo_array((weight, (state, following)), shape=(states, states)).tocsr()
    left = np.asarray(by_state.sum(1)).ravel()
    share = scaled(by_state, 1 / np.where(left > 0, left, 1)) + sparse.diags_array(
        (left == 0).astype(float)
    )
    taken = np.asarray(counts.sum(1)).ravel()
    pull = np.where(taken == 0, 1.0, smoothing)
    pulled, share = np.flatnonzero(pull), sparse.csr_array(share)
    lengths = np.zeros(pull.size, dtype=np.int64)
    lengths[pulled] = np.diff(share.indptr)[pulled // actions]
    require_room(
        bytes_of_estimate(pull.size, counts.nnz + int(lengths.sum())),
        f"a world of {states:,} states and {actions:,} actions",
        "join states so that there are fewer (bins, or a coarser column)",
    )
    rows = share[pulled // actions]
    parts = (rows.data, rows.indices, np.concatenate([[0], np.cumsum(lengths)]))
    spread = sparse.csr_array(parts, shape=counts.shape)
    mixed = scaled(counts.tocsr() + scaled(spread, pull), 1 / (taken + pull)).tocoo()
    keep = mixed.data > 0
    pair, reached = mixed.row[keep], mixed.col[keep]
    made = lists_of(pair // actions, pair % actions, reached, mixed.data[keep], shape)
    return made, left, taken


def bytes_of_estimate(pairs: int, transitions: int) -> float:
    """Memory that an estimate takes while it is made, for so many pairs of state and action."""
    return 100.0 * pairs + 80.0 * transitions


def bytes_of_fit(pairs: int) -> float:
    """Memory of all tables [S, A] of a fit together: 20 of them at the peak, as measured."""
    return 160.0 * pairs


def fields_from_demonstrations(
    demonstrations: Any, smoothing: float, num_states: int = 0, num_actions: int = 0
) -> Fields:
    """Transition shares of observed decisions, smoothed towards each state's own average."""
    states = max(demonstrations.num_states, num_states)
    actions = max(demonstrations.num_actions, num_actions)
    following = demonstrations.next_states
    seen = demonstrations.acted & (following >= 0)
    if not seen.any():
        raise InputError(
            "no row has both an action and a next state: nothing says what actions lead to. Where "
            "the rows of a session are numbered as trajectories of their own, put them in order, "
            f"{argument('trajectory', None)} {argument('time', 'COLUMN')}; else give a next_state "
            "column or a world"
        )
    used = (demonstrations.states, following)
    require_numbering(np.concatenate(used), "state", ", or read them as names")
    made, left, taken = transition_shares(
        demonstrations.states[seen],
        demonstrations.actions[seen],
        following[seen],
        np.ones(int(seen.sum())),
        (states, actions),
        smoothing,
    )
    ended = following[demonstrations.terminated]
    first = np.bincount(demonstrations.states[demonstrations.starts[:-1]], minlength=states)
    return made | {
        "terminal": terminal_states(ended[ended >= 0], left),
        "initial": first / first.sum(),
        "state_names": demonstrations.state_names,
        "action_names": demonstrations.action_names,
        "notes": {
            "estimated": "transitions counted in the demonstrations",
            "smoothing": float(smoothing),
            "transitions": int(seen.sum()),
            "pairs_never_taken": int((taken == 0).sum()),
        },
    }


def scaled(matrix: sparse.csr_array, factors: np.ndarray) -> sparse.csr_array:
    """`matrix` with row i multiplied by `factors[i]`."""
    repeated = np.repeat(factors, np.diff(matrix.indptr))
    return sparse.csr_array((matrix.data * repeated, matrix.indices, matrix.indptr), matrix.shape)


def ends_surely(transitions: sparse.csr_array, terminal: Bool[np.ndarray, " S"]) -> bool:
    """Whether a terminal state can be reached from every state."""
    return bool(reached(edges_of(transitions).T, terminal).all())


def edges_of(transitions: sparse.csr_array) -> sparse.coo_array:
    """`[S, S]` with an entry for each move from state to state, of `[S * A, S]` transitions."""
    size, moves = transitions.shape[1], transitions.tocoo()
    tails = moves.row // (transitions.shape[0] // size)
    return sparse.coo_array((np.ones(moves.nnz), (tails, moves.col)), (size, size))


def reached(edges: sparse.coo_array, start: Bool[np.ndarray, " S"]) -> Bool[np.ndarray, " S"]:
    """The states to which edges lead from those of the start, itself included."""
    size, begins = start.size, np.flatnonzero(start)
    # One more node leads to every beginning.
    rows = np.concatenate([edges.row, np.full(begins.size, size)])
    columns = np.concatenate([edges.col, begins])
    more = sparse.csr_array((np.ones(rows.size), (rows, columns)), shape=(size + 1, size + 1))
    found = np.zeros(size + 1, dtype=bool)
    found[csgraph.breadth_first_order(more, size, return_predecessors=False)] = True
    return found[:size]
