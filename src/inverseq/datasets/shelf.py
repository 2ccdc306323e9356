"""Data sets by name."""

import difflib

from inverseq._core.errors import InputError
from inverseq.datasets.bandit import bandit
from inverseq.datasets.lever import lever
from inverseq.datasets.mice import mice
from inverseq.datasets.people import people
from inverseq.datasets.record import Dataset
from inverseq.datasets.spontaneous import spontaneous
from inverseq.datasets.switching_grid import switching_grid

_ALL = {
    "bandit": bandit,
    "lever": lever,
    "mice": mice,
    "people": people,
    "spontaneous": spontaneous,
    "switching_grid": switching_grid,
}


def names() -> tuple[str, ...]:
    """Names of the data sets."""
    return tuple(_ALL)


def load(name: str) -> Dataset:
    """The data set called `name`, with its own defaults.

    Raises:
        InputError: There is no such data set.
    """
    if name not in _ALL:
        near = difflib.get_close_matches(name, _ALL, n=1)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        raise InputError(f"there is no data set {name!r}; there are {[*_ALL]}.{hint}")
    return _ALL[name]()
