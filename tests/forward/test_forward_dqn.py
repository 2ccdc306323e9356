"""Deep Q-learning: what it converges to, its steps against Optax, and what survives a stop."""

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from inverseq import MDP, FitError, InputError, Outcome, load, save
from inverseq.forward import simulator_of, value_iteration
from inverseq.forward.dqn import DQN, TrainedDQN, train_dqn
from inverseq.networks import FullyConnected, action_values
from inverseq.training.batch import Moves
from inverseq.training.loop import Loop
from inverseq.training.noise import noisy
from inverseq.training.replay import empty_replay, store
from inverseq.training.rule import learn, untaught

STATES = 4
TABLE = FullyConnected(hidden=())
"""On one-hot states, a table."""


def ring() -> MDP:
    """Clockwise or not round four states; one move earns 1."""
    around = np.arange(STATES)
    transitions = np.zeros((STATES, 2, STATES))
    transitions[around, 0, (around + 1) % STATES] = 1
    transitions[around, 1, (around - 1) % STATES] = 1
    return MDP.from_dense(transitions, discount=0.9)


REWARD = np.array([[0.0, 0.0], [0.0, 0.0], [1.0, 0.0], [0.0, 0.0]])
WORLD = simulator_of(ring(), REWARD, max_moves=5)
LEARN = DQN(
    network=TABLE,
    loop=Loop(20_000, learn_steps=250, test_games=0, capacity=2000),
    learning_rate=3e-3,
    epsilon_floor=1.0,
)


@pytest.mark.parametrize(
    "settings",
    [LEARN, replace(LEARN, target_every=20, double=True)],
    ids=["plain", "double with a target"],
)
def test_values_of_a_table_are_those_of_value_iteration(settings):
    found = train_dqn(settings, WORLD, jax.random.key(0))
    values = action_values(found.trained, np.eye(STATES, dtype=np.float32))
    wanted = value_iteration(ring(), REWARD).q
    # Games are cut off after five moves, but the world goes on.
    np.testing.assert_allclose(values, wanted, atol=0.1)
    assert found.status.outcome is Outcome.CONVERGED
    assert found.status.steps == 20_000


def test_a_limit_taken_for_the_end_makes_the_future_worth_less():
    found = train_dqn(replace(LEARN, bootstrap_at_limit=False), WORLD, jax.random.key(0))
    values = action_values(found.trained, np.eye(STATES, dtype=np.float32))
    assert (values < value_iteration(ring(), REWARD).q - 0.2).all()


def test_a_training_step_is_the_one_of_optax():
    settings = DQN(network=FullyConnected(hidden=(6,)), target_every=2, n_step=1)
    learner = untaught(settings, jax.random.key(1), (STATES,), 2)
    states = jnp.eye(STATES)
    moves = Moves(
        states,
        jnp.array([0, 1, 1, 0], jnp.int32),
        jnp.array([1.0, -2.0, 0.5, 3.0]),
        states[::-1],
        jnp.array([False, True, False, False]),
        jnp.array([False, True, True, False]),
    )
    # A replay of one move, so that it is known what is drawn.
    replay = store(empty_replay(1, (STATES,)), jax.tree.map(lambda a: a[2:3], moves))
    network = target = learner.networks["q"]
    adam = optax.adam(settings.learning_rate)
    kept = adam.init(network)
    step_of = jax.jit(lambda key, learner: learn(settings, key, learner, None, replay))
    for step in range(1, 6):
        learner, found = step_of(jax.random.key(step), learner)

        def loss(net, judge=target):
            return (net(states[2])[1] - (0.5 + 0.9 * judge(states[1]).max())) ** 2

        wanted, slope = jax.value_and_grad(loss)(network)
        change, kept = adam.update(slope, kept)
        network = optax.apply_updates(network, change)
        if step % 2 == 0:
            target = network
        assert float(found["q"]) == pytest.approx(float(wanted), rel=1e-4)
    for ours, theirs in zip(*map(jax.tree.leaves, (learner.networks["q"], network)), strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-6)


def test_exploration_fades_move_by_move():
    settings = DQN(network=TABLE, epsilon_decay=0.97, epsilon_floor=0.1)
    learner = untaught(settings, jax.random.key(0), (STATES,), 2)
    seen = jnp.eye(STATES)[:1]
    best = int(jnp.argmax(learner.networks["q"](seen[0])))
    act = jax.jit(
        jax.vmap(
            lambda key, moves: settings.act(key, learner, seen, None, moves)[0], in_axes=(0, None)
        )
    )
    for moves, epsilon in ((0, 1.0), (30, 0.97**30), (1000, 0.1)):
        taken = act(jax.random.split(jax.random.key(moves), 20_000), jnp.int32(moves))
        assert np.mean(np.asarray(taken) != best) == pytest.approx(epsilon / 2, abs=0.02)


def test_noise_is_even_and_of_its_key():
    flat = jnp.zeros((400, 50))
    first, second = (np.asarray(noisy(jax.random.key(k), flat, 0.1)) for k in (5, 6))
    assert first.min() >= 0
    assert first.max() < 0.1
    counts = np.histogram(first, bins=8, range=(0, 0.1))[0]
    assert np.abs(counts - 2500).max() < 5 * np.sqrt(2500)
    for one, other in ((first, second), (first[1:], first[:-1]), (first[:, 1:], first[:, :-1])):
        assert abs(np.corrcoef(one.ravel(), other.ravel())[0, 1]) < 0.04
    np.testing.assert_array_equal(noisy(jax.random.key(5), flat, 0.0), flat)


SHORT = replace(
    DQN.study(2400),
    network=FullyConnected(hidden=(8,)),
    loop=Loop(2400, learn_steps=5, test_games=2),
    target_every=3,
)


class Stopped(Exception):
    """Somebody pulled the plug."""


def same(one: TrainedDQN, other: TrainedDQN) -> bool:
    """Whether all numbers are equal."""
    arrays = [(*r.trained.arrays, r.loss, r.won, r.moves, r.earned) for r in (one, other)]
    return all(np.array_equal(a, b, equal_nan=True) for a, b in zip(*arrays, strict=True))


def test_the_same_key_gives_the_same_numbers_stopped_or_not(tmp_path):
    key, file = jax.random.key(2), tmp_path / "training.npz"
    whole = train_dqn(SHORT, WORLD, key)

    def stop(what: str, done: int, total: int) -> None:
        raise Stopped(f"{done} of {total}")

    with pytest.raises(Stopped, match="1000 of 2400"):
        train_dqn(SHORT, WORLD, key, checkpoint=file, progress=stop)
    assert same(train_dqn(SHORT, WORLD, key, checkpoint=file), whole)
    # What is finished is read, not made again.
    assert same(train_dqn(SHORT, WORLD, key, checkpoint=file, progress=stop), whole)
    with pytest.raises(InputError, match="other settings"):
        train_dqn(replace(SHORT, batch=16), WORLD, key, checkpoint=file)
    with pytest.raises(InputError, match="other settings"):
        train_dqn(SHORT, simulator_of(ring(), -REWARD, max_moves=5), key, checkpoint=file)
    with pytest.raises(InputError, match="another key"):
        train_dqn(SHORT, WORLD, jax.random.key(9), checkpoint=file)


def test_several_keys_are_each_alone_and_carried_on_together(tmp_path):
    keys, file = list(jax.random.split(jax.random.key(3), 3)), tmp_path / "trainings.npz"
    alone = [train_dqn(SHORT, WORLD, key) for key in keys]
    assert not same(alone[0], alone[1])

    def killed(what: str, done: int, total: int) -> None:
        if done > 1500:
            raise Stopped

    with pytest.raises(Stopped):
        train_dqn(SHORT, WORLD, keys, checkpoint=file, progress=killed)
    for found in (
        train_dqn(SHORT, WORLD, keys),
        train_dqn(SHORT, WORLD, keys, checkpoint=file),
        train_dqn(SHORT, WORLD, tuple(keys), checkpoint=file, progress=killed),  # finished
    ):
        assert all(map(same, found, alone))
    with pytest.raises(InputError, match="checkpoint of 3 keys; got 1"):
        train_dqn(SHORT, WORLD, keys[0], checkpoint=file)
    with pytest.raises(InputError, match=r"a list of keys: list\(keys\) of these 2"):
        train_dqn(SHORT, WORLD, jax.random.split(keys[0], 2))
    with pytest.raises(InputError, match="one key or more"):
        train_dqn(SHORT, WORLD, [])


def test_records_are_saved(tmp_path):
    found = train_dqn(SHORT, WORLD, jax.random.key(4))
    read = load(save(found, tmp_path / "dqn.npz"), TrainedDQN)
    assert same(found, read)
    assert read.settings == SHORT
    assert found.loss.shape == (120,)


def test_divergence_is_told_with_what_to_try():
    wild = replace(SHORT, learning_rate=1e4)
    with pytest.raises(FitError, match="lower learning_rate"):
        train_dqn(wild, WORLD, jax.random.key(0))
    found = train_dqn(wild, WORLD, jax.random.key(0), accept_failure=True)
    assert found.status.outcome is Outcome.DIVERGED
    assert found.status.steps < 2400


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"discount": 0.0}, "discount must be above 0"),
        ({"epsilon": 1.5}, "epsilon must be from 0 to 1"),
        ({"learning_rate": 0.0}, "learning_rate must be above 0"),
        ({"batch": 0}, "batch must be 1 or more"),
        ({"double": True}, "needs a target network"),
        ({"schedule": "linear"}, 'schedule must be "constant" or "cosine"'),
    ],
)
def test_settings_out_of_range_are_refused(settings, message):
    with pytest.raises(InputError, match=message):
        DQN(**settings)


def test_the_step_size_falls_to_nothing_where_it_is_asked_to():
    sizes = {}
    for schedule in ("constant", "cosine"):
        settings = DQN(loop=Loop(40, training_freq=2, learn_steps=5), schedule=schedule)
        optimiser = settings.networks()["q"].optimiser
        kept, made = optimiser.init(jnp.ones(1)), []
        for _ in range(settings.loop.blocks * settings.loop.learn_steps + 1):
            change, kept = optimiser.update(jnp.ones(1), kept)
            made.append(-float(change[0]))
        sizes[schedule] = np.array(made)
    np.testing.assert_allclose(sizes["constant"], 1e-3, rtol=1e-4)
    turn = np.arange(21) / 20
    np.testing.assert_allclose(sizes["cosine"], 5e-4 * (1 + np.cos(np.pi * turn)), atol=1e-8)
