"""The table of decisions, against each number computed by itself."""

import dataclasses

import duckdb
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import inverseq as iq
from inverseq.evaluate import decision_table
from inverseq.worlds import gridworld
from wishes import fitted

MDP = gridworld(2, 3).mdp
RNG = np.random.default_rng(0)
STATES = RNG.integers(0, MDP.num_states, 60)
ACTIONS = np.array([RNG.choice(np.flatnonzero(MDP.allowed[s])) for s in STATES])
ACTIONS[7] = -1
DATA = iq.Demonstrations.from_arrays(
    STATES,
    ACTIONS,
    next_states=MDP.successors[STATES, ACTIONS, 0],
    trajectory=np.repeat(np.arange(6), 10),
    rows=np.arange(60)[::-1] + 1,
)


@pytest.fixture(scope="module")
def solution():
    return iq.fit(DATA, iq.IAVI(smoothing=0.5), MDP)


def test_each_row_says_what_the_fit_says_of_that_decision(solution):
    table = iq.decision_table(solution, DATA)
    assert_array_equal(table["row"], np.arange(1, 61))
    # The source's rows run backwards.
    for row, (state, action) in enumerate(zip(STATES[::-1], ACTIONS[::-1], strict=True)):
        at = {name: values[row] for name, values in table.items()}
        assert at["state"] == state
        policy, q = np.asarray(solution.policy)[state], solution.q[state]
        exists = MDP.allowed[state]
        mean = sum(policy[a] * q[a] for a in np.flatnonzero(exists))
        assert at["value"] == solution.v[state]
        if action < 0:
            told = [at[n] for n in ("probability", "log_likelihood", "surprise", "advantage")]
            assert np.isnan(told).all()
            continue
        assert_allclose(at["probability"], policy[action])
        assert_allclose(at["log_likelihood"], np.log(policy[action]))
        entropy = -sum(policy[a] * np.log(policy[a]) for a in np.flatnonzero(exists))
        assert_allclose(at["surprise"], -np.log(policy[action]) - entropy)
        assert_allclose(at["advantage"], q[action] - mean)


def test_its_log_likelihoods_are_those_of_the_score(solution):
    table = iq.decision_table(solution, DATA)
    assert_allclose(np.nanmean(table["log_likelihood"]), iq.log_likelihood(solution, DATA).mean)


def test_several_intentions_have_probabilities_and_no_value():
    several, data = fitted()
    table = iq.decision_table(several, data)
    assert_allclose(np.nanmean(table["log_likelihood"]), iq.log_likelihood(several, data).mean)
    assert not {"value", "advantage"} & set(table)


@pytest.mark.parametrize("piece", [1000, 25, 1])
@pytest.mark.parametrize("backwards", [True, False])
def test_it_is_written_as_it_is(solution, tmp_path, monkeypatch, piece, backwards):
    monkeypatch.setattr(decision_table, "_PIECE", piece)
    names = {"who": np.array(["", "", "", "a", "b", ""])}  # nothing in the first piece
    rows = DATA.rows if backwards else None
    data = dataclasses.replace(DATA, rows=rows, trajectories=DATA.trajectories | names)
    path = iq.write_decisions(solution, data, tmp_path / "decisions.parquet")
    back = duckdb.sql(f"select * from '{path}'").fetchnumpy()
    table = iq.decision_table(solution, data)
    assert [*back] == [*table]
    for name, values in table.items():
        empty = "" if values.dtype.kind == "U" else np.nan
        assert_array_equal(np.ma.filled(back[name], empty), values)


def test_a_file_of_another_kind_is_refused(solution, tmp_path):
    with pytest.raises(iq.InputError, match=r"\.parquet or \.csv"):
        iq.write_decisions(solution, DATA, tmp_path / "decisions.txt")
