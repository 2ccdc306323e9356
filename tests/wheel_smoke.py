"""Run by `make wheel-test` in an environment that holds the wheel and its dependencies only."""

from pathlib import Path

import numpy as np

import inverseq as iq

assert "site-packages" in iq.__file__, "the tree was imported, not the wheel"

world = iq.worlds.four_by_three()
demonstrations = iq.Demonstrations.from_arrays(
    states=[0, 1, 2, 0, 1, 2], actions=[1, 1, 1, 1, 1, 1], trajectory=[0, 0, 0, 1, 1, 1]
)
solution = iq.fit(demonstrations, iq.IAVI(), mdp=world.mdp)
assert np.isfinite(solution.reward).all()
iq.save(solution, Path("solution.npz"))
assert iq.load(Path("solution.npz"), iq.Solution).policy.table.shape == solution.policy.table.shape
assert iq.datasets.load("mice").demonstrations.states.size > 100_000
print("the wheel works")
