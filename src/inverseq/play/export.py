"""A policy that leaves the package: one file of arrays, and a function of NumPy that reads it."""

import os
from pathlib import Path

import numpy as np

import inverseq.play.plain as plain
from inverseq._core.archive import write_arrays
from inverseq._core.errors import InputError
from inverseq._core.files import write_text
from inverseq.play.fitted import Fitted, explained
from inverseq.policies import SquashedPolicy
from inverseq.policies.network import NetworkPolicy


def export_policy(fitted: Fitted, path: str | os.PathLike, *, first_action: int = 0) -> Path:
    """Write the policy of a network so that it acts without this package.

    Of continuous actions it takes the middle one. It knows no masks: of actions that do not exist
    everywhere it may name one that is not there. `policy.npz` holds its arrays (no pickle), and
    `policy.py` beside it a function that needs NumPy alone: `from policy import load; act =
    load("policy.npz"); act(observation)`.

    Args:
        fitted: What was fitted or trained, as for `QAgent`: a solution with a policy that is a
            fully connected network, or a `TrainedNetwork` or `TrainedSAC`.
        path: The file of arrays, ending in .npz.
        first_action: Number of the first action, where the environment does not count from 0.

    Returns:
        The file of arrays.

    Raises:
        InputError: The policy is no fully connected network, or the files cannot be written: a
            file of Python of that name is something else.
    """
    target = Path(path)
    if target.suffix != ".npz":
        raise InputError(f"give the name of a file that ends in .npz; got {target.name}")
    policy = explained(fitted).intentions[0].policy
    network = policy.network if isinstance(policy, NetworkPolicy | SquashedPolicy) else None
    if network is None or network.kind != "FullyConnected":
        kind = type(policy).__name__ if network is None else network.kind
        raise InputError(
            "only policies of fully connected networks are exported to a function of NumPy; this "
            f"is a {kind}. Play it with QAgent, and keep it with inverseq.save"
        )
    layers = list(zip(network.arrays[::2], network.arrays[1::2], strict=True))
    arrays = {
        "layers": np.array(len(layers)),
        "tiles": np.array(network.settings["tiles"] or 0),
        "first_action": np.array(first_action),
    }
    if isinstance(policy, SquashedPolicy):
        arrays |= {"low": policy.low, "high": policy.high}
    for number, (weight, bias) in enumerate(layers):
        arrays |= {f"weight_{number}": weight, f"bias_{number}": bias}
    source, beside = Path(plain.__file__).read_text(encoding="utf-8"), target.with_suffix(".py")
    if beside.exists() and not beside.read_bytes().startswith(source.splitlines()[0].encode()):
        raise InputError(
            f"{beside} is there already, and no earlier export: it would be lost. Give the arrays "
            "another name"
        )
    write_arrays(target, arrays)
    write_text(beside, source)
    return target
