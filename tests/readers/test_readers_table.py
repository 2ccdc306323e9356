"""Tables become demonstrations: the same from every source, in every order of rows."""

import csv
import gzip
import io

import duckdb
import numpy as np
import pandas
import polars
import pyarrow
import pytest
from hypothesis import given
from hypothesis import strategies as st

import strategies
from inverseq._core.errors import InputError
from inverseq.demonstrations import Demonstrations, Ending
from inverseq.readers import read_table
from inverseq.readers.engine import NO_VALUE


def plain(demos: Demonstrations) -> dict[str, object]:
    """Everything that a reader decides about, for comparison."""
    arrays = ("states", "actions", "next_states", "endings", "starts", "rows", "time")
    found = {
        name: None if getattr(demos, name) is None else getattr(demos, name).tolist()
        for name in arrays
    }
    for kind in ("decisions", "trajectories"):
        found |= {f"{kind}.{k}": v.tolist() for k, v in getattr(demos, kind).items()}
    return found | {"state_names": demos.state_names, "action_names": demos.action_names}


def csv_text(table: dict[str, list], **style) -> str:
    """The table as CSV; None is an empty field."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n", **style)
    writer.writerow(table)
    writer.writerows(zip(*table.values(), strict=True))
    return stream.getvalue()


def as_csv(table, folder):
    path = folder / "table.csv"
    path.write_text(csv_text(table), encoding="utf-8")
    return path


def as_excel_csv(table, folder):
    """Semicolons, a byte order mark and Windows line ends."""
    path = folder / "excel.csv"
    text = csv_text(table, delimiter=";").replace("\n", "\r\n")
    path.write_bytes(b"\xef\xbb\xbf" + text.encode())
    return path


def as_tsv(table, folder):
    path = folder / "table.tsv"
    path.write_text(csv_text(table, delimiter="\t"), encoding="utf-8")
    return path


def as_packed_csv(table, folder):
    path = folder / "table.csv.gz"
    path.write_bytes(gzip.compress(csv_text(table).encode()))
    return path


def as_parquet(table, folder):
    path = folder / "it's a [table].parquet"
    polars.DataFrame(table).write_parquet(path)
    return str(path)


SOURCES = {
    "csv": as_csv,
    "excel csv": as_excel_csv,
    "tsv": as_tsv,
    "packed csv": as_packed_csv,
    "parquet": as_parquet,
    "pandas": lambda table, _: pandas.DataFrame(table),
    "pandas with its own types": lambda table, _: pandas.DataFrame(table).convert_dtypes(),
    "polars": lambda table, _: polars.DataFrame(table),
    "polars query": lambda table, _: polars.DataFrame(table).lazy(),
    "arrow": lambda table, _: pyarrow.table(table),
    "arrays": lambda table, _: {name: np.array(values) for name, values in table.items()},
    "lists": lambda table, _: table,
}

NUMBERS = {
    "mouse": ["a", "a", "a", "b", "b", "a"],
    "session": [1, 1, 1, 1, 1, 2],
    "t": [0, 1, 2, 0, 1, 0],
    "state": [3, 1, 0, 2, 2, 1],
    "action": [0, 1, 0, 1, -1, 0],
    "rt": [0.5, 0.25, 0.125, 1.5, 2.5, 3.5],
    "drug": ["no", "no", "no", "yes", "yes", "yes"],
}
NAMES = NUMBERS | {
    "state": ["water", "left", "home", "right", "right", "left"],
    "action": ["go", "stay", "go", "stay", None, "go"],
}
LIGHT = NUMBERS | {"light": [True, True, True, False, False, True], "rt": [0.5, None] + [1.5] * 4}


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("table", [NUMBERS, NAMES, LIGHT], ids=["numbers", "names", "odd"])
def test_every_source_gives_the_same_demonstrations(source, table, tmp_path):
    demos = read_table(SOURCES[source](table, tmp_path))
    assert demos.starts.tolist() == [0, 3, 5, 6]
    assert demos.trajectories["subject"].tolist() == ["a", "b", "a"]
    assert demos.trajectories["session"].tolist() == [1, 1, 2]
    assert demos.trajectories["drug"].tolist() == ["no", "yes", "yes"]
    assert demos.time.tolist() == [0, 1, 2, 0, 1, 0]
    if table is NAMES:
        assert demos.state_names == ("home", "left", "right", "water")
        assert demos.action_names == ("go", "stay")
    assert demos.states.tolist() == [3, 1, 0, 2, 2, 1]
    assert demos.actions.tolist() == [0, 1, 0, 1, -1, 0]
    assert demos.next_states.tolist() == [1, 0, -1, 2, -1, -1]
    if table is LIGHT:
        assert demos.trajectories["light"].tolist() == [True, False, True]
        np.testing.assert_array_equal(demos.decisions["rt"], [0.5, np.nan, 1.5, 1.5, 1.5, 1.5])
    else:
        assert demos.decisions["rt"].tolist() == table["rt"]
    assert "subject from 'mouse'" in demos.source
    assert "time from 't'" in demos.source


words = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), max_size=6)


@st.composite
def tables(draw):
    """Demonstrations, and a table that says the same: rows in any order, names for numbers."""
    demos = draw(strategies.any_demonstrations())
    order = np.array(draw(st.permutations(range(demos.num_decisions))))
    names = draw(
        st.lists(words.map(lambda w: "n" + w.strip()), min_size=10, max_size=10, unique=True)
    )
    number = draw(st.booleans())
    spell = (lambda v: int(v)) if number else (lambda v: names[v])
    actions = [None if a < 0 else spell(a) for a in demos.actions[order]]
    label = demos.trajectory_of[order]
    table = {
        "round": [f"r{i}" for i in label],
        "step": demos.step[order].tolist(),
        "state": [spell(s) for s in demos.states[order]],
        "action": actions,
        "terminated": [bool(t) for t in demos.terminated[order]],
        "reward": demos.decisions["reward"][order].tolist(),
        'note, "quoted"': [names[i % 10] for i in label],
    }
    return demos, order, table, number


@given(tables(), st.sampled_from([*SOURCES]))
def test_random_tables_come_back_whatever_the_order_of_their_rows(tmp_path_factory, drawn, source):
    demos, order, table, number = drawn
    if all(action is None for action in table["action"]):
        return
    found = read_table(SOURCES[source](table, tmp_path_factory.mktemp("t")))
    # Trajectories come in the order in which the table names them.
    first = {label: place for place, label in reversed([*enumerate(table["round"])])}
    sequence = [int(label[1:]) for label in sorted(first, key=first.get)]
    expected = demos.take(sequence)
    assert found.starts.tolist() == expected.starts.tolist()
    assert found.endings.tolist() == expected.endings.tolist()
    assert found.trajectories["trajectory"].tolist() == [f"r{i}" for i in sequence]
    steps = np.diff(found.starts)
    # Where nothing changes within a trajectory, a column belongs to the trajectories.
    rewards = (
        found.decisions["reward"]
        if (steps > 1).any()
        else np.repeat(found.trajectories["reward"], steps)
    )
    np.testing.assert_allclose(rewards, expected.decisions["reward"], rtol=1e-12)
    place = np.argsort(order)
    rows = np.concatenate([np.arange(*demos.starts[i : i + 2]) for i in sequence])
    assert found.rows.tolist() == (place[rows] + 1).tolist()
    if number:
        # What does not occur is not counted; the others keep their numbers as names.
        meant = np.append(np.array(found.state_names or range(found.num_states), dtype=int), -1)
        assert meant[found.states].tolist() == expected.states.tolist()
        assert meant[found.next_states].tolist() == expected.next_states.tolist()
        assert {*found.states, *found.next_states} - {-1} == {*range(found.num_states)}
        acts = np.append(np.array(found.action_names or range(found.num_actions), dtype=int), -1)
        assert acts[found.actions].tolist() == expected.actions.tolist()
    else:
        told = [table["state"][row - 1] for row in found.rows]
        assert [found.state_names[s] for s in found.states] == told
        assert list(found.state_names) == sorted(set(told))
        acts = [found.action_names[a] if a >= 0 else None for a in found.actions]
        assert acts == [table["action"][row - 1] for row in found.rows]


def test_states_are_those_that_occur_and_keep_their_numbers_as_names():
    table = {"state": [7, 725_516, 7], "action": [0, 1, 0], "next_state": [2**40, 7, -1]}
    demos = read_table(table)
    assert demos.state_names == ("7", "725516", str(2**40))
    assert demos.states.tolist() == [0, 1, 0]
    assert demos.next_states.tolist() == [2, 0, -1]
    without_holes = read_table(table | {"state": [1, 0, 1], "next_state": [2, 1, -1]})
    assert without_holes.state_names == ()
    asked = read_table({"state": [1, 5, 1], "action": [0, 1, 0]}, state_names=range(9))
    assert (asked.num_states, asked.states.tolist()) == (9, [1, 5, 1])


def test_a_mapping_of_columns_wins_over_known_names():
    table = NUMBERS | {"place": [0, 0, 0, 1, 1, 1], "choice": [1, 1, 1, 0, 0, 0]}
    roles = {"subject": None, "session": None, "trajectory": "mouse", "time": "rt"}
    demos = read_table(table, state="place", action="choice", **roles)
    assert demos.rows.tolist() == [3, 2, 1, 6, 4, 5]  # by mouse, then rt
    assert demos.states.tolist() == [0, 0, 0, 1, 1, 1]
    assert demos.actions.tolist() == [1, 1, 1, 0, 0, 0]
    assert "subject" not in demos.trajectories
    assert {"state", "action", "t"} <= {*demos.decisions}
    assert "state from 'place'" in demos.source


def test_only_the_columns_asked_for_are_kept():
    demos = read_table(NUMBERS, keep=("drug",))
    assert "drug" in demos.trajectories
    assert not demos.decisions


def test_a_column_that_says_nothing_plays_no_role():
    table = NUMBERS | {"mouse": [None] * 6, "session": [1, 1, 1, 2, 2, 3]}
    demos = read_table(table)
    assert "subject" not in demos.trajectories
    assert "mouse" not in {*demos.trajectories, *demos.decisions}
    assert demos.num_trajectories == 3


def test_states_of_several_columns_are_joined():
    table = {"x": [0, 1, 1], "y": ["a", "a", "b"], "action": [0, 0, 0]}
    demos = read_table(table, state=("x", "y"))
    assert demos.state_names == ("0|a", "1|a", "1|b")
    assert demos.states.tolist() == [0, 1, 2]
    assert demos.decisions["x"].tolist() == [0, 1, 1]


def test_next_states_share_the_numbering_of_states_and_mark_gaps():
    table = {
        "state": ["a", "b", "a"],
        "next_state": ["b", "c", None],
        "action": [0, 0, 0],
    }
    demos = read_table(table)
    assert demos.state_names == ("a", "b", "c")
    assert demos.next_states.tolist() == [1, 2, -1]
    assert demos.endings.tolist() == [Ending.CONTINUES, Ending.GAP, Ending.TRUNCATED]
    unknown = read_table(table | {"next_state": [None] * 3}, next_state="next_state")
    assert unknown.next_states.tolist() == [1, 0, -1]  # as if there were no such column
    pairs = {"x": [0, 1], "y": [0, 0], "nx": [1, 1], "ny": [0, 1], "action": [0, 1]}
    demos = read_table(pairs, state=("x", "y"), next_state=("nx", "ny"))
    assert demos.state_names == ("0|0", "1|0", "1|1")
    assert demos.next_states.tolist() == [1, 2]


def test_missing_actions_are_masked_and_never_dropped(tmp_path):
    table = NUMBERS | {"action": ["L", "", "none", "R", "L", None]}
    for source in (table, as_csv(table, tmp_path), pandas.DataFrame(table)):
        demos = read_table(source, missing="none")
        assert demos.action_names == ("L", "R")
        assert demos.actions.tolist() == [0, -1, -1, 1, 0, -1]
    for nothing, meant in ((-1, ()), (2, 2), (2.0, (2,)), (np.nan, [2, 3])):
        demos = read_table(NUMBERS | {"action": [0, 1, nothing, 0, 1, 0]}, missing=meant)
        assert demos.actions.tolist() == [0, 1, -1, 0, 1, 0]
        assert demos.num_actions == 2


def test_names_may_be_given_in_the_order_of_their_numbers():
    demos = read_table(
        NAMES, action_names=("stay", "go"), state_names=("water", "home", "left", "right")
    )
    assert demos.actions.tolist() == [1, 0, 1, 0, -1, 1]
    assert demos.states.tolist() == [0, 2, 1, 3, 3, 2]
    demos = read_table(NUMBERS, action_names=("go", "stay"))
    assert demos.actions.tolist() == NUMBERS["action"]
    assert demos.action_names == ("go", "stay")


def test_numbers_can_be_names(tmp_path):
    table = {"state": [20, 3, 20], "action": [0, 0, 1]}
    for source in (table, as_csv(table, tmp_path)):
        demos = read_table(source, named="state")
        assert demos.state_names == ("20", "3")
        assert demos.states.tolist() == [0, 1, 0]


def test_numbers_with_leading_zeros_are_names(tmp_path):
    table = {"animal": ["007", "007", "012"], "state": [0, 1, 0], "action": [0, 0, 1]}
    demos = read_table(as_csv(table, tmp_path))
    assert demos.trajectories["subject"].tolist() == ["007", "012"]


def test_times_may_be_dates(tmp_path):
    stamps = ["2024-05-31 14:00:10", "2024-05-31T14:00:00", "2024-05-31 14:00:02.5Z"]
    table = {"time": stamps, "state": [2, 0, 1], "action": [0, 0, 0]}
    moments = np.array([s.rstrip("Z").replace(" ", "T") for s in stamps], dtype="datetime64[ms]")
    frame = pandas.DataFrame(table | {"time": moments})
    parquet = tmp_path / "t.parquet"
    frame.to_parquet(parquet)
    zoned = frame.assign(time=frame["time"].dt.tz_localize("UTC"))
    for source in (table, as_csv(table, tmp_path), frame, parquet, zoned, polars.DataFrame(frame)):
        demos = read_table(source)
        assert demos.states.tolist() == [0, 1, 2]
        np.testing.assert_allclose(np.diff(demos.time), [2.5, 7.5])


def test_rows_too_far_apart_in_time_have_a_gap_between_them():
    table = {"t": [0, 1, 5, 6], "state": [0, 1, 2, 3], "action": [0] * 4}
    demos = read_table(table, longest_step=1)
    assert demos.endings.tolist() == [0, Ending.GAP, 0, Ending.TRUNCATED]
    assert demos.next_states.tolist() == [1, -1, 3, -1]
    known = read_table(table | {"next_state": [1, 9, 3, 4]}, longest_step=1)
    assert [known.state_names[s] for s in known.next_states] == ["1", "9", "3", "4"]
    assert known.endings.tolist() == demos.endings.tolist()
    tenths = table | {"t": [0.1, 0.2, 0.3, 0.4]}
    assert (read_table(tenths, longest_step=0.1).endings != Ending.GAP).all()


def test_without_a_time_the_order_of_the_table_counts():
    table = {"bout": ["x", "x", "y"], "state": [2, 0, 1], "action": [0, 0, 0]}
    assert read_table(table).states.tolist() == [2, 0, 1]
    with pytest.raises(InputError, match=r"row 3 returns to the trajectory with bout x"):
        read_table(table | {"bout": ["x", "y", "x"]})


def test_equal_times_keep_the_order_of_a_table_that_is_in_order():
    table = {"t": [0, 1, 1, 2], "state": [0, 1, 2, 3], "action": [0] * 4}
    assert read_table(table).states.tolist() == [0, 1, 2, 3]
    with pytest.raises(InputError, match=r"rows 2 and 4 have the same 't' = 1 .*trajectory"):
        read_table(table | {"t": [2, 1, 0, 1]})


def test_a_split_in_the_table_survives():
    table = NUMBERS | {"split": ["train"] * 3 + ["test"] * 3}
    demos = read_table(table)
    assert demos.select(split="train").num_decisions == 3
    assert demos.select(split="test").num_trajectories == 2


def test_each_trajectory_has_one_world():
    table = NUMBERS | {"world": ["m1"] * 3 + ["m2"] * 3}
    assert read_table(table).trajectories["world"].tolist() == ["m1", "m2", "m2"]
    with pytest.raises(InputError, match="row 3, column 'world': the world changes to 'm2'"):
        read_table(NUMBERS | {"world": ["m1", "m1", "m2", "m2", "m2", "m2"]})


@pytest.mark.parametrize("word", NO_VALUE)
def test_words_for_nothing_are_nothing_in_a_csv_file(word, tmp_path):
    path = tmp_path / "t.csv"
    path.write_text(f"state,action\n0,1\n1,{word}\n0,0\n")
    demos = read_table(path)
    assert demos.actions.tolist() == [1, -1, 0]
    assert demos.source == f"t.csv (missing: 1 {word!r} in 'action')"


def test_large_numbers_and_odd_parquet_types_are_read(tmp_path):
    path = tmp_path / "t.parquet"
    duckdb.sql(
        "SELECT 1::DECIMAL(5,2) AS state, 0::UBIGINT AS action, [1, 2] AS list, "
        "DATE '2024-01-02' AS day, 'x'::BLOB AS raw, 9007199254740993 AS id "
        "UNION ALL SELECT 2, 1, [3], DATE '2024-01-03', 'y'::BLOB, 1"
    ).write_parquet(str(path))
    demos = read_table(path)
    assert [demos.state_names[s] for s in demos.states] == ["1", "2"]
    assert demos.decisions["list"].tolist() == ["[1, 2]", "[3]"]
    assert demos.decisions["id"].tolist() == [9007199254740993, 1]
    assert demos.decisions["day"][1] - demos.decisions["day"][0] == 86400
