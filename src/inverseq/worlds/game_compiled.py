"""Boards of the GridWorld game inside compiled loops: draws, and the way to the win."""

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Bool, Float, Int

from inverseq.worlds.game_boards import GridState, Layout


def drawn_board(layout: Layout, key: jax.Array) -> tuple[GridState, Bool[jax.Array, ""]]:
    """One board, and whether there is a way to the win."""
    chances = jax.random.uniform(key, (layout.num_walls + 2,))
    wins = layout.wins()
    win = jnp.asarray(wins, jnp.int32)[below(chances[0], wins.size)]
    walls = jnp.asarray(layout.fixed_walls())
    if layout.walls is None:
        walls = _drawn_walls(layout, win, chances[2:])
    distance = spread_distances(walls, win, layout.width)
    has_way = (distance > 0) & (distance < layout.cells)
    if layout.start is None:
        player = _nth(has_way, below(chances[1], has_way.sum()))
        solved = has_way.any()
    else:
        player, solved = jnp.int32(layout.start), has_way[layout.start]
    board = walls.reshape(layout.height, layout.width)
    return GridState(board, player, win, jnp.int32(0)), solved


def _drawn_walls(layout: Layout, win: jax.Array, chances: jax.Array) -> jax.Array:
    """Mask `[cells]` of walls beside the win and a fixed start, by Floyd's sampling (1987)."""
    kept = [win] if layout.start is None else [win, jnp.int32(layout.start)]
    free = layout.cells - len(kept)
    first = free - layout.num_walls
    cells = jnp.arange(free)

    def one_more(i: jax.Array, chosen: jax.Array) -> jax.Array:
        pick = below(chances[i], first + i + 1)
        # What is taken already makes room for the newest candidate, which cannot be.
        return chosen | (cells == jnp.where(chosen[pick], first + i, pick))

    chosen = jax.lax.fori_loop(0, layout.num_walls, one_more, jnp.zeros(free, bool))
    # Candidates are numbered past the kept cells, which hold no wall.
    number = jnp.arange(layout.cells)
    before = jnp.stack([number > cell for cell in kept]).sum(0)
    is_kept = jnp.stack([number == cell for cell in kept]).any(0)
    return jnp.where(is_kept, False, chosen[jnp.clip(number - before, 0, free - 1)])


def spread_distances(
    walls: Bool[jax.Array, " cells"], win: Int[jax.Array, ""], width: int
) -> Int[jax.Array, " cells"]:
    """Moves to the win from each cell; the number of cells where there is no way."""
    cells = walls.size
    kind = jnp.int16 if cells < np.iinfo(np.int16).max else jnp.int32
    number = jnp.arange(cells)
    far = kind(cells)

    def neighbour(distance: jax.Array, shift: int, exists: jax.Array) -> jax.Array:
        return jnp.where(exists, jnp.roll(distance, shift), far)

    def nearer(carry: tuple[jax.Array, jax.Array]) -> tuple[jax.Array, jax.Array]:
        distance = carry[0]
        vertical = jnp.minimum(
            neighbour(distance, width, number >= width),
            neighbour(distance, -width, number < cells - width),
        )
        across = jnp.minimum(
            neighbour(distance, 1, number % width > 0),
            neighbour(distance, -1, number % width < width - 1),
        )
        reached = jnp.minimum(jnp.minimum(vertical, across) + kind(1), distance)
        reached = jnp.where(walls, far, reached)
        return reached, (reached != distance).any()

    begin = jnp.where(number == win, kind(0), far)
    return jax.lax.while_loop(lambda carry: carry[1], nearer, (begin, jnp.bool_(True)))[0]


def below(chance: Float[jax.Array, ""], count: int | jax.Array) -> Int[jax.Array, ""]:
    """A whole number below `count` from a number in [0, 1)."""
    # Rounding may reach `count` itself.
    return jnp.minimum((chance * count).astype(jnp.int32), count - 1)


def _nth(mask: jax.Array, place: jax.Array) -> jax.Array:
    """The cell of a mask that `place` cells of it come before."""
    return (jnp.cumsum(mask) <= place).sum().astype(jnp.int32)
