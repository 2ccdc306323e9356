"""Where networks learn: on the device that was said, and on several of them."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import jax
import pytest

import inverseq as iq
from inverseq._core.devices import default_device
from inverseq.cli import main

PROGRAM = """
import sys
import jax, numpy as np
import inverseq as iq
from inverseq.training import trainer
from test_training_loop import COURSE, LOOP, begin_training, carried_on

used = []
divided = trainer.divided
def looked(trainings):
    made = divided(trainings)
    used.append(len(made.block.sharding.device_set))
    return made
trainer.divided = looked
keys = jax.random.split(jax.random.key(3), 4)
alone, together = (
    list(carried_on(COURSE, [begin_training(COURSE, key) for key in keys], None, [LOOP.blocks],
                    together=vectorised))[-1][1]
    for vectorised in (False, True)
)
for one, other in zip(jax.tree.leaves(alone), jax.tree.leaves(together), strict=True):
    np.testing.assert_array_equal(one, other)
looked(trainer.stack(alone[:3]))
print(jax.device_count(), *used)
"""


def test_trainings_are_divided_between_devices_with_the_same_numbers():
    flags = f"{os.environ['XLA_FLAGS']} --xla_force_host_platform_device_count=2"
    paths = os.pathsep.join([str(Path(__file__).parent), os.environ.get("PYTHONPATH", "")])
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        env=os.environ | {"XLA_FLAGS": flags, "PYTHONPATH": paths},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["2", "2", "1"]  # three do not divide between two


def test_the_device_is_that_of_the_context():
    before = default_device()
    with iq.engine(device="cpu"):
        assert default_device().platform == "cpu"
        assert next(iter(jax.numpy.zeros(1).devices())).platform == "cpu"
    assert default_device() == before


def test_a_device_that_is_not_there_is_refused_with_what_to_do():
    told = "sees no such device; look at what the driver says"
    with pytest.raises(iq.InputError, match=told), iq.engine(device="gpu"):
        pass
    wrong: Any = "tpu"
    told = "is none of 'cpu', 'gpu'"
    with pytest.raises(iq.InputError, match=told), iq.engine(device=wrong):
        pass


def test_the_command_line_takes_it(capsys):
    assert main(["fit", "nosuch.csv", "--device", "gpu"]) == 2
    assert "--device gpu: JAX sees no such device" in " ".join(capsys.readouterr().err.split())
