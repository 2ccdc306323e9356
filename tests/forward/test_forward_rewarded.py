"""What a recovered reward is worth in another world, and ends for good and for bad."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import inverseq as iq
from inverseq import Demonstrations, InputError
from inverseq.forward import DQN, rewarded, train_dqn
from inverseq.networks import FullyConnected, trained_network
from inverseq.play import play_side_by_side
from inverseq.rewards.observations import ObservationReward
from inverseq.training import Loop, Simulator

SMALL = FullyConnected((16,))
LIMIT = 12


def line(push=0.5, *, edge=9.0):
    """A point on a line that is pushed left, not, or right; the world ends beyond the edge."""

    def step(key, state, action):
        place = state[0] + push * (action - 1)
        over = jnp.abs(place) > edge
        return (
            jnp.stack([place, state[1] + 1]),
            jnp.float32(0),
            over,
            ~over & (state[1] + 1 >= LIMIT),
        )

    return Simulator(
        lambda key: jnp.stack([jax.random.uniform(key, minval=-1.0, maxval=1.0), 0.0]),
        step,
        lambda state: state[:1],
        (1,),
        3,
        description=f"a line {push} {edge}",
    )


def games(decide, world):
    """Games of who decides so by where the point is."""

    class Rule(iq.policies.FinitePolicy):
        num_actions, observation_shape = 3, (1,)

        def probabilities(self, demonstrations, mdp):
            return np.eye(3)[decide(demonstrations.states[:, 0])]

    return play_side_by_side(world, Rule(), games=8, moves=LIMIT, seed=3).demonstrations


def to_the_middle(place):
    """Towards 0."""
    return np.where(np.abs(place) < 0.3, 1, np.where(place < 0, 2, 0))


def test_an_agent_learns_to_want_it_in_a_changed_world():
    made = [SMALL.build(jax.random.key(n), (1,), 3) for n in range(3)]
    network, shifted, clone = (trained_network(SMALL, module, (1,), 3) for module in made)
    reward = ObservationReward(network, shifted, iq.NetworkPolicy(clone, 0.5), 0.0)
    changed = line(-0.5)  # every push goes the other way
    world = rewarded(changed, reward)
    key, state = jax.random.key(0), changed.reset(jax.random.key(1))
    _, paid, *ends = world.step(key, state, jnp.int32(2))
    there = Demonstrations.from_arrays(np.asarray(changed.observe(state))[None], [2])
    [wanted] = reward.values(there, None)
    assert float(paid) == pytest.approx(wanted, rel=1e-4)
    assert [bool(end) for end in ends] == [False, False]
    loop = Loop(48, 1, 24, test_games=1, learn_from=8, capacity=48)
    trained = train_dqn(DQN(SMALL, loop, 0.9), world, key)
    assert np.isfinite(trained.earned).all()


def test_what_is_no_reward_of_observations_is_told():
    shown = games(to_the_middle, line())
    rule = iq.IQLearn(0, SMALL, discount=0.9, lessons=iq.Lessons(2, 8), num_actions=3)
    with pytest.raises(InputError, match="ReadOutReward does not say by itself"):
        rewarded(line(), iq.fit(shown, rule).reward_function)


@pytest.mark.parametrize(
    ("good", "least", "most"), [(True, 0.9, 1.0), (False, 0.0, 0.1)], ids=["good", "bad"]
)
def test_who_ends_the_world_and_who_does_not(good, least, most):
    # Both experts are seen by their moves alone: that ends are for good is that they were sought.
    world = line(edge=2.0)
    away = lambda place: np.where(place < 0, 0, 2)  # noqa: E731
    shown = games(away if good else to_the_middle, world)
    assert shown.terminated.any() == good
    rule = iq.IQLearn(
        0,
        SMALL,
        distance="least-squares",
        discount=0.9,
        temperature=0.05,
        lessons=iq.Lessons(batch=32, learning_rate=1e-2, schedule="constant"),
        num_actions=3,
    )
    loop = Loop(400, 1, 200, test_games=0, capacity=400, learn_from=32)
    trained = iq.train_iq_learn(rule, shown, world, loop, jax.random.key(0))
    played = play_side_by_side(world, trained.solution, games=16, moves=LIMIT, seed=1)
    assert least <= played.terminated.mean() <= most
