"""The game in Gymnasium: no fault found, and in step with the pure functions."""

import warnings
from collections.abc import Callable
from dataclasses import asdict
from functools import lru_cache
from types import SimpleNamespace

import gymnasium
import jax
import matplotlib
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib import pyplot

from inverseq import InputError, worlds
from inverseq.worlds import STATIC_WALLS, GridState, GridWorldEnv, GridWorldRules
from inverseq.worlds.environments import _GAMES
from inverseq.worlds.game_environment import OBSERVATIONS


@pytest.mark.parametrize("name", _GAMES)
@pytest.mark.parametrize("observation", OBSERVATIONS)
def test_gymnasium_finds_no_fault(name, observation):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        environment = gymnasium.make(f"inverseq.worlds:{name}", observation=observation)
        check_env(environment.unwrapped)


def test_the_registered_games_are_the_three_grid_types():
    made = {name: gymnasium.make(name).unwrapped.rules for name in _GAMES}
    assert made["inverseq/GridWorldStaticWalls-v0"] == worlds.STATIC_WALLS
    assert made["inverseq/GridWorldRandomWalls-v0"] == worlds.RANDOM_WALLS
    assert made["inverseq/GridWorldRandomWin-v0"] == worlds.RANDOM_WIN
    assert made["inverseq/GridWorld-v0"] == GridWorldRules()


@lru_cache
def compiled(rules: GridWorldRules) -> tuple[Callable, ...]:
    """Whole games at once: boards to begin with, and the pure functions along a row of actions."""

    def move(state: GridState, action: jax.Array) -> tuple:
        following, *outcome = rules.step(state, action)
        return following, (rules.observe(following), following.player, *outcome)

    walk = jax.jit(lambda state, actions: jax.lax.scan(move, state, actions)[1])
    return jax.jit(jax.vmap(rules.reset)), walk, jax.jit(rules.shortest_distance)


WALKED = [
    GridWorldRules(1, 4, 0, max_moves=20, win_reward=2.5),
    GridWorldRules(5, 3, 2, win="random", max_moves=20, win_reward=2.5),
    GridWorldRules(6, 6, 6, max_moves=20, win_reward=2.5),
]
"""Each is three programs to compile."""


@settings(max_examples=10)
@given(st.sampled_from(WALKED), st.integers(0, 2**31 - 1))
def test_environment_and_pure_functions_walk_in_step(rules, seed):
    reset, walk, shortest = compiled(rules)
    boards = jax.tree.map(np.asarray, reset(jax.random.split(jax.random.key(seed), 30)))
    environment = GridWorldEnv("tiles", **asdict(rules))
    rng = np.random.default_rng(seed)
    environment.reset(seed=seed)
    for game in range(60):
        # Boards of both are played: every other one is drawn by the environment.
        board = jax.tree.map(lambda a, g=game: a[g // 2], boards) if game % 2 else None
        tiles, info = environment.reset(options={"board": board} if game % 2 else None)
        state = as_jax(environment.state)
        np.testing.assert_array_equal(tiles, rules.observe(state))
        assert info["distance"] == int(shortest(state))
        actions = rng.integers(0, 4, 20)
        outcomes = jax.tree.map(np.asarray, walk(state, actions))
        for move, (shown, player, *expected) in enumerate(zip(*outcomes, strict=True)):
            tiles, *outcome, info = environment.step(actions[move])
            assert outcome == [value.item() for value in expected]
            assert (environment.state.player, info["moves"]) == (player, move + 1)
            np.testing.assert_array_equal(tiles, shown)
            if outcome[1] or outcome[2]:
                break
        assert outcome[1] or outcome[2]


def as_jax(state: GridState) -> GridState:
    return jax.tree.map(jax.numpy.asarray, state)


def test_a_board_is_taken_over_from_the_pure_functions():
    board = worlds.RANDOM_WIN.reset(jax.random.key(4))
    environment = GridWorldEnv("tiles", win="random")
    tiles, info = environment.reset(options={"board": board})
    np.testing.assert_array_equal(tiles, worlds.RANDOM_WIN.observe(board))
    assert info["distance"] == int(worlds.RANDOM_WIN.shortest_distance(board))


def test_the_forms_of_an_observation_hold_the_same_board():
    shown = {}
    for observation in OBSERVATIONS:
        environment = GridWorldEnv(observation, width=4, height=3, num_walls=2)
        shown[observation], _ = environment.reset(seed=3)
        environment.step(0)  # what was shown before must not change
    np.testing.assert_array_equal(shown["one-hot"].argmax(-1), shown["tiles"])
    np.testing.assert_array_equal(shown["flat"], shown["tiles"].ravel())
    assert np.bincount(shown["flat"]).tolist() == [8, 2, 1, 1]
    assert (shown["one-hot"].sum(-1) == 1).all()


def test_seeds_decide_the_boards():
    environment = GridWorldEnv("flat", win="random")
    first = [environment.reset(seed=5)[0], environment.reset()[0]]
    again = [environment.reset(seed=5)[0], environment.reset()[0]]
    np.testing.assert_array_equal(first, again)
    assert (first[0] != first[1]).any()
    assert (environment.reset(seed=6)[0] != first[0]).any()


def test_every_board_of_a_crowded_game_can_be_won():
    environment = GridWorldEnv("flat", width=4, height=4, num_walls=7, win="random")
    environment.reset(seed=0)
    for _ in range(300):
        tiles, info = environment.reset()
        assert info["distance"] >= info["manhattan"] >= 1
        assert np.bincount(tiles, minlength=4).tolist() == [7, 7, 1, 1]


def test_pictures_and_text_show_the_board():
    board = {"width": 3, "height": 2, "walls": ((1, 0),), "start": (0, 0)}
    pixels = GridWorldEnv(render_mode="rgb_array", **board)
    pixels.reset(seed=0)
    picture = pixels.render()
    assert picture.shape == (64, 96, 3)
    assert picture.dtype == np.uint8
    middles = picture[16::32, 16::32].reshape(-1, 3)
    player, wall, floor, *others, win = map(tuple, middles)
    assert len({player, wall, floor, win}) == 4
    assert set(others) == {floor}
    for action in (2, 1, 1):
        pixels.step(action)
    won = pixels.render()[32:, 64:]
    assert tuple(won[16, 16]) == player
    assert tuple(won[3, 3]) == win  # the win shows around the player who stands on it
    text = GridWorldEnv(render_mode="ansi", **board)
    text.reset(seed=0)
    assert text.render() == "@#.\n..G"
    assert GridWorldEnv().render() is None


def test_a_person_without_a_display_reads_text(capsys):
    environment = GridWorldEnv(render_mode="human", width=3, height=1, num_walls=0, start=(0, 0))
    environment.reset(seed=0)
    environment.step(1)
    assert environment.render() is None
    environment.close()
    assert capsys.readouterr().out == "@.G\n\n.@G\n\n"


def test_a_person_with_a_display_sees_a_window(monkeypatch):
    """The window's calls, on a canvas that needs no display."""
    shown, closed = [], []
    image = SimpleNamespace(set_data=lambda pixels: shown.append(pixels.shape))
    axis = SimpleNamespace(set_axis_off=lambda: None, imshow=lambda pixels: image)
    canvas = SimpleNamespace(draw_idle=lambda: None)
    figure = SimpleNamespace(show=lambda: None, canvas=canvas)
    monkeypatch.setattr(matplotlib, "get_backend", lambda: "QtAgg")
    monkeypatch.setattr(pyplot, "subplots", lambda num: (figure, axis))
    monkeypatch.setattr(pyplot, "pause", lambda seconds: None)
    monkeypatch.setattr(pyplot, "close", closed.append)
    environment = GridWorldEnv(render_mode="human", width=3, height=2, num_walls=0)
    environment.reset(seed=0)
    environment.step(0)
    environment.close()
    assert shown == [(64, 96, 3)] * 2
    assert closed == [figure]


def test_what_cannot_be_is_refused():
    for wrong, words in (
        ({"observation": "pixels"}, "observation must be one of"),
        ({"render_mode": "video"}, "render_mode must be one of"),
        ({"wide": 3}, r"unknown settings \['wide'\]"),
        ({"num_walls": 99}, "num_walls must be"),
    ):
        with pytest.raises(InputError, match=words):
            GridWorldEnv(**wrong)
    environment = GridWorldEnv(walls=STATIC_WALLS.walls)
    environment.reset(seed=0)
    with pytest.raises(InputError, match="got 4"):
        environment.step(4)
    with pytest.raises(InputError, match="unknown options"):
        environment.reset(options={"walls": ()})
    empty = np.zeros((10, 10), bool)
    shut = empty.copy()
    shut.flat[[89, 98]] = True
    for board, words in (
        (GridState(empty[:5], 0, 99, 0), r"must be \[H, W\]"),
        (GridState(empty, 0, 100, 0), "must be cells"),
        (GridState(shut, 98, 99, 0), "no walls"),
        (GridState(shut, 0, 99, 0), "cannot be won"),
        (GridState(empty, 99, 99, 0), "stands on the win"),
    ):
        with pytest.raises(InputError, match=words):
            environment.reset(options={"board": board})
