"""IQ-Learn with networks: it learns, it is reproducible, it says when it diverged."""

from dataclasses import replace
from functools import lru_cache

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from inverseq._core.errors import FitError, InputError
from inverseq._core.status import Outcome
from inverseq._core.store import load, save
from inverseq.demonstrations import Demonstrations
from inverseq.evaluate.likelihood import log_likelihood
from inverseq.inverse.deep.cloning import BehaviourCloning
from inverseq.inverse.deep.iq_learn import IQLearn
from inverseq.inverse.explanation import action_probabilities, transition_rewards
from inverseq.inverse.fit import fit
from inverseq.inverse.solution import Solution
from inverseq.networks import Convolutional, FullyConnected, Planner
from inverseq.play.experts import expert_games
from inverseq.policies.network import (
    network_probabilities,
    network_q,
    network_values,
)
from inverseq.training.batch import Drawing
from inverseq.training.lessons import Lessons
from inverseq.training.loop import Course, Loop, advance, begin
from inverseq.training.shown import draw, shown_in
from inverseq.worlds import GridWorldRules

RULES = GridWorldRules(width=4, height=4, num_walls=1, win="random")
SMALL = FullyConnected(hidden=(8,), tiles=4)
SOLVER = IQLearn(seed=0, network=SMALL, discount=0.9, lessons=Lessons(60, 16, 0.01), num_actions=4)


@lru_cache
def games(count: int = 60, seed: int = 0) -> Demonstrations:
    return expert_games(RULES, games=count, seed=seed)


def greedy_share(solution: Solution, demos: Demonstrations) -> float:
    """Share of decisions whose most likely action lies on a shortest way (win seen as tile 3)."""
    chosen = action_probabilities(solution, demos).argmax(1)
    good = 0
    for board, action in zip(demos.states, chosen, strict=True):
        (y, x), (v, u) = np.argwhere(board == 2)[0], np.argwhere(board == 3)[0]
        dx, dy = [(0, -1), (1, 0), (0, 1), (-1, 0)][action]
        good += abs(x + dx - u) + abs(y + dy - v) < abs(x - u) + abs(y - v)
    return good / len(chosen)


@lru_cache
def planned(kind: type) -> Solution:
    return fit(games(), replace(kind.best(0, 300), network=Planner(iterations=8)))


@pytest.mark.parametrize("kind", [IQLearn, BehaviourCloning])
def test_a_planner_learns_what_tiles_mean_and_uses_it_on_other_boards(kind):
    solution, unseen = planned(kind), games(100, seed=1)
    assert greedy_share(solution, unseen) > 0.97
    # Ties between shortest ways are drawn, so the best possible score is not 0.
    assert log_likelihood(solution, unseen).mean > -0.6
    worth = solution.policy.network.arrays[0]
    assert worth.argmax() == 3
    assert worth.argmin() == 1


def test_values_rise_towards_the_win():
    boards = np.zeros((3, 4, 4))
    boards[:, 3, 3] = 3
    boards[[0, 1, 2], [0, 1, 2], [0, 2, 3]] = 2
    values = network_values(planned(IQLearn).policy, boards)
    assert values[2] > values[1] > values[0]


def test_rewards_are_what_is_not_explained_by_what_comes_after():
    solution, demos = planned(IQLearn), games(100, seed=1)
    policy, rewards = solution.policy, transition_rewards(solution, demos)
    q = network_q(policy, demos.states)[np.arange(len(rewards)), demos.actions]
    ended = demos.terminated
    assert_allclose(rewards[ended], (q - 0.9 * policy.absorbing_value / policy.temperature)[ended])
    ahead = network_values(policy, demos.next_states[~ended])
    assert_allclose(rewards[~ended], q[~ended] - 0.9 * ahead)
    lost = replace(demos, actions=np.where(np.arange(len(q)) == 1, -1, demos.actions))
    assert_array_equal(np.flatnonzero(np.isnan(transition_rewards(solution, lost))), [1])
    with pytest.raises(InputError, match="BehaviourCloning finds no reward"):
        transition_rewards(planned(BehaviourCloning), demos)


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"distance": "total-variation", "value": "hard", "absorbing": "zero"},
        {"distance": "forward-kl", "network": Convolutional((8,), hidden=(16,))},
        {"distance": "reverse-kl"},
        {"distance": "jensen-shannon", "form": "v0"},
        {"distance": "hellinger", "reward_bound": 1.0},
        # The penalty on gradients wants wide differences, which take longer.
        {"distance": "wasserstein", "temperature": 1.0, "lessons": Lessons(400, 32, 0.03)},
        {"distance": "least-squares", "alpha": 2.0},
    ],
    ids=lambda settings: str(settings.get("distance", "chi-square")),
)
def test_every_distance_learns_from_the_expert(settings):
    solver = replace(SOLVER, **{"lessons": Lessons(400, 32, 0.01)} | settings)
    solution = fit(games(), solver)
    assert greedy_share(solution, games()) > 0.6
    assert solution.trace.shape == (100,)


def test_the_same_seed_gives_the_same_numbers_and_another_others():
    one, same, other = (fit(games(), replace(SOLVER, seed=s)) for s in (0, 0, 1))
    seen = games().states[:50]
    assert_array_equal(network_q(one.policy, seen), network_q(same.policy, seen))
    assert not np.array_equal(network_q(one.policy, seen), network_q(other.policy, seen))


def test_a_training_in_pieces_is_the_training_and_seeds_run_side_by_side():
    shown, lessons = shown_in(games()), SOLVER.lessons
    course = Course(SOLVER, Loop.of_lessons(lessons.steps), (4, 4), 4)
    go_on = jax.jit(lambda training, until: advance(course, training, until, shown))
    key = jax.random.key(5)
    whole = go_on(begin(course, key, shown), 60)
    half = go_on(begin(course, key, shown), 23)
    assert int(half.block) == 23
    # What is written to a file are plain arrays.
    leaves, tree = jax.tree.flatten(half)
    again = jax.tree.unflatten(tree, [jnp.asarray(np.asarray(leaf)) for leaf in leaves])
    for one, other in zip(jax.tree.leaves(go_on(again, 60)), jax.tree.leaves(whole), strict=True):
        assert_array_equal(one, other)
    keys = jnp.stack([key, jax.random.key(6)])
    both = jax.vmap(lambda k: go_on(begin(course, k, shown), 60))(keys)
    weights = [t.learner.networks["q"].module.layers[0].weight for t in (both, whole)]
    assert_allclose(weights[0][0], weights[1], atol=1e-4)
    assert not np.allclose(weights[0][1], weights[1], atol=1e-2)


def test_units_of_features_do_not_matter_and_only_rows_that_are_learned_from_set_them():
    rng = np.random.default_rng(0)
    seen, actions = rng.normal(size=(60, 2)), rng.integers(2, size=60)
    weights = (np.arange(60) < 40).astype(float)
    solver = IQLearn(0, FullyConnected((8,)), discount=0.9, lessons=Lessons(20, 16, 0.01))
    made = []
    for unit, away in ((1.0, 0.0), (1e-3, 0.0), (1.0, 1e3)):
        shown = seen * [1.0, unit] + np.where(weights, 0.0, away)[:, None]
        data = Demonstrations.from_arrays(shown, actions, trajectory=np.arange(60) // 20)
        made.append(action_probabilities(fit(data, solver, weights=weights), data)[:40])
    for other in made[1:]:
        assert_allclose(other, made[0], atol=1e-4)
    assert np.ptp(made[0][:, 0]) > 0.01


def test_weights_of_one_are_no_weights_and_a_row_without_weight_is_absent():
    demos = games()
    ones = np.ones(demos.num_decisions)
    seen = demos.states[:20]
    plain, weighted = fit(demos, SOLVER), fit(demos, SOLVER, weights=ones)
    assert_array_equal(network_q(plain.policy, seen), network_q(weighted.policy, seen))
    kept = np.arange(demos.num_trajectories) % 3 > 0
    masked = shown_in(demos, kept[demos.trajectory_of].astype(float))
    shorter = shown_in(demos.take(kept))
    drawn = [draw(jax.random.key(1), shown, Drawing(200, 0.9)) for shown in (masked, shorter)]
    for one, other in zip(*map(jax.tree.leaves, drawn), strict=True):
        assert_allclose(one, other, atol=1e-6)


def test_other_weights_are_other_numbers_for_the_same_compiled_program():
    demos = games(3)
    begins = np.isin(np.arange(demos.num_decisions), demos.starts)
    shapes = [jax.tree.map(jnp.shape, shown_in(demos, w)) for w in (None, begins * 1.0)]
    assert shapes[0] == shapes[1]
    late = shown_in(demos, 1.0 - begins)  # no game begins with a row that has weight
    assert_array_equal(late.first_drawn, [1.0])
    assert not begins[late.first].any()


def test_rows_are_drawn_by_their_weights():
    demos = games(3)
    weights = np.arange(demos.num_decisions) % 3.0
    batch = draw(jax.random.key(0), shown_in(demos, weights), Drawing(20_000, 0.9))
    for row in range(4):
        board, action = demos.states[row], demos.actions[row]
        same = (demos.states == board).all((1, 2)) & (demos.actions == action)
        share = weights[same].sum() / weights.sum()
        drawn = (np.asarray(batch.observations) == board).all((1, 2))
        assert np.mean(drawn & (np.asarray(batch.actions) == action)) == pytest.approx(
            share, abs=0.02
        )


@pytest.mark.parametrize("solver", [SOLVER, BehaviourCloning(0, SMALL, SOLVER.lessons)])
def test_the_solution_of_features_is_whole(solver, tmp_path):
    demos = games()
    solution = fit(demos, solver)
    found = action_probabilities(solution, demos)
    assert found.shape == (demos.num_decisions, 4)
    assert_allclose(found.sum(1), 1, atol=1e-6)
    assert solution.exists(demos).all()
    assert_array_equal(found, network_probabilities(solution.policy, demos.states))
    again = load(save(solution, tmp_path / "solution.npz"), Solution)
    assert_array_equal(action_probabilities(again, demos), found)
    assert again.policy.discount == solution.policy.discount
    assert solution.num_parameters == sum(a.size for a in solution.policy.network.arrays)


def test_divergence_is_noticed_and_says_what_to_try():
    """Of a value term without a bound on rewards there is no least value."""
    wild = replace(SOLVER, lessons=Lessons(60, 16, 1e6, "constant"), distance="chi-square")
    with pytest.raises(FitError, match="lower learning_rate"):
        fit(games(), wild)
    solution = fit(games(), wild, accept_failure=True)
    assert solution.status.outcome is Outcome.DIVERGED


def test_the_preset_of_the_study_is_its_algorithm():
    solver = IQLearn.study(3, steps=20_000)
    assert solver.lessons == Lessons(5000, 32, 1e-3, "constant", noise=0.1)
    assert (solver.network, solver.discount, solver.temperature) == (FullyConnected(), 0.9, 0.01)
    assert (solver.value, solver.distance, solver.absorbing) == ("hard", "total-variation", "zero")


def test_what_cannot_be_learned_from_is_refused():
    demos = games()
    unknown = replace(demos, actions=np.full(demos.num_decisions, -1))
    holes = demos.states.astype(float)
    holes[2] = np.nan
    for data, solver, words in (
        (unknown, SOLVER, "no row has an action"),
        (replace(demos, states=holes), SOLVER, "row 3: the state holds a number"),
        (demos, replace(SOLVER, discount=None), "give IQLearn\\(discount=0.9\\)"),
        (demos, replace(SOLVER, num_actions=2), "num_actions is 2, but action 3 was seen"),
    ):
        with pytest.raises(InputError, match=words):
            fit(data, solver)
    with pytest.raises(InputError, match="steps and batch must be 1"):
        Lessons(steps=0)
    with pytest.raises(InputError, match="learning_rate must be above 0"):
        Lessons(learning_rate=0)
    with pytest.raises(InputError, match="schedule must be"):
        Lessons(schedule="steps")
