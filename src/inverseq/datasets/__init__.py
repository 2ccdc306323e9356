"""Behaviour that comes with the package, loaded by name and without a network."""

from inverseq.datasets.bandit import bandit
from inverseq.datasets.lever import lever
from inverseq.datasets.mice import mice
from inverseq.datasets.people import people
from inverseq.datasets.record import Dataset
from inverseq.datasets.shelf import load, names
from inverseq.datasets.spontaneous import spontaneous
from inverseq.datasets.switching_grid import (
    SwitchingTruth,
    switching_grid,
    switching_grid_truth,
)

__all__ = [
    "Dataset",
    "SwitchingTruth",
    "bandit",
    "lever",
    "load",
    "mice",
    "names",
    "people",
    "spontaneous",
    "switching_grid",
    "switching_grid_truth",
]
