"""The same road in SUMO: replayed from seeds, counted by the same rules, one in a process."""

import gymnasium
import numpy as np
import pytest
from numpy.testing import assert_array_equal

import inverseq as iq
from inverseq.play import Agent, Orchestrator
from inverseq.worlds.road_sumo import SumoRoadEnv, sumo_road
from inverseq.worlds.road_view import KEEP, KEEP_RIGHT, LEFT, RIGHT, ROAD_FEATURES, SAFETY, around


@pytest.fixture(scope="module")
def road():
    """The one simulation of this process."""
    environment = sumo_road(cars=(30, 45), max_moves=12, render_mode="rgb_array")
    yield environment
    environment.close()


def driven(road, game, actions):
    seen, info = road.reset(options={"game": game})
    rows = [seen]
    for action in actions:
        if not info["action_mask"][action]:
            action = KEEP
        seen, reward, ended, cut, info = road.step(action)
        rows.append(np.append(seen, reward))
        assert not ended
    return np.concatenate(rows), info, cut


def test_a_game_follows_from_its_number(road):
    actions = [KEEP, LEFT, KEEP, RIGHT, KEEP]
    once, _, _ = driven(road, 7, actions)
    other, _, _ = driven(road, 8, actions)
    again, _, _ = driven(road, 7, actions)
    assert_array_equal(once, again)
    assert np.abs(once - other).max() > 0.01
    first, info = road.reset(seed=5)
    second, _ = road.reset()
    assert_array_equal(road.reset(options={"game": info["game"]})[0], first)
    assert np.abs(first - second).max() > 0.01
    assert_array_equal(road.reset(seed=5)[0], first)


def test_what_broke_a_rule_is_counted_and_what_was_seen_was_there(road):
    seen, info = road.reset(seed=1)
    unsafe = not_right = 0
    for move in range(12):
        assert seen.shape == (len(ROAD_FEATURES),)
        assert seen in road.observation_space
        read = around(seen[None])
        assert 0 <= read.speed[0] < 21
        lanes = [read.lanes[0][0], read.lanes[1][0]]
        assert_array_equal(info["action_mask"], [True, *lanes])
        action = int(np.flatnonzero(info["action_mask"])[move % info["action_mask"].sum()])
        unsafe += not SAFETY(seen[None])[0, action]
        not_right += not KEEP_RIGHT(seen[None])[0, action]
        before = seen
        seen, reward, _, cut, info = road.step(action)
        speed = around(seen[None]).speed[0]
        assert reward == pytest.approx(1 - abs(speed - 20) / 20 - 0.01 * (action != KEEP), abs=1e-5)
        went = around(before[None]), around(seen[None])
        if action == KEEP:  # the same lanes beside it as before
            assert [bool(x[0]) for x in went[0].lanes] == [bool(x[0]) for x in went[1].lanes]
    assert cut
    assert (info["unsafe"], info["not_right"]) == (unsafe, not_right)
    assert road.render().shape == (38, 640, 3)


def test_nobody_vanishes_and_safe_drivers_do_not_crash(road):
    seen, info = road.reset(seed=3)
    count = len(road._place)
    assert count >= 31
    for move in range(12):
        allowed = np.flatnonzero(SAFETY(seen[None])[0])
        seen, _, _, _, info = road.step(int(allowed[move % allowed.size]))
    assert len(road._place) == count
    assert info["crashes"] == 0
    assert info["unsafe"] == 0


def test_games_are_recorded_with_the_lanes_there_were(road):
    played = Orchestrator(road, Agent(3, seed=0)).play(seed=2, games=1).demonstrations
    assert played.states.shape == (12, 26)
    left, right = played.states[:, 22] > -0.5, played.states[:, 24] > -0.5
    assert_array_equal(played.allowed, np.column_stack([np.ones(12, dtype=bool), left, right]))


def test_a_process_holds_one(road):
    with pytest.raises(iq.InputError, match="close\\(\\) that one first"):
        SumoRoadEnv()
    with pytest.raises(iq.InputError, match="actions are 0 keep"):
        road.step(3)
    with pytest.raises(iq.InputError, match='there is "game"'):
        road.reset(options={"board": 1})
    for game in ("7", 1.5, None, -1, 2**31):
        with pytest.raises(iq.InputError, match="a game has a whole number from 0"):
            road.reset(options={"game": game})
    assert isinstance(road, gymnasium.Env)


def test_a_game_must_have_begun(monkeypatch):
    monkeypatch.setattr("inverseq.worlds.road_sumo._held", [])
    fresh = SumoRoadEnv()
    with pytest.raises(iq.InputError, match=r"reset\(\) first"):
        fresh.step(KEEP)
    fresh.close()
    with pytest.raises(iq.InputError, match="make another"):
        fresh.step(KEEP)


def test_settings_that_cannot_be():
    with pytest.raises(iq.InputError, match="fewest, most"):
        SumoRoadEnv(cars=(5, 1))
    with pytest.raises(iq.InputError, match="rgb_array"):
        SumoRoadEnv(render_mode="human")


def test_without_sumo_it_says_what_to_install(monkeypatch):
    import inverseq.worlds.road_sumo as module

    def absent(name):
        raise ImportError(name)

    monkeypatch.setattr(module, "_held", [])
    monkeypatch.setattr(module.importlib, "import_module", absent)
    with pytest.raises(iq.InputError, match=r"pip install \"inverseq\[sumo\]\""):
        SumoRoadEnv()
