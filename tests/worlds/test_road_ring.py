"""The ring road: its laws, its rules on scenes made by hand, and that it can be compiled."""

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import inverseq as iq
from inverseq.worlds.road_laws import Changing, Following
from inverseq.worlds.road_ring import RingRoad, ring_road
from inverseq.worlds.road_traffic import RoadState
from inverseq.worlds.road_view import (
    GERMAN_RULES,
    KEEP,
    KEEP_RIGHT,
    LEFT,
    NOBODY,
    RIGHT,
    ROAD_FEATURES,
    SAFETY,
    RoadRules,
    around,
)

ROAD = RingRoad(cars=(14, 14))
LAW = Following()


def scene(*cars, **fields):
    """Cars (position, speed, lane), the ego first, in arrays of four or more."""
    count = max(len(cars), 4)
    padded = [*cars, *[(0.0, 0.0, 0)] * (count - len(cars))]
    position, speed, lane = (np.array(column) for column in zip(*padded, strict=True))
    full = {
        "position": position.astype(np.float32),
        "speed": speed.astype(np.float32),
        "lane": lane.astype(np.int32),
        "old_lane": lane.astype(np.int32),
        "changing": np.zeros(count, np.float32),
        "desired": np.full(count, 20.0, np.float32),
        "politeness": np.zeros(count, np.float32),
        "threshold": np.full(count, 0.1, np.float32),
        "present": np.arange(count) < len(cars),
    }
    zero = jnp.int32(0)
    return RoadState(
        **{k: jnp.asarray(fields.get(k, v)) for k, v in full.items()},
        moves=zero,
        unsafe=zero,
        not_right=zero,
        crashes=zero,
    )


advance, turn, observe = (jax.jit(f) for f in (ROAD.traffic.advance, ROAD.turn, ROAD.observe))


def test_a_platoon_comes_to_the_gap_of_the_law():
    """Fifteen cars in one lane of 400 m: gaps all alike, and the speed at which they are those."""
    road = RingRoad(lanes=1, length=400.0, cars=(14, 14))
    start = scene(*[(400.0 / 15 * k + 3.0 * (k % 3), 8.0, 0) for k in range(15)])
    go = jax.jit(
        lambda s: jax.lax.fori_loop(0, 1500, lambda i, now: road.traffic.advance(now, True), s)
    )
    state = go(start)
    speed = np.asarray(state.speed)
    gap = 400.0 / 15 - 4.5
    assert_allclose(np.diff(np.sort(np.asarray(state.position))) - 4.5, gap, atol=0.05)
    assert_allclose(LAW.equilibrium_gap(speed, 20.0), gap, rtol=0.01)
    assert abs(LAW.accelerate(speed, 20.0, LAW.equilibrium_gap(speed, 20.0), 0.0)).max() < 1e-4


def test_a_car_alone_comes_to_the_speed_that_it_wants():
    state = scene((0.0, 5.0, 1))
    for number in range(60):
        state = advance(state, number % 2 == 0)
    assert_allclose(state.speed[0], 20.0, atol=0.05)


@pytest.fixture(scope="module")
def driving():
    """Eight games of safe driving in dense traffic: states after each decision."""
    road = RingRoad(cars=(30, 60), max_moves=20)
    game = ring_road(road, SAFETY)

    def one(key):
        def move(state, key):
            possible = jnp.where(game.allowed(state), 0.0, -jnp.inf)
            state = game.step(key, state, jax.random.categorical(key, possible))[0]
            return state, state

        begin, moves = jax.random.split(key)
        return jax.lax.scan(move, game.reset(begin), jax.random.split(moves, 20))[1]

    keys = jax.random.split(jax.random.key(3), 8)
    return game, one, keys, jax.jit(jax.vmap(one))(keys)


def test_nobody_crashes_where_lanes_are_entered_safely(driving):
    _, _, _, states = driving
    assert (np.asarray(states.crashes) == 0).all()
    assert (np.asarray(states.unsafe) == 0).all()
    lane, position, present = map(np.asarray, (states.lane, states.position, states.present))
    assert present.sum(axis=2).min() >= 31
    settled = present & (np.asarray(states.changing) <= 0)
    closest = np.inf
    for k in range(3):
        for at, here in zip(
            position.reshape(-1, 64), (settled & (lane == k)).reshape(-1, 64), strict=True
        ):
            places = np.sort(at[here])
            if places.size > 1:
                closest = min(closest, np.diff(np.append(places, places[0] + 1000)).min())
    assert closest > 4.5  # the length of a car
    assert (np.asarray(states.lane != states.old_lane)[:, :, 1:]).any()  # the others change lanes


def test_many_games_are_the_same_as_one_after_the_other(driving):
    _, one, keys, states = driving
    alone = jax.jit(one)(keys[2])
    # In the first moves: the laws are chaotic, and rounding may differ.
    for name in ("position", "speed", "lane", "moves"):
        together = np.asarray(getattr(states, name))[2, :8]
        assert_allclose(np.asarray(getattr(alone, name))[:8], together, atol=1e-2)


def test_traffic_goes_at_different_speeds_and_games_differ(driving):
    states = driving[3]
    mean = np.asarray(states.speed)[:, -1, 1:].sum(1) / np.asarray(states.present)[:, -1, 1:].sum(1)
    assert 8 < mean.mean() < 20
    assert mean.std() > 0.2


def test_mobil_changes_for_gain_and_never_when_unsafe():
    law = Changing()
    assert law.safe(-3.9, -3.9)
    assert not law.safe(-4.1, 0.0)
    assert not law.safe(0.0, -4.1)
    assert law.wanted(0.5, -0.3, 0.0, 0.0, 0.1)
    assert not law.wanted(0.5, -0.5, 0.0, 0.9, 0.1)
    # Car 1 hangs behind car 2; on the left is room, or car 3, who would have to brake hard.
    free = scene((500.0, 20.0, 0), (100.0, 15.0, 0), (112.0, 10.0, 0), (700.0, 15.0, 1))
    assert advance(free, True).lane[1] == 1
    assert advance(free, False).lane[1] == 0  # this step is for the other direction
    taken = scene((500.0, 20.0, 0), (100.0, 15.0, 0), (112.0, 10.0, 0), (90.0, 25.0, 1))
    assert advance(taken, True).lane[1] == 0
    beside = scene((500.0, 20.0, 0), (100.0, 15.0, 0), (112.0, 10.0, 0), (101.0, 15.0, 1))
    assert advance(beside, True).lane[1] == 0


def test_who_is_next_is_found_across_the_seam():
    near = ROAD.traffic.neighbours(
        scene((995.0, 20.0, 1), (5.0, 20.0, 1), (900.0, 20.0, 1), (1.0, 9.0, 2))
    )
    assert (near.ahead[1, 0], near.behind[1, 0], near.ahead[2, 0]) == (1, 2, 3)
    assert_allclose([near.gap[1, 0], near.gap_behind[1, 0], near.gap[2, 0]], [5.5, 90.5, 1.5])
    assert near.gap[0, 0] == NOBODY


def test_what_is_seen_is_what_is_there():
    seen = np.asarray(
        observe(scene((995.0, 18.0, 1), (25.0, 15.0, 1), (975.0, 21.0, 2), (500.0, 9.0, 2)))
    )
    assert seen.shape == (len(ROAD_FEATURES),)
    said = dict(zip(ROAD_FEATURES, seen, strict=True))
    assert_allclose([said["front distance"] * 80, said["front speed"] * 20], [30, -3], rtol=1e-5)
    assert_allclose(said["left back distance"] * 80, np.hypot(20, 3.2), rtol=1e-5)
    assert_allclose(said["left back direction"], np.arctan2(3.2, -20) / np.pi, rtol=1e-5)
    assert (said["left front mark"], said["left front distance"]) == (0, 1)
    read = around(seen[None])
    assert_allclose([read.gaps[0][0], read.gaps[3][0]], [25.5, 15.5], rtol=1e-4)
    assert_allclose([read.speed[0], read.speeds[3][0]], [18, 21], rtol=1e-5)
    assert read.gaps[5][0] == NOBODY
    rightmost = np.asarray(observe(scene((0.0, 18.0, 0), (500.0, 9.0, 1))))
    assert_array_equal(rightmost[20:], [0, 0, 0, 0, -1, -1])


obeying = jax.jit(ring_road(ROAD, GERMAN_RULES).allowed)


@pytest.mark.parametrize(
    ("cars", "allowed"),
    [
        # Alone: on the rightmost lane anything, elsewhere the right one is free.
        ([(0, 18, 0)], {KEEP, LEFT}),
        ([(0, 18, 1)], {RIGHT}),
        ([(0, 18, 2)], {RIGHT}),
        # Ahead on the right is one as fast as one wants to be, or so slow that 10 s are less.
        ([(0, 18, 1), (60, 20, 0)], {RIGHT}),
        ([(0, 18, 1), (60, 15, 0)], {KEEP, LEFT, RIGHT}),
        # Beside, and too close behind at 25 m/s: no way to the right.
        ([(0, 18, 1), (2, 18, 0)], {KEEP, LEFT}),
        ([(0, 18, 1), (975, 25, 0)], {KEEP, LEFT}),
        # And none to the left.
        ([(0, 18, 0), (12, 10, 1)], {KEEP}),
        ([(0, 18, 0), (40, 18, 1)], {KEEP, LEFT}),
    ],
)
def test_rules_on_scenes(cars, allowed):
    state = scene(*cars)
    given = GERMAN_RULES(np.asarray(observe(state))[None])[0]
    assert set(np.flatnonzero(given)) == allowed
    assert_array_equal(np.asarray(obeying(state)), given)
    for action in (KEEP, LEFT, RIGHT):
        counted = turn(state, jnp.int32(action))[0]
        seen = np.asarray(observe(state))[None]
        assert counted.unsafe == (not SAFETY(seen)[0, action])
        assert counted.not_right == (not KEEP_RIGHT(seen)[0, action])


def test_safety_is_the_gap_of_the_law():
    """Just the gap that the law needs is enough, half a metre less is not."""
    ahead = LAW.gap_needed(18.0, 18.0 - 15.0) + 4.5
    behind = LAW.gap_needed(22.0, 22.0 - 18.0) + 4.5
    for short, safe in ((0.5, False), (-0.1, True)):
        for car in ((100 + ahead - short, 15, 2), (100 - behind + short, 22, 2)):
            seen = np.asarray(observe(scene((100, 18, 1), car)))[None]
            assert SAFETY(seen)[0, LEFT] == safe


def test_reward_cost_and_the_limit():
    for action, cost in ((KEEP, 0.0), (LEFT, 0.01)):
        state, reward, ended, cut = turn(scene((0, 20, 1)), jnp.int32(action))
        assert_allclose(reward, 1 - abs(float(state.speed[0]) - 20) / 20 - cost, rtol=1e-5)
        assert not ended
        assert not cut
    assert state.lane[0] == 2
    short = replace(ROAD, max_moves=1)
    assert jax.jit(short.turn)(scene((0, 20, 1)), jnp.int32(KEEP))[3]


def test_a_change_without_room_does_not_happen_and_counts():
    state = turn(scene((0, 20, 1), (2, 20, 2)), jnp.int32(LEFT))[0]
    assert state.lane[0] == 1
    assert state.unsafe == 1
    off = turn(scene((0, 20, 2)), jnp.int32(LEFT))[0]
    assert (off.lane[0], int(off.unsafe)) == (2, 1)


def test_a_car_that_cannot_brake_is_counted():
    state = turn(
        scene((0, 25, 1), (12, 0, 1), desired=np.array([20, 0.1, 1, 1], np.float32)),
        jnp.int32(KEEP),
    )[0]
    assert state.crashes > 0
    assert ROAD.traffic.neighbours(state).gap[1, 0] >= -0.01


def test_settings_that_cannot_be():
    for change, words in (
        ({"cars": (10, 5)}, "fewest, most"),
        ({"cars": (0, 500)}, "fewest, most"),
        ({"decision": 1.2}, "whole steps"),
        ({"lanes": 0}, "1 or more"),
        ({"length": -10.0}, "length above 0"),
        ({"length": float("nan")}, "length above 0"),
        ({"length": float("inf")}, "length above 0"),
    ):
        with pytest.raises(iq.InputError, match=words):
            replace(ROAD, **change)
    with pytest.raises(iq.InputError, match="there is no rule"):
        RoadRules(safety=False, keep_right=False)
    with pytest.raises(iq.InputError, match="headway must be above 0"):
        Following(headway=0)
