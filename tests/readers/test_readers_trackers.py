"""Tables that trackers write, with names in several rows."""

import gzip

import pytest

import inverseq as iq

ONE = """scorer,net,net,net,net,net,net
bodyparts,nose,nose,nose,tail,tail,tail
coords,x,y,likelihood,x,y,likelihood
0,1.5,2.5,0.9,1,2,0.8
1,3.5,2.5,0.9,1,2,0.8
2,3.5,4.5,0.9,1,2,0.8
"""
SEVERAL = """scorer,net,net,net,net
individuals,m1,m1,m2,m2
bodyparts,nose,nose,nose,nose
coords,x,y,x,y
0,1.5,2.5,1,2
1,3.5,2.5,1,2
2,3.5,4.5,1,2
"""


@pytest.mark.parametrize(("text", "part"), [(ONE, "nose"), (SEVERAL, "m1_nose")])
@pytest.mark.parametrize("name", ["a.csv", "a.csv.gz"])
def test_rows_of_names_are_joined(tmp_path, text, part, name):
    path = tmp_path / name
    path.write_bytes(gzip.compress(text.encode()) if name.endswith("gz") else text.encode())
    columns = (f"{part}_x", f"{part}_y")
    walk = iq.read_table(
        path,
        state=columns,
        bins={columns[0]: [0, 2, 4], columns[1]: [0, 3, 6]},
        action="moves",
        time="frame",
    )
    assert [walk.action_names[a] for a in walk.actions[:-1]] == ["E", "S"]
    assert walk.rows.tolist() == [1, 2, 3]


def test_a_table_that_only_begins_alike_is_an_ordinary_one(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("scorer,state,action\nbodyparts,0,1\nx,1,0\ny,0,1\nz,1,1\n")
    demos = iq.read_table(path)
    assert demos.states.tolist() == [0, 1, 0, 1]
