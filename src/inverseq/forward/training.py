"""The compiled loop in which a network learns from its own play, whatever its learning rule.

A `Learner` is four pure functions (how it begins, acts, learns, and acts when tested); `Loop` says
how long and how often. `begin` makes the `Training` of a key and `advance` carries it on, block by
block (`forward/trainer.py` compiles and runs both): play `training_freq` moves, store them, make
one training step, and after `learn_steps` training steps play a block of test games. Block b draws
from the key folded with b, so that a training that was stopped and carried on gives the numbers of
one that was not.
DQN (`forward/dqn.py`) and online IQ-Learn are two learners.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int, PRNGKeyArray

from inverseq._core.errors import InputError
from inverseq.forward.games import play_games
from inverseq.forward.replay import Moves, Replay, empty_replay, store
from inverseq.forward.simulator import Simulator


@dataclass(frozen=True)
class Learner:
    """A learning rule, as pure functions of a state that may be any tree of arrays.

    Make it once per training: its functions are compiled anew for every new `Learner`.

    Attributes:
        begin: `begin(key) -> state`, untrained.
        act: `act(key, state, observation, moves) -> action`, while it learns; `moves` is the number
            of moves made in training so far.
        learn: `learn(key, state, replay) -> (state, loss)`, one training step.
        test: `test(key, state, observations) -> actions`, for a batch of games, while it is tested.
    """

    begin: Callable[[PRNGKeyArray], Any]
    act: Callable[[PRNGKeyArray, Any, jax.Array, jax.Array], jax.Array]
    learn: Callable[[PRNGKeyArray, Any, Replay], tuple[Any, jax.Array]]
    test: Callable[[PRNGKeyArray, Any, jax.Array], jax.Array]


@dataclass(frozen=True)
class Loop:
    """How long and how often.

    Attributes:
        steps: Moves to make in all; rounded up to whole blocks.
        training_freq: Moves between two training steps.
        learn_steps: Training steps in a block, after which it is tested.
        test_games: Games in a test; 0 for none.
        capacity: Moves that are kept to learn from; rounded up to a multiple of `training_freq`.
        learn_from: Moves stored before the first training step.
        loss_limit: A mean loss of a block farther from 0 than this counts as divergence.

    Raises:
        InputError: A number is out of range.
    """

    steps: int
    training_freq: int = 4
    learn_steps: int = 50
    test_games: int = 24
    capacity: int = 1024
    learn_from: int = 32
    loss_limit: float = 1e6

    def __post_init__(self) -> None:
        least = {"steps": 1, "training_freq": 1, "learn_steps": 1, "test_games": 0, "capacity": 1}
        for name, low in least.items():
            if getattr(self, name) < low:
                raise InputError(f"{name} must be {low} or more; got {getattr(self, name)}")
        if self.learn_from > self.capacity:
            raise InputError(
                f"learn_from is {self.learn_from} moves, but only {self.capacity} are kept; "
                "give a larger capacity or a smaller learn_from"
            )

    @property
    def block(self) -> int:
        """Moves in a block."""
        return self.training_freq * self.learn_steps

    @property
    def blocks(self) -> int:
        """Blocks in all."""
        return -(-self.steps // self.block)


class Curves(NamedTuple):
    """What was measured in each block; NaN in blocks not reached or not tested."""

    loss: Float[Array, " blocks"]
    """Mean loss of the training steps; infinite where one of them was not finite, NaN where none
    was made yet."""
    ratio: Float[Array, " blocks"]
    """Mean distance ratio of the test games; NaN where the simulator knows no straight way."""
    won: Float[Array, " blocks"]
    """Share of the test games that terminated."""
    moves: Float[Array, " blocks"]
    """Mean moves of the test games."""
    earned: Float[Array, " blocks"]
    """Mean sum of rewards of the test games."""


class Training(NamedTuple):
    """All there is to know about a training: a tree of arrays, to be carried on or saved."""

    seed: jax.Array
    """The key's data."""
    block: Int[Array, ""]
    """Blocks done."""
    diverged: Bool[Array, ""]
    """Whether a loss was not finite, or too large; no block is done after that."""
    learner: Any
    game: Any
    replay: Replay
    curves: Curves


def begin(learner: Learner, simulator: Simulator, loop: Loop, key: PRNGKeyArray) -> Training:
    """The training of a key before its first move."""
    for_learner, for_game, for_blocks = jax.random.split(key, 3)
    capacity = -(-loop.capacity // loop.training_freq) * loop.training_freq
    return Training(
        jax.random.key_data(for_blocks),
        jnp.int32(0),
        jnp.bool_(False),
        learner.begin(for_learner),
        simulator.reset(for_game),
        empty_replay(capacity, simulator.observation_shape),
        Curves(*(jnp.full(loop.blocks, jnp.nan) for _ in Curves._fields)),
    )


def advance(
    learner: Learner, simulator: Simulator, loop: Loop, training: Training, until: Any
) -> Training:
    """The training carried on to block number `until`, or to its divergence.

    A pure function for `jit` (`until` may be traced: however it is cut in pieces, it is the same
    program and gives the same numbers) and for `vmap` over trainings.
    """
    last = jnp.minimum(jnp.int32(until), loop.blocks)

    def unfinished(now: Training) -> jax.Array:
        return (now.block < last) & ~now.diverged

    return jax.lax.while_loop(unfinished, partial(_block, learner, simulator, loop), training)


def _block(learner: Learner, simulator: Simulator, loop: Loop, training: Training) -> Training:
    """One block more: `learn_steps` training steps and a test."""
    key = jax.random.fold_in(jax.random.wrap_key_data(training.seed), training.block)
    for_test, for_steps = jax.random.split(key)
    keys = jax.random.split(for_steps, (loop.learn_steps, loop.training_freq + 1))
    made = training.block * loop.block + loop.training_freq * jnp.arange(loop.learn_steps)
    carried = (training.learner, training.game, training.replay)

    def step(carry: Any, given: tuple[jax.Array, jax.Array]) -> tuple[Any, jax.Array]:
        state, game, replay = carry
        step_keys, moves_made = given
        game, moves = _play(learner, simulator, state, game, step_keys[1:], moves_made)
        replay = store(replay, moves)
        state, loss = jax.lax.cond(
            replay.stored >= loop.learn_from,
            lambda s: learner.learn(step_keys[0], s, replay),
            lambda s: (s, jnp.float32(jnp.nan)),
            state,
        )
        return (state, game, replay), loss

    (state, game, replay), losses = jax.lax.scan(step, carried, (keys, made))
    counted = made + loop.training_freq >= loop.learn_from
    loss = jnp.sum(jnp.where(counted, losses, 0.0)) / counted.sum()
    # A loss without a least value, as of IQ-Learn, may fall beyond all bounds too.
    diverged = counted.any() & ~(jnp.abs(loss) <= loop.loss_limit)
    measured = {"loss": jnp.where(diverged & ~jnp.isfinite(loss), jnp.inf, loss)}
    if loop.test_games:
        games = play_games(
            simulator, partial(_tested, learner, state), for_test, games=loop.test_games
        )
        measured |= {
            "ratio": games.ratio.mean(),
            "won": games.won.mean(),
            "moves": games.moves.mean(),
            "earned": games.earned.mean(),
        }
    written = {
        name: getattr(training.curves, name).at[training.block].set(value)
        for name, value in measured.items()
    }
    return training._replace(
        block=training.block + 1,
        diverged=diverged,
        learner=state,
        game=game,
        replay=replay,
        curves=training.curves._replace(**written),
    )


def _tested(learner: Learner, state: Any, key: jax.Array, observations: jax.Array) -> jax.Array:
    """Actions of a learner in test games."""
    return learner.test(key, state, observations)


def _play(
    learner: Learner,
    simulator: Simulator,
    state: Any,
    game: Any,
    keys: jax.Array,
    made: jax.Array,
) -> tuple[Any, Moves]:
    """`training_freq` moves; a game that ends is followed by a new one."""

    def move(game: Any, given: tuple[jax.Array, jax.Array]) -> tuple[Any, Moves]:
        key, number = given
        for_act, for_step, for_reset = jax.random.split(key, 3)
        seen = simulator.observe(game)
        action = learner.act(for_act, state, seen, number)
        reached, reward, terminated, truncated = simulator.step(for_step, game, action)
        over = terminated | truncated
        # A branch, not a choice: most moves end no game, and to make a new one may take long.
        following = jax.lax.cond(over, simulator.reset, lambda _: reached, for_reset)
        lived = Moves(seen, action, reward, simulator.observe(reached), terminated, over)
        return following, lived

    return jax.lax.scan(move, game, (keys, made + jnp.arange(len(keys))))
