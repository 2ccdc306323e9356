"""A folder of results is the old one whole, or the new one, whatever happens in between."""

import errno
import json
import os
import signal
import sys

import pytest

from inverseq._core.errors import InputError
from inverseq._core.files import write_text
from inverseq._core.folders import RUN, claimed, files_of, folder_when_whole

PAGE = "page.html"
BESIDE = ("figures/", "model.npz")
OLD = ("model.npz", "figures/a.svg", "figures/b.svg", "tables/x.csv")
NEW = ("model.npz", "figures/a.svg", "tables/deep/y.csv")


def fill(folder, text, names):
    """What a run writes: its files, the account of it, the page."""
    for name in names:
        write_text(folder / name, text)
    write_text(folder / RUN, json.dumps({"files": files_of(folder)}))
    write_text(folder / PAGE, text)


def write(root, text="old", names=OLD):
    with folder_when_whole(root, PAGE, BESIDE) as folder:
        fill(folder, text, names)


def content(root):
    """Every file but the account of the run."""
    found = {name: (root / name).read_text() for name in files_of(root)}
    found.pop(RUN, None)
    return found


def result(text, names):
    return dict.fromkeys((*names, PAGE), text)


def test_a_result_is_put_in_place_and_replaces_the_earlier_one(tmp_path):
    root = tmp_path / "deep" / "out"
    write(root)
    assert content(root) == result("old", OLD)
    write(root, "new", NEW)
    assert content(root) == result("new", NEW)
    assert {path.name for path in root.iterdir()} == {"figures", "tables", "model.npz", PAGE, RUN}


def test_files_of_ones_own_stay(tmp_path):
    write(tmp_path)
    own = {"figures/mine.svg": "mine", "notes.txt": "mine", "tables/x.csv": "changed by me"}
    for name, text in own.items():
        write_text(tmp_path / name, text)
    write(tmp_path, "new", NEW)
    assert content(tmp_path) == result("new", NEW) | own


@pytest.mark.parametrize(
    "listed",
    [
        "[]",
        "{}",
        "no JSON",
        '{"files": {"../mine": 4, "/etc/hostname": 4}}',
        '{"files": {"mine": "x"}}',
        '{"files": ["mine"]}',
    ],
)
def test_a_strange_account_of_a_run_removes_nothing(tmp_path, listed):
    root = tmp_path / "out"
    write_text(tmp_path / "mine", "mine")
    write_text(root / "mine", "mine")
    write_text(root / RUN, listed)
    write(root, "new", NEW)
    assert (tmp_path / "mine").read_text() == "mine"
    assert content(root) == result("new", NEW) | {"mine": "mine"}


def test_nothing_shows_before_the_end_and_a_second_run_is_told(tmp_path):
    write(tmp_path)
    with folder_when_whole(tmp_path, PAGE, BESIDE) as folder:
        fill(folder, "new", NEW)
        assert {name: content(tmp_path)[name] for name in OLD} == dict.fromkeys(OLD, "old")
        for again in (claimed(tmp_path), folder_when_whole(tmp_path, PAGE)):
            with pytest.raises(InputError, match=r"another run is writing to .*; wait"), again:
                raise AssertionError
    assert content(tmp_path) == result("new", NEW)


@pytest.mark.parametrize("made", [False, True])
def test_a_refused_run_leaves_what_it_found(tmp_path, made):
    root = tmp_path / "a" / "out"
    if made:
        root.mkdir(parents=True)

    def refuse() -> None:
        with folder_when_whole(root, PAGE, BESIDE):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        refuse()
    assert [*root.parent.rglob("*")] == ([root] if made else [])
    assert root.exists() == made


@pytest.mark.parametrize(
    ("name", "folder"),
    [
        ("out", False),
        ("out/figures", False),
        (f"out/{PAGE}", True),
        (f"out/{RUN}", True),
        ("out/model.npz", True),
        ("out/.inverseq.part", False),
    ],
)
def test_what_stands_in_the_way_is_said_before_any_work(tmp_path, name, folder):
    if folder:
        (tmp_path / name).mkdir(parents=True)
    else:
        write_text(tmp_path / name, "mine")
    before = sorted(tmp_path.rglob("*"))
    with (
        pytest.raises(InputError, match=r"in the way|cannot write to"),
        folder_when_whole(tmp_path / "out", PAGE, BESIDE),
    ):
        raise AssertionError
    assert sorted(tmp_path.rglob("*")) == before


def test_what_stands_in_the_way_at_the_end_loses_neither_result(tmp_path):
    write(tmp_path)

    def run() -> None:
        with folder_when_whole(tmp_path, PAGE, BESIDE) as folder:
            fill(folder, "new", NEW)
            write_text(tmp_path / "tables" / "deep", "mine")

    with pytest.raises(InputError, match="deep is in the way") as said:
        run()
    assert said.value.__notes__ == [
        f"What was written until then lies in {tmp_path / 'inverseq-unfinished'}"
    ]
    assert content(tmp_path / "inverseq-unfinished") == result("new", NEW)
    old = {n: t for n, t in content(tmp_path).items() if not n.startswith("inverseq-unfinished")}
    assert old == result("old", OLD) | {"tables/deep": "mine"}


def test_a_full_disk_keeps_the_old_result_and_names_the_file(tmp_path, monkeypatch):
    write(tmp_path)

    def full(handle):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(InputError, match=r"model\.npz: No space left on device.*Make room"):
        write(tmp_path, "new", NEW)
    assert content(tmp_path) == result("old", OLD)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(
        ("figures", "tables", "model.npz", PAGE, RUN)
    )


def test_a_folder_that_may_not_be_written_to_is_refused(tmp_path, monkeypatch):
    (tmp_path / "figures").mkdir()
    monkeypatch.setattr("os.access", lambda path, mode: path.name != "figures")
    with pytest.raises(InputError, match=r"cannot write to .*figures"), claimed(tmp_path, BESIDE):
        raise AssertionError


def _die_at(step, root):
    """In a fork: write a new result, and be killed at this step of what is done to files."""
    steps = iter(range(1, 10**6))

    def count(event, _):
        done = ("open", "os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.listdir")
        if event in done and next(steps) == step:
            os.kill(os.getpid(), signal.SIGKILL)

    try:
        sys.addaudithook(count)
        write(root, "new", NEW)
    except BaseException:
        os._exit(1)
    os._exit(0)


@pytest.mark.filterwarnings("ignore:os.fork:RuntimeWarning")  # JAX's; the child only moves files
@pytest.mark.skipif(not hasattr(os, "fork"), reason="it is killed in a fork")
def test_a_kill_at_any_step_leaves_the_old_result_or_no_page_and_the_next_run_mends_it(
    tmp_path, monkeypatch
):
    monkeypatch.setattr("os.fsync", lambda handle: None)  # no power is lost here
    seen = set()
    for step in range(1, 1000):
        root = tmp_path / str(step)
        write(root)
        write_text(root / "figures" / "mine.svg", "mine")
        child = os.fork()
        if child == 0:
            _die_at(step, root)
        ended = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        found = content(root)
        assert found.pop("figures/mine.svg") == "mine"
        shown = {name: text for name, text in found.items() if not name.startswith(".inverseq")}
        if PAGE in shown:
            seen.add(shown[PAGE])
            assert shown in (result("old", OLD), result("new", NEW))
        else:
            seen.add(None)
            with claimed(root):
                pass  # of another kind: it takes nothing away
            with pytest.raises(KeyboardInterrupt), folder_when_whole(root, PAGE):
                raise KeyboardInterrupt
            assert content(root) == result("new", NEW) | {"figures/mine.svg": "mine"}
        write(root, "third", OLD)
        assert content(root) == result("third", OLD) | {"figures/mine.svg": "mine"}
        assert not (root / ".inverseq.part").exists()
        if ended == 0:
            break
    assert seen == {"old", "new", None}
    assert step > 30
