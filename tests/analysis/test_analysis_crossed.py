"""Intentions by the columns of the table: what goes with them is found, what does not is not."""

import numpy as np
import pytest

from inverseq.analysis.crossed import STAGE, crossed
from inverseq.demonstrations import Demonstrations


def made(seed, told):
    """12 animals, 24 trajectories of 40 decisions; genotypes pursue intentions at 0.95, or not."""
    rng = np.random.default_rng(seed)
    trajectory = np.repeat(np.arange(24), 40)
    animal = np.arange(24) // 2
    genotype = np.where(animal % 2, "mut", "wt")
    likely = np.where(genotype == "mut", 0.95, 0.05)[trajectory] if told else 0.5
    first = rng.random(trajectory.size) < likely
    smoothed = np.where(first[:, None], [0.9, 0.1], [0.1, 0.9])
    data = Demonstrations.from_arrays(
        np.zeros(960, int),
        np.where(np.arange(960) % 40 == 3, -1, 0),
        trajectory=trajectory,
        trajectories={"subject": animal.astype(str), "genotype": genotype},
        decisions={"reward": rng.integers(0, 2, 960), "speed": rng.normal(size=960)},
    )
    return data, smoothed


def test_a_genotype_that_sets_intentions_apart_is_found_with_its_shares():
    data, smoothed = made(0, told=True)
    rows = {row.column: row for row in crossed(data, smoothed, seed=0)}
    row = rows["genotype"]
    assert row.values == ("mut", "wt")
    assert row.decisions.tolist() == [468, 468]  # a missing action is no decision
    mut = data.trajectories["genotype"][data.trajectory_of] == "mut"
    np.testing.assert_allclose(row.shares[0], smoothed[mut & data.acted].mean(axis=0))
    np.testing.assert_allclose(row.shares.sum(axis=1), 1)
    assert row.p_value < 0.01
    assert row.distance == pytest.approx(np.ptp(row.shares[:, 0]) / 2, abs=1e-3)
    assert {"subject", "reward", "speed", STAGE} < set(rows)
    assert len(rows["speed"].values) == 3
    assert rows["reward"].p_value > 0.01


def test_what_has_nothing_to_do_with_them_is_seldom_called_so(monkeypatch):
    monkeypatch.setattr("inverseq.analysis.crossed._DRAWS", 49)
    found = [row.p_value for seed in range(12) for row in crossed(*made(seed, told=False), seed)]
    assert len(found) == 12 * 5
    assert np.mean(np.array(found) <= 0.05) < 0.15
    assert np.mean(found) == pytest.approx(0.5, abs=0.15)
