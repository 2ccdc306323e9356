"""The loop of acting, keeping and learning, with learners that only count."""

from dataclasses import dataclass, replace
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from inverseq import InputError
from inverseq.training.batch import Drawing
from inverseq.training.loop import Course, Loop, advance, begin
from inverseq.training.rule import Part
from inverseq.training.trainer import begin_training, carried_on, train
from inverseq.worlds.game_rules import GridWorldRules, grid_simulator

SIMULATOR = grid_simulator(GridWorldRules(width=3, height=3, walls=((1, 1),), max_moves=6))
LOOP = Loop(steps=120, training_freq=3, learn_steps=5, test_games=4, capacity=100, learn_from=30)


@dataclass(frozen=True)
class Counting:
    """Acts at random; its network is the number of training steps, and so is its loss, until after
    eleven of them it is `last`.
    """

    last: float | None = None
    drawing = Drawing(batch=4, discount=0.9)

    def networks(self):
        one_more = optax.stateless(lambda slope, count: jnp.float32(1))
        return {"count": Part(lambda *_: jnp.float32(0), self.loss, one_more)}

    def loss(self, count, learner, key, shown, own):
        learned = jax.lax.stop_gradient(count) + 1
        return learned if self.last is None else jnp.where(learned < 12, 1.0, self.last)

    def act(self, key, learner, observations, allowed, moves):
        return jax.random.randint(key, (len(observations),), 0, 4)


COURSE = Course.played(Counting(), LOOP, SIMULATOR)


def trained(course: Course, key: jax.Array):
    return train(course, [key])[0]


def test_moves_training_steps_and_losses_are_counted():
    training = trained(COURSE, jax.random.key(0))
    assert (LOOP.block, LOOP.blocks) == (15, 8)
    assert int(training.life.replay.stored) == 120
    # Moves 1 to 29 teach nothing; the thirtieth is stored before training step 10.
    assert int(training.learner.learned) == 31
    assert float(training.learner.networks["count"]) == 31
    # Block 0 makes no training step, so it has no loss.
    np.testing.assert_allclose(training.curves.loss["count"][:3], [np.nan, 1.0, 4.0])
    assert np.isfinite(np.stack(training.curves.games)).all()
    assert not training.diverged


def test_stored_moves_are_one_life():
    moves = trained(COURSE, jax.random.key(1)).life.replay.moves
    assert len(moves.actions) == 102  # the capacity, rounded up to whole training steps
    newest = 120 - 102  # rows 0 to 17 hold moves 102 to 119
    order = np.r_[newest:102, :newest]
    seen, following, over, won, rewards = (
        np.asarray(getattr(moves, name))[order]
        for name in ("observations", "next_observations", "over", "terminated", "rewards")
    )
    goes_on = ~over[:-1]
    np.testing.assert_array_equal(following[:-1][goes_on], seen[1:][goes_on])
    assert goes_on.any()
    assert over.any()
    np.testing.assert_array_equal(rewards, np.where(won, 10.0, -1.0))
    lengths = np.diff(np.flatnonzero(over))
    assert lengths.max() <= 6


def test_in_pieces_side_by_side_and_vectorised_it_is_the_same():
    keys = jax.random.split(jax.random.key(3), 2)
    whole = [trained(COURSE, key) for key in keys]
    run = partial(advance, COURSE)
    pieces = jax.jit(run)(begin(COURSE, keys[0]), 3)
    assert int(pieces.block) == 3
    assert np.isnan(pieces.curves.games.ratio[3:]).all()
    finished = jax.jit(run)(pieces, 100)
    beside, together = (
        list(carried_on(COURSE, begun, None, [LOOP.blocks], together=vectorised))[-1][1]
        for vectorised in (False, True)
        for begun in [[begin_training(COURSE, key) for key in keys]]
    )
    for leaves in zip(
        *map(jax.tree.leaves, (whole[0], finished, beside[0], together[0])),
        strict=True,
    ):
        for other in leaves[1:]:
            np.testing.assert_array_equal(leaves[0], other)
    assert (whole[0].life.replay.moves.actions != whole[1].life.replay.moves.actions).any()


@dataclass(frozen=True)
class Loose(Counting):
    """The same; its network begins as a number of no fixed type."""

    def networks(self):
        return {"count": replace(super().networks()["count"], build=lambda *_: jnp.asarray(0.0))}


def test_numbers_of_no_fixed_type_get_one_and_do_not_compile_it_again():
    assert jax.eval_shape(Loose().networks()["count"].build).weak_type
    begun = jax.eval_shape(partial(begin, replace(COURSE, rule=Loose())), jax.random.key(0))
    assert not any(leaf.weak_type for leaf in jax.tree.leaves(begun))


@pytest.mark.parametrize(("last", "shown"), [(np.nan, np.inf), (-1e9, -1e9)])
def test_a_loss_without_bounds_stops_it(last, shown):
    course = Course.played(Counting(last), replace(LOOP, test_games=0), SIMULATOR)
    training = trained(course, jax.random.key(0))
    assert bool(training.diverged)
    assert int(training.block) == 5  # training steps 7 to 11 are in block 3, 12 to 16 in block 4
    np.testing.assert_allclose(training.curves.loss["count"][4], shown)
    assert np.isnan(training.curves.loss["count"][5:]).all()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"steps": 0}, "steps must be 1 or more; got 0"),
        ({"steps": 9, "training_freq": 0}, "training_freq must be 1 or more"),
        ({"steps": 9, "test_games": -1}, "test_games must be 0 or more"),
        ({"steps": 9, "capacity": 8}, "only 8 are kept"),
    ],
)
def test_numbers_out_of_range_are_refused(settings, message):
    with pytest.raises(InputError, match=message):
        Loop(**settings)
