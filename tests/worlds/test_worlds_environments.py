"""Every registered environment: Gymnasium's own check, and the MDP it came from."""

import warnings

import gymnasium
import numpy as np
import pytest
from gymnasium.envs.toy_text import CliffWalkingEnv, FrozenLakeEnv, TaxiEnv
from gymnasium.utils.env_checker import check_env

from inverseq import MDP, InputError, worlds
from inverseq.forward import policy_evaluation, value_iteration
from inverseq.worlds.environments import MAKERS, MDPEnv
from strategies import random_mdp

SETTINGS = {
    "inverseq/FourByThree-v0": {"step_reward": -2.0},
    "inverseq/Labyrinth-v0": {"discount": 0.5},
    "inverseq/Lever-v0": {"width": 0.2, "cost": 0.5},
    "inverseq/Maze-v0": {"layout": ("S.#", "..G"), "stay": True},
    "inverseq/Objectworld-v0": {"seed": 1, "size": 6, "objects": 7},
    "inverseq/TabularGridWorld-v0": {
        "width": 5,
        "height": 4,
        "wins": ((4, 3),),
        "wind": 0.2,
        "walls": (),
    },
}


@pytest.mark.parametrize("name", MAKERS)
@pytest.mark.parametrize("render_mode", [None, "ansi", "rgb_array"])
def test_gymnasium_finds_no_fault(name, render_mode):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        environment = gymnasium.make(f"inverseq.worlds:{name}", render_mode=render_mode)
        check_env(environment.unwrapped)
        environment.reset(seed=0)
        shown = environment.render()
        assert (shown is None) == (render_mode is None)
        environment.close()


def same(made: MDP, wanted: MDP) -> None:
    """Both MDPs behave alike, whatever their padding."""
    np.testing.assert_array_equal(made.terminal, wanted.terminal)
    np.testing.assert_array_equal(made.allowed, wanted.allowed)
    np.testing.assert_allclose(made.initial, wanted.initial, atol=1e-12)
    difference = abs(made.transition_matrix - wanted.transition_matrix)
    assert difference.max() < 1e-12
    reward = 0.0 if wanted.reward is None else np.where(wanted.allowed, wanted.reward, 0.0)
    np.testing.assert_allclose(made.reward, np.broadcast_to(reward, made.allowed.shape), atol=1e-12)


@pytest.mark.parametrize("name", MAKERS)
def test_the_mdp_comes_back(name):
    world = MAKERS[name](**SETTINGS[name])
    assert world.environment == name
    environment = gymnasium.make(world.environment, **world.settings)
    made = MDP.from_gymnasium(environment, discount=world.mdp.discount)
    same(made, world.mdp)
    assert made.discount == world.mdp.discount


def test_random_worlds_come_back(random_world):
    drawing = worlds.Drawing(1, 1, np.zeros((1, 1), bool))
    environment = MDPEnv(worlds.World("random", random_world, drawing, "none"))
    same(MDP.from_gymnasium(environment, discount=0.9), random_world)


@pytest.fixture(params=range(20))
def random_world(request) -> MDP:
    mdp = random_mdp(np.random.default_rng(request.param), 6, 3, discount=0.9)
    reward = np.array(mdp.reward)
    reward[mdp.terminal & (np.arange(6) % 2 == 0)] = 0.0  # some ends pay, some do not
    # A world's own end must be entered, else nothing says that it is one.
    return MDP(
        mdp.successors, mdp.probabilities, 0.9, mdp.initial, mdp.terminal, mdp.allowed, reward
    )


@pytest.mark.parametrize("kind", [FrozenLakeEnv, CliffWalkingEnv, TaxiEnv])
def test_the_values_of_toy_text_are_those_of_their_published_transitions(kind):
    environment = kind()
    discount, values = 0.9, np.zeros(len(environment.P))
    for _ in range(300):
        values = np.array(
            [
                max(
                    sum(p * (r + discount * values[n] * (not d)) for p, n, r, d in branches)
                    for branches in actions.values()
                )
                for actions in environment.P.values()
            ]
        )
    made = MDP.from_gymnasium(environment, discount=discount)
    plan = value_iteration(made)
    # Once an episode has ended, what the row of its last state says is never played.
    played = ~made.terminal[: len(values)]
    assert played.sum() > 10
    np.testing.assert_allclose(plan.values[: len(values)][played], values[played], atol=1e-8)


def test_returns_are_the_values_of_the_mdp():
    world = worlds.four_by_three()
    best = value_iteration(world.mdp)
    environment = gymnasium.make(world.environment, max_episode_steps=10_000)
    returns = []
    state, _ = environment.reset(seed=5)
    for _ in range(3000):
        total, over = 0.0, False
        while not over:
            state, reward, over, cut, info = environment.step(int(best.policy[state].argmax()))
            total += float(reward)
            assert not cut
            assert info["action_mask"].all()
        returns.append(total)
        state, _ = environment.reset()
    start = world.drawing.marks["start"][0]
    error = np.std(returns) / np.sqrt(len(returns))
    assert abs(np.mean(returns) - best.values[start]) < 4 * error
    assert policy_evaluation(world.mdp, best.policy).status.ok


def test_an_action_that_does_not_exist_stays():
    environment = gymnasium.make("inverseq/Labyrinth-v0")
    state, info = environment.reset(seed=0)
    assert state == 0
    np.testing.assert_array_equal(info["action_mask"], [1, 1, 0, 1])
    assert environment.step(2)[:3] == (0, 0.0, False)
    assert environment.step(0)[0] == 1


def test_pictures_show_walls_and_the_agent():
    environment = gymnasium.make("inverseq/Maze-v0", layout=("S#", ".G"), render_mode="ansi")
    environment.reset(seed=0)
    assert environment.render() == "@#\n.G"
    pixels = MDPEnv(worlds.maze(["S#", ".G"]), render_mode="rgb_array")
    pixels.reset(seed=0)
    picture = pixels.render()
    assert picture.shape == (16, 16, 3)
    assert len(np.unique(picture.reshape(-1, 3), axis=0)) == 4


def test_an_unknown_picture_is_refused():
    with pytest.raises(InputError, match="render_mode"):
        MDPEnv(worlds.four_by_three(), render_mode="human")
