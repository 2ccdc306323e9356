"""Deep inverse Q-learning: it tends to the exact answer on numbered states, and says what it is."""

import re
import tracemalloc
from dataclasses import replace

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import inverseq as iq
from deep_worlds import EXACT, TABLE, each_state, error, everything, walk, world
from inverseq.inverse.deep.learning import classifier_loss
from inverseq.inverse.deep.network_fit import enrolled
from inverseq.inverse.problem import Problem
from inverseq.networks import Ensemble, FullyConnected, Pixels, module_of
from inverseq.rewards.gauges import Gauge
from inverseq.training.batch import Batch
from inverseq.training.loop import advance
from inverseq.training.rule import Learner
from inverseq.training.shown import content, shown_in
from inverseq.training.trainer import begin_training
from strategies import random_mdp, random_policy


@pytest.mark.parametrize(
    ("change", "asked"),
    [
        ({}, {"seed": 6}),
        ({"backup": "soft", "terminal_value": 1.5}, {"masks": False}),
        ({"gauge": "anchor", "anchor": 1, "anchor_reward": 0.5}, {"masks": False, "seed": 1}),
    ],
)
def test_on_numbered_states_it_tends_to_iavi(change, asked):
    mdp, policy = world(**asked)
    assert mdp.terminal.any()
    data, weights = everything(mdp, policy)
    gauge = Gauge("anchor", 1, 0.5) if "anchor" in change else "zero-mean"
    right = iq.inverse_action_values(
        policy,
        mdp,
        backup=change.get("backup", "hard"),
        terminal_value=change.get("terminal_value", 0.0),
        gauge=gauge,
    )
    solver = replace(EXACT, **change)
    far = iq.fit(data, replace(solver, lessons=iq.Lessons(300, 256, 0.03)), weights=weights)
    near = iq.fit(data, solver, weights=weights)
    states = each_state(mdp)
    errors = [error(s.reward_function.of_actions(states), right.reward, mdp) for s in (far, near)]
    assert errors[1] < min(0.1, errors[0])
    live = ~mdp.terminal[:, None] & mdp.allowed
    off = np.where(live, near.reward_function.q(states) - right.q, 0.0)
    assert np.abs(off).max() < 0.15
    assert_allclose(near.probabilities(states)[live], policy[live], atol=0.01)


def test_a_reward_of_states_alone_comes_back_by_regression():
    """Ends, chance in what follows, and behaviour that a reward of states explains."""
    rng = np.random.default_rng(3)
    mdp = random_mdp(rng, 5, 3, discount=0.8, masks=False)
    assert mdp.terminal.any()
    q = iq.forward.policy_iteration(mdp, rng.normal(size=(5, 1)) * np.ones(3)).q
    policy = np.where(mdp.terminal[:, None], 1 / 3, iq.policies.boltzmann(q, mdp.allowed))
    right = iq.inverse_action_values(policy, mdp, gauge="state-only").reward
    data, weights = everything(mdp, policy)
    found = []
    for steps in (500, 8000):
        lessons = iq.Lessons(steps, 256, 0.03)
        solution = iq.fit(
            data, replace(EXACT, gauge="state-only", lessons=lessons), weights=weights
        )
        made = solution.reward_function.of_actions(each_state(mdp))[~mdp.terminal]
        off = made - right[~mdp.terminal]
        found.append((np.ptp(made, axis=1).max(), np.abs(off - off.mean()).max()))
    assert max(found[1]) < 0.3
    assert found[1][0] < 0.3 * found[0][0]
    assert found[1][1] < 0.3 * found[0][1]


def test_the_paper_target_explains_the_same_behaviour_from_another_gauge():
    mdp, policy = world(masks=False)
    data, weights = everything(mdp, policy)
    solution = iq.fit(data, replace(EXACT, target="paper"), weights=weights)
    states = each_state(mdp)
    wanted = solution.reward_function
    q, reward = wanted.q(states), wanted.of_actions(states)
    assert error(q, np.log(np.where(policy > 0, policy, 1.0)), mdp) < 0.1
    v = np.where(mdp.terminal, 0.0, q.max(axis=1))
    off = np.abs(reward + 0.8 * mdp.expected(v) - q)[~mdp.terminal]
    assert off.max() < 0.1


@pytest.mark.parametrize(("share", "settles"), [(1.0, False), (0.05, True)])
def test_with_two_actions_the_paper_target_settles_only_if_it_is_damped(share, settles):
    """Steps of the loss itself, from one state and both actions: r <- r + share (target - r)."""
    solver = replace(EXACT, target="paper", num_actions=2)
    start = TABLE.build(jax.random.key(0), (1,), 2)

    def numbers(*weights):
        weights = jnp.array(weights)[:, None], jnp.zeros(2)
        return eqx.tree_at(lambda m: (m.layers[0].weight, m.layers[0].bias), start, weights)

    nothing, seen = jnp.zeros(2), jnp.ones((2, 1))
    batch = Batch(seen, jnp.arange(2), nothing, seen, nothing, nothing > 0)
    classifier, shifted, reward = numbers(0.3, -1.1), numbers(0.0, 0.0), numbers(0.0, 0.5)
    slope = jax.jit(jax.grad(solver.reward_loss))
    for _ in range(100):
        targets = {"shifted": shifted, "reward": reward}
        learner = Learner({"policy": classifier}, targets, {}, jnp.int32(0))
        change = slope(reward, learner, jax.random.key(0), batch, None).layers[0].weight[:, 0]
        reward = numbers(*(reward.layers[0].weight[:, 0] - share * change))
    made = reward.layers[0].weight[:, 0]
    assert (abs(made[0] - made[1] - 1.4) < 1e-3) == settles
    assert_allclose(made.sum(), 0.5, atol=1e-3)  # the mean stays where it began


@pytest.mark.parametrize("good", [1.0, -1.0])
def test_what_ends_a_task_is_good_or_bad_as_it_was(good):
    """Four cells in a row; the last step to the right ends all, and earns or costs."""
    cells = np.arange(5)
    following = np.clip(cells[:, None] + [-1, 1], 0, 4)
    mdp = iq.MDP(following[:, :, None], np.ones((5, 2, 1)), 0.8, terminal=cells == 4)
    reward = np.zeros((5, 2))
    reward[3] = -good, good  # of mean 0, so that it is the one that is found
    truth = iq.forward.policy_iteration(mdp, reward).q
    policy = iq.policies.boltzmann(truth, mdp.allowed)
    data, weights = everything(mdp, policy)
    found = iq.fit(data, replace(EXACT, num_actions=2), weights=weights).reward_function
    states, live = each_state(mdp), slice(0, 4)
    assert_allclose(found.of_actions(states)[live], reward[live], atol=0.15)
    q = found.q(states)[live]
    assert_allclose(q, truth[live], atol=0.2)
    assert np.sign(q[3, 1]) == np.sign(q[3, 1] - q[3, 0]) == good


def test_one_two_and_five_actions():
    rng = np.random.default_rng(1)
    for actions in (1, 2, 5):
        mdp = random_mdp(rng, 4, actions, discount=0.8, masks=False)
        policy = random_policy(rng, mdp)
        data, weights = everything(mdp, policy)
        solver = replace(EXACT, num_actions=actions)
        found = iq.fit(data, solver, weights=weights).reward_function.of_actions(each_state(mdp))
        right = iq.inverse_action_values(policy, mdp).reward
        assert np.abs(found - right)[~mdp.terminal].max() < 0.1


@pytest.fixture(scope="module")
def walked():
    data = walk()
    solver = iq.DIQL(3, 0.9, FullyConnected((16,)), lessons=iq.Lessons(1500, 64, 3e-3))
    return iq.fit(data, solver), data, solver


def test_features_of_any_units_are_learned_from(walked):
    solution, _, _ = walked
    unseen = walk(9)
    score = iq.log_likelihood(solution, unseen)
    x = unseen.states[:, 0]
    q = np.column_stack([0 * x, (300 - x) / 100, (x - 300) / 100])
    best = (q - np.log(np.exp(q).sum(1, keepdims=True)))[np.arange(len(x)), unseen.actions].mean()
    assert score.mean > best - 0.01
    assert score.chance_mean < best - 0.08
    assert 0.7 < float(solution.parameters["temperature"]) < 1.4


def test_reward_values_and_policy_say_the_same(walked):
    solution, data, _ = walked
    wanted, log_policy = solution.reward_function, np.log(solution.probabilities(data))
    q = wanted.q(data)
    off = (q - log_policy) - (q - log_policy).mean(axis=1, keepdims=True)
    assert np.abs(off).mean() < 0.1
    assert np.abs(wanted.of_actions(data).mean(axis=1)).mean() < 0.1
    rows = np.arange(data.num_decisions)
    assert_array_equal(
        iq.transition_rewards(solution, data), wanted.of_actions(data)[rows, data.actions]
    )
    supported = wanted.supported(data)
    assert_array_equal(supported, solution.probabilities(data) >= 0.01)
    assert 0.5 < supported.mean() < 1


def test_it_is_the_same_again_and_in_a_file(walked, tmp_path):
    solution, data, solver = walked
    again = iq.fit(data, solver)
    assert_array_equal(again.probabilities(data), solution.probabilities(data))
    read = iq.load(iq.save(solution, tmp_path / "it.npz"), iq.Solution)
    assert_array_equal(read.reward_function.q(data), solution.reward_function.q(data))


def test_few_decisions_are_not_learned_by_heart():
    rng = np.random.default_rng(0)
    seen = rng.normal(size=(2200, 6))
    actions = (3 * seen[:, 0] + rng.logistic(size=2200) > 0).astype(int)
    drawn = iq.Demonstrations.from_arrays(seen, actions, trajectory=np.arange(2200) // 10)
    data, unseen = drawn.take(np.arange(20)), drawn.take(np.arange(20, 220))
    solver = iq.DIQL(0, 0.9, lessons=iq.Lessons(1000, 64, 3e-3))
    best, last = (iq.fit(data, replace(solver, keep=keep)) for keep in ("best", "last"))
    scores = [iq.log_likelihood(each, unseen) for each in (best, last)]
    assert scores[0].mean > scores[1].mean + 0.04
    assert scores[0].mean > scores[0].chance_mean
    assert re.search(r"policy as it was after \d+, when held-out", best.status.message)
    assert "as it was" not in last.status.message


def test_names_of_actions_do_not_matter(walked):
    """Relabelled actions, relabelled answers, up to where the networks begin."""
    _, data, solver = walked
    order, solver = np.array([2, 0, 1]), replace(solver, keep="last")
    one, other = (
        iq.fit(replace(data, actions=a), solver) for a in (data.actions, order[data.actions])
    )
    assert_allclose(other.probabilities(data)[:, order], one.probabilities(data), atol=0.08)


def test_an_ensemble_predicts_no_worse_and_is_saved(walked, tmp_path):
    solution, data, solver = walked
    several = iq.fit(data, replace(solver, ensemble=3))
    unseen = walk(9)
    alone, together = (iq.log_likelihood(s, unseen).mean for s in (solution, several))
    assert together > alone - 0.002
    assert several.policy.network.kind == "Ensemble"
    read = iq.load(iq.save(several, tmp_path / "it.npz"), iq.Solution)
    assert_array_equal(read.probabilities(unseen), several.probabilities(unseen))
    # Averaged in log-probability, each in the features' own units.
    average = module_of(several.policy.network)
    each = np.array([average.each(jnp.asarray(row)) for row in unseen.states[:4]])
    assert np.ptp(each, axis=1).max() > 0.01
    logits = each.mean(axis=1) / several.policy.temperature
    assert_allclose(several.probabilities(unseen)[:4], jax.nn.softmax(logits, axis=1), rtol=1e-4)


def test_members_of_an_ensemble_learn_and_are_penalised_as_alone():
    lessons, seen = iq.Lessons(decay=0.3), jax.random.normal(jax.random.key(1), (6, 2))
    nothing = jnp.zeros(6)
    batch = Batch(seen, jnp.arange(6) % 3, nothing, seen, nothing, nothing > 0)
    together = Ensemble.of(TABLE, 3).build(jax.random.key(0), (2,), 3)
    slope = jax.grad(lambda network: classifier_loss(network, batch, 0.01, lessons))
    for one, other in zip(
        jax.tree.leaves(slope(jax.tree.map(lambda leaf: leaf[1], together.members))),
        jax.tree.leaves(slope(together).members),
        strict=True,
    ):
        assert_allclose(3 * other[1], one, rtol=1e-4, atol=1e-6)


def test_seeds_together_are_seeds_alone_and_survive_an_interruption(walked, tmp_path):
    _, data, solver = walked
    brief = replace(solver, lessons=iq.Lessons(110, 16))  # looked at after every two steps
    alone = iq.fit(data, replace(brief, seed=5))
    several = iq.train_diql(brief, data, (1, 5))
    assert_array_equal(several[1].probabilities(data), alone.probabilities(data))
    assert several[1].settings["seed"] == 5
    assert np.abs(several[0].probabilities(data) - alone.probabilities(data)).max() > 0.001
    path = tmp_path / "training.npz"

    def stop(what, done, total):
        if done >= 25:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        iq.train_diql(brief, data, (1, 5), checkpoint=path, every=25, progress=stop)
    carried_on = iq.train_diql(brief, data, (1, 5), checkpoint=path, every=25)
    for one, other in zip(carried_on, several, strict=True):
        assert_array_equal(one.reward_function.q(data), other.reward_function.q(data), strict=True)
    with pytest.raises(iq.InputError, match="other settings"):
        iq.train_diql(replace(brief, discount=0.8), data, (1, 5), checkpoint=path)


def test_pixels_stay_bytes_while_they_are_learned_from():
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256, (300, 84, 84, 4), dtype=np.uint8)
    data = iq.Demonstrations.from_arrays(
        pixels, rng.integers(3, size=300), trajectory=np.arange(300) // 100
    )
    assert data.states.dtype == np.uint8
    solver = iq.DIQL(0, 0.9, Pixels((4, 4), (8, 4), (4, 2), (8,)), lessons=iq.Lessons(3, 8))
    before = sum(array.nbytes for array in jax.live_arrays())
    seen = solver.seen(Problem(data)).problem
    course, shown = enrolled(seen, solver.rule(seen)[0], solver.lessons, 3, None)
    held = sum(array.nbytes for array in jax.live_arrays()) - before
    assert held < 1.01 * pixels.nbytes  # once, though each is a next observation too
    # Nowhere is there a copy, whatever the address, but of the ends that are seen.
    ends = np.zeros_like(pixels)
    ends[:-1] = pixels[1:]
    whole = replace(data, next_states=ends)
    assert whole.following.rows.size
    tracemalloc.start()
    rows = shown_in(whole)
    content(whole)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 0.3 * pixels.nbytes
    if jax.default_backend() == "cpu":  # the memory that NumPy filled is the one XLA reads
        taken_over = np.asarray(rows.pool.blocks)
        assert np.shares_memory(taken_over, pixels)
    assert_array_equal(rows.pool.take(rows.rows.next_observations), ends)
    training = begin_training(course, jax.random.key(0), shown)
    lowered = jax.jit(advance, static_argnames="course").lower(course, training, 3, shown)
    batch = 8 * 84 * 84 * 4 * 4
    learned = sum(leaf.nbytes for leaf in jax.tree.leaves(training.learner))
    assert lowered.compile().memory_analysis().temp_size_in_bytes < 6 * batch + 3 * learned
    assert 6 * batch < pixels.nbytes
    # The same numbers as of the same pixels held as numbers.
    small = data.take(np.array([0]))
    numbers = replace(small, states=small.states.astype(np.float32), next_states=None)
    assert_array_equal(
        iq.fit(small, solver).probabilities(small), iq.fit(numbers, solver).probabilities(small)
    )


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"target": "both"}, "target must be one of"),
        ({"discount": 1.0}, "discount must be from 0 to below 1"),
        ({"anchor": 0}, "goes with the action"),
        ({"gauge": "anchor", "anchor": 0, "target": "paper"}, "no other gauge"),
        ({"gauge": "state-only", "target": "paper"}, "no other gauge"),
        ({"ensemble": 0}, "1 classifier or more"),
        ({"follow": 0.0}, "share above 0"),
    ],
)
def test_settings_that_cannot_be(change, words):
    with pytest.raises(iq.InputError, match=words):
        replace(EXACT, **change)


def test_numbered_states_are_sent_on():
    numbers = iq.Demonstrations.from_arrays([0, 1, 0], [0, 1, 0])
    with pytest.raises(iq.InputError, match="fit IAVI or IQL"):
        iq.fit(numbers, EXACT)
    data, _ = everything(*world(3))
    with pytest.raises(iq.InputError, match="the anchor action 1 does not exist there"):
        iq.fit(data, replace(EXACT, gauge="anchor", anchor=1))


def test_divergence_is_told():
    solver = replace(EXACT, lessons=iq.Lessons(200, 32, 1e30, "constant"))
    data, weights = everything(*world(masks=False))
    with pytest.raises(iq.FitError, match="lower learning_rate, follow or discount"):
        iq.fit(data, solver, weights=weights)
