"""Rows of a table that is large enough for several threads come in the order of the file."""

import numpy as np

from inverseq.readers import read_table


def test_a_large_table_is_read_in_the_order_of_its_rows(tmp_path):
    path = tmp_path / "large.csv"
    states, wide = np.arange(160_000) % 991, "x" * 120  # a thread takes some megabytes at a time
    lines = "\n".join(f"{row // 1000},{s},{s % 2},{wide}" for row, s in enumerate(states))
    path.write_text(f"trajectory,state,action,note\n{lines}\n")
    known = read_table(path)
    np.testing.assert_array_equal(known.rows, np.arange(1, states.size + 1))
    np.testing.assert_array_equal(known.states, states)
