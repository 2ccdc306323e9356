"""Settings for the whole suite: set before anything of the scientific stack is imported."""

import gc
import os
import shutil
import sys
import tempfile

# No screen, and no more threads than the runner has workers for.
os.environ.setdefault("MPLBACKEND", "Agg")
os.environ.setdefault("JAX_PLATFORMS", "cpu")
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
# What takes all cores unless told otherwise takes this one: there is a worker for each, and
# processes would be started for fits of milliseconds. Tests of processes say how many.
os.environ.setdefault("LOKY_MAX_CPU_COUNT", "1")
# What JAX compiles here runs a few times on little: compiling takes longer than running, so it is
# done without optimising, by the emitters that compile in half the time, in one piece, and once for
# all workers and for the processes that tests start.
os.environ.setdefault(
    "XLA_FLAGS",
    "--xla_cpu_multi_thread_eigen=false --xla_backend_optimization_level=0 "
    "--xla_llvm_disable_expensive_passes=true --xla_cpu_use_fusion_emitters=false "
    "--xla_cpu_parallel_codegen_split_count=1",
)
os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "0")
os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES", "-1")

import jaxtyping
import pytest
from hypothesis import HealthCheck, settings

import checker

# The package's annotations are executed: its import hook decorates with what stands here.
jaxtyping.jaxtyped = checker.sparing
jaxtyping.install_import_hook(["inverseq"], "checker.check")

settings.register_profile(
    "home", deadline=None, max_examples=25, suppress_health_check=[HealthCheck.too_slow]
)
# The same examples each time where nobody is there to look at a rare one.
settings.register_profile("ci", parent=settings.get_profile("home"), derandomize=True)
settings.register_profile("thorough", parent=settings.get_profile("home"), max_examples=500)
profile = os.environ.get("HYPOTHESIS_PROFILE", "ci" if os.environ.get("CI") else "home")
settings.load_profile(profile)
if profile == "thorough":
    checker.MOST = checker.INSIDE = sys.maxsize


def pytest_configure(config):
    """A folder for what is compiled, which workers and other processes are told of."""
    if "JAX_COMPILATION_CACHE_DIR" not in os.environ:
        folder = os.environ["JAX_COMPILATION_CACHE_DIR"] = tempfile.mkdtemp(prefix="inverseq-jax-")
        config.add_cleanup(lambda: shutil.rmtree(folder, ignore_errors=True))


def pytest_collection_finish():
    """What was imported stays, so that nobody looks again and again for garbage in it."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(5000)  # objects; more seldom, for what JAX traces is no garbage either


def pytest_runtest_setup():
    checker.begin()


def pytest_addoption(parser):
    parser.addoption("--no-skips", action="store_true", help="a test that is skipped fails")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item):
    return _told(item.config, (yield))


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(collector):
    return _told(collector.config, (yield))


def _told(config, report):
    """What is missing on this machine, where a skip would hide it; expected failures are none."""
    if config.option.no_skips and report.skipped and not hasattr(report, "wasxfail"):
        path, line, reason = report.longrepr
        report.outcome = "failed"
        report.longrepr = f"{path}:{line}: with --no-skips, this fails: {reason}"
    return report
