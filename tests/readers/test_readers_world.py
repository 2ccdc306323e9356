"""Networks from tables: features of transitions and places, and rows that cannot be used."""

import csv
from pathlib import Path

import numpy as np
import pytest

from inverseq import InputError
from inverseq.readers.world import read_world

ROADS = [
    ("state", "action", "next_state", "probability", "length", "kind"),
    ("a", "go", "b", 1, 2.0, "road"),
    ("b", "go", "c", 0.5, 1.0, "road"),
    ("b", "go", "a", 0.5, 3.0, "road"),
    ("b", "stay", "b", 1, 0.0, "path"),
    ("c", "go", "a", 1, 4.0, "path"),
]
PLACES = [("state", "x", "y", "shade"), ("c", 2, 0, 1), ("a", 0, 0, 5), ("b", 1, 1, 3)]


def write(path: Path, rows) -> Path:
    with path.open("w", newline="") as file:
        csv.writer(file).writerows(rows)
    return path


def test_columns_of_numbers_are_features(tmp_path):
    path = write(tmp_path / "net.csv", ROADS)
    mdp = read_world(path, discount=0.9, places=write(tmp_path / "places.csv", PLACES))
    assert mdp.state_names == ("a", "b", "c")
    assert mdp.feature_names == ("length", "shade")
    go, stay = (mdp.action_names.index(name) for name in ("go", "stay"))
    # What a way costs, and what the place is like that it leads to; means where chance decides.
    expected = {(0, go): (2, 3), (1, go): (2, 3), (1, stay): (0, 3), (2, go): (4, 5)}
    for (state, action), values in expected.items():
        np.testing.assert_allclose(mdp.features[state, action], values)
    np.testing.assert_array_equal(mdp.coordinates, [[0, 0], [1, 1], [2, 0]])
    assert read_world(path, discount=0.9).feature_names == ("length",)


WRONG = {
    "a sum": (lambda r, p: r.__setitem__(2, ("b", "go", "c", 0.4, 1, "")), "net.csv, row 2: prob"),
    "a hole": (
        lambda r, p: r.__setitem__(1, ("a", "go", "b", 1, "", "")),
        "row 1, column 'length'",
    ),
    "no place": (lambda r, p: p.pop(), "places.csv has no row for state 'b'"),
    "twice": (
        lambda r, p: p.append(("c", 0, 0, 0)),
        "places.csv, row 4: state 'c' stands in row 1",
    ),
    "two of a name": (
        lambda r, p: p.__setitem__(0, ("state", "x", "y", "length")),
        "both have a column 'length'",
    ),
    "empty": (lambda r, p: p.append(("", 0, 0, 0)), "places.csv, row 4, column 'state'"),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_cannot_be_used_is_named(tmp_path, case):
    spoil, words = WRONG[case]
    roads, places = [*ROADS], [*PLACES]
    spoil(roads, places)
    made = write(tmp_path / "net.csv", roads), write(tmp_path / "places.csv", places)
    with pytest.raises(InputError, match=words):
        read_world(made[0], discount=0.9, places=made[1])
