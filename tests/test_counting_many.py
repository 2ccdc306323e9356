"""Counts of tables in many files, with next states from the order of rows, and by unit."""

from itertools import pairwise

import numpy as np
import polars
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from inverseq._core.errors import InputError
from inverseq.decisions.counts import Counts, count
from inverseq.decisions.files import TableCounts, count_file, estimate_from_counts
from inverseq.evaluate.bootstrap import bootstrap
from inverseq.evaluate.likelihood import log_likelihood
from inverseq.evaluate.sandwich import sandwich
from inverseq.inverse.fit import fit
from inverseq.inverse.maxent.causal import MaxEnt
from inverseq.inverse.tables.count_table import CountTable
from inverseq.inverse.values.iavi import IAVI
from inverseq.inverse.values.iql import IQL
from inverseq.mdp import MDP
from inverseq.readers import read_table


def session_table(seed: int, rows: int = 60, named: bool = False) -> dict[str, list]:
    """Decisions of three animals in sessions that each begin at 1; times rise within a session."""
    rng = np.random.default_rng(seed)
    subject = np.sort(rng.integers(0, 3, rows))
    session = rng.integers(1, 4, rows)
    states, actions = rng.integers(0, 4, rows), rng.integers(-1, 3, rows)
    actions[0] = 0
    return {
        "subject": [f"m{s}" for s in subject],
        "session": session.tolist(),
        "time": (rng.permutation(rows) / 4).tolist(),
        "state": [f"place {s}" for s in states] if named else states.tolist(),
        "action": [None if a < 0 else int(a) for a in actions],
        "terminated": (rng.random(rows) < 0.1).tolist(),
        "gap_after": (rng.random(rows) < 0.1).astype(int).tolist(),
    }


def in_files(folder, table: dict, seed: int, partitions: bool = False):
    """The table in files of any length in folders, rows in any order; perhaps one per subject."""
    rng = np.random.default_rng(seed)
    frame = polars.DataFrame(table)
    frame = frame[rng.permutation(len(frame)).tolist()]
    cuts = [0, *np.sort(rng.integers(0, len(frame) + 1, 4)).tolist(), len(frame)]
    for i, (first, end) in enumerate(pairwise(cuts)):
        part = frame[first:end]
        pieces = {f"deep [{i % 2}]": part}
        if partitions:
            pieces = {
                f"subject={name}": one.drop("subject")
                for (name,), one in part.partition_by("subject", as_dict=True).items()
            }
        for name, one in pieces.items():
            (folder / name).mkdir(parents=True, exist_ok=True)
            one.write_parquet(folder / name / f"{i}.parquet")
    return folder


def same(one: TableCounts, two: TableCounts) -> None:
    """Counts, transitions and all else of two tables are equal to the last unit."""
    np.testing.assert_array_equal(one.counts.state_action, two.counts.state_action)
    assert (one.counts.units is None) == (two.counts.units is None)
    if one.counts.units is not None and two.counts.units is not None:
        np.testing.assert_array_equal(one.counts.units.toarray(), two.counts.units.toarray())
        assert one.counts.unit_names == two.counts.unit_names
    for name, values in one.transitions.items():
        np.testing.assert_array_equal(values, two.transitions[name])
    for name in ("num_rows", "num_missing", "state_names", "action_names"):
        assert getattr(one, name) == getattr(two, name)
    for name in ("initial", "ended"):
        np.testing.assert_array_equal(getattr(one, name), getattr(two, name))


@settings(max_examples=12)
@given(st.integers(0, 2**31), st.booleans(), st.booleans())
def test_however_a_table_is_divided_it_is_counted_alike(tmp_path_factory, seed, named, partitions):
    table = session_table(seed, named=named)
    folder = tmp_path_factory.mktemp("parts")
    whole = folder / "whole.parquet"
    polars.DataFrame(table).write_parquet(whole)
    parts = in_files(folder / "parts", table, seed, partitions)
    one = count_file(whole, by="session")
    same(one, count_file(parts, by="session", partitions=partitions))
    pattern = "subject=*/*.parquet" if partitions else "**/*.parquet"
    same(one, count_file(parts / pattern, by="session", partitions=partitions))


@settings(max_examples=12)
@given(st.integers(0, 2**31), st.sampled_from([None, 2.0]), st.booleans(), st.booleans())
def test_next_states_are_those_of_the_reader(tmp_path_factory, seed, longest, dated, given_some):
    table = session_table(seed)
    if dated:
        table["time"] = [
            f"2024-05-31T10:00:{4 * t:09.6f}+02:00" for t in np.array(table["time"]) / 16
        ]
    if given_some:
        rng = np.random.default_rng(seed)
        table["next_state"] = [int(n) if n >= 0 else None for n in rng.integers(-3, 4, 60)]
    path = tmp_path_factory.mktemp("order") / "table.csv"
    polars.DataFrame(table).write_csv(path)
    counted = count_file(path, time="time", longest_step=longest, by="subject")
    demos = read_table(path, longest_step=longest)
    one = estimate_from_counts(counted, discount=0.9, smoothing=0.5)
    two = MDP.estimate(demos, discount=0.9, smoothing=0.5)
    np.testing.assert_allclose(
        one.transition_matrix.toarray(), two.transition_matrix.toarray(), atol=1e-12
    )
    np.testing.assert_array_equal(one.terminal, two.terminal)
    np.testing.assert_allclose(one.initial, two.initial, atol=1e-15)
    expected = count(demos, two, by="subject")
    np.testing.assert_array_equal(counted.counts.state_action, expected.state_action)
    assert expected.units is not None
    assert counted.counts.units is not None
    np.testing.assert_array_equal(counted.counts.units.toarray(), expected.units.toarray())
    assert counted.counts.unit_names == expected.unit_names


@pytest.fixture(scope="module")
def counted(tmp_path_factory):
    """A table of a file: its counts by subject, and its demonstrations, in one world."""
    table = session_table(3, rows=400) | {"terminated": [False] * 400}
    table["subject"] = [f"m{i // 40}" for i in range(400)]
    path = tmp_path_factory.mktemp("units") / "table.parquet"
    polars.DataFrame(table).write_parquet(path)
    made = count_file(path, by="subject")
    return made.counts, read_table(path), estimate_from_counts(made, discount=0.9, smoothing=1.0)


@pytest.mark.parametrize("solver", [IAVI(), MaxEnt(strength=1.0), CountTable(by="subject")])
def test_the_bootstrap_of_a_file_is_that_of_its_demonstrations(counted, solver):
    counts, demos, world = counted
    one = bootstrap(counts, solver, world, seed=1, replicates=4, jobs=1)
    two = bootstrap(demos, solver, world, seed=1, replicates=4, jobs=1, by="subject")
    assert (one.by, one.units) == (two.by, two.units) == ("subject", 10)
    assert (one.rewards is None) == isinstance(solver, CountTable)
    if one.rewards is not None and two.rewards is not None:
        np.testing.assert_allclose(one.rewards, two.rewards, atol=1e-9)
    for name, values in two.parameters.items():
        np.testing.assert_allclose(one.parameters[name], values, atol=1e-9)


def test_the_sandwich_and_the_choice_of_a_prior_take_units_of_a_file(counted):
    counts, demos, world = counted
    one = sandwich(counts, MaxEnt(strength=1.0), world)
    two = sandwich(demos, MaxEnt(strength=1.0), world, by="subject")
    np.testing.assert_allclose(one.covariance, two.covariance, atol=1e-9)
    assert (one.by, one.units) == ("subject", 10)
    chosen = MaxEnt(by="subject", folds=2, strengths=(0.1, 10.0))
    a, b = fit(counts, chosen, world), fit(demos, chosen, world)
    assert a.settings["strength"] == b.settings["strength"]
    np.testing.assert_allclose(a.reward, b.reward, atol=1e-9)
    with pytest.raises(InputError, match="these counts are by subject, and MaxEnt"):
        fit(counts, MaxEnt(by="session"), world)
    with pytest.raises(InputError, match="these counts are by subject, and CountTable"):
        fit(counts, CountTable(by="session"), world)


@pytest.mark.parametrize("solver", [IAVI(), MaxEnt(strength=1.0), CountTable(by="subject")])
@pytest.mark.parametrize("free", [False, True])
def test_what_is_held_out_scores_as_its_demonstrations_do(counted, solver, free):
    counts, demos, world = counted
    train, test = counts.split(0.3, seed=5)
    kept, held = demos.split(0.3, by="subject", seed=5)
    one = log_likelihood(fit(train, solver, world), test, exclude_forced=free)
    two = log_likelihood(fit(kept, solver, world), held, by="subject", exclude_forced=free)
    for name in ("sums", "decisions", "forced", "chance", "hits"):
        np.testing.assert_allclose(getattr(one, name), getattr(two, name), atol=1e-8)
    assert one.by == two.by


def test_what_cannot_be_scored_from_counts_is_refused(counted):
    counts, _, world = counted
    solution = fit(counts, IAVI(), world)
    with pytest.raises(InputError, match="these have none"):
        log_likelihood(solution, Counts(counts.state_action))
    with pytest.raises(InputError, match="no order: drop from_step"):
        log_likelihood(solution, counts, from_step=2)
    with pytest.raises(InputError, match="no table of states"):
        log_likelihood(fit(counts, CountTable()), counts)
    never = fit(counts.take(np.array([0])), CountTable(order=1, smoothing=0, backoff=False), world)
    with pytest.raises(InputError, match="no probability"):
        log_likelihood(never, counts)


def test_units_of_one_name_in_several_parts_are_one():
    one = count_of([[1, 0], [0, 2]], "ab")
    two = count_of([[0, 3], [4, 0]], "bc")
    both = one + two
    assert both.unit_names == ("a", "b", "c")
    assert both.by == "subject"
    assert both.units is not None
    assert both.units.toarray().tolist() == [[1, 0], [0, 5], [4, 0]]
    assert both.take(np.array([1, 2])).state_action.tolist() == [[4, 5]]
    with pytest.raises(InputError, match="different units"):
        _ = one + Counts(two.state_action, two.units, "session")
    with pytest.raises(InputError, match="1 x 2 and 2 x 2"):
        _ = one + Counts(np.ones((2, 2)))
    with pytest.raises(InputError, match="1 different names were given for 2 units"):
        Counts(one.state_action, one.units, "subject", ("a", "a"))


def count_of(units: list, names: str) -> Counts:
    """Counts of subjects in one state."""
    table = np.array(units, float)
    return Counts(table.sum(0)[None], sparse.csr_array(table), "subject", tuple(names))


def written(folder, **tables: dict):
    """A Parquet file for each table."""
    for name, table in tables.items():
        polars.DataFrame(table).write_parquet(folder / f"{name}.parquet")
    return folder


GOOD = {"subject": ["a", "a"], "time": [0, 1], "state": [0, 1], "action": [0, 1]}


@pytest.mark.parametrize(
    ("second", "words"),
    [
        ({"state": [0, None]}, "row 2 of two.parquet, column 'state': the state is empty"),
        ({"subject": ["a", None]}, "row 2 of two.parquet, column 'subject' is empty"),
        ({"time": [2, None]}, "row 2 of two.parquet, column 'time' holds no time"),
        ({"time": [5, 1]}, "row 2 of one.parquet and row 2 of two.parquet have the same 'time'"),
        ({"state": ["x", "y"]}, "'state' holds texts in two.parquet and numbers in one.parquet"),
        ({"action": None}, "two.parquet has no column 'action', and other files have"),
    ],
)
def test_what_is_wrong_in_one_of_many_files_is_told_with_the_file(tmp_path, second, words):
    two = {k: v for k, v in (GOOD | {"time": [2, 3]} | second).items() if v is not None}
    with pytest.raises(InputError, match=words):
        count_file(written(tmp_path, one=GOOD, two=two))


def test_a_column_without_values_in_one_file_is_no_other_type(tmp_path):
    one = GOOD | {"action": ["go", "stay"]}
    two = {"subject": ["b"], "time": [0], "state": [1], "action": [None]}
    made = count_file(written(tmp_path, one=one, two=two, _three={"state": ["noted"]}))
    assert (made.num_rows, made.num_missing) == (3, 1)
    assert made.transitions["next_state"].tolist() == [1]
    assert made.initial is not None
    assert made.initial.tolist() == [1, 1]


def test_folders_are_columns_where_that_is_asked_and_override_none(tmp_path):
    (tmp_path / "subject=a b" / "session=2").mkdir(parents=True)
    written(tmp_path / "subject=a b" / "session=2", one=GOOD | {"session": [1, 1]})
    assert count_file(tmp_path, by="session").counts.unit_names == ("a, 1",)
    with pytest.raises(InputError, match="a column 'session', and so have the folders"):
        count_file(tmp_path, partitions=True)
    plain = {name: GOOD[name] for name in ("time", "state", "action")}
    written(tmp_path / "subject=a b" / "session=2", one=plain)
    assert count_file(tmp_path, partitions=True, by="session").counts.unit_names == ("a b, 2",)
    with pytest.raises(InputError, match="cannot group by subject"):
        count_file(tmp_path, by="subject")
    written(tmp_path, two=plain)
    with pytest.raises(InputError, match=r"two\.parquet lies in folders that name \[\], one"):
        count_file(tmp_path, partitions=True)


def test_what_holds_no_table_is_refused(tmp_path):
    with pytest.raises(InputError, match="holds no Parquet file"):
        count_file(tmp_path)
    with pytest.raises(InputError, match="no file fits"):
        count_file(tmp_path / "*.parquet")
    (tmp_path / "note.csv").write_text("state,action\n0,0\n")
    with pytest.raises(InputError, match=r"note\.csv fits .* and is no Parquet file"):
        count_file(tmp_path / "*")
    (tmp_path / "empty.parquet").write_text("")
    with pytest.raises(InputError, match=r"empty\.parquet is empty"):
        count_file(tmp_path)
    (tmp_path / "empty.parquet").write_text("damaged")
    with pytest.raises(InputError, match="cannot be read as Parquet"):
        count_file(tmp_path)


def test_order_is_asked_of_a_time_alone(tmp_path):
    folder = written(tmp_path, one={k: v for k, v in GOOD.items() if k != "time"})
    made = count_file(folder)
    assert made.initial is None
    assert not made.transitions["count"].size
    with pytest.raises(InputError, match="orders the rows of a trajectory"):
        estimate_from_counts(made, discount=0.9)
    with pytest.raises(InputError, match="name the column with time="):
        count_file(folder, longest_step=1.0)
    with pytest.raises(InputError, match="next_state=None counts no transitions"):
        count_file(folder, next_state=None, longest_step=1.0)
    with pytest.raises(InputError, match="neither true nor false"):
        count_file(written(tmp_path, one=GOOD | {"terminated": [0, 7]}))


def test_too_little_memory_is_no_damaged_file(tmp_path):
    rows = 20_000
    time = np.random.default_rng(0).permutation(rows)
    table = {"time": time, "state": ["a" * 100 + str(i % 50) for i in range(rows)]}
    folder = written(tmp_path, one=table | {"action": ["go"] * rows})
    with pytest.raises(InputError, match="allow more memory, memory_limit="):
        count_file(folder, memory_limit="1MB")


def test_what_needs_an_order_does_not_take_counts(counted):
    counts, _, world = counted
    with pytest.raises(InputError, match="needs the demonstrations themselves"):
        fit(counts, IQL(), world)
