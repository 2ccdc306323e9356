"""What counts as the same work."""

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


def test_a_solver_of_the_package_counts_with_all_of_it():
    made = Fingerprints(program)
    assert made.of((IAVI(),)) == made.of((IAVI(),))
    assert made.of((IAVI(),)) != made.of((IAVI(smoothing=0.25),))


def test_what_hides_content_is_refused():
    masked = np.ma.masked_array([1.0, 2.0], [True, False])
    for argument in (masked, iter([1]), "a".join):
        with pytest.raises(InputError, match="cannot be kept"):
            Fingerprints(program).of((argument,))
