"""The models of the part "mice": yardsticks, the grid of intentions, and rewards above habits."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool, Int

from inverseq.demonstrations import Demonstrations
from inverseq.intentions.law import Law
from inverseq.intentions.switching import DependentMarkov, Markov, Mixture
from inverseq.inverse.maxent.causal import MaxEnt
from inverseq.inverse.problem import Solver
from inverseq.inverse.tables.column_logit import ColumnLogit
from inverseq.inverse.tables.column_table import ColumnTable
from inverseq.inverse.tables.count_table import CountTable
from inverseq.inverse.values.iavi import IAVI
from inverseq.worlds import labyrinth_contexts
from inverseq.worlds.record import World

FROM_STEP = 1
"""The published scores begin with the second decision of a trajectory."""

TWO_STEP = "table, 2 nodes, add 0.5"
INTERLEAVED = "interleaved table"
WITH_OWN = "interleaved table, own past"
AGAINST = (TWO_STEP, INTERLEAVED, WITH_OWN)
"""What everything is compared with."""

_MOVES = (0, 1, 2, 3, 4, 5, 6, 8)
_NODES = (1, 2, 3, 4, 5, 6)
_LEVELS = (
    *("moves 0", "moves 2", "nodes 2", "moves 4"),
    *("nodes 4", "moves 6", "nodes 6", "moves 8"),
)
_OWN = ("moves 2", "nodes 2", "moves 4", "nodes 3", "moves 6", "nodes 5")
_OWN_LOGIT = ("moves 2", "moves 3", "moves 5", "nodes 2", "nodes 3", "nodes 5")
_OF_MOVES = {0: 0.1, 1: 0.3, 2: 0.7, 3: 1.5, 4: 2.5, 5: 3.0, 6: 4.0, 8: 6.0}
_OF_NODES = {1: 6.0, 2: 6.0, 3: 8.0, 4: 10.0, 5: 12.0, 6: 14.0}
"""Strength of the prior of each memory relative to the others: the longer, the stronger."""

_PART = 50
"""Decisions per part of a trajectory, where switching depends on how far it has come."""


def with_contexts(demonstrations: Demonstrations, world: World) -> Demonstrations:
    """The decisions with their contexts (`worlds.labyrinth_contexts`) and with what switching may
    depend on: "since water" and "since home", log2(1 + decisions since then) rounded down, with the
    beginning of the trajectory where there was no visit, and "part", which 50 decisions it is.
    """
    made = labyrinth_contexts(demonstrations, world, moves=_MOVES, nodes=_NODES)
    columns = {
        f"since {name}": _since(demonstrations, demonstrations.states == node)
        for name, node in (("water", world.drawing.marks["water"][0]), ("home", 0))
    }
    columns["part"] = demonstrations.step // _PART
    return replace(made, decisions={**made.decisions, **columns})


def _since(data: Demonstrations, there: Bool[np.ndarray, " N"]) -> Int[np.ndarray, " N"]:
    """Logarithm of how many decisions ago `there` last held in the same trajectory."""
    rows = np.arange(data.num_decisions)
    last = np.maximum.accumulate(np.where(there | (data.step == 0), rows, 0))
    return np.floor(np.log2(1 + rows - last)).astype(np.int64)


@dataclass(frozen=True)
class Cell:
    """One model with intentions.

    Attributes:
        k: How many intentions.
        solver: Name in `SOLVERS`.
        law: Name in `LAWS`.
        history: Nodes remembered, the present one included.
    """

    k: int
    solver: str
    law: str
    history: int

    @property
    def name(self) -> str:
        """For tables."""
        return f"{self.solver}, {self.law}, history {self.history}, k={self.k}"


LAWS: dict[str, Law] = {
    "Markov": Markov(),
    "mixture": Mixture(),
    "by state": DependentMarkov(("state",)),
    "by time": DependentMarkov(("since water", "since home", "part")),
}
"""Laws of switching; "by time" knows how long ago water and home were and how long it has gone."""

SOLVERS: dict[str, Solver] = {
    "IAVI": IAVI(),
    # The published model has a reward per node, and per pair of nodes at history 2.
    "MaxEnt on nodes": MaxEnt("states", strength=1.0, max_steps=30),
    "MaxEnt on moves": MaxEnt("state-actions", strength=1.0, max_steps=30),
}
"""What explains each intention."""

HISTORIES = (1, 2, 3)
KS = (1, 2, 3, 4, 5, 6)


def grid(small: bool) -> Iterator[Cell]:
    """Every number of intentions, law of switching and history; one intention needs no law."""
    ks, histories = ((1, 2), (1,)) if small else (KS, HISTORIES)
    for law in LAWS:
        for history in histories:
            for k in ks:
                if k > 1 or law == "Markov":
                    yield Cell(k, "IAVI", law, history)
    if small:
        yield Cell(2, "MaxEnt on nodes", "by state", 1)
        return
    yield Cell(3, "MaxEnt on nodes", "by state", 1)
    yield Cell(3, "MaxEnt on nodes", "by state", 2)
    yield Cell(3, "MaxEnt on moves", "by state", 1)


def tables() -> Iterator[tuple[str, str, CountTable]]:
    """Name, kind and solver of the tables that count nodes, or levels and moves ("tied")."""
    yield "table, 1 node, add 0.5", "table", CountTable(1, smoothing=0.5, backoff=False)
    yield TWO_STEP, "table", CountTable(2, smoothing=0.5, backoff=False)
    for order in _NODES:
        yield f"back-off table, {order} node{'s'[: order > 1]}", "table", CountTable(order)
    yield "tied table, 8 moves", "tied table", CountTable(8)


def interleaved() -> dict[str, ColumnTable]:
    """Tables that smooth contexts of nodes by contexts of moves, and the other way round."""
    return {INTERLEAVED: ColumnTable(_LEVELS), WITH_OWN: ColumnTable(_LEVELS, _OWN)}


def long_habit(multiplier: float, own: bool) -> ColumnLogit:
    """All memories up to 8 moves and 6 nodes, recency, and the trajectory's own past.

    Args:
        multiplier: Of the strengths of the priors.
        own: Whether the trajectory's own past is counted.
    """
    return _habit(multiplier, _MOVES, _NODES, 1.0, _OWN_LOGIT if own else ())


@dataclass(frozen=True)
class Memory:
    """How much a habit knows of the way here.

    Attributes:
        moves: Up to how many moves.
        nodes: Up to how many nodes.
    """

    moves: int
    nodes: int

    def __str__(self) -> str:
        return f"{self.moves} moves, {self.nodes} nodes"


MEDIUM = Memory(4, 3)
"""Of the habit below the readable intentions."""
MEMORIES = (Memory(2, 2), MEDIUM, Memory(6, 5))
"""What intentions add is asked for each."""


def habit_of(memory: Memory, multiplier: float) -> ColumnLogit:
    """These moves and nodes, and recency; nothing says what this trajectory did before."""
    moves = tuple(m for m in _MOVES if m <= memory.moves)
    return _habit(multiplier, moves, _NODES[: memory.nodes], 2.0, ())


def _habit(
    multiplier: float,
    moves: tuple[int, ...],
    nodes: tuple[int, ...],
    options: float,
    own: tuple[str, ...],
) -> ColumnLogit:
    """A regression on these memories."""
    columns = {f"moves {m}": _OF_MOVES[m] for m in moves}
    columns |= {f"nodes {n}": _OF_NODES[n] for n in nodes}
    return ColumnLogit(
        tuple(columns),
        tuple(multiplier * s for s in columns.values()),
        options=("since node", "since edge"),
        option_strength=options,
        own=own,
    )
