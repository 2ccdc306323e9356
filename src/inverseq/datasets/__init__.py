"""Behaviour that comes with the package, loaded by name and without a network."""

from inverseq.datasets.bandit import bandit
from inverseq.datasets.mice import mice
from inverseq.datasets.people import people
from inverseq.datasets.record import Dataset
from inverseq.datasets.shelf import load, names

__all__ = ["Dataset", "bandit", "load", "mice", "names", "people"]
