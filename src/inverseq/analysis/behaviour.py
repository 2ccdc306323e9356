"""Behaviour in its world, divided for fitting and scoring."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import cast

import numpy as np
from jaxtyping import Bool

from inverseq._core.errors import InputError, argument
from inverseq.analysis.findings import Division, DivisionKind
from inverseq.analysis.plan import Plan
from inverseq.datasets import Dataset
from inverseq.decisions.alignment import in_numbers
from inverseq.demonstrations import Box, Demonstrations, Finite
from inverseq.evaluate.likelihood import FEWEST_UNITS
from inverseq.mdp import MDP, as_one
from inverseq.worlds import World
from inverseq.worlds.record import mdp_of

DISCOUNT = 0.9


@dataclass(frozen=True, eq=False)
class Behaviour:
    """What an analysis works on.

    Attributes:
        demonstrations: All decisions.
        plan: What is asked.
        given: The world, or worlds by name; None where it is to be estimated.
        worlds: Worlds with drawings, by name.
        dataset: The data set, where it is a bundled one.
    """

    demonstrations: Demonstrations
    plan: Plan
    given: MDP | Mapping[str, MDP] | None
    worlds: Mapping[str, World] = field(default_factory=dict)
    dataset: Dataset | None = None

    @property
    def from_step(self) -> int:
        """First step of a held-out trajectory that is scored."""
        return self.dataset.score_from_step if self.dataset else 0

    @property
    def numbered(self) -> bool:
        """Whether states are numbered: features have no world that could be estimated."""
        return isinstance(self.demonstrations.state_space, Finite)

    def world_for(self, train: Demonstrations) -> MDP | Mapping[str, MDP] | None:
        """The world; an estimated one knows the transitions of `train` only, and there is none of
        features.
        """
        if self.given is not None or not self.numbered:
            return self.given
        return MDP.estimate(
            train,
            discount=DISCOUNT if self.plan.discount is None else self.plan.discount,
            num_states=self.demonstrations.num_states,
            num_actions=self.demonstrations.num_actions,
            coordinates=self.plan.coordinates,
            allowed=self.allowed,
        )

    @property
    def allowed(self) -> Bool[np.ndarray, "S A"] | None:
        """The actions that exist at each state of an estimated world; None where none is."""
        if self.given is not None or not self.numbered:
            return None
        known = self.demonstrations
        shape = (known.num_states, known.num_actions)
        if self.plan.actions == "all":
            return np.ones(shape, dtype=bool)
        seen = np.zeros(shape, dtype=bool)
        acted = known.acted
        seen[known.states[acted], known.actions[acted]] = True
        return seen | ~seen.any(axis=1, keepdims=True)


@dataclass(frozen=True, eq=False)
class Parts:
    """Behaviour that is divided, in its world.

    Attributes:
        train: What is fitted.
        test: What is scored.
        division: How the two were told apart.
        given: The world or worlds, without history; an estimated one knows `train` only, and None
            is that of features.
        mdp: The same as one world.
    """

    train: Demonstrations
    test: Demonstrations
    division: Division
    given: MDP | Mapping[str, MDP] | None
    mdp: MDP | None


def title_of(data: Demonstrations | Dataset, plan: Plan) -> str:
    """What a page about the data is called: as asked, or as the data are."""
    if isinstance(data, Dataset):
        return plan.title or data.title
    return plan.title or data.source or "decisions"


def behaviour_of(data: object, plan: Plan) -> Behaviour:
    """The behaviour in the world that the plan names, or in the data set's own.

    Raises:
        InputError: The data have no such use, or the world does not go with the other settings.
    """
    if isinstance(data, Dataset):
        if plan.world is not None:
            raise InputError(f"the world of the data set {data.name!r} is known; leave world out")
        given = _discounted(data.mdp, plan.discount)
        return Behaviour(data.demonstrations, plan, given, data.worlds, data)
    if not isinstance(data, Demonstrations):
        raise InputError(
            f"an analysis takes Demonstrations or a Dataset; got {type(data).__name__}. Read a "
            "table with inverseq.read_table"
        )
    if isinstance(data.action_space, Box):
        raise InputError(
            "an analysis holds every score against counts of actions, and these are continuous: "
            "bin them (bins= of inverseq.read_table), or call inverseq.fit, inverseq.compare and "
            "inverseq.bootstrap yourself"
        )
    if plan.world is None:
        if plan.discount == 1:
            raise InputError(
                "a discount of 1 needs a world with an end; an estimated one has none that is "
                "sure. Give "
                f"{argument('discount', 0.99)}, say, or a world"
            )
        return Behaviour(data, plan, None)
    if plan.actions == "seen":
        raise InputError(
            f"{argument('actions', 'seen')} goes with an estimated world; this world says what "
            "exists"
        )
    known, drawn = _drawn(plan.world)
    data = in_numbers(data, cast(MDP, as_one(known)))
    return Behaviour(data, plan, _discounted(known, plan.discount), drawn)


def _drawn(
    world: MDP | World | Mapping[str, MDP] | Mapping[str, World],
) -> tuple[MDP | Mapping[str, MDP], Mapping[str, World]]:
    """What a world is, or several by name, and those of them that can be drawn."""
    if isinstance(world, World):
        return world.mdp, {world.name: world}
    if isinstance(world, MDP):
        return world, {}
    drawn = {name: each for name, each in world.items() if isinstance(each, World)}
    return {name: mdp_of(each) for name, each in world.items()}, drawn


def divide(behaviour: Behaviour) -> Parts:
    """What is fitted and what is scored.

    Raises:
        InputError: There is no such column, or nothing can be held out.
    """
    known, plan = behaviour.demonstrations, behaviour.plan
    column = plan.split or (behaviour.dataset.split if behaviour.dataset else None)
    if column is None:
        active = known.acted.astype(np.int64)
        units = known.units(plan.by)
        active = np.bincount(units[known.trajectory_of], weights=active) > 0
        if active.sum() > 1:  # a unit without any action can be neither fitted nor scored
            known = known.take(active[units])
        share = _share_held_out(int(known.units(plan.by).max()) + 1, plan)
        train, test = known.split(share, by=plan.by, seed=plan.seed)
        return _parts(behaviour, train, test, Division(DivisionKind.DRAWN))
    values = known.trajectories.get(column)
    if values is None:
        raise InputError(
            f"no column {column!r} that is constant in a trajectory; there are "
            f"{[*known.trajectories]}. Give {argument('split', 'COLUMN')}, or leave it "
            "out for a random split"
        )
    held_out = np.array([str(v).lower() == "test" for v in values])
    if not held_out.any() or held_out.all():
        raise InputError(
            f"column {column!r} must be 'test' in some trajectories and not in all; it holds "
            f"{sorted({str(v) for v in values})[:5]}"
        )
    kind = DivisionKind.OF_THE_DATASET if plan.split is None else DivisionKind.GIVEN
    train, test = known.take(~held_out), known.take(held_out)
    return _parts(behaviour, train, test, Division(kind, column))


def _share_held_out(units: int, plan: Plan) -> float:
    """As asked; else a fifth, and as many units as can tell anything apart, if that leaves more."""
    if plan.test is not None:
        return plan.test
    return max(0.2, FEWEST_UNITS / units) if units >= 2 * FEWEST_UNITS else 0.2


def _parts(
    behaviour: Behaviour, train: Demonstrations, test: Demonstrations, division: Division
) -> Parts:
    """Both parts, and the world as the training part knows it."""
    given = behaviour.world_for(train)
    sizes = [(int(part.acted.sum()), part.num_trajectories) for part in (train, test)]
    units, held = (int(part.units(behaviour.plan.by).max()) + 1 for part in (train, test))
    told = {"train": sizes[0], "test": sizes[1], "units": units, "held": held}
    division = replace(division, from_step=behaviour.from_step, **told)
    return Parts(train, test, division, given, as_one(given))


def with_parts(known: Demonstrations, test: Demonstrations) -> Demonstrations:
    """All decisions, with the column "part" where rows are numbered: train or test."""
    if known.rows is None or test.rows is None or "part" in known.trajectories:
        return known
    held_out = np.isin(known.rows[known.starts[:-1]], test.rows)
    part = np.where(held_out, "test", "train")
    return replace(known, trajectories={**known.trajectories, "part": part})


def _discounted(given: MDP | Mapping[str, MDP], discount: float | None) -> MDP | Mapping[str, MDP]:
    """The same world or worlds with another discount; with their own where it is None."""
    if discount is None:
        return given
    if isinstance(given, MDP):
        return replace(given, discount=discount)
    return {name: replace(mdp, discount=discount) for name, mdp in given.items()}
