"""What cannot be read is refused with one message that names row, column and remedy."""

import numpy as np
import pandas
import polars
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from inverseq._core.errors import InputError
from inverseq.readers import read_table

GOOD = {"state": [0, 1, 2], "action": [0, 1, 0], "t": [0, 1, 2]}


@pytest.mark.parametrize(
    ("changes", "options", "words"),
    [
        ({"state": [0, None, 2]}, {}, r"row 2, column 'state': the state is empty \(1 such"),
        ({"state": [0, np.nan, 2]}, {}, "row 2, column 'state': the state is empty"),
        ({"state": [0, 1, -3]}, {}, "row 3, column 'state': -3 cannot number a state"),
        ({"state": [0, -1, 2]}, {}, "row 2, column 'state': states are numbered from 0"),
        (
            {"state": [0, 0.25, 2]},
            {},
            "row 2, column 'state': 0.25 is a measured value.*bins=.*features=",
        ),
        ({"state": [0, np.inf, 2]}, {}, "row 2, column 'state': inf cannot number"),
        ({"action": [0, 90210, 2]}, {}, 'action numbers go up to 90210, .* add named="action"'),
        ({"state": ["a", "", "b"]}, {}, "row 2, column 'state': the state is empty"),
        ({"state": [0, "x", 2]}, {}, r"row 2, column 'state': 'x' is text, but 2 of 3 rows hold"),
        ({"action": [0, "x", 1]}, {}, r"row 2, column 'action': 'x' is text.*missing=.x. if"),
        ({"action": [0, 1, -2]}, {}, "row 3, column 'action': -2 cannot number an? action"),
        ({"action": [None] * 3}, {}, "column 'action': no row has an action"),
        ({"action": [2, 2, 2]}, {"missing": (2,)}, "no row has an action"),
        ({"t": [0, None, 2]}, {}, "row 2, column 't': the time is .empty.*time=None"),
        ({"t": [0, "noon", 2]}, {}, "row 2, column 't': 'noon' is not a time.*2024-05-31"),
        ({"t": ["0,5", "0,7", "1,2"]}, {}, "'0,5' is not a time.*with decimal points: 0.5"),
        ({"x": ["0,5", "a", "b"]}, {"features": ["x"]}, "'0,5' is no number.*decimal points: 0.5"),
        ({"state": ["0,5", "a", "b"]}, {"bins": 5}, 'with fractions.*name.*bins={"state": 5}'),
        ({"state": ["0,5", "a", "b"]}, {"bins": {"state": 5}}, "'0,5' is no number.*points: 0.5"),
        ({"t": [0, np.inf, 2]}, {}, "row 2, column 't': the time is inf"),
        ({"subject": ["a", None, "a"]}, {}, "row 2, column 'subject' is empty"),
        ({"terminated": [0, 0, 2]}, {}, "row 3, column 'terminated': '2' is neither true nor"),
        ({"next_state": ["a", "b", "c"]}, {}, "'state' numbers, 'next_state' words"),
        ({"next_state": [0, -4, 1]}, {}, "row 2, column 'next_state': -4"),
        ({}, {"action_names": ("go",)}, "row 2, column 'action': action 1 has no name"),
        (
            {"action": ["go", "stay", "go"]},
            {"action_names": ("go",)},
            r"row 2, column 'action': 'stay' is not among the action names \['go'\]",
        ),
        ({}, {"state": "stat"}, "no column 'stat'; .* Did you mean 'state'.* state="),
        ({}, {"subject": "Mouse"}, "there is no column 'Mouse'"),
        ({}, {"keep": ("x",)}, "there is no column 'x'"),
        ({}, {"named": ("x",)}, "there is no column 'x'"),
        ({}, {"state_from_previous": ("x",)}, "there is no column 'x'"),
        (
            {"next_state": [0, 1, 2]},
            {"state_from_previous": ("action",), "next_state": "next_state"},
            "exclude each other",
        ),
        (
            {"reward": [1, None, 1]},
            {"state_from_previous": ("action", "reward")},
            "row 2, column 'reward': a part of the state is empty",
        ),
        ({}, {"longest_step": 1.0, "time": None}, "longest_step needs a time column"),
        ({"x": [0] * 3, "y": [1] * 3}, {"state": ("x", "y"), "next_state": "x"}, "give both alike"),
        ({"mouse": [1] * 3, "rat": [1] * 3}, {}, r"'mouse', 'rat'\] could each be the subject"),
        ({"trial": [0, 1, 2]}, {}, "'trial' may number trajectories or .* trajectory=\"trial\""),
        ({"extra": [1, 2]}, {}, "not equally long"),
        ({"extra": [[1, 2]] * 3}, {}, "column 'extra' has 2 dimensions"),
    ],
)
def test_a_bad_table_is_refused_with_row_column_and_remedy(changes, options, words):
    with pytest.raises(InputError, match=words) as caught:
        read_table(GOOD | changes, **options)
    assert "\n" not in str(caught.value)


def written(folder, text: str | bytes, name: str = "mice.csv"):
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", r"mice\.csv is empty; its first line must name the columns"),
        ("\n\n", r"mice\.csv is empty"),
        ("state,action\n", r"mice\.csv holds no rows below its header"),
        ("state;choice\n0;1\n", r"no column 'action'; the table has \['state', 'choice'\]"),
        ("state,action,state\n0,1,0\n", "two columns called 'state'"),
        ("state,action\n0,1\n1,0,7\n", r"cannot be read: line 3: Expected .* 2 Found: 3"),
        ("state,action\n0,1\n1\n", "cannot be read: line 3"),
        ('state,action\n0,"1\n1,0\n', "cannot be read"),
        (b"state,action\n0,caf\xe9\n", "UTF-8"),
        ("état,action\n0,1\n".encode("latin-1"), "is not UTF-8 text"),
        ("state,action\n0,1\n".encode("utf-16"), "is not UTF-8 text"),
        ("state,action\n0,1\none,0\n2,1\n", "row 2, column 'state': 'one' is text, but 2 of 3"),
        ("state,action\n0,1\n,0\n", "row 2, column 'state': the state is empty"),
        ("state,action\n0,1\n1.5,0\n", "row 2, column 'state': 1.5 is a measured value"),
        ("state,action\n0,1\n1e400,0\n", "row 2, column 'state'"),
    ],
)
def test_a_bad_csv_file_is_refused(tmp_path, text, words):
    with pytest.raises(InputError, match=words) as caught:
        read_table(written(tmp_path, text))
    assert "\n" not in str(caught.value)


def test_what_is_no_file_is_refused(tmp_path):
    with pytest.raises(InputError, match="does not exist"):
        read_table(tmp_path / "absent.csv")
    with pytest.raises(InputError, match=r"is a folder; name one CSV or Parquet file"):
        read_table(tmp_path)
    with pytest.raises(InputError, match=r"neither CSV .* nor Parquet .*Excel"):
        read_table(written(tmp_path, "x", "mice.xlsx"))
    with pytest.raises(InputError, match=r"mice\.parquet is empty"):
        read_table(written(tmp_path, "", "mice.parquet"))
    with pytest.raises(InputError, match=r"cannot be read as Parquet"):
        read_table(written(tmp_path, "no parquet at all", "mice.parquet"))
    with pytest.raises(InputError, match="cannot be read as CSV"):
        read_table(written(tmp_path, "not packed", "mice.csv.gz"))
    for thing in (5, [1, 2], None, object()):
        with pytest.raises(InputError, match="is no table; give the path of"):
            read_table(thing)


def test_a_damaged_parquet_file_is_refused(tmp_path):
    path = tmp_path / "t.parquet"
    polars.DataFrame({"state": range(1000), "action": [0] * 1000}).write_parquet(path)
    whole = path.read_bytes()
    for broken in (whole[: len(whole) // 2], whole[:20] + bytes(200) + whole[220:]):
        path.write_bytes(broken)
        with pytest.raises(InputError, match=r"t\.parquet cannot be read"):
            read_table(path)


def test_frames_with_columns_of_one_name_are_refused():
    frame = pandas.DataFrame([[0, 1, 2]], columns=["state", "action", "action"])
    with pytest.raises(InputError, match="two columns called 'action'"):
        read_table(frame)


cells = st.one_of(
    st.integers(-3, 9).map(str),
    st.sampled_from(
        ["", "NA", "nan", "inf", "a", "b", "1.5", "1e9", "007", "true", '"', '""', "'"]
    ),
    st.text(max_size=4),
)
headers = st.lists(
    st.one_of(
        st.sampled_from(["state", "action", "next_state", "t", "subject", "session", "terminated"]),
        st.text(max_size=4),
    ),
    max_size=6,
)


@settings(max_examples=150)
@given(headers, st.lists(st.lists(cells, max_size=6), max_size=6), st.sampled_from(",;\t|"))
@example(["state", "action"], [["0", "1"]], ",")
def test_any_text_is_read_or_refused_in_one_sentence(tmp_path_factory, header, rows, separator):
    text = "\n".join(separator.join(line) for line in [header, *rows])
    path = tmp_path_factory.mktemp("junk") / "junk.csv"
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    try:
        demos = read_table(path)
    except InputError:
        return
    assert demos.num_decisions >= 1
    assert demos.num_actions >= 1


columns = st.lists(
    st.one_of(
        st.integers(-2, 5), st.floats(), st.none(), st.booleans(), st.text(max_size=3), st.just("a")
    ),
    min_size=3,
    max_size=3,
)


@settings(max_examples=150)
@given(
    st.dictionaries(
        st.sampled_from(["state", "action", "next_state", "time", "subject", "world", "x"]), columns
    ),
    st.sampled_from([dict, pandas.DataFrame]),
)
def test_any_columns_are_read_or_refused_in_one_sentence(table, kind):
    try:
        demos = read_table(kind(table))
    except InputError:
        return
    assert demos.num_decisions == 3
    assert demos.rows is not None
    assert sorted(demos.rows) == [1, 2, 3]


@settings(max_examples=50)
@given(st.binary(max_size=300), st.sampled_from(["csv", "tsv", "parquet", "csv.gz"]))
def test_any_bytes_are_read_or_refused(tmp_path_factory, content, ending):
    path = tmp_path_factory.mktemp("bytes") / f"junk.{ending}"
    path.write_bytes(content)
    with pytest.raises(InputError):
        read_table(path)
