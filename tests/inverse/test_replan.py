"""Replan: against the planners themselves, on changed worlds, and what it refuses."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given

from inverseq import Counts, InputError, concatenate
from inverseq.evaluate.bootstrap import bootstrap
from inverseq.forward import soft_value_iteration, value_iteration
from inverseq.forward.soft import soft_plan
from inverseq.inverse.explanation import action_probabilities
from inverseq.inverse.fit import fit
from inverseq.inverse.maxent.causal import MaxEnt
from inverseq.inverse.replan import replan
from inverseq.inverse.tables.count_table import CountTable
from inverseq.inverse.values.iavi import IAVI
from inverseq.inverse.values.iql import IQL
from inverseq.policies import boltzmann
from inverseq.worlds import gridworld, maze_features
from strategies import mdps, play, random_mdp, seeds

SOLVERS = [
    IAVI(backup="hard"),
    IAVI(backup="soft", terminal_value=2.0),
    MaxEnt("states", strength=1.0),
    MaxEnt("state-actions", strength=1.0),
    MaxEnt("features", strength=1.0),
]


def name_of(solver):
    return f"IAVI-{solver.backup}" if isinstance(solver, IAVI) else f"MaxEnt-{solver.reward}"


def random_counts(rng, mdp):
    live = mdp.allowed & ~mdp.terminal[:, None]
    return Counts(rng.poisson(3.0, live.shape) * live * 1.0)


@pytest.mark.parametrize(
    "solver", SOLVERS, ids=lambda s: f"{type(s).__name__}-{getattr(s, 'reward', '') or s.backup}"
)
@given(mdp=mdps(max_states=5, features=2), seed=seeds)
def test_in_the_same_world_the_policy_is_that_of_the_fit(solver, mdp, seed):
    solution = fit(random_counts(np.random.default_rng(seed), mdp), solver, mdp)
    again = replan(solution, mdp)
    assert again.status.ok
    np.testing.assert_allclose(again.policy, solution.policy, atol=1e-7)
    np.testing.assert_allclose(again.v, solution.v, atol=1e-6)
    np.testing.assert_allclose(again.reward, solution.reward * mdp.allowed, atol=1e-12)


@pytest.mark.parametrize(
    "solver", SOLVERS, ids=lambda s: f"{type(s).__name__}-{getattr(s, 'reward', '') or s.backup}"
)
@given(mdp=mdps(max_states=5, features=2), seed=seeds)
def test_in_a_changed_world_the_policy_is_that_of_the_planner(solver, mdp, seed):
    rng = np.random.default_rng(seed)
    solution = fit(random_counts(rng, mdp), solver, mdp)
    kept = mdp.allowed & (rng.random(mdp.allowed.shape) < 0.7)
    kept[np.arange(mdp.num_states), mdp.allowed.argmax(1)] = True
    order = rng.permutation(mdp.num_states)
    changed = replace(mdp, allowed=kept, discount=0.7, successors=order[mdp.successors])
    made = replan(solution, changed)
    hard = solver == SOLVERS[0]
    reward = solution.reward * kept
    oracle = (value_iteration if hard else soft_value_iteration)(changed, reward)
    np.testing.assert_allclose(made.policy, boltzmann(oracle.q, kept), atol=1e-7)
    assert made.settings["discount"] == 0.7


def walls(*cells):
    return maze_features(gridworld(5, 5, cells, wins=[(4, 4)]), ["step", "turn", "blocked"])


@pytest.fixture(scope="module")
def walkers():
    """People of a known reward in two mazes."""
    rng = np.random.default_rng(0)
    weights = np.array([-1.0, -1.5, -2.0])
    worlds = {"a": walls((1, 1), (2, 1)), "b": walls((3, 2), (2, 2), (1, 3))}
    parts = []
    for name, mdp in worlds.items():
        walk = play(rng, mdp, soft_plan(mdp, mdp.features @ weights).policy, trajectories=60)
        base = replace(
            walk,
            states=mdp.history.base[walk.states],
            next_states=mdp.history.base[walk.next_states],
            trajectories={"world": np.repeat(name, 60), "subject": np.arange(60) % 20},
        )
        parts.append(base)
    return concatenate(parts), worlds, weights


def test_features_carry_a_reward_to_a_maze_never_seen(walkers):
    data, worlds, weights = walkers
    solution = fit(data, MaxEnt("features", strength=0.1), worlds)
    new = walls((0, 2), (2, 3), (3, 1), (1, 4))
    made = replan(solution, new)
    truth = soft_plan(new, new.features @ weights).policy
    uniform = np.full_like(truth, 0.25)
    entropy = lambda p: -(truth * np.log(p)).sum(1).mean()  # noqa: E731
    assert entropy(made.policy) - entropy(truth) < 0.05 * (entropy(uniform) - entropy(truth))
    np.testing.assert_array_equal(made.parameters["weights"], solution.parameters["weights"])
    # Several worlds at once, and predictions there from the trajectories' own past.
    both = replan(solution, {"a": worlds["a"], "new": new})
    seen = data.select(world="a")
    np.testing.assert_allclose(
        action_probabilities(both, seen), action_probabilities(solution, seen), atol=1e-8
    )


def test_intervals_hold_the_replicates(walkers):
    data, worlds, weights = walkers
    made = bootstrap(
        data, MaxEnt("features", strength=0.1), worlds, seed=1, replicates=12, by="subject", jobs=1
    )
    new = walls((0, 2), (2, 3))
    planned = replan(made.estimate, new, bootstrap=made, level=0.9)
    low, high = planned.parameters["policy_low"], planned.parameters["policy_high"]
    assert (low <= high).all()
    alone = np.stack(
        [soft_plan(new, new.features @ w).policy for w in made.parameters["weights"]], axis=-1
    )
    np.testing.assert_allclose(low, np.quantile(alone, 0.05, axis=-1), atol=1e-8)
    np.testing.assert_allclose(high, np.quantile(alone, 0.95, axis=-1), atol=1e-8)
    truth = soft_plan(new, new.features @ weights).policy
    assert ((low - 1e-3 <= truth) & (truth <= high + 1e-3)).mean() > 0.6


@pytest.mark.parametrize("backup", ["hard", "soft"])
def test_intervals_of_iavi_are_those_of_each_replicate(backup):
    rng = np.random.default_rng(2)
    mdp = random_mdp(rng, 8, 3, terminals=False)
    data = play(rng, mdp, boltzmann(mdp.reward, mdp.allowed), trajectories=10, length=40)
    made = bootstrap(data, IAVI(backup=backup), mdp, seed=0, replicates=20)
    changed = replace(mdp, discount=0.5)
    planned = replan(made.estimate, changed, bootstrap=made)
    plan = value_iteration if backup == "hard" else soft_value_iteration
    each = [plan(changed, r * mdp.allowed) for r in made.rewards]
    policies = np.stack([boltzmann(p.q, mdp.allowed) for p in each], axis=-1)
    wanted = np.quantile(policies, [0.025, 0.975], axis=-1)
    np.testing.assert_allclose(planned.parameters["policy_low"], wanted[0], atol=1e-7)
    np.testing.assert_allclose(planned.parameters["policy_high"], wanted[1], atol=1e-7)
    assert (planned.parameters["v_low"] <= planned.v + 1e-9).mean() > 0.7


def refusal(solution, mdp):
    with pytest.raises(InputError) as caught:
        replan(solution, mdp)
    return str(caught.value)


def test_an_agent_of_inverse_q_learning_optimises(walkers):
    data, worlds, _ = walkers
    name = next(iter(worlds))
    mdp = worlds[name]
    solution = fit(data.select(world=name), IQL(epochs=5, q_step=0.5), mdp)
    changed = replace(mdp, discount=0.8)
    best = value_iteration(changed, solution.reward)
    np.testing.assert_allclose(
        replan(solution, changed).policy, boltzmann(best.q, mdp.allowed), atol=1e-7
    )


def test_what_cannot_be_carried_over_is_said():
    rng = np.random.default_rng(3)
    mdp = random_mdp(rng, 6, 3, features=2, terminals=False)
    mdp = replace(mdp, feature_names=("food", "light"))
    data = play(rng, mdp, boltzmann(mdp.reward, mdp.allowed))
    counts = random_counts(rng, mdp)
    table = fit(data, CountTable(order=1), mdp)
    assert "no reward to carry over" in refusal(table, mdp)
    on_pairs = fit(counts, MaxEnt("state-actions", strength=1.0), mdp)
    opened = replace(mdp, allowed=np.ones_like(mdp.allowed))
    assert "did not exist in the world of the fit" in refusal(on_pairs, opened)
    assert "6 states" in refusal(on_pairs, random_mdp(rng, 7, 3))
    assert "3 actions" in refusal(on_pairs, random_mdp(rng, 6, 2))
    on_features = fit(counts, MaxEnt("features", strength=1.0), mdp)
    assert "has none" in refusal(on_features, replace(mdp, features=None, feature_names=()))
    other = replace(mdp, feature_names=("light", "food"))
    assert "same ones in the same order" in refusal(on_features, other)
    remembering = fit(data, MaxEnt("states", strength=1.0), mdp.with_history(2))
    assert "with_history(2, of='states')" in refusal(remembering, mdp)
    assert "without history" in refusal(on_pairs, mdp.with_history(2))
    assert "other worlds" in refusal(on_pairs, {"a": mdp})
    with pytest.raises(InputError, match="level"):
        replan(on_pairs, mdp, level=1.5)


def test_pasts_that_could_not_happen_before_are_named():
    closed, opened = gridworld(2, 2, wins=[(1, 1)]).mdp, gridworld(2, 2).mdp
    line = replace(closed, allowed=np.array([[1, 1, 0, 1]] * 4, dtype=bool))
    rng = np.random.default_rng(4)
    solution = fit(
        play(rng, line, line.allowed / 3), MaxEnt("states", strength=1.0), line.with_history(2)
    )
    assert "cannot happen in the world of the fit" in refusal(solution, opened.with_history(2))
    narrower = replan(solution, replace(line, discount=0.5).with_history(2))
    assert narrower.policy.table.shape == solution.policy.table.shape
