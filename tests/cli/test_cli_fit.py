import csv
import hashlib
import json
import resource
import signal
import subprocess
import sys
import time
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import numpy as np
import pytest

import inverseq as iq
from inverseq._core.folders import claimed
from inverseq.app.asked import as_options, python_lines

FILES = {
    "report.html",
    "summary.json",
    "run.json",
    "solution.npz",
    "tables/scores.csv",
    "tables/states.csv",
    "tables/contrasts.csv",
    "figures/scores.svg",
    "figures/scores.png",
    "figures/reward_map.svg",
    "figures/reward_map.png",
    "figures/intervals.svg",
    "figures/intervals.png",
}
QUICK = ("--folds", "2", "--bootstrap", "50", "--history", "1")


def written(folder):
    return {str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file()}


def page_of(folder):
    text = (folder / "report.html").read_text("utf-8")
    return ElementTree.fromstring(text.removeprefix("<!DOCTYPE html>\n"))


def test_the_main_job_on_an_own_table(outside, walks, tmp_path):
    done = outside("fit", walks, "--out", "out", "--folds", "2")
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert "Report: out/report.html" in done.stdout
    folder = tmp_path / "out"
    assert written(folder) >= FILES
    assert not [name for name in written(folder) if ".part" in name]
    page = page_of(folder)
    told = "".join(page.itertext())
    for words in ("IAVI", "Kalweit", "SHA-256", "inverseq fit", "seed", "smoothing 0"):
        assert words in told
    assert all(e.attrib["src"].startswith("data:") for e in page.iter("img"))
    assert all(e.attrib["href"].startswith("#") for e in page.iter("a"))
    assert all(e.attrib["alt"] for e in page.iter("img"))


def test_json_is_all_there_is_and_agrees_with_what_was_written(inside, walks, tmp_path):
    code, out, err = inside("fit", walks, "--out", "out", "--json", "--seed", "3", *QUICK)
    assert (code, err) == (0, "")
    told = json.loads(out)
    assert told["report"] == "out/report.html"
    rows = {row["key"]: row for row in told["scores"]}
    assert abs(rows["iavi"]["nats"] - rows["table-1"]["nats"]) < 1e-9
    with open(tmp_path / "out/tables/scores.csv", newline="") as stream:
        table = {row["model"]: row for row in csv.DictReader(stream)}
    assert float(table["IAVI"]["nats"]) == rows["iavi"]["nats"]
    # The score, again, from the stated split and settings alone.
    demonstrations = iq.read_table(walks)
    train, test = demonstrations.split(0.25, seed=3)  # three of twelve
    mdp = iq.MDP.estimate(train, discount=0.9, num_states=3, num_actions=2)
    solution = iq.fit(train, iq.IAVI(smoothing=0.5), mdp=mdp)
    assert rows["iavi"]["nats"] == pytest.approx(
        float(iq.log_likelihood(solution, test)), abs=1e-12
    )


def test_the_model_that_was_written_can_be_loaded_and_is_the_one_asked_for(inside, walks, tmp_path):
    code, out, _ = inside("fit", walks, "--solver", "iavi", "--out", "out", "--json", *QUICK)
    assert code == 0
    assert json.loads(out)["chosen"] == "iavi"
    solution = iq.load(tmp_path / "out/solution.npz", iq.Solution)
    assert solution.solver == "IAVI"
    with open(tmp_path / "out/tables/states.csv", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert [row["name"] for row in rows] == ["hall", "nest", "water"]
    policy = [[float(row["probability_left"]), float(row["probability_right"])] for row in rows]
    np.testing.assert_allclose(policy, solution.policy)


def hashes(folder):
    names = written(folder) - {"run.json"}
    return {n: hashlib.sha256((folder / n).read_bytes()).hexdigest() for n in names}


@pytest.mark.parametrize(
    "asked",
    [
        (*QUICK, "--by", "subject"),
        ("--intentions", "2", "--restarts", "2", "--simulations", "2", "--history", "1"),
    ],
)
def test_the_same_run_gives_the_same_bytes_also_in_python(
    outside, walks, tmp_path, monkeypatch, asked
):
    """The second time by the lines of Python that the app shows beside the command."""
    monkeypatch.setenv("PYTHONHASHSEED", "1")
    done = outside("fit", walks, "--out", "a", "--quiet", *asked)
    assert done.returncode == 0, done.stderr
    told = json.loads((tmp_path / "a/run.json").read_text())
    monkeypatch.setenv("PYTHONHASHSEED", "2")
    lines = python_lines(str(walks), {}, as_options(asked), told["command"])
    subprocess.run([sys.executable, "-c", lines], cwd=tmp_path, check=True)
    assert hashes(tmp_path / "a") == hashes(tmp_path / "out")
    assert told["files"].keys() == written(tmp_path / "a") - {"run.json", "report.html"}
    assert told["command"].startswith("inverseq fit ")
    assert "--out" not in told["command"]
    assert told["seconds"] > sum(told["seconds_by_model"].values()) > 0


def test_a_second_run_into_the_folder_and_things_in_the_way_are_said_at_once(inside, walks):
    with claimed("out"):
        code, out, err = inside("fit", "absent.csv", "--out", "out")
    assert (code, out) == (2, "")
    assert "another run is writing to out" in err
    Path("out").mkdir()
    Path("out/figures").write_text("mine")
    assert "out/figures is in the way" in inside("compare", "absent.csv", "--out", "out")[2]
    assert Path("out/figures").read_text() == "mine"


def test_a_full_disk_keeps_the_old_result_and_what_was_finished(inside, walks, tmp_path):
    assert inside("fit", walks, "--out", "out", "--quiet", *QUICK)[0] == 0
    before = hashes(tmp_path / "out")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, limits[1]))
    try:
        code, _, err = inside("fit", walks, "--out", "out", "--seed", "1", "--quiet", *QUICK)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert code == 2
    assert "figures/" in err
    assert "Make room" in err
    assert err.splitlines()[-1] == "What was written until then lies in out/inverseq-unfinished"
    after = hashes(tmp_path / "out")
    assert after.items() >= before.items()
    kept = {n for n in after if n not in before}
    assert "inverseq-unfinished/solution.npz" in kept
    assert iq.load("out/inverseq-unfinished/solution.npz", iq.Solution).q is not None


def test_a_bandit_without_a_state_goes_through_all_commands(inside, trials, tmp_path):
    columns = ("--action", "choice", "--previous", "choice,reward", "--missing", "ignored")
    code, out, _ = inside("doctor", trials, *columns)
    assert code == 0
    assert "missing actions" in out
    code, out, _ = inside("fit", trials, *columns, "--by", "session", "--out", "out", *QUICK)
    assert code == 0
    assert "two-step table" in out
    assert "left|1" in (tmp_path / "out/tables/states.csv").read_text()
    held_out = ("--by", "subject", "--folds", "2", "--history", "1")
    code, out, _ = inside("compare", trials, *columns, *held_out, "--json")
    assert code == 0
    assert json.loads(out)["by"] == "subject"


def test_a_split_column_is_kept_to(inside, walks):
    lines = walks.read_text().splitlines()
    parts = [lines[0] + ",part"]
    parts += [f"{line},{'TEST' if line.split(',')[1] in '0123' else 'train'}" for line in lines[1:]]
    walks.write_text("\n".join(parts) + "\n")
    code, out, _ = inside("fit", walks, "--split", "part", "--out", "o", "--json", *QUICK)
    assert code == 0
    assert json.loads(out)["decisions"] == 60
    assert "column 'part'" in json.loads(out)["division"]


def test_a_world_can_be_given_as_a_table(inside, walks, tmp_path):
    rooms = ("hall", "nest", "water")
    rows = [
        f"{rooms[s]},{('left', 'right')[a]},{rooms[(s + 1 + a) % 3]},1.0"
        for s in range(3)
        for a in range(2)
    ]
    world = tmp_path / "world.csv"
    world.write_text("state,action,next_state,probability\n" + "\n".join(rows) + "\n")
    code, out, _ = inside(
        "fit", walks, "--world", world, "--discount", "0.8", "--out", "o", "--json", *QUICK
    )
    assert code == 0
    told = json.loads(out)
    assert told["settings"]["discount"] == 0.8
    assert "Its transitions are known" in (tmp_path / "o/report.html").read_text("utf-8")


def test_actions_seen_nowhere_at_a_state_can_be_ruled_out(inside, tmp_path):
    rows = ["trajectory,state,action"]
    for walk in range(6):
        for _ in range(5):
            rows += [f"{walk},hall,{'left' if walk % 2 else 'right'}", f"{walk},nest,out"]
    (tmp_path / "t.csv").write_text("\n".join(rows) + "\n")
    forced = {}
    for which in ("all", "seen"):
        out = inside("fit", "t.csv", "--actions", which, "--out", which, "--json", *QUICK)[1]
        forced[which] = json.loads(out)["forced"]
    assert forced["all"] == 0
    assert forced["seen"] > 0


def test_places_called_x_and_y_are_drawn_as_a_map(inside, tmp_path):
    rng = np.random.default_rng(0)
    rows = ["walk,t,x,y,action"]
    for walk in range(8):
        x, y = 0, 0
        for t in range(12):
            action = int(rng.integers(2))
            rows.append(f"{walk},{t},{x},{y},{('east', 'south')[action]}")
            x, y = ((x + 1) % 3, y) if action == 0 else (x, (y + 1) % 3)
    (tmp_path / "w.csv").write_text("\n".join(rows) + "\n")
    code, _, err = inside(
        "fit", "w.csv", "--trajectory", "walk", "--state", "x,y", "--out", "out", "--quiet", *QUICK
    )
    assert (code, err) == (0, "")
    assert (tmp_path / "out/figures/value_map.svg").exists()


@pytest.mark.parametrize("name", ["SIGTERM", "SIGINT", "SIGKILL"])
def test_a_killed_run_leaves_no_half_written_file(tmp_path, name):
    program = [sys.executable, "-m", "inverseq.cli", "fit", "mice", "--out", "out", "--quiet"]
    running = subprocess.Popen(program, cwd=tmp_path, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 20
    while not (tmp_path / "out").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    time.sleep(0.5)
    running.send_signal(getattr(signal, name))
    _, err = running.communicate(timeout=20)
    if name == "SIGKILL":
        assert running.returncode == -signal.SIGKILL
    else:
        assert running.returncode == 130
        assert err.splitlines() == ["inverseq: error: interrupted; no file was left half written"]
        assert not (tmp_path / "out").exists()
    assert written(tmp_path) <= {"out/.inverseq.part/lock"}
