"""From options about several intentions to their settings."""

from dataclasses import replace
from typing import Any

from inverseq._core.errors import InputError
from inverseq.cli.candidates import Menu
from inverseq.cli.options import Changing
from inverseq.demonstrations import Demonstrations
from inverseq.intentions.contexts import PREVIOUS, STATE
from inverseq.intentions.switching import DependentMarkov, Markov, Mixture, Switching
from inverseq.inverse.iavi import IAVI
from inverseq.inverse.maxent import MaxEnt
from inverseq.inverse.problem import Solver
from inverseq.inverse.solution import Solution

RESTARTS = 10
_EXPLAINERS = ("iavi", "maxent-states", "maxent-state-actions", "maxent-features")


def refuse_without_intentions(changing: Changing, **others: Any) -> None:
    """Raise an `InputError` for an option that means nothing for a single reward."""
    given = {"switching": changing.switching, "restarts": changing.restarts} | others
    for name, value in given.items():
        if value is not None:
            raise InputError(f"--{name} goes with --intentions; add --intentions 3, or drop it")


def numbers_of(text: str) -> tuple[int, ...]:
    """Numbers of intentions, from "1,2,3".

    Raises:
        InputError: One is no whole number from 1.
    """
    parts = [part.strip() for part in text.split(",") if part.strip()]
    wrong = [part for part in parts if not part.isdecimal() or int(part) < 1]
    if wrong or not parts:
        raise InputError(
            f"--intentions must be whole numbers from 1 with commas between, such as 1,2,3; got "
            f"{(wrong[0] if wrong else text)!r}"
        )
    return tuple(sorted({int(part) for part in parts}))


def law_of(text: str | None, demonstrations: Demonstrations) -> Switching:
    """The law of switching that an option names.

    Raises:
        InputError: There is no such law and no such column.
    """
    if text in (None, "markov"):
        return Markov()
    if text == "mixture":
        return Mixture()
    names = tuple(part.strip() for part in str(text).split(",") if part.strip())
    known = [STATE, "step", *(["time"] if demonstrations.time is not None else [])]
    # A column of texts is refused where it is read, which says why.
    columns = demonstrations.decisions
    wrong = [n for n in names if n.removeprefix(PREVIOUS) not in {*known, *columns}]
    numeric = {name for name, values in columns.items() if values.dtype.kind in "biuf"}
    known += sorted(numeric - set(known))
    if wrong or not names:
        raise InputError(
            f"--switching {wrong[0] if wrong else repr(text)}: there is no such law and no such "
            f"column; give mixture, markov, or some of {', '.join(known)} (or 'previous X' for X "
            "one row earlier), with commas between"
        )
    return DependentMarkov(on=names)


def several(k: int) -> str:
    """How many intentions, in words."""
    return "1 intention" if k == 1 else f"{k} intentions"


def law_in_words(law: Switching) -> str:
    """The law as part of a sentence."""
    if isinstance(law, Mixture):
        return "one intention for all of a trajectory"
    if isinstance(law, Markov):
        return "a Markov chain, the same everywhere"
    return f"a Markov chain whose chances depend on {' and '.join(law.on)}"


def explainer_of(solver: str, menu: Menu) -> tuple[Solver[Solution], str]:
    """What explains each intention, and its name.

    Raises:
        InputError: It cannot explain several, or the world has no features.
    """
    solver = "iavi" if solver == "best" else solver
    if solver not in _EXPLAINERS:
        raise InputError(
            f"--solver {solver} takes no --intentions: give {', '.join(_EXPLAINERS)}. A memory "
            "comes with --history, whatever the solver"
        )
    if solver == "iavi":
        anchor = menu.anchor if menu.gauge == "anchor" else None
        return IAVI(smoothing=menu.smoothing, gauge=menu.gauge, anchor=anchor), "IAVI"
    what = solver.removeprefix("maxent-")
    if what == "features" and not menu.features:
        raise InputError("--solver maxent-features needs a world with features; take maxent-states")
    maxent = MaxEnt(reward=what, strength=1.0)
    if menu.units > 1:
        folds = min(menu.folds, menu.units)
        maxent = replace(maxent, strength=None, folds=folds, by=menu.by, seed=menu.seed)
    return maxent, f"MaxEnt on {what}"
