"""A reference implementation that somebody has on disk: functions of plain arrays.

The file is found by the names of its functions and imported by its path. What is expected is told
in docs/peers.md.
"""

import ast
import contextlib
import io
import os
import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

import numpy as np
from common import Fit, Inputs, Refused, main

FOLDER = "INVERSEQ_REFERENCE"
"""Environment variable with the folder."""


def iavi() -> Fit:
    function = _function("inverse_action_value_iteration")

    def fit(inputs: Inputs) -> dict[str, Any]:
        found = _quietly(
            function,
            inputs.features,
            inputs.allowed.shape[1],
            inputs.discount,
            inputs.transitions,
            inputs.policy,
            theta=0.0001,
        )
        return _result(found, inputs)

    return fit


def iql() -> Fit:
    function = _function("inverse_q_learning")

    def fit(inputs: Inputs) -> dict[str, Any]:
        rows = np.stack(
            [inputs.states, inputs.actions, np.zeros_like(inputs.states), inputs.next_states], 1
        )
        found = _quietly(
            function,
            inputs.features,
            inputs.allowed.shape[1],
            inputs.discount,
            [rows[part] for part in inputs.trajectories()],
            alpha_r=1e-4,
            alpha_q=1e-2,
            alpha_sh=1e-2,
            epochs=100,
            real_distribution=inputs.policy,
        )
        return _result(found, inputs)

    return fit


def _function(name: str) -> Any:
    """The function of that name in the first file of the folder that defines it at top level."""
    folder = Path(os.environ[FOLDER])
    for path in [folder] if folder.is_file() else sorted(folder.rglob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8", errors="replace"))
        if any(isinstance(x, ast.FunctionDef) and x.name == name for x in tree.body):
            sys.path.insert(0, str(path.parent))
            spec = spec_from_file_location(path.stem, path)
            if spec is None or spec.loader is None:
                break
            module = module_from_spec(spec)
            spec.loader.exec_module(module)
            return getattr(module, name)
    raise Refused(f"no file in the folder defines a function {name}")


def _quietly(function: Any, *arguments: Any, **named: Any) -> Any:
    """What the function returns; what it prints is swallowed, for the answer goes through there."""
    with contextlib.redirect_stdout(io.StringIO()):
        return function(*arguments, **named)


def _result(found: Any, inputs: Inputs) -> dict[str, Any]:
    """(q, reward, ...) as reward and Boltzmann policy, if they have the shape of the world."""
    q, reward = (np.asarray(x, dtype=float) for x in tuple(found)[:2])
    if not q.shape == reward.shape == inputs.allowed.shape:
        raise Refused(
            f"expected (q, r, ...) with arrays of shape {inputs.allowed.shape}; got {q.shape} and "
            f"{reward.shape}"
        )
    policy = np.exp(q - q.max(1, keepdims=True))
    return {
        "reward": reward,
        "policy": policy / policy.sum(1, keepdims=True),
        "ends": q.max(1),
    }


if __name__ == "__main__":
    main({"iavi": iavi, "iql": iql}, ("numpy",))
