"""Deep inverse Q-learning by name, with the yardsticks that read features too."""

from dataclasses import dataclass
from typing import Any

import numpy as np

import inverseq.inverse.deep as deep
from inverseq._core.errors import InputError, argument
from inverseq.analysis.family import Family, Model
from inverseq.analysis.observed import action_names, component_names
from inverseq.analysis.plan import Plan
from inverseq.demonstrations import Demonstrations
from inverseq.inverse.problem import Solver
from inverseq.inverse.tables.neighbours import NeighbourTable
from inverseq.policies.forbidden import Forbidden

DEEP = ("diql", "dciql")
"""Models of features that a plan names."""
DISCOUNT = 0.9
"""gamma where none was given."""


@dataclass(frozen=True, eq=False)
class Features:
    """What is observed and done.

    Attributes:
        components: Names of the numbers of an observation `[D]`; none of another form.
        actions: Names of the A actions.
        decisions: N decisions.
    """

    components: tuple[str, ...]
    actions: tuple[str, ...]
    decisions: Demonstrations

    @classmethod
    def of(cls, data: Demonstrations) -> "Features":
        """Those of decisions with finitely many actions."""
        return cls(component_names(data), action_names(data), data)


def deep_models(plan: Plan, features: Features) -> list[tuple[str, Model, Solver]]:
    """Yardsticks that read features, and the model that the plan names (DIQL where it names
    none), each with its key.

    Raises:
        InputError: A setting cannot be used.
    """
    actions = len(features.actions)
    learner = deep.DIQL(
        plan.seed,
        DISCOUNT if plan.discount is None else plan.discount,
        num_actions=actions,
        **_gauge(plan, features),
    )
    cloning = deep.BehaviourCloning(
        plan.seed, learner.settings, learner.lessons, learner.held_out, num_actions=actions
    )
    made: list[tuple[str, Model, Solver]] = []
    if features.components:
        counted = NeighbourTable(folds=plan.folds, by=plan.by, num_actions=actions)
        made.append(("neighbours", Model(Family.NEIGHBOURS), counted))
    made.append(("cloning", Model(Family.CLONING), cloning))
    if plan.solver in (None, "diql"):
        if plan.forbid is not None:
            raise InputError(
                f"{argument('forbid', plan.forbid)} goes with {argument('solver', 'dciql')}"
            )
        return [*made, ("diql", Model(Family.OTHER, solver="DIQL"), learner)]
    if plan.forbid is None:
        told = f"{features.actions[0]} where {(features.components or ('x',))[0]} > 1"
        raise InputError(
            f"{argument('solver', 'dciql')} needs to know what is forbidden: give "
            f"{argument('forbid', told)}, say, or take {argument('solver', 'diql')}"
        )
    rules = Forbidden.read(plan.forbid, features.actions, features.components)
    _refuse_what_was_done(rules, features)
    solver = deep.DCIQL(rules, learner, "boltzmann")
    return [*made, ("dciql", Model(Family.OTHER, solver="DCIQL"), solver)]


def _refuse_what_was_done(rules: Forbidden, features: Features) -> None:
    """A policy that keeps rules gives no probability to decisions that break them."""
    data = features.decisions
    rows = np.flatnonzero(data.acted)
    broken = rows[~rules(data.states)[rows, data.actions[rows]]]
    if broken.size:
        done = features.actions[data.actions[broken[0]]]
        raise InputError(
            f"row {data.row(int(broken[0]))}: {done!r} was done where the rules forbid it, in "
            f"{broken.size} of {rows.size} decisions, and a policy that keeps them cannot be "
            f"scored on these. To explain what was done, take {argument('solver', 'diql')} without "
            f"rules; what would be done under them, inverseq.fit of a DCIQL tells in Python"
        )


def _gauge(plan: Plan, features: Features) -> dict[str, Any]:
    """Which of the equivalent rewards is asked for, as settings of `DIQL`."""
    if plan.gauge == "minimum-norm":
        raise InputError(
            f"{argument('gauge', plan.gauge)} is a gauge of tables; for features take zero-mean, "
            "state-only or anchor"
        )
    made: dict[str, Any] = {} if plan.gauge is None else {"gauge": plan.gauge}
    anchor = plan.anchor_in(features.actions)
    return made if anchor is None else made | {"anchor": anchor}
