"""The same analysis of each animal, or of each group, by itself."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from inverseq._core.errors import FitError, InputError, argument
from inverseq.analysis.analyse import analyse
from inverseq.analysis.animals import Compared, compare_animals, on_a_map
from inverseq.analysis.behaviour import behaviour_of, title_of
from inverseq.analysis.findings import Findings
from inverseq.analysis.plan import Plan
from inverseq.datasets import Dataset
from inverseq.demonstrations import Demonstrations
from inverseq.inverse.problem import Progress
from inverseq.mdp import as_one

_MOST = 200
"""Groups beyond which a column is no column of groups."""


@dataclass(frozen=True, eq=False)
class Groups:
    """What was found in each group, side by side.

    Attributes:
        per: The column that names the groups.
        title: Of the data.
        findings: Name of each group -> what was found there, all with the same model.
        failures: Name of each group that could not be analysed -> why.
        compared: Whether animals of the groups differ; None where that was not asked.
    """

    per: str
    title: str
    findings: Mapping[str, Findings]
    failures: Mapping[str, str]
    compared: Compared | None = None


def analyse_each(
    data: Demonstrations | Dataset,
    plan: Plan,
    per: str,
    *,
    compare: bool = False,
    progress: Progress | None = None,
) -> Groups:
    """Analyse the decisions of each group by themselves, with one model for all.

    A world that is estimated is estimated from the group's own decisions; states keep their
    numbers. With `compare`, each animal is fitted too, and differences between groups are tested
    over animals.

    Args:
        data: Decisions, or a data set with its world.
        plan: What is asked of each group; IAVI explains where no model is named.
        per: Trajectory column that names the groups: "subject", "genotype".
        compare: Whether animals of the groups are compared (`compare_animals`).
        progress: As in `analyse`, for all groups together.

    Raises:
        InputError: There is no such column, it names fewer than two groups or too many, several
            intentions are asked for, what is held out is the group itself, or no group can be
            analysed.
        FitError: The same, because nothing could be fitted.
    """
    known = data.demonstrations if isinstance(data, Dataset) else data
    values = known.trajectories.get(per)
    if values is None:
        raise InputError(
            f"no column {per!r} that is constant in a trajectory, by which to tell groups; there "
            f"are {[*known.trajectories]}"
        )
    names = list(dict.fromkeys(map(str, values)))
    if not 2 <= len(names) <= _MOST:
        raise InputError(
            f"column {per!r} names {len(names)} groups; take one that names 2 to {_MOST}"
        )
    if plan.numbers:
        raise InputError(f"groups of {per!r} are told by one reward each; drop intentions")
    if plan.by == per:
        raise InputError(
            f"within one {per} no other {per} can be held out; take something finer for "
            f"{argument('by', 'trajectory')}"
        )
    if plan.solver in (None, "best"):
        plan = replace(plan, solver="iavi")
    compared = None
    if compare:
        mdp = as_one(behaviour_of(data, plan).given)
        if plan.gauge is None and (on_a_map(mdp) or plan.coordinates is not None):
            # On a map one looks for what a place is worth; in a table, for what an action is.
            plan = replace(plan, gauge="state-only")
        compared = compare_animals(data, plan, per, progress)
    title, found, failures = title_of(data, plan), {}, {}
    first: InputError | FitError | None = None
    for number, name in enumerate(names):
        part = known.take(np.array([str(value) == name for value in values]))
        own = replace(data, demonstrations=part) if isinstance(data, Dataset) else part
        try:
            found[name] = analyse(own, replace(plan, title=f"{title}: {per} {name}"))
        except (InputError, FitError) as error:
            failures[name], first = str(error), first or error
        if progress is not None:
            progress(per, number + 1, len(names))
    if not found and first is not None:
        raise first
    return Groups(per, title, found, failures, compared)
