"""The rules of the GridWorld game: never a board that cannot be won, and rewards as told."""

from collections.abc import Callable
from functools import lru_cache

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from inverseq import InputError
from inverseq.forward import value_iteration
from inverseq.worlds import (
    RANDOM_WALLS,
    RANDOM_WIN,
    STATIC_WALLS,
    GridState,
    GridWorldRules,
    board_world,
    grid_simulator,
)
from inverseq.worlds.game_boards import board_distances

CROWDED = GridWorldRules(width=5, height=4, num_walls=8, win="random")
FIXED_START = GridWorldRules(width=4, height=4, num_walls=6, start=(0, 0))
RULES = (STATIC_WALLS, RANDOM_WALLS, RANDOM_WIN, CROWDED, FIXED_START)


@lru_cache
def compiled_reset(rules: GridWorldRules) -> Callable:
    return jax.jit(jax.vmap(rules.reset))


def boards(rules: GridWorldRules, games: int, seed: int = 0) -> GridState:
    keys = jax.random.split(jax.random.key(seed), games)
    return jax.tree.map(np.asarray, compiled_reset(rules)(keys))


def connected(walls: np.ndarray, one: int, other: int) -> bool:
    """Whether two cells lie in one room, by an algorithm of somebody else."""
    rooms = ndimage.label(~walls)[0].ravel()
    return bool(rooms[one] == rooms[other] != 0)


@pytest.mark.parametrize("rules", RULES)
def test_every_board_can_be_won(rules):
    state = boards(rules, 2000)
    expected = rules.num_walls if rules.walls is None else len(rules.walls)
    assert (state.walls.sum((1, 2)) == expected).all()
    assert (state.player != state.win).all()
    assert (state.moves == 0).all()
    for walls, player, win in zip(*state[:3], strict=True):
        assert connected(walls, player, win)
    if rules.start is not None:
        assert (state.player == 0).all()
    if rules.win == "bottom right":
        assert (state.win == rules.width * rules.height - 1).all()


def test_draws_that_cannot_be_won_are_common_enough_to_be_refused():
    """Of the crowded boards many fail: the test above would notice one let through."""
    rng = np.random.default_rng(0)
    failed = 0
    for _ in range(300):
        one, other, *walls = rng.permutation(20)[:10]
        board = np.isin(np.arange(20), walls).reshape(4, 5)
        failed += not connected(board, one, other)
    assert failed > 60


def test_boards_are_drawn_evenly():
    batches = [boards(RANDOM_WIN, 2000, seed) for seed in range(10)]
    state = jax.tree.map(lambda *parts: np.concatenate(parts), *batches)
    for counts in (
        np.bincount(state.player, minlength=100),
        np.bincount(state.win, minlength=100),
        state.walls.sum(0).ravel() / 5,
    ):
        # Corners are cut off a little more often; five standard errors and some room for that.
        assert np.abs(counts / 200 - 1).max() < 5 / np.sqrt(200) + 0.02
    fixed = boards(STATIC_WALLS, 2000)
    seen = np.bincount(fixed.player, minlength=100)
    walls = fixed.walls[0].ravel()
    assert (seen[walls] == 0).all()
    assert seen[99] == 0
    assert (seen > 0).sum() == 94
    assert {(int(x), int(y)) for y, x in np.argwhere(fixed.walls[0])} == set(STATIC_WALLS.walls)


def test_one_key_gives_one_board_and_two_keys_two():
    one, again, other = (boards(RANDOM_WIN, 2000, seed) for seed in (0, 0, 1))
    np.testing.assert_array_equal(one.walls, again.walls)
    np.testing.assert_array_equal(one.player, again.player)
    assert (one.player != other.player).any()


@lru_cache
def compiled_distances(rules: GridWorldRules) -> Callable:
    return jax.jit(rules.distances)


@settings(max_examples=20)
@given(
    st.sampled_from([1, 4, 7]), st.sampled_from([2, 5]), st.integers(0, 2**31), st.floats(0, 0.6)
)
def test_distances_are_those_of_a_search_and_of_planning(width, height, seed, density):
    rng = np.random.default_rng(seed)
    walls = rng.random((height, width)) < density
    win, player = rng.permutation(width * height)[:2]
    walls.flat[[win, player]] = False
    distance = board_distances(walls, win)
    # Relaxation, slow and sure.
    expected = np.where(np.arange(walls.size) == win, 0.0, np.inf).reshape(walls.shape)
    for _ in range(walls.size):
        edge = np.pad(expected, 1, constant_values=np.inf)
        near = np.minimum.reduce([edge[:-2, 1:-1], edge[2:, 1:-1], edge[1:-1, :-2], edge[1:-1, 2:]])
        expected = np.where(walls, np.inf, np.minimum(expected, near + 1))
    expected = np.where(np.isfinite(expected), expected, -1).ravel()
    np.testing.assert_array_equal(distance, expected)
    rules = GridWorldRules(width, height, num_walls=0)
    state = GridState(jnp.asarray(walls), jnp.int32(player), jnp.int32(win), jnp.int32(0))
    np.testing.assert_array_equal(compiled_distances(rules)(state), expected)
    across = abs(player % width - win % width) + abs(player // width - win // width)
    assert int(rules.manhattan_distance(state)) == across


def play(rules: GridWorldRules, state: GridState, actions: list[int]) -> list[tuple]:
    outcomes = []
    for action in actions:
        state, *outcome = rules.step(state, jnp.int32(action))
        outcomes.append((int(state.player), *(np.asarray(value).item() for value in outcome)))
    return outcomes


def test_moves_walls_edges_rewards_and_ends():
    rules = GridWorldRules(3, 2, walls=((1, 0),), start=(0, 0), max_moves=5)
    state = rules.reset(jax.random.key(0))
    tiles = np.asarray(rules.observe(state))
    np.testing.assert_array_equal(tiles, [[2, 1, 0], [0, 0, 3]])
    assert tiles.dtype == np.float32
    assert play(rules, state, [1, 0, 2, 1, 1]) == [
        (0, -1.0, False, False),  # a wall
        (0, -1.0, False, False),  # the edge
        (3, -1.0, False, False),
        (4, -1.0, False, False),
        (5, 10.0, True, False),  # a win on the last move is a win
    ]
    assert play(rules, state, [3, 3, 2, 2, 0])[-1] == (0, -1.0, False, True)
    assert play(rules, state, [2, 1, 0])[-1][0] == 4
    assert play(rules, state, [2, 1, 1])[-1] == (5, 10.0, True, False)
    won = rules.step(GridState(state.walls, jnp.int32(4), state.win, state.moves), jnp.int32(1))[0]
    np.testing.assert_array_equal(rules.observe(won), [[0, 1, 0], [0, 0, 2]])


def test_other_rewards_and_the_simulator():
    rules = GridWorldRules(2, 1, num_walls=0, win_reward=3.0, step_reward=-0.5)
    simulator = grid_simulator(rules)
    assert simulator is grid_simulator(GridWorldRules(2, 1, 0, win_reward=3.0, step_reward=-0.5))
    state = simulator.reset(jax.random.key(0))
    key = jax.random.key(1)
    assert float(simulator.step(key, state, jnp.int32(3))[1]) == -0.5
    assert float(simulator.step(key, state, jnp.int32(1))[1]) == 3.0
    assert simulator.observe(state).shape == simulator.observation_shape == (1, 2)
    assert int(simulator.best_moves(state)) == int(simulator.straight_moves(state)) == 1
    assert simulator.num_actions == 4


def test_the_world_of_a_board_has_its_distances():
    state = jax.tree.map(lambda a: a[3], boards(RANDOM_WIN, 2000))
    world = board_world(RANDOM_WIN, state)
    values = value_iteration(world.mdp).values
    distance = board_distances(state.walls, state.win)[~state.walls.ravel()]
    reached = distance > 0
    # Of d moves all but the last cost one: -(1 - g^(d - 1)) / (1 - g) + 10 g^(d - 1).
    decay = 0.9 ** (distance[reached] - 1)
    np.testing.assert_allclose(values[reached], 10 * decay - 10 * (1 - decay), atol=1e-6)
    assert int(RANDOM_WIN.shortest_distance(state)) == int(distance[world.mdp.initial.argmax()])
    x, y = world.mdp.coordinates[world.mdp.initial.argmax()]
    assert y * 10 + x == state.player


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"width": 1, "height": 1}, "2 or more cells"),
        ({"num_walls": 99}, "num_walls must be from 0 to 98"),
        ({"num_walls": -1}, "num_walls must be"),
        ({"max_moves": 0}, "max_moves must be 1 or more"),
        ({"win_reward": float("nan")}, "win_reward must be a finite number"),
        ({"win": "top"}, '"bottom right", "random" or a cell'),
        ({"win": (10, 0)}, "win = .* is off the board"),
        ({"walls": ((1, 1), (0, -1))}, r"walls\[1\] = .* is off the board"),
        ({"walls": ((1, 1), (1, 1))}, "walls names a cell twice"),
        ({"walls": ((9, 9),)}, r"the win \(9, 9\) is a wall"),
        ({"start": (2, 1), "walls": ((2, 1),)}, r"the start \(2, 1\) is a wall"),
        ({"start": (9, 9)}, "start and win are the same cell"),
        ({"walls": ((8, 9), (9, 8))}, "no way to the win from any cell"),
        ({"walls": ((1, 0), (0, 1)), "start": (0, 0)}, "no way to the win from the start"),
        ({"num_walls": 60, "start": (0, 0)}, "Use fewer walls"),
        (
            {"width": 9, "height": 1, "walls": ((1, 0),), "start": (0, 0), "win": "random"},
            "0 could be reached",
        ),
    ],
)
def test_rules_that_cannot_be_played_are_refused(given, words):
    with pytest.raises(InputError, match=words):
        GridWorldRules(**given)
