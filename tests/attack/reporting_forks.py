"""Two analyses, reported again and again in processes that somebody kills.

Reads lines "NAME FOLDER"; answers each with the number of the process that writes the report of
analysis NAME to FOLDER, and then with its exit code.
"""

import os
import sys
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
    found = analyses()
    for asked in sys.stdin:
        name, folder = asked.strip().split(" ", 1)
        child = os.fork()
        if child == 0:
            try:
                iq.report(found[name], folder)
            except BaseException:
                traceback.print_exc()
                os._exit(1)
            os._exit(0)
        print(child, flush=True)
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)


if __name__ == "__main__":
    main()
