"""The compiled loop in which networks learn, whatever their rule, beside their own play or not.

A `Course` says who learns, how long and where. `begin` makes the `Training` of a key and `advance`
carries it on, block by block: play `training_freq` moves, store them, make one training step, and
after `learn_steps` training steps play a block of test games. Where nothing is played a block is
one training step on demonstrations. Block b draws from the key folded with b, so that a training
that was stopped and carried on gives the numbers of one that was not.
"""

from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int, PRNGKeyArray

from inverseq._core.errors import InputError
from inverseq.networks import Ensemble, Network, TrainedNetwork, trained_network
from inverseq.training.batch import Moves
from inverseq.training.games import Games, play_games
from inverseq.training.replay import Replay, empty_replay, store
from inverseq.training.rule import Learner, Player, Rule, learn, look, untaught
from inverseq.training.shown import Shown
from inverseq.training.simulator import Simulator


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

    @classmethod
    def of_lessons(cls, steps: int) -> "Loop":
        """Training steps alone, a block each, to the first loss that is not finite."""
        largest = float(np.finfo(np.float32).max)
        return cls(steps, 1, 1, test_games=0, learn_from=0, loss_limit=largest)

    @property
    def block(self) -> int:
        """Moves in a block."""
        return self.training_freq * self.learn_steps

    @property
    def blocks(self) -> int:
        """Blocks in all."""
        return -(-self.steps // self.block)


@dataclass(frozen=True)
class Course:
    """Who learns, how long and where; equal courses share what was compiled for them.

    Attributes:
        rule: What learns; a `Player` where it plays.
        loop: How long and how often.
        observation_shape: Of one observation.
        num_actions: A; D where actions are continuous.
        simulator: What is played; None for demonstrations alone.

    Raises:
        InputError: There is something to play, but the rule cannot act.
    """

    rule: Rule
    loop: Loop
    observation_shape: tuple[int, ...]
    num_actions: int
    simulator: Simulator | None = None

    def __post_init__(self) -> None:
        if self.simulator is not None and not isinstance(self.rule, Player):
            raise InputError(f"{type(self.rule).__name__} cannot play: it has no method act")

    @classmethod
    def played(cls, rule: Player, loop: Loop, simulator: Simulator) -> "Course":
        """Beside own play in a world."""
        return cls(rule, loop, simulator.observation_shape, simulator.num_actions, simulator)

    def record(self, network: Network | Ensemble, module: eqx.Module) -> TrainedNetwork:
        """The record of a module that `network` built for this course."""
        return trained_network(network, module, self.observation_shape, self.num_actions)


_LOOKS = 50
"""Looks at judged decisions in a training."""


class Curves(NamedTuple):
    """What was measured in each block; NaN in blocks not reached or not tested."""

    loss: dict[str, Float[Array, " blocks"]]
    """Mean loss of the training steps of each network; infinite where one of them was not finite,
    NaN where none was made yet."""
    games: Games
    """Of each test `[blocks]` the means of its games."""


class Life(NamedTuple):
    """What a learner lives through where it plays."""

    game: Any
    replay: Replay


class Training(NamedTuple):
    """All there is to know about a training: a tree of arrays, to be carried on or saved."""

    seed: jax.Array
    """The key's data."""
    block: Int[Array, ""]
    """Blocks done."""
    diverged: Bool[Array, ""]
    """Whether a loss was not finite, or too large; no block is done after that."""
    learner: Learner
    life: Life | None
    curves: Curves


def begin(course: Course, key: PRNGKeyArray, shown: Shown | None = None) -> Training:
    """The training of a key before its first move; of demonstrations as for `advance`."""
    loop, world, life = course.loop, course.simulator, None
    if world is None:
        for_learner, for_blocks = jax.random.split(key)
    else:
        for_learner, for_game, for_blocks = jax.random.split(key, 3)
        if shown is not None:  # as without a world, so that the same network is begun with
            for_learner, _ = jax.random.split(for_learner)
        capacity = -(-loop.capacity // loop.training_freq) * loop.training_freq
        masks = None if world.allowed is None else world.num_actions
        components = None if world.bounds is None else world.num_actions
        kept = empty_replay(capacity, world.observation_shape, masks, components)
        life = Life(world.reset(for_game), kept)
    nothing = jnp.full(loop.blocks, jnp.nan)
    made = Training(
        jax.random.key_data(for_blocks),
        jnp.int32(0),
        jnp.bool_(False),
        untaught(course.rule, for_learner, course.observation_shape, course.num_actions),
        life,
        Curves(dict.fromkeys(course.rule.networks(), nothing), Games(*[nothing] * 4)),
    )
    # Numbers of no fixed type get one in `advance`, which would be compiled again for it.
    return jax.tree.map(lambda leaf: jnp.asarray(leaf, leaf.dtype), made)


def advance(course: Course, training: Training, until: Any, shown: Shown | None = None) -> Training:
    """The training carried on to block number `until`, or to its divergence.

    A pure function for `jit` (`until` may be traced: however it is cut in pieces, it is the same
    program and gives the same numbers) and for `vmap` over trainings.

    Args:
        course: Who learns, how long and where.
        training: The training so far.
        until: Number of a block.
        shown: Demonstrations; None for a rule that learns from its own play alone.
    """
    blocks = course.loop.blocks
    last = jnp.minimum(jnp.int32(until), blocks)

    def to(stop: Any, step: Any, now: Training) -> Training:
        return jax.lax.while_loop(lambda now: (now.block < stop) & ~now.diverged, step, now)

    one = partial(_block, course, shown)
    if shown is None or shown.judged is None:
        return to(last, one, training)
    every = max(blocks // _LOOKS, 1)

    def stretch(now: Training) -> Training:
        now = to(jnp.minimum((now.block // every + 1) * every, last), one, now)
        looked = look(course.rule, now.learner, shown)
        due = ~now.diverged & ((now.block % every == 0) | (now.block == blocks))
        take = lambda new, old: jnp.where(due, new, old)  # noqa: E731
        return now._replace(learner=jax.tree.map(take, looked, now.learner))

    # Loop in loop, not a branch in the block: of several trainings a branch is taken every time.
    return to(last, stretch, training)


def _block(course: Course, shown: Shown | None, training: Training) -> Training:
    """One block more: `learn_steps` training steps and a test."""
    rule, loop, world = course.rule, course.loop, course.simulator
    key = for_test = jax.random.fold_in(jax.random.wrap_key_data(training.seed), training.block)
    keys = key[None, None]
    if world is not None:
        for_test, for_steps = jax.random.split(key)
        keys = jax.random.split(for_steps, (loop.learn_steps, loop.training_freq + 1))
    made = training.block * loop.block + loop.training_freq * jnp.arange(loop.learn_steps)

    def step(carry: Any, given: tuple[jax.Array, jax.Array]) -> tuple[Any, dict[str, jax.Array]]:
        learner, life = carry
        step_keys, moves_made = given
        if world is None or not isinstance(rule, Player):
            learner, losses = learn(rule, step_keys[0], learner, shown, None)
            return (learner, None), losses
        game, moves = _play(rule, world, learner, life.game, step_keys[1:], moves_made)
        replay = store(life.replay, moves)
        nothing = dict.fromkeys(training.curves.loss, jnp.float32(jnp.nan))
        learner, losses = jax.lax.cond(
            replay.stored >= loop.learn_from,
            lambda now: learn(rule, step_keys[0], now, shown, replay),
            lambda now: (now, nothing),
            learner,
        )
        return (learner, Life(game, replay)), losses

    (learner, life), losses = jax.lax.scan(step, (training.learner, training.life), (keys, made))
    counted = made + loop.training_freq >= loop.learn_from
    loss = {
        name: jnp.sum(jnp.where(counted, found, 0.0)) / counted.sum()
        for name, found in losses.items()
    }
    # A loss without a least value, as of IQ-Learn, may fall beyond all bounds too.
    bounded = jnp.stack([jnp.abs(mean) <= loop.loss_limit for mean in loss.values()])
    diverged = counted.any() & ~bounded.all()
    measured: dict[str, Any] = {
        "loss": {
            name: jnp.where(diverged & ~jnp.isfinite(mean), jnp.inf, mean)
            for name, mean in loss.items()
        }
    }
    if loop.test_games and world is not None and isinstance(rule, Player):
        games = play_games(
            world,
            lambda key, seen, allowed: rule.act(key, learner, seen, allowed, None),
            for_test,
            games=loop.test_games,
        )
        measured["games"] = jax.tree.map(jnp.mean, games)
    curves = training.curves._asdict()
    written = jax.tree.map(
        lambda curve, value: curve.at[training.block].set(value),
        {name: curves[name] for name in measured},
        measured,
    )
    return training._replace(
        block=training.block + 1,
        diverged=diverged,
        learner=learner,
        life=life,
        curves=training.curves._replace(**written),
    )


def _play(
    rule: Player,
    world: Simulator,
    learner: Learner,
    game: Any,
    keys: jax.Array,
    made: jax.Array,
) -> tuple[Any, Moves]:
    """`training_freq` moves; a game that ends is followed by a new one."""

    def move(game: Any, given: tuple[jax.Array, jax.Array]) -> tuple[Any, Moves]:
        key, number = given
        for_act, for_step, for_reset = jax.random.split(key, 3)
        seen, allowed = world.observe(game), world.allowed_in(game)
        mask = None if allowed is None else allowed[None]
        action = rule.act(for_act, learner, seen[None], mask, number)[0]
        reached, reward, terminated, truncated = world.step(for_step, game, action)
        over = terminated | truncated
        # A branch, not a choice: most moves end no game, and to make a new one may take long.
        following = jax.lax.cond(over, world.reset, lambda _: reached, for_reset)
        after = world.observe(reached), terminated, over, allowed, world.allowed_in(reached)
        return following, Moves(seen, action, reward, *after)

    return jax.lax.scan(move, game, (keys, made + jnp.arange(len(keys))))
