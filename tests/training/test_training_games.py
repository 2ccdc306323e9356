"""Games side by side: their moves, rewards and ratios are those of the board."""

import jax
import jax.numpy as jnp
import numpy as np

from inverseq import worlds
from inverseq.forward import simulator_of
from inverseq.training.games import play_games
from inverseq.worlds.game_rules import STATIC_WALLS, GridWorldRules, grid_simulator


def to_the_corner(key, observations, allowed):
    """Right along the row, then down."""
    at = jnp.argmax(observations.reshape(len(observations), -1) == 2, axis=1)
    return jnp.where(at % observations.shape[2] < observations.shape[2] - 1, 1, 2)


def test_on_an_empty_board_the_straight_way_is_made():
    simulator = grid_simulator(GridWorldRules(width=5, height=4, num_walls=0))
    games = play_games(simulator, to_the_corner, jax.random.key(0), games=30)
    assert np.asarray(games.won).all()
    np.testing.assert_array_equal(games.ratio, 1.0)
    np.testing.assert_array_equal(games.earned, 11.0 - games.moves)
    assert np.unique(games.moves).size > 3


def test_lost_games_count_with_the_moves_of_the_limit():
    simulator = grid_simulator(STATIC_WALLS)
    stays = lambda key, observations, allowed: jnp.zeros(len(observations), jnp.int32)  # noqa: E731
    games = play_games(simulator, stays, jax.random.key(1), games=20)
    begun = jax.vmap(simulator.reset)(jax.random.split(jax.random.split(jax.random.key(1))[0], 20))
    straight = np.asarray(jax.vmap(simulator.straight_moves)(begun))
    assert not np.asarray(games.won).any()
    np.testing.assert_array_equal(games.moves, 100)
    np.testing.assert_allclose(games.ratio, 100 / straight, rtol=1e-6)
    np.testing.assert_array_equal(games.earned, -100)


def test_without_a_straight_way_there_is_no_ratio():
    simulator = simulator_of(worlds.gridworld(2, 2, [], [(1, 1)]).mdp, max_moves=3)
    games = play_games(
        simulator, lambda key, o, allowed: jnp.zeros(len(o), jnp.int32), jax.random.key(0), games=4
    )
    assert np.isnan(games.ratio).all()
    np.testing.assert_array_equal(games.moves, 3)
