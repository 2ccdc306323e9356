"""Records go into one file and come back the same, and no file is ever half of one."""

import json
import subprocess
import sys
import textwrap
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, fields, is_dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

import strategies
from inverseq._core.errors import InputError
from inverseq._core.status import Outcome, Status
from inverseq._core.store import load, save
from inverseq.decisions.counts import Counts, count
from inverseq.demonstrations import Demonstrations
from inverseq.intentions.solution import IntentionSolution
from inverseq.inverse.solution import Solution
from inverseq.mdp import MDP, History, unite


def same(one: Any, two: Any) -> bool:
    """Equality that looks into records, arrays and mappings."""
    if is_dataclass(one):
        return type(one) is type(two) and all(
            same(getattr(one, f.name), getattr(two, f.name)) for f in fields(one)
        )
    if sparse.issparse(one):
        return one.shape == two.shape and (one != two).nnz == 0
    if isinstance(one, np.ndarray):
        return (
            isinstance(two, np.ndarray)
            and one.dtype == two.dtype
            and np.array_equal(one, two, equal_nan=one.dtype.kind == "f")
        )
    if isinstance(one, Mapping):
        return list(one) == list(two) and all(same(one[k], two[k]) for k in one)
    if isinstance(one, float) and np.isnan(one):
        return isinstance(two, float) and bool(np.isnan(two))
    if isinstance(one, tuple):
        return len(one) == len(two) and all(map(same, one, two))
    return type(one) is type(two) and one == two


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return tmp_path_factory.mktemp("store") / "record.npz"


@given(strategies.mdps(features=2), st.sampled_from([1, 2, 3]), st.booleans())
def test_worlds_come_back_the_same(path, mdp, length, united):
    mdp = mdp.with_history(length)
    mdp = unite({"a": mdp, "b": mdp}) if united else mdp
    assert same(load(save(mdp, path), MDP), mdp)


@given(strategies.any_demonstrations())
def test_demonstrations_come_back_the_same(path, demonstrations):
    assert same(load(save(demonstrations, path), Demonstrations), demonstrations)


@given(strategies.played(gaps=0.1))
def test_counts_come_back_the_same(path, drawn):
    mdp, _, demonstrations = drawn
    counted = count(demonstrations, mdp)
    assert counted.units is not None
    assert same(load(save(counted, path), Counts), counted)


texts = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=5)
numbers = st.one_of(st.integers(-(2**40), 2**40), st.floats(), st.booleans())


@given(
    st.dictionaries(texts, st.one_of(numbers, texts, st.none())),
    st.lists(texts, min_size=1, max_size=3),
)
def test_odd_names_notes_and_columns_come_back_the_same(path, notes, names):
    """Column names may hold dots, slashes and anything else; none may shadow another."""
    mdp = MDP.from_dense(
        np.ones((1, 1, 1)), discount=0.5, notes=notes, state_names=tuple(names[:1])
    )
    assert same(load(save(mdp, path), MDP), mdp)
    columns = {f"{name}{i}": np.array([i]) for i, name in enumerate(names)}
    demonstrations = Demonstrations.from_arrays([0], [0], decisions=columns, trajectories=columns)
    assert same(load(save(demonstrations, path), Demonstrations), demonstrations)


@pytest.mark.parametrize("outcome", Outcome)
def test_a_status_comes_back_the_same(path, outcome):
    status = Status(outcome, 3, float("inf"), "try this")
    assert same(load(save(status, path), Status), status)
    assert same(load(save(Status(outcome), path), Status), Status(outcome))


@dataclass(frozen=True)
class Inner:
    values: np.ndarray
    kind: Outcome


@dataclass(frozen=True)
class Outer:
    one: Inner | None
    many: tuple[Inner, ...]
    named: Mapping[str, Inner]


def test_records_within_records_come_back_the_same(path):
    inner = Inner(np.array([[1.5, np.nan], [np.inf, 0.0]]), Outcome.LIMIT)
    for outer in (Outer(inner, (inner, inner), {"a.b": inner}), Outer(None, (), {})):
        assert same(load(save(outer, path), Outer), outer)


def test_arrays_of_any_plain_kind_come_back_the_same(path):
    @dataclass(frozen=True)
    class Holder:
        values: np.ndarray

    for values in ([True, False], [1, 2], ["ä", "bcd"], [], [[]], 5, ["2020-01-01"]):
        array = np.array(values)
        assert same(load(save(Holder(array), path), Holder), Holder(array))


def test_no_object_is_needed_to_read_a_file(path):
    """An array of objects would need pickle; it is written as text."""
    save(Inner(np.array(["a", None, 3], dtype=object), Outcome.LIMIT), path)
    assert load(path, Inner).values.tolist() == ["a", "None", "3"]


def test_what_no_plain_file_can_hold_is_refused_and_nothing_is_left(tmp_path):
    target = tmp_path / "x.npz"
    with pytest.raises(InputError, match=r"Inner\.kind is a function"):
        save(Inner(np.zeros(1), lambda: 0), target)  # type: ignore[arg-type]
    assert [*tmp_path.iterdir()] == []


def test_another_kind_or_format_or_file_is_refused_in_one_sentence(tmp_path):
    target = tmp_path / "x.npz"
    save(Status(Outcome.LIMIT), target)
    with pytest.raises(InputError, match="holds a Status, not a MDP"):
        load(target, MDP)
    with pytest.raises(InputError, match="does not exist"):
        load(tmp_path / "absent.npz", MDP)
    for junk in (b"", b"junk", target.read_bytes()[:-40]):
        (tmp_path / "junk.npz").write_bytes(junk)
        with pytest.raises(InputError, match=r"not a file written by inverseq\.save"):
            load(tmp_path / "junk.npz", Status)
    np.savez(tmp_path / "other.npz", a=np.zeros(3))
    with pytest.raises(InputError, match=r"not a file written by inverseq\.save"):
        load(tmp_path / "other.npz", Status)
    header = json.dumps({"format": 99, "kind": "Status", "tree": {}}).encode()
    np.savez(tmp_path / "new.npz", **{"record.json": np.frombuffer(header, np.uint8)})
    with pytest.raises(InputError, match="format 99"):
        load(tmp_path / "new.npz", Status)


@settings(max_examples=10)
@given(st.data())
def test_a_damaged_file_never_gives_a_record_in_silence(path, data):
    """Bytes turned over in the file: the record is the same, or an `InputError` says so."""
    mdp = strategies.random_mdp(np.random.default_rng(0), 4, 2)
    whole = bytearray(save(mdp, path).read_bytes())
    place = data.draw(st.integers(0, len(whole) - 1))
    whole[place] ^= data.draw(st.integers(1, 255))
    path.write_bytes(bytes(whole))
    try:
        found = load(path, MDP)
    except InputError:
        return
    assert same(found, mdp)


def test_a_file_is_a_plain_zip_of_arrays(path):
    save(strategies.random_mdp(np.random.default_rng(0), 4, 2), path)
    with zipfile.ZipFile(path) as archive:
        assert all(name.endswith(".npy") for name in archive.namelist())


KILLED = """
    import os, signal, sys
    import numpy as np
    from inverseq._core import store
    from inverseq.decisions.counts import Counts
    def die(stream, array, **_):
        stream.write(b"half of it")
        os.kill(os.getpid(), signal.SIGKILL)
    np.lib.format.write_array = die
    store.save(Counts(np.ones((3, 2))), sys.argv[1])
"""


def test_a_killed_write_leaves_the_old_file(tmp_path):
    target = tmp_path / "counts.npz"
    save(Counts(np.full((2, 2), 7.0)), target)
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(KILLED), str(target)],
        capture_output=True,
        check=False,
    )
    assert done.returncode == -9, done.stderr
    assert load(target, Counts).state_action.tolist() == [[7, 7], [7, 7]]


def test_the_same_record_gives_the_same_bytes_at_any_time(tmp_path, monkeypatch):
    counts, made = Counts(np.full((2, 2), 7.0)), []
    for now in (0.0, 1e9):
        monkeypatch.setattr("time.time", lambda now=now: now)
        made.append(save(counts, tmp_path / f"{now}.npz").read_bytes())
    assert made[0] == made[1]


def test_a_history_comes_back_the_same(path):
    mdp = strategies.random_mdp(np.random.default_rng(1), 4, 2).with_history(3, of="actions")
    assert mdp.history is not None
    assert same(load(save(mdp.history, path), History), mdp.history)


@pytest.mark.parametrize(
    ("name", "kind"), [("solution", Solution), ("intentions", IntentionSolution)]
)
def test_a_fit_of_an_earlier_version_is_named_as_one(name, kind):
    # Both files were written by the version before solutions held records of policies.
    with pytest.raises(InputError, match=rf"{name}.npz was written by an earlier version .*again"):
        load(Path(__file__).parent / "earlier" / f"{name}.npz", kind)
