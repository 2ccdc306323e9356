"""Two analyses, reported again and again in processes that somebody kills.

Reads lines "NAME SECONDS FOLDER": a process writes the report of analysis NAME to FOLDER, and is
killed after SECONDS unless they are negative. Answers each with its exit code.
"""

import os
import signal
import sys
import tempfile
import time
import traceback

import numpy as np

import inverseq as iq


def analyses() -> dict[str, iq.Findings]:
    """One with a fitted reward, and one that compares and so has fewer files, on other data."""
    found = {}
    for seed, (name, settings) in enumerate(
        {"fit": {"bootstrap": 20}, "compare": {"cross_validate": True}}.items()
    ):
        rng = np.random.default_rng(seed)
        data = iq.Demonstrations.from_arrays(
            rng.integers(3, size=120), rng.integers(2, size=120), trajectory=np.arange(120) // 10
        )
        found[name] = iq.analyse(data, iq.Plan(folds=2, history=1, **settings))
    return found


def main() -> None:
    """Answer until nobody asks."""
    os.fsync = lambda handle: None  # no power is lost here
    found = analyses()
    with tempfile.TemporaryDirectory() as folder:
        iq.report(found["fit"], folder)  # what is read once for all is read
    for asked in sys.stdin:
        name, seconds, folder = asked.strip().split(" ", 2)
        child = os.fork()
        if child == 0:
            try:
                iq.report(found[name], folder)
            except BaseException:
                traceback.print_exc()
                os._exit(1)
            os._exit(0)
        if float(seconds) >= 0:
            time.sleep(float(seconds))
            os.kill(child, signal.SIGKILL)
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)


if __name__ == "__main__":
    main()
