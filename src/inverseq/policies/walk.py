"""Who walks, and when: each decision finds the numbers of its own time."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float, Int, Shaped

from inverseq._core.arrays import freeze
from inverseq._core.errors import InputError
from inverseq.demonstrations import Demonstrations

STEP = "step"
"""What walks with the number of the decision in its trajectory."""

_DIGITS = re.compile(r"(\d+)")


@dataclass(frozen=True, eq=False)
class Walk:
    """Chains of moments, one after the other; M moments in all, and behind them all as one.

    Attributes:
        by: What the walk goes over: "step", or a column per trajectory or per decision.
        of: Trajectory column that names who walks; empty where all walk together.
        whose: `[M]` who walks; empty where all walk together.
        moments: `[M]` names of the moments, in order within each chain.
        times: `[M]` when each is: numbers as they are, names one apart.
    """

    by: str
    of: str
    whose: Shaped[np.ndarray, " M"]
    moments: Shaped[np.ndarray, " M"]
    times: Float[np.ndarray, " M"]

    def __post_init__(self) -> None:
        freeze(self, np.float64, "times")

    @property
    def chains(self) -> dict[str, slice]:
        """Where the moments of each who walks are."""
        firsts = np.flatnonzero(self.firsts)
        ends = np.append(firsts[1:], self.whose.size)
        return {
            str(self.whose[i]): slice(int(i), int(j)) for i, j in zip(firsts, ends, strict=True)
        }

    @property
    def firsts(self) -> np.ndarray:
        """`[M]` whether a moment is the first of its chain."""
        return np.append(True, self.whose[1:] != self.whose[:-1])

    def which(self, demonstrations: Demonstrations) -> Int[np.ndarray, " N"]:
        """The moment of each decision: its own, else the nearest in time; of who was never seen,
        all of them.

        Raises:
            InputError: A column is missing or has empty cells, or has names where it had numbers.
        """
        whose, names = _columns(demonstrations, self.by, self.of)
        pairs, back = np.unique(np.stack([whose, names]), axis=1, return_inverse=True)
        found = np.full(pairs.shape[1], self.whose.size)
        chains = self.chains
        own = {(str(who), str(name)): i for i, (who, name) in enumerate(self._named())}
        for number, (who, name) in enumerate(pairs.T):
            if (str(who), str(name)) in own:
                found[number] = own[str(who), str(name)]
            elif str(who) in chains:
                found[number] = self._nearest(chains[str(who)], str(name))
        return found[back.ravel()]

    def _named(self) -> Iterable[tuple[Any, Any]]:
        """Who walks and the name of each moment."""
        return zip(self.whose, self.moments, strict=True)

    def _nearest(self, chain: slice, name: str) -> int:
        """The moment of a chain that a name belongs to."""
        names = [str(one) for one in self.moments[chain]]
        value, numbered = _number(name), all(_number(one) is not None for one in names)
        if (value is not None) != numbered:
            raise InputError(
                f"nothing says when {self.by} {name!r} was: the moments that were fitted are "
                f"{'numbers' if numbered else 'names'}, as {names[0]!r}"
            )
        if value is not None:
            return chain.start + int(np.abs(self.times[chain] - value).argmin())
        before = sum(_natural(one) < _natural(name) for one in names)
        return chain.start + max(before - 1, 0)


def walk_over(demonstrations: Demonstrations, by: str, of: str | None) -> Walk:
    """The moments that occur, in order: numbers by size, names as "day 2" before "day 10".

    Raises:
        InputError: A column is missing, or moments stand in another order than their names.
    """
    whose, names = _columns(demonstrations, by, of or "")
    parts: list[tuple[str, list[str], list[float]]] = []
    for who in dict.fromkeys(whose):
        seen = [str(name) for name in dict.fromkeys(names[whose == who])]
        values = [_number(name) for name in seen]
        if all(value is not None for value in values):
            order = np.argsort(np.array(values, dtype=np.float64), kind="stable")
            times = np.array(values, dtype=np.float64)[order].tolist()
            if len(set(times)) < len(times):
                raise InputError(f"{by} writes one number in two ways; got {seen[:5]}")
            parts.append((str(who), [seen[i] for i in order], times))
            continue
        if sorted(seen, key=_natural) != seen:
            raise InputError(
                f"{by} {seen[0]!r} comes first in the table, and its name not: what walks needs to "
                "know what came after what. Take a column that numbers them"
            )
        parts.append((str(who), seen, [float(i) for i in range(len(seen))]))
    return Walk(
        by,
        of or "",
        np.array([who for who, own, _ in parts for _ in own]),
        np.array([name for _, own, _ in parts for name in own]),
        np.array([time for *_, times in parts for time in times]),
    )


def _natural(name: str) -> list[Any]:
    """A key by which "day 2" comes before "day 10"."""
    return [(0, int(p), "") if p.isdigit() else (1, 0, p) for p in _DIGITS.split(name) if p]


def _columns(data: Demonstrations, by: str, of: str) -> tuple[np.ndarray, np.ndarray]:
    """Of each decision, who walks and at which moment, as words.

    Raises:
        InputError: There is no such column, or some decision has no moment.
    """
    for name, there in ((by, data.decisions), (of, {})):
        if name and name != STEP and name not in there and name not in data.trajectories:
            raise InputError(
                f"nothing says {'when' if name == by else 'whose'} these decisions are: there is "
                f"no column {name!r}. There are {STEP} (the number of the decision in its "
                f"trajectory), {[*data.trajectories, *data.decisions]}"
            )
    own = data.trajectory_of
    whose = np.full(own.size, "") if not of else data.trajectories[of].astype(str)[own]
    if by == STEP:
        return whose, data.step.astype(str)
    column = data.decisions[by] if by in data.decisions else data.trajectories[by][own]
    names = column.astype(str)
    if np.isin(names, ("", "nan")).any():
        raise InputError(f"{by} has empty cells: what walks needs to know when each decision was")
    return whose, names


def _number(name: str) -> float | None:
    """The number that a name is, or None."""
    try:
        value = float(name)
    except ValueError:
        return None
    return value if np.isfinite(value) else None
