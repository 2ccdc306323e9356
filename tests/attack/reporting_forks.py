"""Reports, saved solutions and a study, written again and again in processes that somebody kills.

Reads lines "NAME SECONDS FOLDER": a process writes what NAME says to FOLDER, and is killed after
SECONDS unless they are negative. Answers each with its exit code.
"""

import os
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

import inverseq as iq
from inverseq.studies import STUDIES, Effort
from inverseq.studies.run import run


def analyses() -> dict[str, iq.Findings]:
    """One with a fitted reward, one that compares and so has fewer files, and one with intentions,
    each on data of its own.
    """
    found = {}
    for seed, (name, settings) in enumerate(
        {
            "fit": {"bootstrap": 20},
            "compare": {"cross_validate": True},
            "intentions": {"bootstrap": 0, "intentions": (2,), "restarts": 1},
        }.items()
    ):
        rng = np.random.default_rng(seed)
        data = iq.Demonstrations.from_arrays(
            rng.integers(3, size=120), rng.integers(2, size=120), trajectory=np.arange(120) // 10
        )
        found[name] = iq.analyse(data, iq.Plan(folds=2, history=1, **settings))
    return found


def works() -> dict[str, Callable[[str], Any]]:
    """What is written to a folder, by name."""
    found = analyses()
    made = {name: partial(iq.report, one) for name, one in found.items()}
    study = next(one for one in STUDIES if one.name == "lever")
    for seed, name in enumerate(("fit", "intentions")):
        solution = found[name].solution
        made[f"save-{name}"] = lambda folder, one=solution: iq.save(one, f"{folder}/saved.npz")
        effort = Effort(small=True, workers=1, seed=seed)
        made[f"study-{seed}"] = lambda folder, effort=effort: run(
            study, folder, parts=("nulls",), effort=effort
        )
    return made


def main() -> None:
    """Answer until nobody asks."""
    os.fsync = lambda handle: None  # no power is lost here
    made = works()
    with tempfile.TemporaryDirectory() as folder:
        made["fit"](folder)  # what is read once for all is read
    for asked in sys.stdin:
        name, seconds, folder = asked.strip().split(" ", 2)
        child = os.fork()
        if child == 0:
            try:
                made[name](folder)
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
