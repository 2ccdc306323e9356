"""Demonstrations of somebody who knows the shortest way."""

from functools import lru_cache
from typing import Any, Literal

import jax
import numpy as np
from jaxtyping import Int

from inverseq._core.errors import InputError
from inverseq.demonstrations import Demonstrations, Ending
from inverseq.play.agents import best_moves
from inverseq.worlds.game_boards import PLAYER, WALL, WIN
from inverseq.worlds.game_rules import GridWorldRules
from inverseq.worlds.grids import ACTIONS


def expert_games(
    rules: GridWorldRules,
    *,
    games: int,
    seed: int,
    ties: Literal["random", "straight", "first"] = "random",
) -> Demonstrations:
    """Games of the GridWorld in which every move is one of the best.

    Args:
        rules: The rules; every game has a board of its own.
        games: How many.
        seed: Which boards, and which of the moves that tie.
        ties: "random" draws one of the best moves, each equally often; "straight" goes on in the
            direction of the last move where that is among them, as people do, and draws otherwise;
            "first" takes the first of up, right, down, left, as a player with fixed habits does.

    Returns:
        Demonstrations with the tiles `[N, H, W]` as states, `time`, the number of the move in its
        game, and for each game the column "best_moves", its length unless the limit cut it off.

    Raises:
        InputError: `games` is below 1, or `ties` is something else.
    """
    if games < 1:
        raise InputError(f"games must be 1 or more; got {games}")
    if ties not in ("random", "straight", "first"):
        raise InputError(f'ties must be "random", "straight" or "first"; got {ties!r}')
    keys = jax.random.split(jax.random.key(seed), games)
    state, distance = (jax.tree.map(np.asarray, part) for part in _begin(rules)(keys))
    ground = np.where(state.walls.reshape(games, -1), WALL, 0)
    ground[np.arange(games), state.win] = WIN
    rng = np.random.default_rng(seed)
    best = distance[np.arange(games), state.player]
    player, alive = state.player.astype(np.int64), np.arange(games)
    shift = np.array([-rules.width, 1, rules.width, -1])
    rows, last = [], np.full(games, -1)
    for move in range(min(int(best.max()), rules.max_moves)):
        good = best_moves(distance[alive], player[alive], rules.width)
        weight = np.arange(4, 0, -1) if ties == "first" else rng.random(good.shape)
        if ties == "straight":
            weight = weight + (np.arange(4) == last[alive][:, None])
        action = np.where(good, weight, -1.0).argmax(axis=1)
        last[alive] = action
        following = player[alive] + shift[action]
        rows.append(np.stack([alive, np.full_like(alive, move), player[alive], action, following]))
        player[alive] = following
        alive = alive[following != state.win[alive]]
    table = np.concatenate(rows, axis=1)
    return _written(rules, table[:, np.argsort(table[0], kind="stable")], ground, state.win, best)


@lru_cache(maxsize=16)
def _begin(rules: GridWorldRules) -> Any:
    """Boards and their distances to the win, for many keys; compiled once for the same rules."""

    def begin(key: jax.Array) -> tuple:
        state = rules.reset(key)
        return state, rules.distances(state)

    return jax.jit(jax.vmap(begin))


def _written(
    rules: GridWorldRules,
    table: Int[np.ndarray, "5 N"],
    ground: Int[np.ndarray, "games cells"],
    win: Int[np.ndarray, " games"],
    best: Int[np.ndarray, " games"],
) -> Demonstrations:
    """The table (game, move, cell, action, next cell) as demonstrations with boards as states."""
    game, move, cell, action, following = table

    def boards(player: np.ndarray) -> np.ndarray:
        tiles = ground[game]
        tiles[np.arange(len(game)), player] = PLAYER
        return tiles.reshape(-1, rules.height, rules.width)

    starts = np.append(np.flatnonzero(move == 0), len(game))
    endings = np.full(len(game), int(Ending.CONTINUES))
    last = starts[1:] - 1
    won = following[last] == win
    endings[last] = np.where(won, int(Ending.TERMINATED), int(Ending.TRUNCATED))
    return Demonstrations(
        boards(cell),
        action,
        boards(following),
        endings,
        starts,
        time=move.astype(float),
        trajectories={"game": np.arange(len(starts) - 1), "best_moves": best},
        action_names=ACTIONS[:4],
        source="shortest paths",
    )
