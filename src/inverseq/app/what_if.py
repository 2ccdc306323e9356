"""What the fitted agent would do if a door were closed, a reward moved, or the future counted
otherwise: planned anew within the world of the fit.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Int

from inverseq._core.errors import InputError
from inverseq.analysis.places import averaged, expected_moves, places
from inverseq.inverse.solution import Solution
from inverseq.mdp import MDP

_LONGEST_PATH = 80
_MOST_STATES = 20_000


@dataclass(frozen=True)
class Change:
    """What is to be otherwise.

    Attributes:
        closed: Pairs of places (numbers without history) between which nobody passes.
        swapped: Two places that exchange what they are worth; or None.
        discount: gamma; None for that of the fit.
    """

    closed: tuple[tuple[int, int], ...] = ()
    swapped: tuple[int, int] | None = None
    discount: float | None = None


def planned(
    solution: Solution, change: Change, within: tuple[int, int], start: int | None = None
) -> dict[str, Any]:
    """What is done after a change, for JSON.

    Args:
        solution: Of one intention, with places.
        change: What is otherwise.
        within: The first place of the world that is looked at, and the one behind its last.
        start: The place where ways begin; None for where behaviour began.

    Returns:
        Of the places of that world: "policy" `[P, A]`, "value" `[P]` less its mean over decisions,
        "visits" `[P]` expected on one way to an end, "path" the most likely places (by their
        numbers there), and "moves" expected on one way; where ways do not end for sure, None, and
        visits are discounted.

    Raises:
        InputError: A place does not exist, one would be left without a way, or the fit does not
            say how its agent plans.
    """
    mdp, reward, planning = solution.mdp, solution.reward, solution.planning
    if mdp is None or reward is None or planning is None or solution.visits is None:
        raise InputError(f"{solution.solver} does not say how its agent plans: nothing to replan")
    if mdp.num_states > _MOST_STATES:
        raise InputError(f"a world of {mdp.num_states:,} states is too large to plan in at once")
    base = np.arange(mdp.num_states) if mdp.history is None else mdp.history.base
    count = int(base.max()) + 1
    used = [*sum(change.closed, ()), *(change.swapped or ()), *([] if start is None else [start])]
    if any(not 0 <= place < count for place in used) or not 0 <= within[0] < within[1] <= count:
        raise InputError(f"places have numbers from 0 to {count - 1}")
    if change.discount is not None and not 0 <= change.discount < 1:
        raise InputError("the discount lies between 0 and 1, and below 1 here")
    world = replace(mdp, allowed=_left(mdp, base, change.closed))
    if change.discount is not None:
        world = replace(world, discount=change.discount)
    table = np.where(mdp.allowed, reward, 0.0)
    if change.swapped is not None:
        table = _swapped(solution, table, base, change.swapped)
    policy, plan = planning.plan(world, table)
    chances = policy.per_state(world)
    begins = replace(world, initial=_beginning(world, base, within, start))
    ends = bool(mdp.terminal.any())
    try:
        moves = expected_moves(begins, chances)
    except InputError:  # some ways never end
        ends = False
        moves = expected_moves(begins, chances, to_an_end=False)
    value = np.zeros(len(base)) if plan is None else np.asarray(plan.v)
    shown = averaged(value, base, solution.visits)
    centre = float(solution.visits @ value / solution.visits.sum())
    return {
        "policy": np.round(averaged(chances, base, solution.visits), 4)[slice(*within)],
        "value": np.round(shown - centre, 4)[slice(*within)],
        "visits": np.round(moves.sum(axis=1), 4)[slice(*within)],
        "path": [place - within[0] for place in _path(begins, chances, base)],
        "moves": round(float(moves.sum()), 2) if ends else None,
    }


def _left(
    mdp: MDP, base: Int[np.ndarray, " S"], closed: Sequence[tuple[int, int]]
) -> Bool[np.ndarray, "S A"]:
    """The actions that are left where doors are closed.

    Raises:
        InputError: None is left at a place.
    """
    left = mdp.allowed.copy()
    if not closed:
        return left
    lists = mdp.transitions
    pair = np.repeat(np.arange(lists.shape[0]), np.diff(lists.indptr))
    come, go = base[pair // mdp.num_actions], base[lists.indices]
    likely = lists.data >= 0.5
    for a, b in closed:
        through = likely & (((come == a) & (go == b)) | ((come == b) & (go == a)))
        left[pair[through] // mdp.num_actions, pair[through] % mdp.num_actions] = False
    stuck = np.flatnonzero(~left.any(axis=1) & mdp.allowed.any(axis=1))
    if stuck.size:
        place = int(base[stuck[0]])
        name = mdp.state_names[place] if mdp.state_names and mdp.history is None else place
        raise InputError(f"no way would be left at place {name}: open one of its doors")
    return left


def _swapped(
    solution: Solution,
    table: Float[np.ndarray, "S A"],
    base: Int[np.ndarray, " S"],
    pair: tuple[int, int],
) -> Float[np.ndarray, "S A"]:
    """The reward where two places have exchanged what they are worth on average."""
    worth = places(solution).reward
    a, b = pair
    made = table.copy()
    made[base == a] += worth[b] - worth[a]
    made[base == b] += worth[a] - worth[b]
    return made


def _beginning(
    mdp: MDP, base: Int[np.ndarray, " S"], within: tuple[int, int], start: int | None
) -> Float[np.ndarray, " S"]:
    """Where ways begin: at one place, without a past where there is such a state, or where
    behaviour began in this world.
    """
    inside = (base >= within[0]) & (base < within[1])
    if start is not None:
        begin = np.zeros(len(base))
        begin[np.flatnonzero(base == start)[0]] = 1.0
        return begin
    begin = np.where(inside, mdp.initial, 0.0)
    begin = begin if begin.sum() > 0 else inside.astype(float)
    return begin / begin.sum()


def _path(mdp: MDP, policy: Float[np.ndarray, "S A"], base: Int[np.ndarray, " S"]) -> list[int]:
    """The places of the most likely way, until it ends or comes back to where it was."""
    state = int(np.argmax(mdp.initial))
    path, seen = [int(base[state])], {state}
    lists = mdp.transitions
    while len(path) < _LONGEST_PATH and not mdp.terminal[state]:
        row = state * mdp.num_actions + int(np.argmax(policy[state]))
        part = slice(lists.indptr[row], lists.indptr[row + 1])
        if part.start == part.stop:
            break
        state = int(lists.indices[part][np.argmax(lists.data[part])])
        path.append(int(base[state]))
        if state in seen:
            break
        seen.add(state)
    return path
