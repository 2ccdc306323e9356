"""Continuous actions: squashed Gaussians, soft actor-critic, and the actor of IQ-Learn."""

import gymnasium
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from gymnasium import spaces
from scipy import integrate, stats

import inverseq as iq
from inverseq import Demonstrations, InputError
from inverseq.forward import SAC, train_sac
from inverseq.networks import FullyConnected, trained_network
from inverseq.networks.squashed import Unit, drawn, log_density, parted
from inverseq.play import Orchestrator, QAgent, play_side_by_side
from inverseq.policies import SquashedPolicy
from inverseq.rewards.squashed import SquashedReadOut
from inverseq.training import Loop, Simulator

SMALL = FullyConnected((16,))


def cart(*, moves=12):
    """A point on a line that is pushed; it earns the more the nearer it is to 0."""

    def step(key, state, action):
        place = state[0] + 0.5 * action[0]
        over = state[1] + 1 >= moves
        return jnp.stack([place, state[1] + 1]), -jnp.abs(place), jnp.bool_(False), over

    return Simulator(
        lambda key: jnp.stack([jax.random.uniform(key, minval=-2.0, maxval=2.0), 0.0]),
        step,
        lambda state: state[:1],
        (1,),
        1,
        bounds=((-2.0, 1.0),),
        description="a point",
    )


def test_densities_are_those_of_the_squashed_gaussian():
    outputs = np.array([0.4, -0.3])
    mean, spread = parted(outputs)
    density = lambda a: np.exp(log_density(outputs, np.array([a])))  # noqa: E731
    total, _ = integrate.quad(density, -1, 1)
    assert total == pytest.approx(1, abs=1e-4)
    by_hand = stats.norm.pdf(np.arctanh(0.3), mean[0], spread[0]) / (1 - 0.3**2)
    assert density(0.3) == pytest.approx(by_hand, rel=1e-9)
    rows = jnp.tile(jnp.asarray(outputs, jnp.float32), (4000, 1))
    actions, told = drawn(jax.random.key(0), rows)
    np.testing.assert_allclose(told, log_density(rows, actions), atol=2e-3)
    assert float(jnp.mean(actions)) == pytest.approx(
        integrate.quad(lambda a: a * density(a), -1, 1)[0], abs=0.02
    )
    unit = Unit.of(((-2.0, 1.0), (0.0, 4.0)))
    world = unit.outside(np.array([-1.0, 0.5]))
    np.testing.assert_allclose(world, [-2.0, 3.0])
    np.testing.assert_allclose(unit.inside(world), [-1.0, 0.5])


def policy(seed=0):
    """A random policy of the point."""
    module = SMALL.build(jax.random.key(seed), (1,), 2)
    return SquashedPolicy(
        trained_network(SMALL, module, (1,), 2), np.array([-2.0]), np.array([1.0])
    )


def test_a_continuous_policy_says_what_it_does():
    actor, states = policy(), np.full((3000, 1), 0.7)
    asked = Demonstrations.from_arrays(states, np.full((3000, 1), np.nan))
    actions = actor.act(np.random.default_rng(0), asked, None)
    assert actions.min() >= -2
    assert actions.max() <= 1
    assert not actor.log_likelihoods(asked, None).any()
    grid = np.linspace(-2, 1, 3001)[1:-1, None]
    shown = Demonstrations.from_arrays(np.full(grid.shape, 0.7), grid)
    density = np.exp(actor.log_likelihoods(shown, None))
    assert np.trapezoid(density, grid[:, 0]) == pytest.approx(1, abs=1e-3)
    assert np.trapezoid(density * grid[:, 0], grid[:, 0]) == pytest.approx(actions.mean(), abs=0.05)
    assert grid[density.argmax(), 0] == pytest.approx(actor.best(asked, None)[0, 0], abs=0.5)
    for ask in (actor.exists, actor.probabilities):
        with pytest.raises(InputError, match="log_likelihoods for their densities"):
            ask(shown, None)
    with pytest.raises(InputError, match=r"row 1: action \[1.5\] is outside"):
        actor.log_likelihoods(Demonstrations.from_arrays(states[:1], np.array([[1.5]])), None)
    with pytest.raises(InputError, match="actions of 1 components"):
        actor.log_likelihoods(Demonstrations.from_arrays(states[:1], np.array([1])), None)


def test_soft_actor_critic_learns_to_stay_near():
    loop = Loop(600, 1, 300, test_games=4, capacity=600, learn_from=64)
    settings = SAC(SMALL, loop, 0.9, 1e-2, batch=32)
    world = cart()
    trained = train_sac(settings, world, jax.random.key(0))
    anyhow = play_side_by_side(world, policy(), games=8, moves=12, seed=1, temperature=1.0)
    learned = play_side_by_side(world, trained, games=8, moves=12, seed=1)
    assert learned.rewards.mean() > anyhow.rewards.mean() + 3
    assert 0 < trained.temperature < 1
    one, two = train_sac(settings, world, list(jax.random.split(jax.random.key(0))))
    assert not np.array_equal(one.policy.network.arrays[0], two.policy.network.arrays[0])
    assert one.earned.shape == (2,)


class Stop(Exception):
    """The computer is switched off."""


def test_a_training_that_was_interrupted_goes_on_alike(tmp_path):
    loop = Loop(120, 1, 2, test_games=1, capacity=64, learn_from=8)
    settings, key = SAC(SMALL, loop, 0.9, batch=8), jax.random.key(3)
    world = cart()

    def stop(what, done, total):
        raise Stop

    with pytest.raises(Stop):
        train_sac(settings, world, key, checkpoint=tmp_path / "half", progress=stop)
    resumed = train_sac(settings, world, key, checkpoint=tmp_path / "half")
    straight = train_sac(settings, world, key)
    for one, other in zip(
        straight.policy.network.arrays, resumed.policy.network.arrays, strict=True
    ):
        np.testing.assert_array_equal(one, other)


class Best(SquashedPolicy):
    """Goes to 0."""

    def best(self, demonstrations, mdp):
        return np.clip(-2 * demonstrations.states, -2, 1)


def shown(games=6):
    """Games of who goes to 0."""
    player = Best(policy().network, np.array([-2.0]), np.array([1.0]))
    return play_side_by_side(cart(), player, games=games, moves=12, seed=2).demonstrations


def test_iq_learn_follows_an_expert_of_continuous_actions(tmp_path):
    settings = iq.IQLearn(
        0,
        SMALL,
        distance="least-squares",
        discount=0.9,
        temperature=0.05,
        lessons=iq.Lessons(batch=32, learning_rate=1e-2, schedule="constant"),
        actor=iq.Actor(SMALL, 1e-2),
    )
    loop = Loop(400, 1, 200, test_games=4, capacity=400, learn_from=32)
    world, demonstrations = cart(), shown()
    trained = iq.train_iq_learn(settings, demonstrations, world, loop, jax.random.key(0))
    solution = iq.load(iq.save(trained.solution, tmp_path / "one.npz"), iq.Solution)
    played = play_side_by_side(world, solution, games=8, moves=12, seed=1)
    anyhow = play_side_by_side(world, policy(), games=8, moves=12, seed=1, temperature=1.0)
    assert played.rewards.mean() > anyhow.rewards.mean() + 3
    rewards = iq.transition_rewards(solution, demonstrations)
    assert np.isfinite(rewards).all()
    assert rewards.mean() > iq.transition_rewards(solution, anyhow.demonstrations).mean()
    assert np.isfinite(iq.log_likelihood(solution, played.demonstrations).mean)


def test_offline_one_program_serves_all_seeds_and_bounds_are_those_seen():
    lessons = iq.Lessons(30, 16, 1e-2)
    rule = iq.IQLearn(3, SMALL, discount=0.9, lessons=lessons, form="v0", actor=iq.Actor(SMALL))
    demonstrations = shown()
    solution = iq.fit(demonstrations, rule)
    assert solution.policy.low == pytest.approx(demonstrations.actions.min())
    assert solution.settings["seed"] == 3
    assert solution.num_actions is None
    assert isinstance(solution.reward_function, SquashedReadOut)


def test_the_reward_is_q_less_the_value_ahead():
    actor = policy()
    module = SMALL.build(jax.random.key(5), (2,), 1)
    critic = trained_network(SMALL, module, (2,), 1)
    reward = SquashedReadOut(actor, critic, 0.5, 0.9, absorbing_value=4.0)
    rows = Demonstrations.from_arrays(
        np.array([[0.1], [0.4], [0.2]]),
        np.array([[0.5], [-1.0], [0.3]]),
        trajectory=[0, 0, 1],
        terminated=[False, True, False],
    )
    found = reward.values(rows, None)
    q = lambda s, a: float(module(jnp.array([s, (a + 0.5) / 1.5]))[0])  # noqa: E731
    grid = np.linspace(-2, 1, 4001)[1:-1]
    asked = Demonstrations.from_arrays(np.full((len(grid), 1), 0.4), grid[:, None])
    inside = actor.log_likelihoods(asked, None) + np.log(1.5)  # density of actions in [-1, 1]
    values = np.array([q(0.4, a) for a in grid[::40]]) - 0.5 * inside[::40]
    v = np.trapezoid(np.exp(inside[::40]) / 1.5 * values, grid[::40])
    assert found[0] == pytest.approx((q(0.1, 0.5) - 0.9 * v) / 0.5, abs=0.15)
    assert found[1] == pytest.approx((q(0.4, -1.0) - 0.9 * 4.0) / 0.5, rel=1e-4)
    assert np.isnan(found[2])


def test_what_has_no_meaning_is_told():
    demonstrations, world = shown(2), cart()
    rule = iq.IQLearn(0, SMALL, discount=0.9, actor=iq.Actor(bounds=((0.0, 1.0),)))
    with pytest.raises(InputError, match=r"bounds of the actor are .*leave them out"):
        iq.train_iq_learn(rule, demonstrations, world, Loop(40), jax.random.key(0))
    with pytest.raises(InputError, match=r"outside of the bounds .*Actor\(bounds"):
        iq.fit(demonstrations, rule)
    with pytest.raises(InputError, match="soft values"):
        iq.fit(demonstrations, iq.IQLearn(0, SMALL, discount=0.9, value="hard"))
    numbered = Demonstrations.from_arrays(np.zeros((4, 1)), np.zeros(4, int))
    with pytest.raises(InputError, match="an actor is for continuous ones"):
        iq.fit(numbered, iq.IQLearn(0, SMALL, discount=0.9, actor=iq.Actor()))
    with pytest.raises(
        InputError, match=r"demonstrations are numbered, those of the simulator con"
    ):
        iq.train_iq_learn(
            iq.IQLearn(0, SMALL, discount=0.9), numbered, world, Loop(40), jax.random.key(0)
        )
    with pytest.raises(InputError, match=r"temperature is 0\.5, but continuous"):
        QAgent(policy(), seed=0, temperature=0.5)
    with pytest.raises(InputError, match="this world are continuous, those of who plays numbered"):
        play_side_by_side(world, np.zeros((3, 2)), games=1, moves=2, seed=0)
    with pytest.raises(InputError, match="numbered, not continuous"):
        train_sac(
            SAC(SMALL), iq.worlds.gymnasium_simulator("CartPole-v1", max_moves=9), jax.random.key(0)
        )
    with pytest.raises(InputError, match="temperature must be above 0"):
        SAC(temperature=0.0)


def test_an_agent_of_continuous_actions_acts_in_gymnasium():
    module = SMALL.build(jax.random.key(0), (3,), 2)
    actor = SquashedPolicy(
        trained_network(SMALL, module, (3,), 2), np.array([-2.0]), np.array([2.0])
    )
    environment = gymnasium.make("Pendulum-v1", max_episode_steps=5)
    played = Orchestrator(environment, QAgent(actor, seed=0)).play(seed=1, games=2)
    assert played.demonstrations.actions.shape == (10, 1)
    world = iq.worlds.gymnasium_simulator("Pendulum-v1", max_moves=5)
    assert world.bounds == ((-2.0, 2.0),)
    game = world.reset(jax.random.key(0))
    environment = gymnasium.make("Pendulum-v1", max_episode_steps=5)
    seen, _ = environment.reset(seed=int(game.seed))
    for number in range(5):
        np.testing.assert_array_equal(world.observe(game), seen)
        action = np.float32([0.3 * number])
        game, reward, *ends = world.step(jax.random.key(0), game, jnp.asarray(action))
        seen, wanted, *others, _ = environment.step(action)
        assert float(reward) == pytest.approx(wanted, rel=1e-5)
        assert [bool(end) for end in ends] == others
    with pytest.raises(InputError, match="actions of the environment are continuous"):
        Orchestrator(environment, iq.play.Agent(3, 0))


class Silent(gymnasium.Env):
    """It says in its reset which actions exist, and after a move no more."""

    observation_space = spaces.Box(0, 1, (1,))
    action_space = spaces.Discrete(2)

    def reset(self, *, seed=None, options=None):
        return np.zeros(1, np.float32), {"action_mask": np.ones(2)}

    def step(self, action):
        return np.zeros(1, np.float32), 0.0, False, False, {}


def test_an_environment_that_forgets_its_mask_is_told_of_in_its_own_error():
    world = iq.worlds.gymnasium_simulator(Silent, max_moves=5)
    settings = iq.forward.DQN(SMALL, Loop(8, 1, 4, test_games=0, learn_from=1), 0.9)
    with pytest.raises(InputError, match="give it in every reset and step") as raised:
        iq.forward.train_dqn(settings, world, jax.random.key(0))
    assert str(raised.value).startswith("at its first reset")
    with pytest.raises(InputError, match=r"^at its first reset"):
        play_side_by_side(
            world,
            trained_network(SMALL, SMALL.build(jax.random.key(0), (1,), 2), (1,), 2),
            games=1,
            moves=3,
            seed=0,
        )
