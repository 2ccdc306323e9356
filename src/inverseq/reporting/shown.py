"""What a saved solution holds, drawn without the behaviour that it was fitted to."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np

from inverseq._core.errors import InputError
from inverseq.analysis.places import averaged, has_places, places
from inverseq.inverse.explanation import Explanation
from inverseq.inverse.solution import Solution
from inverseq.mdp import MDP, divided, without_history
from inverseq.reporting.document import Picture, Table
from inverseq.reporting.figures.places import maps, policy_table, scenes
from inverseq.reporting.folder import write_pictures, write_tables
from inverseq.reporting.report import state_table
from inverseq.rewards.observations import ObservationReward
from inverseq.worlds import World, labyrinth


def show(solution: Explanation, folder: Path) -> list[Path]:
    """Draw rewards, values and policy of each intention, as a report does, and write their table.

    Maps where the world has places, else tables of states and actions; the policy alone where there
    is no reward.

    Args:
        solution: Of one intention or several.
        folder: For `figures/` and `tables/`.

    Returns:
        The figures (PNG) and tables that were written.

    Raises:
        InputError: States are no places of a world, or do not decide by themselves; or a file
            cannot be written.
    """
    pictures, tables = [], []
    for k, part in enumerate(solution.intentions, 1):
        end = f"_intention_{k}" if len(solution.intentions) > 1 else ""
        drawn, written = _one(part, f"intention {k}" if end else part.solver)
        pictures += [replace(each, name=each.name + end) for each in drawn]
        tables += [replace(each, name=each.name + end) for each in written]
    write_pictures(folder / "figures", pictures)
    write_tables(folder / "tables", tables)
    return [
        *(folder / "figures" / f"{each.name}.png" for each in pictures),
        *(folder / "tables" / f"{each.name}.csv" for each in tables),
    ]


def _one(part: Solution, model: str) -> tuple[list[Picture], list[Table]]:
    """Figures and tables of one intention."""
    if part.mdp is None and isinstance(part.reward_function, ObservationReward):
        raise InputError(
            f"the reward of this {part.solver} is of observations, which a solution does not hold: "
            "see report.html of inverseq fit, which draws it over two of them (--over)"
        )
    if part.mdp is None:
        raise InputError(
            f"this {part.solver} was fitted without a world of numbered states, so there is no map "
            "to draw. Where it was fitted to games: inverseq play --agent and its file"
        )
    worlds = divided(without_history(part.mdp))
    given = worlds.get("", worlds)
    if has_places(part):
        shown = places(part)
        where = scenes(given, _drawings(part.mdp), shown.visits)
        return maps(shown, where, model), [state_table(shown, given)]
    return _policies(part, part.mdp, given, model), []


def _policies(
    part: Solution, mdp: MDP, given: MDP | Mapping[str, MDP], model: str
) -> list[Picture]:
    """What is done, where nothing says what is wanted."""
    policy = part.policy.per_state(mdp)
    visits = np.ones(len(policy)) if part.visits is None else part.visits
    base = np.arange(len(policy)) if mdp.history is None else mdp.history.base
    policy, visits = averaged(policy, base, visits), np.bincount(base, visits)
    drawn = []
    for scene in scenes(given, {}, visits):
        mine = slice(scene.first, scene.first + scene.mdp.num_states)
        drawn.append(policy_table(policy[mine], visits[mine], scene, model))
    return drawn


def _drawings(mdp: MDP) -> dict[str, World]:
    """How to draw the world: a solution keeps places, and the labyrinth is known by its own."""
    known = labyrinth(mdp.discount)
    mine = without_history(mdp).coordinates
    same = mine is not None and np.array_equal(mine, np.asarray(known.mdp.coordinates))
    return {"": known} if same else {}
