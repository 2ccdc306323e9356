"""Other packages side by side: what they are given, how they are scored, what a failure says.

None of them is installed here. A reference implementation is played by a module written below.
"""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from benchmarks import peer_worlds, peers  # noqa: E402

SWEEPS = '''
import numpy as np

def inverse_action_value_iteration(
    feature_matrix, nA, gamma, transition_probabilities, action_probabilities, theta=0.0001
):
    """Sweeps over all states at once."""
    assert len(feature_matrix) == len(action_probabilities)
    print("people's code prints")
    log_policy, v, change = np.log(action_probabilities), np.zeros(len(feature_matrix)), np.inf
    while change > theta * 1e-3:
        ahead = gamma * transition_probabilities @ v
        eta = log_policy - ahead
        r = eta - eta.mean(1, keepdims=True)
        q = r + ahead
        change, v = np.abs(q.max(1) - v).max(), q.max(1)
    return q, r, np.exp(log_policy)
'''


@pytest.fixture(scope="module")
def task():
    return peer_worlds.grid("soft", 4, 40)


@pytest.fixture
def inputs(task, tmp_path):
    path = tmp_path / "inputs.npz"
    peer_worlds.write(task, path, tmp_path / "answers.npz")
    return path


def reference(folder: Path, text: str, inputs: Path, limit: float = 60.0):
    """What the adapter makes of a module with this text, somewhere below `folder`."""
    place = folder / "authors" / "code"
    place.mkdir(parents=True)
    (place / "anything.py").write_text(text, encoding="utf-8")
    return peers.one(peers.REFERENCE, "iavi", Path(sys.executable), inputs, limit, folder)


def test_a_reference_implementation_is_found_by_name_and_scored_like_ours(task, inputs, tmp_path):
    theirs = reference(tmp_path, SWEEPS, inputs)
    ours = peers.one(peers.OURS, "iavi", Path(sys.executable), inputs, 60.0)
    live = ~task.mdp.terminal
    np.testing.assert_allclose(theirs["reward"][live], ours["reward"][live], atol=1e-4)
    rows = [peers.scored(task, made) for made in (theirs, ours)]
    for key in ("nats", "correlation", "lost"):
        assert rows[0][key] == pytest.approx(rows[1][key], abs=1e-4)
    for row in rows:
        assert row["cpu_seconds"] > 0
        assert 0 < row["seconds"] < row["total_seconds"]
        assert 10 < row["peak_mb"] < 4096


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("def another(): pass", "no file in the folder defines a function inverse_action_value"),
        ("def inverse_action_value_iteration(*a, **k): return [1.0], [2.0]", "shape (16, 4)"),
        ("def inverse_action_value_iteration(*a, **k): raise OSError('no disk')", "no disk"),
        (
            "import time\ndef inverse_action_value_iteration(*a, **k): time.sleep(60)",
            "not done after 2 s",
        ),
    ],
)
def test_what_cannot_run_says_why(text, reason, task, inputs, tmp_path):
    made = reference(tmp_path, text, inputs, limit=2.0 if "sleep" in text else 60.0)
    assert reason in made["refused"]
    row = peers.scored(task, made)
    assert "nats" not in row
    assert reason in peers._cells({"name": "x", **row})[-1]


def test_a_failed_installation_is_a_row_and_is_tried_again(inputs, tmp_path, monkeypatch):
    def fails(*_, **__):
        raise subprocess.CalledProcessError(1, "pip", stderr="WARNING: x\nERROR: no such version")

    monkeypatch.setattr(peers.subprocess, "run", fails)
    where = tmp_path / "econirl"
    made = peers.one(peers.PEERS["econirl"], "mce", where, inputs, 1.0)
    assert made == {"refused": "could not be installed: ERROR: no such version"}
    assert not (where / "pinned.txt").exists()


def test_an_environment_is_made_anew_when_its_pins_change(tmp_path, monkeypatch):
    asked = []

    def run(command, **_):
        asked.append(command[-1])
        (tmp_path / "e").mkdir(exist_ok=True)

    monkeypatch.setattr(peers.subprocess, "run", run)
    peers.environment(tmp_path / "e", ("a==1",))
    peers.environment(tmp_path / "e", ("a==1",))
    peers.environment(tmp_path / "e", ("a==2",))
    assert asked[1::2] == ["a==1", "a==2"]


def test_the_true_reward_scores_perfectly_and_another_does_not(task):
    truth = {"reward": task.mdp.reward, "policy": task.expert, "ends": task.mdp.reward[:, 0]}
    row = peers.scored(task, truth)
    assert row["correlation"] == pytest.approx(1)
    assert row["lost"] == pytest.approx(0, abs=1e-9)
    worse = peers.scored(task, truth | {"reward": -task.mdp.reward, "ends": -truth["ends"]})
    assert worse["correlation"] < 0
    assert worse["lost"] > 1
    yardsticks = {r["name"]: r["nats"] for r in peers.yardsticks(task)}
    assert row["nats"] == yardsticks["the expert itself"]
    assert yardsticks["every action equally likely"] == pytest.approx(-np.log(4))


def test_a_policy_is_taken_among_the_actions_that_exist():
    task = peer_worlds.mice(5)
    spoilt = np.where(task.mdp.allowed, 0.1, 0.9)
    even = peers.yardsticks(task)[0]
    assert peers.held_out(task, spoilt)["nats"] == pytest.approx(even["nats"])
    never = np.where(np.arange(4) == task.held_out.actions[1], 0.0, 1.0) * task.mdp.allowed
    never[never.sum(1) == 0] = 1.0
    assert peers.held_out(task, never)["nats"] == -np.inf


def test_inputs_hold_no_answers(task, inputs, tmp_path):
    with np.load(inputs, allow_pickle=False) as given, np.load(tmp_path / "answers.npz") as kept:
        assert "reward" not in given.files
        np.testing.assert_allclose(given["transitions"].sum(2), 1)
        assert len(given["states"]) == task.train.num_decisions == given["starts"][-1]
        assert len(kept["states"]) == task.held_out.num_decisions
        np.testing.assert_allclose(kept["reward"], task.mdp.reward)


def test_an_unknown_peer_is_refused():
    command = [sys.executable, "-m", "benchmarks.peers", "--peers", "guess"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "imitation, irl-maxent, econirl" in done.stderr
