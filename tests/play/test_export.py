"""Policies that leave the package: they act as QAgent does, in a process that knows NumPy alone."""

import json
import runpy
import subprocess
import sys

import gymnasium
import jax
import numpy as np
import pytest

import inverseq as iq
from inverseq import InputError
from inverseq.networks import Convolutional, FullyConnected, trained_network
from inverseq.play import QAgent, export_policy

ALONE = """
import json, sys
sys.path.insert(0, sys.argv[1])
from policy import load
act = load(sys.argv[1] + "/policy.npz")
seen = json.loads(sys.argv[2])
assert not any(name.startswith(("jax", "inverseq", "equinox")) for name in sys.modules)
print([act(one) for one in seen])
"""


def acts_alone(folder, seen):
    """What the exported function does, in a process of its own."""
    asked = [sys.executable, "-I", "-c", ALONE, str(folder), json.dumps(np.asarray(seen).tolist())]
    return json.loads(subprocess.run(asked, capture_output=True, text=True, check=True).stdout)


@pytest.mark.parametrize(
    ("network", "shape"), [(FullyConnected((8, 5)), (4,)), (FullyConnected((6,), tiles=4), (3, 3))]
)
def test_the_function_does_what_the_agent_does(network, shape, tmp_path):
    trained = trained_network(network, network.build(jax.random.key(1), shape, 3), shape, 3)
    rng = np.random.default_rng(0)
    seen = rng.integers(4, size=(40, *shape)) if network.tiles else rng.normal(0, 9, (40, *shape))
    export_policy(trained, tmp_path / "policy.npz")
    agent = QAgent(trained, seed=0)
    wanted = [agent.get_action(one) for one in seen]
    assert len(set(wanted)) > 1
    assert acts_alone(tmp_path, seen) == wanted


def test_a_solution_acts_in_gymnasium_and_is_kept_in_one_file(tmp_path):
    rng = np.random.default_rng(0)
    states = rng.normal(size=(60, 4))
    demos = iq.Demonstrations.from_arrays(states, (states[:, 2] > 0).astype(int))
    clone = iq.fit(demos, iq.BehaviourCloning(0, FullyConnected((8,)), iq.Lessons(60, 16, 0.02)))
    again = iq.load(iq.save(clone, tmp_path / "clone.npz"), iq.Solution)
    export_policy(again, tmp_path / "policy.npz")
    agent, environment = QAgent(again, seed=0), gymnasium.make("CartPole-v1")
    seen, _ = environment.reset(seed=1)
    rows, over = [], False
    while not over and len(rows) < 20:
        rows.append((seen, agent.get_action(seen)))
        seen, _, terminated, truncated, _ = environment.step(rows[-1][1])
        over = terminated or truncated
    observed, actions = zip(*rows, strict=True)
    assert acts_alone(tmp_path, observed) == list(actions)


def test_continuous_actions_are_the_middle_ones(tmp_path):
    network = FullyConnected((6,))
    trained = trained_network(network, network.build(jax.random.key(1), (3,), 4), (3,), 4)
    policy = iq.SquashedPolicy(trained, np.array([-2.0, 0.0]), np.array([1.0, 4.0]))
    again = iq.load(iq.save(policy, tmp_path / "kept.npz"), iq.SquashedPolicy)
    export_policy(again, tmp_path / "policy.npz")
    seen = np.random.default_rng(0).normal(size=(5, 3))
    agent = QAgent(policy, seed=0)
    wanted = [agent.get_action(one) for one in seen]
    load = runpy.run_path(str(tmp_path / "policy.py"))["load"]
    act = load(tmp_path / "policy.npz")
    np.testing.assert_allclose([act(one) for one in seen], wanted, rtol=1e-5)


def test_what_cannot_leave_is_told(tmp_path):
    network = Convolutional()
    board = trained_network(network, network.build(jax.random.key(0), (4, 4), 4), (4, 4), 4)
    with pytest.raises(InputError, match="this is a Convolutional"):
        export_policy(board, tmp_path / "policy.npz")
    with pytest.raises(InputError, match="this is a ValueTable"):
        export_policy(np.zeros((3, 2)), tmp_path / "policy.npz")
    with pytest.raises(InputError, match=r"ends in \.npz"):
        export_policy(board, tmp_path / "policy")


def test_nobodys_own_python_is_overwritten(tmp_path):
    network = FullyConnected((3,))
    trained = trained_network(network, network.build(jax.random.key(0), (2,), 2), (2,), 2)
    own = tmp_path / "cart.py"
    own.write_text("import inverseq\n")
    with pytest.raises(InputError, match=r"cart\.py is there already"):
        export_policy(trained, tmp_path / "cart.npz")
    assert own.read_text() == "import inverseq\n"
    assert not (tmp_path / "cart.npz").exists()
    for _ in range(2):  # an earlier export is none of anybody's own
        export_policy(trained, tmp_path / "policy.npz")
