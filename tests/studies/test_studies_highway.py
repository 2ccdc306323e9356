"""The highway study: its small version, and what it counts."""

import jax
import numpy as np
import pytest
from study_form import has_the_form

from inverseq import InputError
from inverseq.networks import FullyConnected, trained_network
from inverseq.play import play_side_by_side
from inverseq.studies.highway import STUDY, Settings
from inverseq.studies.highway.figures import scenes
from inverseq.studies.highway.rewards import (
    CHECKS,
    HEAT,
    TABLES,
    bin_of,
    checked,
    scenes_of,
)
from inverseq.worlds.road_ring import RingRoad, ring_road
from inverseq.worlds.road_view import KEEP_RIGHT, ROAD_FEATURES, SAFETY, SPEED, around


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
    assert [row["method"] for row in rows] == ["DIQL", *TABLES, *CHECKS]
    assert all(row["correlation"] is None or abs(row["correlation"]) <= 1 for row in rows)
    assert [row["correlation"] for row in rows if row["method"] in CHECKS] == [1.0, 1.0]


def test_the_true_reward_is_what_the_road_says(driven):
    data = driven.demonstrations
    speed = data.next_states[:, ROAD_FEATURES.index("own speed")] * SPEED
    said = (
        1 - np.abs(speed - SPEED) / SPEED - np.where(data.actions == 0, 0.0, RingRoad.change_cost)
    )
    np.testing.assert_allclose(data.decisions["reward"], said, atol=1e-5)
    np.testing.assert_allclose(said.reshape(20, 20).sum(axis=1), driven.rewards, rtol=1e-4)


def test_shaping_does_not_count_and_another_reward_does(driven):
    scenes = scenes_of(driven.demonstrations)
    shaped, inverse = checked(scenes)
    assert scenes.compared(3 * shaped) == pytest.approx(1, abs=1e-6)
    assert scenes.compared(inverse) == pytest.approx(1, abs=1e-6)
    truth = scenes.world.reward
    met = scenes.world.allowed & (scenes.visits > 0)[:, None]
    assert abs(np.corrcoef(truth[met], shaped[met])[0, 1]) < 0.9
    other = np.random.default_rng(0).normal(size=truth.shape)
    assert abs(scenes.compared(other)) < 0.3


def test_scenes_keep_what_may_be_done_and_what_was_seen(driven):
    data = driven.demonstrations
    scene, scenes = bin_of(data.states), scenes_of(data)
    assert scenes.world.num_states == 216
    np.testing.assert_array_equal(scenes.world.allowed[scene], data.allowed)
    np.testing.assert_array_equal(scenes.visits, np.bincount(scene, minlength=216))
    assert np.unique(scene).size > 10
    most = int(scenes.visits.argmax())
    np.testing.assert_allclose(scenes.seen[most], data.states[scene == most].mean(0), atol=1e-6)
    taken = (scene == most) & (data.actions == 0)
    paid = data.decisions["reward"][taken].mean() / HEAT
    assert scenes.world.reward[most, 0] == pytest.approx(paid)
