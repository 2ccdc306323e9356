from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from inverseq._core.errors import InputError
from inverseq.decisions.alignment import align
from inverseq.demonstrations import Ending
from inverseq.evaluate.simulated import simulate_like
from inverseq.intentions.contexts import find_contexts
from inverseq.intentions.solver import Intentions
from inverseq.intentions.switching import DependentMarkov, Mixture
from inverseq.inverse.fit import fit
from inverseq.inverse.tables.count_table import CountTable
from wishes import fitted, ring, switching_play


def shares(rows: np.ndarray, columns: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """How often each column follows each row."""
    counts = np.zeros(shape)
    np.add.at(counts, (rows, columns), 1)
    return counts / counts.sum(axis=1, keepdims=True)


def test_it_has_the_design_of_the_data_and_the_numbers_of_the_fit():
    solution, _ = fitted()
    design = switching_play(40, 200, seed=3)
    drawn = simulate_like(solution, design, seed=1)
    assert_array_equal(drawn.starts, design.starts)
    assert_array_equal(drawn.endings, design.endings)
    assert_array_equal(drawn.states[drawn.step == 0], design.states[design.step == 0])
    assert (drawn.states != design.states).any()
    truth = drawn.decisions["intention"]
    follows = drawn.continues[1:]
    found = shares(truth[:-1][follows], truth[1:][follows], (2, 2))
    assert_allclose(found, solution.numbers["transition"], atol=0.03)
    for k, part in enumerate(solution.intentions):
        mine = truth == k
        found = shares(drawn.states[mine], drawn.actions[mine], (4, 3))
        assert_allclose(found, part.policy, atol=0.05)
    first = np.bincount(truth[drawn.step == 0], minlength=2) / 40
    assert_allclose(first, solution.numbers["initial"], atol=0.25)


def test_a_seed_is_a_simulation():
    solution, data = fitted()
    one, same, other = (simulate_like(solution, data, seed=s) for s in (1, 1, 2))
    assert_array_equal(one.actions, same.actions)
    assert (one.actions != other.actions).any()


def test_what_the_world_remembers_decides():
    data = switching_play(20, 100)
    mdp = ring().with_history(2)
    solution = fit(data, Intentions(2, restarts=1), mdp)
    drawn = simulate_like(solution, switching_play(100, 200, seed=5), seed=1)
    states = align(drawn, mdp)
    for k, part in enumerate(solution.intentions):
        mine = drawn.decisions["intention"] == k
        often = np.bincount(states[mine], minlength=mdp.num_states) > 500
        assert often.sum() >= 4
        counts = np.zeros((mdp.num_states, 3))
        np.add.at(counts, (states[mine], drawn.actions[mine]), 1)
        found = counts[often] / counts[often].sum(axis=1, keepdims=True)
        assert_allclose(found, part.policy[often], atol=0.07)


def test_switching_that_depends_on_states_and_step_does_so():
    solution, _ = fitted()
    rng = np.random.default_rng(0)
    law = DependentMarkov(on=("step", "state", "previous state"))
    design = switching_play(200, 50, seed=2)
    mdp = ring()
    contexts = law.contexts(design, mdp)
    numbers = {
        "initial": np.array([0.3, 0.7]),
        "bias": np.array([[1.0, -1.0], [-1.0, 1.0]]),
        "weights": rng.normal(size=(2, 9, 2)),
    }
    solution = replace(solution, switching=law, numbers=numbers, constants=contexts.constants)
    drawn = simulate_like(solution, design, seed=4)
    truth = drawn.decisions["intention"]
    seen = find_contexts(drawn, mdp, law.on, contexts.constants)
    one = {name: value[None] for name, value in numbers.items()}
    table = np.exp(law.log_transition(one, seen))[:, 0]
    rows = np.flatnonzero(drawn.continues)
    expected = table[seen.context[rows], truth[rows - 1], 1]
    moved = truth[rows] == 1
    # Grouped by where the law says the next intention is likely: what it says is what happens.
    group = np.digitize(expected, np.linspace(0, 1, 9)[1:-1])
    for g in np.flatnonzero(np.bincount(group) > 100):
        mine = group == g
        error = 4 * np.sqrt(0.25 / mine.sum())
        assert abs(moved[mine].mean() - expected[mine].mean()) < error
    assert np.ptp(expected) > 0.8


def test_gaps_missing_actions_and_columns_are_those_of_the_design():
    data = switching_play(3, 20)
    endings, actions = data.endings.copy(), data.actions.copy()
    following = data.next_states.copy()
    endings[7], following[7], actions[11] = Ending.GAP, -1, -1
    design = replace(
        data,
        endings=endings,
        next_states=following,
        actions=actions,
        trajectories={"subject": np.array(["a", "b", "b"])},
        decisions={"light": np.arange(60.0)},
    )
    solution = fit(design, Intentions(2, switching=DependentMarkov(on=("light",))), ring())
    drawn = simulate_like(solution, design, seed=0)
    assert drawn.endings[7] == Ending.GAP
    assert drawn.states[8] == design.states[8]
    assert_array_equal(np.flatnonzero(drawn.actions < 0), [11])
    assert_array_equal(drawn.decisions["light"], design.decisions["light"])
    assert_array_equal(drawn.trajectories["subject"], ["a", "b", "b"])
    mixture = replace(solution, switching=Mixture(), numbers={"initial": np.array([0.5, 0.5])})
    kept = simulate_like(mixture, design, seed=0).decisions["intention"].reshape(3, 20)
    assert (kept == kept[:, :1]).all()


def test_the_world_may_end_a_trajectory():
    solution, data = fitted()
    mdp = solution.mdp
    ending = replace(mdp, terminal=np.array([False, False, False, True]))
    parts = tuple(replace(part, mdp=ending) for part in solution.intentions)
    design = data.take(data.states[data.step == 0] != 3)
    drawn = simulate_like(replace(solution, intentions=parts), design, seed=0)
    assert (np.diff(drawn.starts) <= np.diff(design.starts)).all()
    assert drawn.terminated.any()
    assert (drawn.next_states[drawn.terminated] == 3).all()
    assert (drawn.states != 3).all()


def test_what_cannot_be_simulated_is_refused():
    solution, data = fitted()
    parts = tuple(replace(part, mdp=None) for part in solution.intentions)
    with pytest.raises(InputError, match="needs a world"):
        simulate_like(replace(solution, intentions=parts), data, seed=0)
    counting = Intentions(2, CountTable(2), restarts=1, max_steps=3)
    tables = fit(data, counting, ring(), accept_failure=True)
    with pytest.raises(InputError, match="does not say what is done in a state"):
        simulate_like(tables, data, seed=0)
