"""What counts as the same work."""

import os
import subprocess
import sys
import types

import numpy as np
import pytest

from inverseq._core.errors import InputError
from inverseq._core.fingerprint import Fingerprints, program
from inverseq.inverse.values.iavi import IAVI

CELL = """
import numpy as np
FACTOR, TABLE, UNUSED = {factor}, {{"a": {entry}}}, {unused}
def helper(x, more={more}):
    return {helper}
class Base:
    def base(self):
        return {base}
class Mine(Base):
    @property
    def asked(self):
        return FACTOR * helper(np.sqrt(TABLE["a"]))
"""
ONE = {"factor": 1, "entry": 1, "unused": 1, "more": 1, "helper": "x", "base": 1}


def notebook(**changes):
    """Classes as a notebook has them: in a module without a file."""
    module = types.ModuleType("a_notebook")
    sys.modules["a_notebook"] = module
    exec(CELL.format(**{**ONE, **changes}), vars(module))
    return module.Mine


@pytest.fixture(autouse=True)
def no_notebook_is_left():
    yield
    sys.modules.pop("a_notebook", None)


@pytest.mark.parametrize("part", [name for name in ONE if name != "unused"])
def test_whatever_a_class_in_a_notebook_reaches_counts(part):
    first = program(notebook())
    assert program(notebook(**{part: "2"})) != first
    assert program(notebook()) == first
    assert program(notebook(unused=2)) == first


HIDDEN = {
    "only by name": "def work(x, *, k={0}):\n    return x * k",
    "a large default": "import numpy as np\nTABLE = np.arange(5000)\nTABLE[2500] = {0}\n"
    "def work(x, table=TABLE):\n    return table[x]",
    "compiled": "import jax\n@jax.jit\ndef helper(x):\n    return x * {0}\n"
    "def work(x):\n    return helper(x)",
    "remembered": "import functools\n@functools.lru_cache\ndef helper(x):\n    return x * {0}\n"
    "def work(x):\n    return helper(x)",
    "decorated": "def deco(f):\n    def inner(x):\n        return f(x)\n    return inner\n"
    "@deco\ndef helper(x):\n    return x * {0}\ndef work(x):\n    return helper(x)",
    "a set": "SKIP = {{{0}, 5}}\ndef work(x):\n    return x in SKIP",
    "in parts": "from functools import partial\ndef base(x, k):\n    return x * k\n"
    "helper = partial(base, k={0})\ndef work(x):\n    return helper(x)",
}


def in_notebook(code):
    """`work` as a notebook has it."""
    module = types.ModuleType("a_notebook")
    sys.modules["a_notebook"] = module
    exec(code, vars(module))
    return module.work


@pytest.mark.parametrize("code", HIDDEN.values(), ids=HIDDEN)
def test_what_defaults_and_decorators_hide_counts(code):
    first = program(in_notebook(code.format(1)))
    assert program(in_notebook(code.format(2))) != first
    assert program(in_notebook(code.format(1))) == first


ORDINARY = """
import logging
from dataclasses import dataclass, field
from enum import Enum
from math import sqrt
from typing import NamedTuple
from jax.numpy import where
from numpy import exp, linspace
log = logging.getLogger("mine")
class Kind(Enum):
    A = "a"
class Pair(NamedTuple):
    x: int
    y: float = 1.0
@dataclass(frozen=True)
class work:
    more: dict = field(default_factory=dict)
    kind: Kind = Kind.A
    def solve(self, problem):
        log.info("solving")
        return sqrt(exp(linspace(where(problem)))), Pair(len(self.more))
"""


def test_ordinary_cells_can_be_told():
    assert program(in_notebook(ORDINARY)) == program(in_notebook(ORDINARY))


UNTOLD = ("a = A()", "import jax.numpy as jnp; a = jnp.arange(3)")
UNTOLD += ("from collections import defaultdict; a = defaultdict(int)",)


@pytest.mark.parametrize("made", UNTOLD)
def test_content_that_cannot_be_told_in_a_notebook_is_refused(made):
    code = f"class A:\n    k = 1\n{made}\ndef work(x):\n    return a.k * x"
    with pytest.raises(InputError, match=r"a, which work uses, is of the type .* cannot be told"):
        program(in_notebook(code))


def test_a_set_in_the_code_is_the_same_in_every_process():
    code = (
        "import sys, types\nfrom inverseq._core.fingerprint import program\n"
        "module = types.ModuleType('a_notebook'); sys.modules['a_notebook'] = module\n"
        'exec(\'def work(x):\\n    return x in {"a", "b", "c", "d"}\', vars(module))\n'
        "print(program(module.work))"
    )
    found = {
        subprocess.run(
            [sys.executable, "-c", code],
            env=os.environ | {"PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
        ).stdout
        for seed in "123"
    }
    assert len(found) == 1


def test_a_solver_of_the_package_counts_with_all_of_it():
    made = Fingerprints(program)
    assert made.of((IAVI(),)) == made.of((IAVI(),))
    assert made.of((IAVI(),)) != made.of((IAVI(smoothing=0.25),))


def test_what_hides_content_is_refused():
    masked = np.ma.masked_array([1.0, 2.0], [True, False])
    for argument in (masked, iter([1]), "a".join):
        with pytest.raises(InputError, match="cannot be kept"):
            Fingerprints(program).of((argument,))
