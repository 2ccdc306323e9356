"""Rules of one's own: three networks with targets, actions that do not exist, Adam by hand."""

from dataclasses import dataclass

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from inverseq import BehaviourCloning, Demonstrations, InputError, IQLearn
from inverseq.forward import DQN, simulator_of
from inverseq.networks import FullyConnected
from inverseq.training import Course, Drawing, Loop, Part, Simulator, Target, existing, shown_in
from inverseq.training.batch import Batch
from inverseq.training.lessons import Lessons
from inverseq.training.loop import advance
from inverseq.training.rule import learn, untaught
from inverseq.training.shown import draw
from inverseq.training.trainer import begin_training, train
from strategies import random_mdp

STATES, ACTIONS, GAMMA = 5, 3, 0.8


@dataclass(frozen=True)
class ThreeNetworks:
    """A classifier of an expert's actions, the reward that it implies and its values: of the kind
    of deep inverse Q-learning, with copies of two of them that follow slowly.
    """

    drawing = Drawing(batch=64, discount=GAMMA)

    def networks(self):
        table = FullyConnected(hidden=()).build
        adam = optax.adam(optax.cosine_decay_schedule(0.05, 1500))
        return {
            "expert": Part(table, self.of_expert, adam),
            "reward": Part(table, self.of_reward, adam, Target(share=0.1)),
            "q": Part(table, self.of_q, adam, Target(every=10)),
        }

    def of_expert(self, network, learner, key, shown, own):
        q = existing(jax.vmap(network)(shown.observations), shown.allowed)
        return optax.softmax_cross_entropy_with_integer_labels(q, shown.actions).mean()

    def of_reward(self, network, learner, key, shown, own):
        wanted = jax.nn.log_softmax(jax.vmap(learner.networks["expert"])(shown.observations))
        ahead = jax.vmap(learner.targets["q"])(shown.next_observations).max(1)
        goal = wanted - (shown.discounts * ahead)[:, None]
        return jnp.mean((jax.vmap(network)(shown.observations) - goal) ** 2)

    def of_q(self, network, learner, key, shown, own):
        ahead = jax.vmap(learner.targets["q"])(shown.next_observations).max(1)
        goal = jax.vmap(learner.targets["reward"])(shown.observations)
        goal += (shown.discounts * ahead)[:, None]
        return jnp.mean((jax.vmap(network)(shown.observations) - goal) ** 2)


def shown(rows: int = 600) -> Demonstrations:
    """Decisions drawn from a policy, each of which leads to the next state."""
    rng = np.random.default_rng(0)
    policy = rng.dirichlet(np.full(ACTIONS, 5.0), STATES)
    states = np.arange(rows) % STATES
    actions = np.array([rng.choice(ACTIONS, p=policy[s]) for s in states])
    return Demonstrations.from_arrays(np.eye(STATES)[states], actions)


def test_three_networks_learn_in_the_one_loop():
    demonstrations = shown()
    course = Course(ThreeNetworks(), Loop.of_lessons(1500), (STATES,), ACTIONS)
    key, rows = jax.random.key(0), shown_in(demonstrations)
    training = train(course, [key], rows)[0]
    networks = training.learner.networks
    found = {name: np.asarray(jax.vmap(net)(jnp.eye(STATES))) for name, net in networks.items()}
    taken = np.zeros((STATES, ACTIONS))
    np.add.at(taken, (demonstrations.states.argmax(1), demonstrations.actions), 1)
    share = taken / taken.sum(1, keepdims=True)
    assert_allclose(jax.nn.softmax(found["expert"]), share, atol=0.05)
    # What explains the expert: log pi = r + gamma max Q(next state), and Q the same.
    assert_allclose(found["q"], np.asarray(jax.nn.log_softmax(found["expert"])), atol=0.1)
    ahead = GAMMA * np.roll(found["q"].max(1), -1)[:, None]
    assert_allclose(found["reward"] + ahead, found["q"], atol=0.1)
    assert set(training.curves.loss) == {"expert", "reward", "q"}
    assert all(np.isfinite(curve).all() for curve in training.curves.loss.values())
    assert not training.diverged


def test_each_network_learns_beside_what_those_before_it_have_become():
    """One training step, written out."""
    rule, rows = ThreeNetworks(), shown_in(shown(20))
    before = learner = untaught(rule, jax.random.key(1), (STATES,), ACTIONS)
    key = jax.random.key(2)
    after, losses = learn(rule, key, learner, rows, None)
    batch = draw(jax.random.split(key, 4)[0], rows, rule.drawing)
    for name, part in rule.networks().items():
        loss, slope = jax.value_and_grad(part.loss)(
            before.networks[name], learner, key, batch, None
        )
        assert_allclose(losses[name], loss, rtol=1e-5)
        # The first step of Adam is as long as the learning rate, whatever the slope.
        for one, old, s in zip(
            *map(jax.tree.leaves, (after.networks[name], before.networks[name], slope)), strict=True
        ):
            assert_allclose(one, old - 0.05 * s / (jnp.abs(s) + 1e-8), atol=1e-5)
        learner = learner._replace(networks=learner.networks | {name: after.networks[name]})
    assert int(after.learned) == 1
    for name, share in (("reward", 0.1), ("q", 0.0)):
        for copy, new, old in zip(
            *map(
                jax.tree.leaves, (after.targets[name], after.networks[name], before.networks[name])
            ),
            strict=True,
        ):
            assert_allclose(copy, old + share * (new - old), atol=1e-7)


def test_several_keys_of_three_networks_are_carried_on_from_a_checkpoint(tmp_path):
    rows, keys = shown_in(shown(50)), list(jax.random.split(jax.random.key(3), 2))
    course = Course(ThreeNetworks(), Loop.of_lessons(120), (STATES,), ACTIONS)
    whole = [train(course, [key], rows)[0] for key in keys]
    file = tmp_path / "three.npz"

    def killed(what, done, total):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(course, keys, rows, checkpoint=file, progress=killed)
    resumed = train(course, keys, rows, checkpoint=file)
    for one, other in zip(*map(jax.tree.leaves, (whole, resumed)), strict=True):
        assert_array_equal(one, other)


def test_a_rule_that_cannot_act_is_not_asked_to_play():
    world = simulator_of(random_mdp(np.random.default_rng(0), STATES, ACTIONS), np.ones(STATES))
    with pytest.raises(InputError, match="ThreeNetworks cannot play"):
        Course(ThreeNetworks(), Loop(10), (STATES,), ACTIONS, world)
    with pytest.raises(InputError, match="share above 0"):
        Target(share=0.0)


def masked_world() -> Simulator:
    """Two states in turn; action 0 exists in the first alone, and 2 nowhere."""
    masks = jnp.array([[True, True, False], [False, True, False]])
    return Simulator(
        reset=lambda key: jnp.int32(0),
        step=lambda key, s, a: (1 - s, a.astype(jnp.float32), jnp.bool_(False), s == 1),
        observe=lambda s: jax.nn.one_hot(s, 2),
        observation_shape=(2,),
        num_actions=3,
        allowed=lambda s: masks[s],
    )


def test_actions_that_do_not_exist_are_never_taken():
    settings = DQN(
        network=FullyConnected(hidden=()),
        loop=Loop(400, test_games=2, learn_steps=10, capacity=400),
        epsilon_floor=0.5,
    )
    course = Course.played(settings, settings.loop, masked_world())
    training = train(course, [jax.random.key(0)])[0]
    moves = training.life.replay.moves
    first = np.asarray(moves.observations[:, 0]) == 1
    actions = np.asarray(moves.actions)
    assert set(actions[first]) == {0, 1}
    assert set(actions[~first]) == {1}
    assert_array_equal(moves.allowed[:, 0], first)
    assert_array_equal(moves.next_allowed[:, 0], ~first)


@pytest.mark.parametrize("double", [False, True])
def test_targets_look_at_actions_that_exist(double):
    """The largest value is that of an action that does not exist."""
    settings = DQN(network=FullyConnected(()), batch=1, target_every=5, double=double)
    learner = untaught(settings, jax.random.key(0), (2,), 3)
    network = learner.networks["q"]
    q = lambda state: np.asarray(network(jnp.eye(2)[state]))  # noqa: E731
    allowed = np.ones((1, 3), bool)
    allowed[0, q(1).argmax()] = False
    batch = Batch(
        jnp.eye(2)[:1],
        jnp.array([1], jnp.int32),
        jnp.array([0.5]),
        jnp.eye(2)[1:],
        jnp.array([0.9]),
        jnp.array([False]),
        next_allowed=jnp.asarray(allowed),
    )
    found = settings.loss(network, learner, jax.random.key(0), None, batch)
    wanted = (q(0)[1] - 0.5 - 0.9 * q(1)[allowed[0]].max()) ** 2
    assert float(found) == pytest.approx(float(wanted), rel=1e-5)
    best = settings.act(jax.random.key(0), learner, jnp.eye(2)[1:], jnp.asarray(allowed), None)
    assert allowed[0, int(best[0])]


def test_the_optimiser_is_adam_to_rounding():
    """Against section 2 of Kingma and Ba, in double precision."""
    rng = np.random.default_rng(5)
    slopes = rng.normal(size=(200, 30)) * 10.0 ** rng.integers(-6, 3, 30)
    optimiser = DQN(learning_rate=1e-3).networks()["q"].optimiser
    ours = jnp.zeros(30)
    theirs, first, second = np.zeros((3, 30))
    kept = optimiser.init(ours)
    step_of = jax.jit(optimiser.update)
    for step, slope in enumerate(slopes, 1):
        change, kept = step_of(jnp.asarray(slope, jnp.float32), kept)
        ours = optax.apply_updates(ours, change)
        first = 0.9 * first + 0.1 * slope
        second = 0.999 * second + 0.001 * slope**2
        root = np.sqrt(1 - 0.999**step)
        scale = 1e-3 * root / (1 - 0.9**step)
        theirs = theirs - scale * first / (np.sqrt(second) + 1e-8 * root)
    assert_allclose(ours, theirs, atol=1e-6)


@pytest.mark.parametrize(
    "solver",
    [
        IQLearn(0, FullyConnected(()), discount=0.8, form="v0"),
        IQLearn(0, FullyConnected(()), discount=0.8, value="hard", distance="total-variation"),
        BehaviourCloning(0, FullyConnected(())),
    ],
    ids=["soft", "hard", "cloning"],
)
def test_losses_do_not_see_actions_that_do_not_exist(solver):
    """Values of what does not exist may be anything."""
    states = np.eye(STATES)[np.arange(30) % STATES]
    allowed = np.tile([True, True, False], (30, 1))
    demonstrations = Demonstrations.from_arrays(states, np.arange(30) % 2, allowed=allowed)
    rows = draw(jax.random.key(0), shown_in(demonstrations), Drawing(16, 0.8))
    assert_array_equal(rows.allowed, allowed[:16])
    assert_array_equal(rows.starts_allowed, allowed[:16])
    learner = untaught(solver, jax.random.key(1), (STATES,), ACTIONS)
    numbers = learner.networks["q"]
    absurd = eqx.tree_at(bias, numbers, bias(numbers).at[2].set(1e3))
    loss = solver.networks()["q"].loss
    key = jax.random.key(2)
    for one, other in zip(
        *(jax.value_and_grad(loss)(n, learner, key, rows, None) for n in (numbers, absurd)),
        strict=True,
    ):
        for a, b in zip(*map(jax.tree.leaves, (one, other)), strict=True):
            assert_allclose(a, b, atol=1e-6)


def bias(numbers):
    """Of the only layer."""
    module = getattr(numbers, "module", numbers)
    return module.layers[0].bias


@pytest.mark.parametrize("weighed", [True, False])
def test_a_judged_network_is_kept_as_it_was_at_its_best(weighed):
    """Against every look made again by hand, each a training of its own to there."""
    rng = np.random.default_rng(1)
    seen = rng.normal(size=(90, 4))
    actions = (2 * seen[:, :3] + rng.gumbel(size=(90, 3))).argmax(axis=1)
    demonstrations = Demonstrations.from_arrays(seen, actions, terminated=np.ones(90, bool))
    held_out, weight = np.arange(90) >= 20, rng.uniform(1, 2, 90) * weighed
    judged = np.where(held_out, weight, np.nan)
    rule = BehaviourCloning(0, FullyConnected((32,)), Lessons(205, 16, 0.01), held_out=0.5)
    rows = shown_in(demonstrations, np.where(held_out, 0.0, 1.0), None, judged)
    course = Course(rule, Loop.of_lessons(205), (4,), 3)
    begun = begin_training(course, jax.random.key(0), rows)
    onward = jax.jit(advance, static_argnames="course")
    looks, networks = [*range(4, 205, 4), 205], []
    for stop in looks:
        networks.append(onward(course, begun, stop, rows).learner.networks["q"])
    nats = []
    for network in networks:
        log_policy = np.asarray(jax.nn.log_softmax(jax.vmap(network)(jnp.asarray(seen, "float32"))))
        likely = log_policy[np.arange(90), actions]
        nats.append(-np.average(likely[held_out], weights=weight[held_out] if weighed else None))
    best = onward(course, begun, 205, rows).learner.targets["q"]
    chosen = int(np.argmin(nats)) if weighed else len(looks) - 1
    assert int(best.learned) == looks[chosen]
    assert 0 < chosen < len(looks) - 1 or not weighed  # neither from the beginning nor to the end
    for one, other in zip(*map(jax.tree.leaves, (best.network, networks[chosen])), strict=True):
        assert_array_equal(one, other)
    if weighed:
        assert_allclose(best.nats, nats[chosen], rtol=1e-5)
