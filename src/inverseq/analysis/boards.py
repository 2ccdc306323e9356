"""What is scored on boards with a goal: walkers without foresight, a table of contexts, planners.

All of it means the same on every board, so that it can be scored on boards that it has not seen.
"""

from collections.abc import Mapping
from dataclasses import replace

from inverseq.analysis.behaviour import Behaviour
from inverseq.analysis.family import Family, Model
from inverseq.analysis.models import Entry
from inverseq.evaluate.comparison import Candidate
from inverseq.inverse.maxent.planner import Planner
from inverseq.inverse.tables.column_logit import ColumnLogit
from inverseq.inverse.tables.column_table import ColumnTable
from inverseq.inverse.tables.greedy import Greedy
from inverseq.inverse.tables.steered import Steered
from inverseq.mdp import MDP, looking_at, unite
from inverseq.worlds import (
    MAZE_CONTEXTS,
    MAZE_FEATURES,
    MAZE_KINDS,
    MAZE_POSITIONS,
    World,
    maze_contexts,
    maze_features,
)
from inverseq.worlds.grids import ACTIONS

DISCOUNTS = (0.9, 0.95, 0.99)
"""Those among which planners choose, on training boards."""
COSTS = tuple(name for group in MAZE_FEATURES.values() for name in group)
_HABITS = ("turn", "reversal")
_WALKERS: Mapping[str, tuple[str, tuple[str, ...], Greedy]] = {
    "line": ("straight line", (), Greedy("line")),
    "path": ("shortest path, lapses", (), Greedy("path", lapse=True)),
    "path-habits": ("shortest path, habits, lapses", _HABITS, Greedy("path", lapse=True)),
}
"""Key -> name, the features that count beside the way, and the walker."""
_TABLES = (
    ("positions", "table of relative positions", MAZE_POSITIONS),
    ("contexts", "table of contexts", MAZE_CONTEXTS),
)
"""Key, name, and the contexts in which is counted."""
PLANNER = "planner"
"""Key of the reward that all boards share."""
_WEAK = 100.0
"""Prior of habits of directions, in decisions: they mean little in another maze."""


def on_boards(behaviour: Behaviour) -> bool:
    """Whether every world is a board of four moves with a goal."""
    given = behaviour.given
    mdps = [given] if isinstance(given, MDP) else [] if given is None else [*given.values()]
    return (
        bool(mdps)
        and len(behaviour.worlds) == len(mdps)
        and all(
            mdp.action_names == ACTIONS[:4] and mdp.terminal.any() and mdp.history is None
            for mdp in mdps
        )
    )


def with_contexts(behaviour: Behaviour) -> Behaviour:
    """The same, with the contexts of each decision as columns."""
    worlds = behaviour.worlds
    where: World | Mapping[str, World] = worlds
    if isinstance(behaviour.given, MDP):
        (where,) = worlds.values()
    made = maze_contexts(behaviour.demonstrations, where)
    return replace(behaviour, demonstrations=made)


def board_entries(behaviour: Behaviour) -> list[Entry]:
    """The models that can be carried from board to board."""
    given, worlds = behaviour.given, behaviour.worlds
    made = {name: maze_features(world) for name, world in worlds.items()}
    whole = next(iter(made.values())) if isinstance(given, MDP) else unite(made)
    by = behaviour.plan.by
    found = []
    for key, (name, features, walker) in _WALKERS.items():
        model = Model(Family.WALK, solver=name)
        found.append(Entry(key, model, Candidate(walker, world=looking_at(whole, features))))
    costly = looking_at(whole, COSTS)
    for key, name, columns in _TABLES:
        table = ColumnTable(columns, by=by, available=True)
        model = Model(Family.WALK, solver=name)
        found.append(Entry(key, model, Candidate(table, world=costly)))
    # What the same costs say of the next move alone is a yardstick: the rest is foresight.
    for key, family, name, discounts in (
        ("myopic", Family.WALK, "every cost, one move ahead", (0.0,)),
        (PLANNER, Family.OTHER, "planner, every cost", DISCOUNTS),
    ):
        planner = Planner(discounts=discounts)
        found.append(Entry(key, Model(family, solver=name), Candidate(planner, world=costly)))
    if costly.discount < 1:
        subjects = "subject" in behaviour.demonstrations.trajectories
        habit = ColumnLogit(
            MAZE_CONTEXTS[:1], (_WEAK,), options=MAZE_KINDS[:1], personal=MAZE_KINDS[1:] * subjects
        )
        steered = Steered(habit, "features", jointly=True)
        model = Model(Family.OTHER, solver="planner on habits")
        found.append(Entry("steered", model, Candidate(steered, world=costly)))
    return found
