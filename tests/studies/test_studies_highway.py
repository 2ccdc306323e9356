"""The highway study: its small version, and what it counts."""

import jax
import numpy as np
import pytest
from study_form import has_the_form

from inverseq import InputError
from inverseq.networks import FullyConnected, trained_network
from inverseq.play import play_side_by_side
from inverseq.studies.highway import STUDY, Settings
from inverseq.studies.highway.drives import DISCOUNT, TEMPERATURE
from inverseq.studies.highway.figures import scenes
from inverseq.studies.highway.rewards import (
    TABLES,
    correlation_up_to_shaping,
    in_bins,
    true_reward,
)
from inverseq.worlds.road_ring import RingRoad, ring_road
from inverseq.worlds.road_view import KEEP_RIGHT, ROAD_FEATURES, SAFETY, around


@pytest.fixture(scope="module")
def found(small):
    has_the_form(small, "highway", "highway")
    return small("highway", "highway")[0].results["highway"]


def test_who_learned_under_the_rules_keeps_them(found):
    rows = {row["driver"]: row for row in found.tables["driving"]}
    assert [*rows] == ["expert", "DIQL", "DCIQL", "cloning", "cloning, masked", "constrained DQN"]
    for name in ("DCIQL", "cloning, masked"):
        assert rows[name]["violations"] == 0
    assert {row["of decisions"] for row in rows.values()} == {20}
    assert all(5 < row["speed"] < 21 for row in rows.values())
    assert rows["expert"]["share of the expert"] == 1.0
    assert "DCIQL broke the rules 0 times in 2 games" in found.sentences[0]


def test_violations_are_those_of_the_rules(found):
    [learned] = found.record
    drive = next(d for d in learned.drives if d.method == "expert")
    settings = STUDY.small
    road = RingRoad(cars=settings.cars, max_moves=settings.moves)
    driven = play_side_by_side(
        ring_road(road), learned.drivers["expert"], games=2, moves=10, seed=20_000
    ).demonstrations
    broken = np.zeros((2, 2), dtype=int)
    for row in range(driven.num_decisions):
        seen, action = driven.states[row][None], driven.actions[row]
        for place, rule in enumerate((SAFETY, KEEP_RIGHT)):
            broken[place, driven.trajectory_of[row]] += not rule(seen)[0, action]
    np.testing.assert_array_equal([drive.unsafe, drive.not_right], broken)
    assert broken.sum() > 0


def test_films_show_all_drivers(found):
    frames = found.films["ring"]
    assert len(frames) == 10
    assert frames[0].shape == (6 * (38 + 16), 640, 3)
    assert np.abs(frames[0].astype(int) - frames[-1]).max() > 0


def test_scenes_are_what_they_say():
    seen = scenes(np.array([20.0]), np.array([-3.0]))
    read = around(seen)
    assert read.gaps[0][0] == pytest.approx(15.5)
    assert read.speeds[0][0] == pytest.approx(15.0)
    assert SAFETY(seen).all()


def test_settings_that_cannot_be():
    with pytest.raises(InputError, match="must be 1 or more"):
        Settings(seeds=0)


@pytest.fixture(scope="module")
def driven():
    """A car that changes lanes at random."""
    road = RingRoad(cars=(8, 12), max_moves=20)
    network = FullyConnected(())
    player = trained_network(network, network.build(jax.random.key(0), (26,), 3), (26,), 3)
    asked = {"games": 20, "moves": 20, "seed": 1, "temperature": 1e6}
    return play_side_by_side(ring_road(road), player, **asked)


def test_rewards_of_the_road_have_the_form(small):
    has_the_form(small, "highway", "rewards")
    rows = small("highway", "rewards")[0].results["rewards"].tables["correlation"]
    assert [row["method"] for row in rows] == ["DIQL", *TABLES]
    assert all(row["correlation"] is None or abs(row["correlation"]) <= 1 for row in rows)


def test_the_true_reward_is_what_the_road_paid(driven):
    paid = true_reward(driven.demonstrations).reshape(20, 20).sum(axis=1)
    np.testing.assert_allclose(TEMPERATURE * paid, driven.rewards, rtol=1e-4)


def test_shaping_does_not_count_and_another_reward_does(driven):
    data = driven.demonstrations
    truth = true_reward(data)
    speed = ROAD_FEATURES.index("own speed")
    now, then = data.states[:, speed], data.next_states[:, speed]
    shaped = 3 * truth - 400 * now + 400 * DISCOUNT * then + 7
    assert correlation_up_to_shaping(data, truth, shaped) == pytest.approx(1, abs=1e-4)
    assert abs(np.corrcoef(truth, shaped)[0, 1]) < 0.9
    other = np.random.default_rng(0).normal(size=truth.size)
    assert abs(correlation_up_to_shaping(data, truth, other)) < 0.25


def test_bins_keep_what_may_be_done(driven):
    data = driven.demonstrations
    binned, world = in_bins(data)
    assert world.num_states == 216
    np.testing.assert_array_equal(world.allowed[binned.states], data.allowed)
    assert np.unique(binned.states).size > 10
