"""Trainings of networks: one loop, one replay, one kind of batch, and worlds as pure functions.

A rule (`Rule`, or `Player` where it acts) names its networks and what each of them minimises; a
`Course` says beside which world and how long; `train` carries it out for one key or several.
Everything is loaded when it is first used, for it needs JAX.
"""

from inverseq._core.lazy import loading

_HOME = {
    "Batch": "batch",
    "Drawing": "batch",
    "Moves": "batch",
    "existing": "batch",
    "Games": "games",
    "play_games": "games",
    "Course": "loop",
    "Loop": "loop",
    "Training": "loop",
    "Learner": "rule",
    "Part": "rule",
    "Player": "rule",
    "Rule": "rule",
    "Target": "rule",
    "Shown": "shown",
    "shown_in": "shown",
    "Bounds": "simulator",
    "Simulator": "simulator",
    "train": "trainer",
}

__all__ = [*_HOME]

__getattr__, __dir__ = loading(__name__, _HOME)
