"""Whether animals of different groups want different things: one fit per animal, in one world."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from inverseq._core.errors import InputError, argument
from inverseq.analysis.behaviour import Parts, behaviour_of
from inverseq.analysis.contrasts import (
    Named,
    identified,
    mean_of,
    named_contrasts,
    over_pasts,
    usual_gauge,
)
from inverseq.analysis.family import Family, Model
from inverseq.analysis.findings import Difference, Division, DivisionKind
from inverseq.analysis.held_out import menu_of
from inverseq.analysis.models import entries
from inverseq.analysis.plan import Plan
from inverseq.decisions.counts import count
from inverseq.evaluate.design import design_of, fit_each
from inverseq.evaluate.groups import GroupComparison, compare_groups
from inverseq.evaluate.identifiability import Verdict
from inverseq.inverse.fit import fit
from inverseq.inverse.problem import Comparable, HasPrior, Problem, Progress, settled
from inverseq.inverse.solution import Solution
from inverseq.mdp import MDP, as_one
from inverseq.worlds import World

ANIMALS = "subject"
"""The column that names the animals."""

_MOST = 10
"""Places in the table; the map shows all."""


@dataclass(frozen=True, eq=False)
class Compared:
    """How animals of the groups differ.

    Attributes:
        model: Whose rewards are compared.
        differences: Of actions, places or features; contrast i is named by `names[i]`.
        names: What each contrast compares.
        verdicts: What settles each; None where that was not examined.
        places: Each place against all that every animal has seen, by their visits; None where
            the world has no places or its rewards are those of actions.
        seen: `[P]` what settles the contrast of each place; empty where it was not examined.
        visits: `[P]` decisions of all animals in each place.
        given: The world or worlds.
        worlds: Those with drawings.
        by_prior: Whether a prior decides between equivalent rewards, not a gauge.
    """

    model: Model
    differences: GroupComparison
    names: tuple[tuple[Difference, tuple[str, ...]], ...]
    verdicts: tuple[Verdict | None, ...]
    places: GroupComparison | None
    seen: tuple[Verdict | None, ...]
    visits: Float[np.ndarray, " P"]
    given: MDP | Mapping[str, MDP]
    worlds: Mapping[str, World]
    by_prior: bool


def compare_animals(
    data: object, plan: Plan, between: str, progress: Progress | None = None
) -> Compared:
    """Fit each animal on all its decisions, and compare the groups that `between` names.

    An estimated world is estimated from all decisions; what a solver chooses itself is chosen from
    them too, so that no fit knows its group.

    Raises:
        InputError: Nothing says who is an animal, `design_of` finds no design, or the solver has no
            rewards of numbered states.
        FitError: An animal cannot be fitted.
    """
    behaviour = behaviour_of(data, plan)
    known = behaviour.demonstrations
    if ANIMALS not in known.trajectories:
        raise InputError(
            "groups are compared over animals, never over decisions, and nothing says who is one: "
            f"name the column, {argument('subject', 'COLUMN')}; there are {[*known.trajectories]}"
        )
    design = design_of(known, between, ANIMALS)
    given = behaviour.world_for(known)
    mdp = as_one(given)
    if given is None or mdp is None:
        raise InputError(
            "groups are compared in rewards of numbered states, and these are features: put them "
            f"into bins, {argument('bins', 10)}"
        )
    parts = Parts(known, known, Division(DivisionKind.DRAWN), given, mdp)
    menu = menu_of(behaviour, parts, usual_gauge(behaviour.worlds))
    listed = entries(menu)
    entry = next((each for each in listed if each.key == plan.solver), listed[-1])
    memory = entry.candidate.history
    world = mdp if memory == 1 else mdp.with_history(memory, entry.candidate.of)
    solver = settled(entry.candidate.solver, Problem(known, world))
    whole, taken = fit(known, solver, world), count(known, world).state_action
    by = design.units if len(design.units) > 1 else design.by
    each = fit_each(known, solver, world, by=by, progress=progress)

    def compare(named: Mapping[str, np.ndarray]) -> GroupComparison:
        return compare_groups(each, known, named, between=between, by=ANIMALS, seed=plan.seed)

    def judged(named: Named) -> tuple[GroupComparison, tuple[Verdict | None, ...]]:
        weights = {str(i): over_pasts(one, whole) for i, one in enumerate(named.values())}
        found = None
        if isinstance(solver, Comparable):
            found, _ = identified(world, solver.picks, taken, weights)
        return compare(weights), (None,) * len(named) if found is None else found.verdicts

    places, seen, visits = None, (), np.zeros(0)
    if entry.model.reward == "features":
        names = world.feature_names or tuple(map(str, range(whole.parameters["weights"].size)))
        differences = compare(dict(zip(names, np.eye(len(names)), strict=True)))
        told, verdicts = tuple((Difference.FEATURES, (name,)) for name in names), (None,)
        verdicts *= len(names)
    else:
        base = np.arange(world.num_states) if world.history is None else world.history.base
        visits = np.bincount(base, whole.visits, mdp.num_states)
        plain = menu.gauge == "zero-mean" and entry.model.family is Family.IAVI
        named = named_contrasts(mdp, known, behaviour.worlds, whole)
        if on_a_map(mdp) and not plain:
            drawn = _each_place(mdp, visits, base, [*each.values()])
            places, seen = judged(drawn)
            most = np.argsort(-visits, kind="stable")[:_MOST]
            if all(kind is not Difference.PLACES for kind, _ in named):
                named = {key: w for i, (key, w) in enumerate(drawn.items()) if i in most}
        differences, verdicts = judged(named)
        told = tuple(named)
    by_prior, drawings = isinstance(solver, HasPrior), behaviour.worlds
    which = (entry.model, differences, told, verdicts, places, seen)
    return Compared(*which, visits, given, drawings, by_prior)


def on_a_map(mdp: MDP | None) -> bool:
    """Whether states are places, so that rewards of places are what is compared."""
    return mdp is not None and mdp.coordinates is not None


def _each_place(
    mdp: MDP,
    visits: Float[np.ndarray, " P"],
    base: Int[np.ndarray, " S"],
    each: Sequence[Solution],
) -> Named:
    """Each place against those that every animal has seen (all, where there is none), by visits of
    all animals together: no animal is set against places of its own choice.
    """
    common = np.all([np.bincount(base, one.visits, mdp.num_states) > 0 for one in each], axis=0)
    share = np.where(common, visits, 0.0) if common.any() else visits
    middle = mean_of(mdp, tuple(range(mdp.num_states))) * mdp.num_states
    middle = middle * (share / share.sum())[:, None]
    names = mdp.state_names or tuple(f"state {s}" for s in range(mdp.num_states))
    return {
        (Difference.ELSEWHERE, (name,)): mean_of(mdp, (s,)) - middle for s, name in enumerate(names)
    }
