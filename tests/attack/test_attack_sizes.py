"""Tables whose numbers are large and whose rows are few, or of which everything leads everywhere,
are read, examined and fitted in the time and memory of their rows."""

import tracemalloc

import numpy as np
import pytest

import inverseq as iq
from inverseq.cli import main

MOST_BYTES = 200e6  # padded to its widest list, the hub alone takes 380 MB
RNG = np.random.default_rng(1)


def _hub(rows: int) -> np.ndarray:
    """Every other row is state 0, the ones between are all different."""
    states = np.zeros(rows, dtype=np.int64)
    states[1::2] = np.arange(1, rows // 2 + 1)
    return states


TABLES = {
    "a hub of 4,000 successors": _hub(8_000),
    "numbers up to 725,516 in 60 rows": RNG.choice([3, 17, 4_000, 725_516], 60),
    "one state 1,000,000 in 16 rows": np.array([0, 1, 2, 3] * 3 + [0, 1, 1_000_000, 2]),
    "numbers near the largest": 2**53 - RNG.integers(1, 5, 40),
    "every row another state": np.arange(300),
}


@pytest.fixture(params=TABLES)
def table(request, tmp_path):
    states = TABLES[request.param]
    path = tmp_path / "table.csv"
    rows = np.stack([np.arange(states.size) // 4, states, RNG.integers(0, 2, states.size)], axis=1)
    np.savetxt(path, rows, "%d", ",", header="trajectory,state,action", comments="")
    return path, states


def test_what_is_numbered_is_what_occurs_in_little_memory(table, capsys):
    path, states = table
    tracemalloc.start()
    try:
        assert main(["doctor", str(path)]) == 0
        demos = iq.read_table(path)
        world = iq.MDP.estimate(demos, discount=0.9)
        solution = iq.fit(demos, iq.IAVI(), world)
        most = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert most < MOST_BYTES
    assert world.num_states == np.unique(states).size
    assert np.isfinite(solution.v).all()
    told = capsys.readouterr().out
    holes = np.unique(states).size < states.max() + 1
    assert ("state numbers with holes" in told) == holes


def test_a_whole_fit_of_few_rows_with_a_large_number_ends(tmp_path):
    path = tmp_path / "table.csv"
    states = TABLES["one state 1,000,000 in 16 rows"]
    rows = [f"{i // 4},{s},{i % 3 % 2}" for i, s in enumerate(states)]
    path.write_text("\n".join(["trajectory,state,action", *rows]))
    options = ["--bootstrap", "0", "--folds", "2", "--history", "1", "--quiet"]
    assert main(["fit", str(path), *options, "--out", str(tmp_path / "out")]) == 0
    assert "1000000" in (tmp_path / "out" / "report.html").read_text()
