"""A network that plans: value iteration over the board, with what a tile means as its parameters.

After value-iteration networks (Tamar, Wu, Thomas, Levine and Abbeel 2016), with the moves of a grid
built in where theirs are learned convolutions: what has to be learned is which tiles are worth
reaching and which let one pass, a few numbers per kind of tile, and these hold wherever walls and
goals stand. Repeated K times, at once for all cells c,

    Q_d(c) = g(n_d) + discount (p(n_d) V(n_d) + (1 - p(n_d)) V(c)),   V(c) = max_d Q_d(c)

where n_d is the neighbour in direction d (up, right, down, left), g the learned worth of a move
onto a tile and p the learned share of such moves that succeed; outside the board is a tile too.
"""

from dataclasses import dataclass

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from inverseq._core.errors import InputError
from inverseq.networks.tiles import check_board, check_tiles, one_hot_tiles


@dataclass(frozen=True)
class Planner:
    """Value iteration over a board of tiles, read out at the player's cell.

    Actions are the four moves up, right, down, left. Boards of any size can be read by the same
    parameters.

    Attributes:
        iterations: K, how many moves ahead it looks; farther goals are out of sight.
        tiles: Kinds of tiles, one of which is the player's.
        player: Code of the player's tile.

    Raises:
        InputError: A number is out of range.
    """

    iterations: int = 20
    tiles: int = 4
    player: int = 2

    def __post_init__(self) -> None:
        if self.iterations < 1:
            raise InputError(f"iterations must be 1 or more; got {self.iterations}")
        check_tiles(self.tiles)
        if not 0 <= self.player < self.tiles:
            raise InputError(f"player must be a code from 0 to {self.tiles - 1}; got {self.player}")

    def build(
        self, key: PRNGKeyArray, observation_shape: tuple[int, ...], num_actions: int
    ) -> "Plan":
        """A network from one board `[H, W]` to `[4]` action values, that knows no tile yet.

        Raises:
            InputError: Observations are no boards, or there are not four actions.
        """
        check_board(observation_shape, "Planner")
        if num_actions != 4:
            raise InputError(f"Planner knows up, right, down and left; got {num_actions} actions")
        del key  # where all tiles are equal every way is as good, and slopes reach all of them
        return Plan(
            worth=jnp.zeros(self.tiles),
            passing=jnp.ones(self.tiles),
            outside=jnp.zeros(2),
            discount=jnp.full((), 2.0),
            scale=jnp.zeros(()),
            iterations=self.iterations,
            player=self.player,
        )


class Plan(eqx.Module):
    """What each tile means, and the planning over it.

    Attributes:
        worth: `[tiles]` g, the worth of a move onto a tile.
        passing: `[tiles]` logit of p, the share of moves onto a tile that succeed.
        outside: `[2]` g, and the logit of p, for what lies outside the board.
        discount: Logit of the discount between two moves.
        scale: Logarithm of what planned values are multiplied by.
        iterations: K.
        player: Channel of the player's tile.
    """

    worth: Float[Array, " tiles"]
    passing: Float[Array, " tiles"]
    outside: Float[Array, " 2"]
    discount: Float[Array, ""]
    scale: Float[Array, ""]
    iterations: int = eqx.field(static=True)
    player: int = eqx.field(static=True)

    def encode(self, observation: Float[Array, "H W"]) -> Float[Array, "H W tiles"]:
        """A board as the layers see it."""
        return one_hot_tiles(observation, self.worth.shape[0])

    def values(self, seen: Float[Array, "H W tiles"]) -> Float[Array, " 4"]:
        """Action values of an encoded board, read out where the player stands."""
        here = seen[..., self.player]
        return jnp.sum(self.plan(seen) * here, axis=(1, 2))

    def __call__(self, observation: Float[Array, "H W"]) -> Float[Array, " 4"]:
        """Action values of one board; 0 where no player stands on it."""
        return self.values(self.encode(observation))

    def plan(self, seen: Float[Array, "H W tiles"]) -> Float[Array, "4 H W"]:
        """Values of the four moves at every cell of an encoded board."""
        discount = jax.nn.sigmoid(self.discount)
        passing = seen @ jax.nn.sigmoid(self.passing)
        enter = neighbours(passing, jax.nn.sigmoid(self.outside[1]))
        earned = neighbours(seen @ self.worth, self.outside[0])

        def look(values: Float[Array, "H W"]) -> Float[Array, "4 H W"]:
            beyond = neighbours(values, jnp.zeros(()))
            return earned + discount * (values + enter * (beyond - values))

        def step(values: Float[Array, "H W"], _: None) -> tuple[Float[Array, "H W"], None]:
            return look(values).max(0), None

        nothing = jnp.zeros(seen.shape[:2])
        values, _ = jax.lax.scan(step, nothing, None, length=self.iterations - 1)
        return jnp.exp(self.scale) * look(values)


def neighbours(cells: Float[Array, "H W"], edge: Float[Array, ""]) -> Float[Array, "4 H W"]:
    """What stands above, right of, below and left of each cell; `edge` outside the board."""
    height, width = cells.shape
    wide = jnp.full((height + 2, width + 2), edge).at[1:-1, 1:-1].set(cells)
    return jnp.stack([wide[:-2, 1:-1], wide[1:-1, 2:], wide[2:, 1:-1], wide[1:-1, :-2]])
