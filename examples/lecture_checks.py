"""Checks of the lecture's exercises: what is missing, what is wrong, and where."""

import sys
from collections.abc import Callable
from traceback import extract_tb
from types import FunctionType, TracebackType
from typing import Any

import numpy as np

from inverseq.forward import value_iteration
from inverseq.worlds import four_by_three

WORLD = four_by_three(step_reward=-0.04).mdp
BEST = value_iteration(WORLD)


class NotYet(Exception):
    """An exercise is not finished. Shown as its message alone, in a terminal and in a notebook."""

    def _render_traceback_(self) -> list[str]:
        """What a notebook shows instead of a traceback."""
        return [str(self)]


def _show(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """What a terminal shows."""
    if isinstance(error, NotYet):
        print(error, file=sys.stderr)
    else:
        sys.__excepthook__(kind, error, trace)


sys.excepthook = _show


def check(name: str, attempt: FunctionType) -> None:
    """Say that an exercise is right.

    Args:
        name: Of the function that was to be completed.
        attempt: The function.

    Raises:
        NotYet: A blank is left, or the answer is wrong; the message says which and where.
    """
    number = list(_CHECKS).index(name) + 1
    blank = Ellipsis in attempt.__code__.co_consts
    wrong = "replace the three dots by an expression" if blank else _tried(name, attempt)
    if wrong:
        raise NotYet(
            f"exercise {number}, {name}: {wrong.rstrip('.')}. It should {_WANTED[name]}."
        ) from None
    print(f"exercise {number}, {name}: right")


def _tried(name: str, attempt: FunctionType) -> str:
    """What is wrong with an attempt, an error inside of it included; nothing where it is right."""
    try:
        return _CHECKS[name](attempt)
    except Exception as error:  # whatever an attempt may raise is its author's to see
        mine = [f for f in extract_tb(error.__traceback__) if f.filename != __file__]
        line = f" in the line `{mine[0].line}`" if mine and mine[0].line else ""
        return f"{type(error).__name__}{line}: {error}"


def _differs(found: Any, wanted: np.ndarray, what: str, tolerance: float = 1e-6) -> str:
    """Where an array is not what it should be; nothing where it is."""
    array = np.asarray(found)
    if array.shape != wanted.shape:
        return f"the shape of {what} should be {wanted.shape}, it is {array.shape}"
    bad = ~(np.abs(array - wanted) <= tolerance)
    if not bad.any():
        return ""
    where = tuple(int(i) for i in np.argwhere(bad)[0])
    place = f"state {where[0]}" + (f", action {where[1]}" if len(where) > 1 else "")
    return f"{what} of {place} should be {wanted[where]:.6g}, it is {array[where]:.6g}"


def _action_values(attempt: FunctionType) -> str:
    """Exercise 1, from values that are all different."""
    values = np.linspace(-1, 2, 11)
    return _differs(attempt(values), _wanted_q(values), "the value")


def _wanted_q(values: np.ndarray) -> np.ndarray:
    """What actions are worth."""
    assert WORLD.reward is not None  # the 4x3 world has one
    return WORLD.reward + WORLD.discount * WORLD.expected(values)


def _backup(attempt: FunctionType) -> str:
    """Exercise 2."""
    values = np.linspace(-1, 2, 11)
    return _differs(attempt(values), _wanted_q(values).max(1), "the value")


def _value_iteration(attempt: FunctionType) -> str:
    """Exercise 3: a sloppy and a strict tolerance."""
    strict = _differs(attempt(1e-10), BEST.values, "the value")
    if strict:
        return strict
    if not np.abs(attempt(0.1) - BEST.values).max() > 1e-6:
        return "it should stop once no value changes by more than the tolerance"
    return ""


def _best_actions(attempt: FunctionType) -> str:
    """Exercise 4: any of the best where several are."""
    found = np.asarray(attempt(BEST.values))
    if found.shape != (11,):
        return f"the shape of the actions should be (11,), it is {found.shape}"
    inside = np.flatnonzero(~WORLD.terminal)
    for state in inside:
        if BEST.policy[state, int(found[state])] == 0:
            best = WORLD.action_names[int(np.argmax(BEST.policy[state]))]
            return f"the best action of state {state} is {best}, not action {int(found[state])}"
    return ""


def _choose(attempt: FunctionType) -> str:
    """Exercise 5: shares of actions at two rates of exploration."""
    rng, q = np.random.default_rng(0), np.zeros((11, 4))
    q[2, 1] = 1.0
    for rate, wanted in ((0.0, [0, 1, 0, 0]), (0.4, [0.1, 0.7, 0.1, 0.1])):
        chosen = [attempt(q, 2, rate, rng) for _ in range(4000)]
        if odd := [each for each in chosen if each is None or np.ndim(each)]:
            return f"it returned {odd[0]}"
        shares = np.bincount(np.asarray(chosen, dtype=int), minlength=4) / 4000
        if shares.size > 4 or np.abs(shares - wanted).max() > 0.04:
            return (
                f"at exploration {rate:g} the shares of actions should be {wanted}, they are "
                f"{shares.round(2).tolist()}"
            )
    return ""


def _learn(attempt: FunctionType) -> str:
    """Exercise 6: a step in the middle, and one at the end of a game."""
    start = np.arange(44.0).reshape(11, 4)
    for over, target in ((False, -0.04 + 23.0), (True, -0.04)):
        q, wanted = start.copy(), start.copy()
        wanted[2, 1] += 0.5 * (target - wanted[2, 1])
        attempt(q, 2, 1, -0.04, 5, over, 0.5)
        when = "the end of a game" if over else "a step that goes on"
        if wrong := _differs(q, wanted, f"after {when}, Q"):
            return wrong
    return ""


def _q_learning(attempt: FunctionType) -> str:
    """Exercise 7: as near to the optimum as 3,000 games allow."""
    q = np.asarray(attempt(3000, np.random.default_rng(0)))
    if q.shape != (11, 4):
        return f"the shape of Q should be (11, 4), it is {q.shape}"
    error = float(np.abs(q.max(1) - BEST.values).max())
    worst = int(np.argmax(np.abs(q.max(1) - BEST.values)))
    if error > 0.15:
        return (
            f"after 3,000 games the value of state {worst} is {q[worst].max():.3f} and should be "
            f"near {BEST.values[worst]:.3f}; are all actions tried, and do steps shrink"
        )
    return ""


_WANTED = {
    "action_values": "return an array [11, 4], a value for each state and action",
    "backup": "return an array [11], a value for each state",
    "value_iteration": "return an array [11], a value for each state",
    "best_actions": "return an array [11] of whole numbers, an action from 0 to 3 for each state",
    "choose": "return one whole number, an action from 0 to 3",
    "learn": "change q, an array [11, 4], at one state and action",
    "q_learning": "return an array [11, 4], a value for each state and action",
}
"""What each exercise should do, with the shape of it."""

_CHECKS: dict[str, Callable[[FunctionType], str]] = {
    "action_values": _action_values,
    "backup": _backup,
    "value_iteration": _value_iteration,
    "best_actions": _best_actions,
    "choose": _choose,
    "learn": _learn,
    "q_learning": _q_learning,
}
