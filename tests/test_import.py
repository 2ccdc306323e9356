"""`import inverseq` is cheap and leaves nothing behind; each run in an interpreter of its own."""

import json
import os
import subprocess
import sys
from importlib import import_module

import pytest

HEAVY = ("jax", "scipy", "matplotlib", "duckdb", "pandas", "polars", "gymnasium", "rich", "tyro")


def run(code: str) -> dict:
    """What `code`, run by a fresh interpreter, leaves in the name `result`."""
    done = subprocess.run(
        [sys.executable, "-c", f"{code}\nimport json\nprint(json.dumps(result))"],
        capture_output=True,
        text=True,
        check=False,
        env={k: v for k, v in os.environ.items() if not k.startswith("PYTEST")},
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def test_nothing_heavy_is_loaded():
    code = f"import sys, inverseq\nresult = [m for m in {HEAVY!r} if m in sys.modules]"
    assert run(code) == []


def test_a_fit_begins_without_what_it_does_not_need():
    code = (
        "import sys, inverseq.cli.fit\n"
        "result = [m for m in ('jax', 'pandas', 'scipy.stats') if m in sys.modules]"
    )
    assert run(code) == []


def test_options_are_understood_without_a_type_checker():
    code = (
        "import sys\nfrom inverseq.cli.parse import parse\n"
        "parse('fit', 'Fit', '', ['mine.csv', '--discount', '0.9'])\n"
        "result = [m for m in ('typeguard', 'scipy', 'gymnasium') if m in sys.modules]"
    )
    assert run(code) == []


def test_under_a_fifth_of_a_second():
    code = "import time\nt = time.process_time()\nimport inverseq\nresult = time.process_time() - t"
    best = min(run(code) for _ in range(5))
    assert best < 0.2


def test_templates_are_loaded_when_words_are_asked_for():
    code = (
        "import sys, inverseq as iq\n"
        "found = iq.diagnose(iq.Demonstrations.from_arrays([0, 1], [0, 0]))\n"
        "before = 'jinja2' in sys.modules\n"
        "str(found)\n"
        "result = [before, 'jinja2' in sys.modules]"
    )
    assert run(code) == [False, True]


SNAPSHOT = """
import os, sys, warnings, logging, locale, random
import numpy
def snapshot():
    return [repr(warnings.filters), sorted(os.environ.items()), repr(numpy.geterr()),
            repr(numpy.get_printoptions()), repr(logging.getLogger().handlers),
            logging.getLogger().level, repr(random.getstate()), repr(numpy.random.get_state()),
            locale.setlocale(locale.LC_ALL), sys.getrecursionlimit(), repr(sys.excepthook)]
before = snapshot()
import inverseq
result = [[a, b] for a, b in zip(before, snapshot()) if a != b]
"""


def test_nothing_global_is_set():
    assert run(SNAPSHOT) == []


RESOLVED = """
import sys, warnings
warnings.simplefilter("error")
import inverseq
missing = [name for name in inverseq.__all__ if not hasattr(inverseq, name)]
unlisted = [name for name in inverseq.__all__ if name not in dir(inverseq)]
started = wide = False
if "jax" in sys.modules:
    import jax
    from jax._src import xla_bridge
    started, wide = xla_bridge.backends_are_initialized(), jax.config.jax_enable_x64
result = [missing, unlisted, started, wide, len(inverseq.__all__) == len(set(inverseq.__all__))]
"""


def test_every_public_name_resolves_without_starting_jax():
    missing, unlisted, started, wide, tidy = run(RESOLVED)
    assert missing == []
    assert unlisted == []
    assert not started, "a JAX backend was started by an import"
    assert not wide, "the precision of JAX was changed for the whole process"
    assert tidy, "__all__ names something twice"


def test_an_unknown_name_is_an_attribute_error():
    code = (
        "import inverseq\ntry:\n    inverseq.nonsense\n"
        "except AttributeError as error:\n    result = str(error)"
    )
    assert run(code) == "module 'inverseq' has no attribute 'nonsense'"


@pytest.mark.parametrize(
    ("package", "typed", "meant"),
    [
        ("inverseq", "read_tabel", "read_table"),
        ("inverseq", "Soluton", "Solution"),
        ("inverseq", "world", "worlds"),
        ("inverseq.worlds", "labrynth", "labyrinth"),
        ("inverseq.networks", "FullyConected", "FullyConnected"),
    ],
)
def test_a_misspelt_name_says_what_was_meant(package, typed, meant):
    with pytest.raises(AttributeError, match=f"{typed!r}; did you mean {meant!r}"):
        getattr(import_module(package), typed)


def test_a_name_is_loaded_once_and_is_what_its_module_says():
    code = (
        "import sys, inverseq\nbefore = 'inverseq.evaluate.intervals' in sys.modules\n"
        "found = inverseq.interval\nfrom inverseq.evaluate.intervals import interval\n"
        "result = [before, found.__wrapped__ is interval, inverseq.interval is found]"
    )
    assert run(code) == [False, True, True]
