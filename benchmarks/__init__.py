"""Speed and memory, measured: `python -m benchmarks` prints one table."""

import os

# One thread, before NumPy is loaded: times of CPU can then be compared, also on a busy machine.
for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_name, "1")
