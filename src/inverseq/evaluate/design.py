"""Who is an animal, which group each belongs to, and one fit for each."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np
from jaxtyping import Float, Int

from inverseq._core.errors import InputError, argument
from inverseq.demonstrations import Demonstrations
from inverseq.inverse.explanation import check_demonstrations
from inverseq.inverse.fit import fit
from inverseq.inverse.problem import Problem, Progress, Solver, settled
from inverseq.inverse.solution import Solution
from inverseq.mdp import MDP, as_one

_MOST_LEVELS = 12
"""Groups beyond which a column is no column of groups."""

Key = str | tuple[str, str]
"""An animal, or an animal and a level."""


class Kind(StrEnum):
    """Where the groups lie."""

    BETWEEN = "between animals"
    WITHIN = "within animals"


@dataclass(frozen=True, eq=False)
class Design:
    """Which animals were seen in which group, as the table says.

    Attributes:
        kind: Whether each animal is in one group, or in all of them.
        by: The column that names the n animals.
        between: The column that names the G groups.
        animals: `[n]` names, in the order of the table.
        levels: `[G]` names of the groups, in order.
        group: `[n]` the group of each animal; 0 for all where animals are in all groups.
        sessions: `[n]` sessions of each animal; 0 where the table has no sessions.
        left_out: Animals that were not seen in every group, where others were.
    """

    kind: Kind
    by: str
    between: str
    animals: tuple[str, ...]
    levels: tuple[str, ...]
    group: Int[np.ndarray, " n"]
    sessions: Int[np.ndarray, " n"]
    left_out: tuple[str, ...] = ()

    @property
    def nested(self) -> bool:
        """Whether several sessions belong to one animal, which do not count as animals."""
        return bool((self.sessions > 1).any())

    @property
    def sizes(self) -> tuple[int, ...]:
        """`[G]` animals in each group."""
        if self.kind is Kind.WITHIN:
            return (len(self.animals),) * len(self.levels)
        return tuple(int(n) for n in np.bincount(self.group, minlength=len(self.levels)))

    def cells(self, animal: str) -> tuple[Key, ...]:
        """What has a fit of its own: the animal, or the animal in each group."""
        if self.kind is Kind.BETWEEN:
            return (animal,)
        return tuple((animal, level) for level in self.levels)

    @property
    def units(self) -> tuple[str, ...]:
        """What `fit_each` is to fit apart."""
        return (self.by,) if self.kind is Kind.BETWEEN else (self.by, self.between)


def design_of(demonstrations: Demonstrations, between: str, by: str = "subject") -> Design:
    """The design of a table: `between` is constant in an animal, or varies within animals.

    Raises:
        InputError: There is no such column, fewer than two groups or more than 12, a group of
            fewer than two animals, or some animals are in one group and others in several.
    """
    check_demonstrations(demonstrations, "design_of")
    known = np.bincount(
        demonstrations.trajectory_of[demonstrations.acted],
        minlength=demonstrations.num_trajectories,
    )
    told = demonstrations.take(known > 0) if known.any() else demonstrations
    name_of, level_of = _column(told, by, "by"), _column(told, between, "between")
    animals, levels = tuple(dict.fromkeys(name_of)), _in_order(set(level_of))
    if between == by:
        raise InputError(
            f"{argument('between', between)} names the animals themselves; name the column of "
            "their groups: genotype, treatment, sex"
        )
    if not 2 <= len(levels) <= _MOST_LEVELS:
        raise InputError(
            f"column {between!r} names {len(levels)} groups; 2 to {_MOST_LEVELS} can be compared"
        )
    rows = np.array([animals.index(name) for name in name_of])
    columns = np.array([levels.index(level) for level in level_of])
    seen = np.zeros((len(animals), len(levels)), dtype=bool)
    seen[rows, columns] = True
    sessions = np.zeros(len(animals), dtype=np.int64)
    if "session" in told.trajectories:
        pairs = np.unique(np.stack([rows, told.units("session")]), axis=1)
        sessions = np.bincount(pairs[0], minlength=len(animals))
    if (seen.sum(1) == 1).all():
        made = Design(Kind.BETWEEN, by, between, animals, levels, seen.argmax(1), sessions)
        small = [level for level, size in zip(levels, made.sizes, strict=True) if size < 2]
        if small:
            raise InputError(
                f"{between} {small[0]} has one animal ({argument('by', by)}): nothing says how "
                "animals of one group differ. Two of each group are needed, six are worth a test"
            )
        return made
    whole = np.asarray(seen.all(axis=1))
    if whole.sum() < max(2, len(animals) / 2):
        apart = animals[int(np.argmax(seen.sum(1) > 1))]
        raise InputError(
            f"{by} {apart} is in several groups of {between}, and others are in one: correct the "
            f"column if that is a slip, or keep the animals that were seen in all of {[*levels]}"
        )
    names = tuple(name for name, kept in zip(animals, whole, strict=True) if kept)
    rest = tuple(name for name, kept in zip(animals, whole, strict=True) if not kept)
    group = np.zeros(len(names), dtype=np.int64)
    return Design(Kind.WITHIN, by, between, names, levels, group, sessions[whole], rest)


def fit_each(
    demonstrations: Demonstrations,
    solver: Solver[Solution],
    mdp: MDP | Mapping[str, MDP] | None = None,
    *,
    by: str | tuple[str, ...] = "subject",
    progress: Progress | None = None,
) -> dict[str | tuple[str, ...], Solution]:
    """One fit per animal, in one world and with one solver: what it chooses itself (the strength of
    a prior) is chosen once, from all decisions, so that animals differ by their behaviour alone.

    Args:
        demonstrations: Decisions of all animals.
        solver: Settings of each fit.
        mdp: The world, or worlds by name.
        by: What has a fit of its own: a trajectory column, or several: ("subject", "drug").
        progress: Called with (what, fits done, fits in all).

    Returns:
        Name of each animal (a tuple of names, where several columns were given) -> its fit; those
        without a known action have none.

    Raises:
        InputError: There is no such column, or a fit cannot be made.
        FitError: A fit did not converge.
    """
    check_demonstrations(demonstrations, "fit_each")
    world, several = as_one(mdp), isinstance(by, tuple)
    names = by if isinstance(by, tuple) else (by,)
    parts = [_column(demonstrations, name, "by") for name in names]
    keys = [*zip(*parts, strict=True)]
    chosen = settled(solver, Problem(demonstrations, world))
    wanted, made = [*dict.fromkeys(keys)], {}
    for number, key in enumerate(wanted):
        part = demonstrations.take(np.array([each == key for each in keys]))
        if part.acted.any():
            made[key if several else key[0]] = fit(part, chosen, world)
        if progress is not None:
            progress("animals", number + 1, len(wanted))
    return made


def _column(demonstrations: Demonstrations, name: str, option: str) -> list[str]:
    """A trajectory column as text."""
    values = demonstrations.trajectories.get(name)
    if values is None:
        raise InputError(
            f"{argument(option, name)}: there is no such column that is constant in a trajectory; "
            f"there are {[*demonstrations.trajectories]}"
        )
    return [str(value) for value in values]


def _in_order(levels: set[str]) -> tuple[str, ...]:
    """Groups in the order of their numbers, where they are numbers, else of their names."""
    try:
        return tuple(sorted(levels, key=float))
    except ValueError:
        return tuple(sorted(levels))


def without(design: Design, missing: set[str]) -> Design:
    """The design without some animals, which are added to those left out."""
    if not missing:
        return design
    kept = np.array([name not in missing for name in design.animals])
    gone = tuple(name for name in design.animals if name in missing)
    return replace(
        design,
        animals=tuple(name for name in design.animals if name not in missing),
        group=design.group[kept],
        sessions=design.sessions[kept],
        left_out=(*design.left_out, *gone),
    )


Values = Float[np.ndarray, "n L C"]
"""C numbers of each of n animals, in its group (L = 1) or in each group (L = G); NaN: unknown."""
