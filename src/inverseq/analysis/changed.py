"""The same reward in the world of its fit and in a changed one: where it leads in each."""

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float

from inverseq._core.errors import InputError
from inverseq.analysis.places import expected_moves
from inverseq.inverse.explanation import Explanation
from inverseq.inverse.replan import replan
from inverseq.inverse.solution import Solution
from inverseq.mdp import MDP, divided, without_history
from inverseq.worlds import World, maze_features
from inverseq.worlds.record import mdp_of


@dataclass(frozen=True, eq=False)
class Forecast:
    """What is expected in one world.

    Attributes:
        solution: The reward and its policy there.
        mdp: The world without history.
        moves: `[P, A]` expected number of each move on one way from the beginning to an end.
    """

    solution: Solution
    mdp: MDP
    moves: Float[np.ndarray, "P A"]

    @property
    def length(self) -> float:
        """Moves expected on one way."""
        return float(self.moves.sum())


@dataclass(frozen=True, eq=False)
class Change:
    """The world of a fit and a changed one.

    Attributes:
        before: In the world of the fit, or in the first of several; None where these remember.
        after: In the changed world.
    """

    before: Forecast | None
    after: Forecast

    @property
    def parts(self) -> dict[str, Forecast]:
        """Those that there are, by name."""
        both = {"before": self.before, "after": self.after}
        return {name: each for name, each in both.items() if each is not None}


def change(solution: Explanation, world: MDP | World, *, discount: float | None = None) -> Change:
    """Plan for a fitted reward in a changed world.

    A maze gets the features and the memory that the world of the fit has, and a state keeps its
    reward where it keeps its place.

    Args:
        solution: Of one reward.
        world: The changed world.
        discount: gamma there; that of the fit where left out.

    Raises:
        InputError: As `replan`, or what is done depends on more than the state.
    """
    if len(solution.intentions) != 1:
        raise InputError("each intention has a reward of its own; save and replan one of them")
    (one,) = solution.intentions
    old = one.mdp
    if old is None:
        raise InputError(f"{one.solver} was fitted without a world, so there is none to change")
    there = alike(old, world)
    there = replace(there, discount=old.discount if discount is None else discount)
    after = replan(one, there)
    if old.worlds is None:
        return Change(_forecast(one), _forecast(after))
    # Of several worlds the first stands for all, where it can be taken out.
    first = None if old.history is not None else next(iter(divided(old).values()))
    return Change(None if first is None else _forecast(replan(one, first)), _forecast(after))


def alike(old: MDP, world: MDP | World) -> MDP:
    """A world that remembers and shows what the world of a fit does.

    Raises:
        InputError: It lacks the features, and is no maze that they could be made of.
    """
    mdp = mdp_of(world)
    if old.features is not None and mdp.features is None and isinstance(world, World):
        mdp = maze_features(world, old.feature_names)
    if old.history is not None and mdp.history is None:
        mdp = mdp.with_history(old.history.length, of=old.history.of)
    return mdp


def _forecast(solution: Solution) -> Forecast:
    """Where a solution leads in its own world."""
    mdp = solution.mdp
    assert mdp is not None  # replanned, or seen to have one
    moves = expected_moves(mdp, solution.policy.per_state(mdp))
    return Forecast(solution, without_history(mdp), moves)
