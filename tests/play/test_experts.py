"""Games on shortest ways, and how far from them random play is."""

from functools import partial

import jax
import numpy as np
import pytest

from inverseq import Ending, InputError
from inverseq.play import expert_games
from inverseq.training.games import play_games
from inverseq.worlds import (
    RANDOM_WALLS,
    STATIC_WALLS,
    GridState,
    GridWorldRules,
    board_world,
    grid_simulator,
)
from inverseq.worlds.game_boards import PLAYER, WALL, WIN, board_distances

CROWDED = GridWorldRules(6, 5, 9, win="random")


@pytest.mark.parametrize("rules", [STATIC_WALLS, CROWDED])
def test_every_game_is_as_short_as_can_be_and_follows_the_rules(rules):
    demos = expert_games(rules, games=100, seed=0)
    assert demos.num_trajectories == 100
    assert demos.states.shape[1:] == (rules.height, rules.width)
    np.testing.assert_array_equal(np.diff(demos.starts), demos.trajectories["best_moves"])
    assert (demos.endings[demos.starts[1:] - 1] == Ending.TERMINATED).all()
    step, observe = jax.jit(rules.step), jax.jit(rules.observe)
    for game in range(100):
        rows = range(demos.starts[game], demos.starts[game + 1])
        tiles = demos.states[rows[0]]
        win = int(np.flatnonzero(tiles == WIN)[0])
        player = int(np.flatnonzero(tiles == PLAYER)[0])
        state = GridState(tiles == WALL, np.int32(player), np.int32(win), np.int32(0))
        assert len(rows) == board_distances(tiles == WALL, win)[player]
        for row in rows if game < 10 else ():
            np.testing.assert_array_equal(demos.states[row], observe(state))
            state, _, terminated, _ = step(state, int(demos.actions[row]))
            np.testing.assert_array_equal(demos.next_states[row], observe(state))
            assert bool(terminated) == demos.terminated[row]


def test_ties_are_broken_as_asked():
    rules = GridWorldRules(5, 5, num_walls=0, start=(0, 0))
    drawn = expert_games(rules, games=400, seed=0)
    counts = np.bincount(drawn.actions[drawn.starts[:-1]], minlength=4)
    assert counts[[0, 3]].sum() == 0
    assert 150 < counts[1] < 250
    fixed = expert_games(rules, games=3, seed=0, ties="first")
    assert fixed.actions.tolist() == [1, 1, 1, 1, 2, 2, 2, 2] * 3
    straight = expert_games(rules, games=400, seed=0, ties="straight")
    ways = {tuple(way) for way in straight.actions.reshape(400, 8).tolist()}
    assert ways == {(1,) * 4 + (2,) * 4, (2,) * 4 + (1,) * 4}


def test_the_limit_cuts_games_off():
    rules = GridWorldRules(5, 5, num_walls=0, start=(0, 0), max_moves=3)
    demos = expert_games(rules, games=2, seed=0)
    assert np.diff(demos.starts).tolist() == [3, 3]
    assert not demos.terminated.any()
    assert (demos.endings[demos.starts[1:] - 1] == Ending.TRUNCATED).all()


def test_one_seed_gives_the_same_games_and_two_give_others():
    one, again, other = (expert_games(CROWDED, games=100, seed=s) for s in (0, 0, 1))
    assert one.fingerprint == again.fingerprint != other.fingerprint


def test_what_cannot_be_shown_is_refused():
    with pytest.raises(InputError, match="games must be 1 or more"):
        expert_games(RANDOM_WALLS, games=0, seed=0)
    with pytest.raises(InputError, match="ties must be"):
        expert_games(RANDOM_WALLS, games=1, seed=0, ties="last")


def at_random(key: jax.Array, observations: jax.Array, _: jax.Array | None) -> jax.Array:
    return jax.random.randint(key, (len(observations),), 0, 4)


def exact_ratio() -> float:
    """Expected distance ratio of random play on the static board, by powers of its transitions."""
    walls = np.zeros((10, 10), bool)
    for x, y in STATIC_WALLS.walls:
        walls[y, x] = True
    world = board_world(STATIC_WALLS, GridState(walls, 0, 99, 0))
    mdp = world.mdp
    chain = np.asarray(mdp.transition_matrix.todense()).reshape(95, 4, 95).mean(1)
    going_on = np.eye(95) * ~mdp.terminal
    moves = np.zeros(95)
    for _ in range(100):
        moves += going_on.sum(1)
        going_on = going_on @ chain * ~mdp.terminal
    straight = np.abs(mdp.coordinates - [9, 9]).sum(1)
    return float((moves[:-1] / straight[:-1]).mean())


def test_random_play_is_as_far_from_the_best_as_it_must_be():
    """Of the Manhattan distance; docs/play.md says why the study's figure shows 14.2."""
    assert exact_ratio() == pytest.approx(12.25, abs=0.005)
    play = jax.jit(partial(play_games, grid_simulator(STATIC_WALLS), at_random, games=4000))
    ratio = np.asarray(play(jax.random.key(0)).ratio)
    error = ratio.std() / np.sqrt(ratio.size)
    assert abs(ratio.mean() - exact_ratio()) < 4 * error
