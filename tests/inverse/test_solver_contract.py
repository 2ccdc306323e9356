"""What every solver owes, whatever it believes about behaviour."""

from dataclasses import fields, replace

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from inverseq._core.errors import InputError
from inverseq._core.store import load, save
from inverseq.decisions.counts import count
from inverseq.demonstrations import Demonstrations
from inverseq.inverse.deep.cloning import BehaviourCloning
from inverseq.inverse.deep.iq_learn import IQLearn
from inverseq.inverse.explanation import action_probabilities
from inverseq.inverse.fit import fit
from inverseq.inverse.learning.learner import Learner
from inverseq.inverse.maxent.causal import MaxEnt
from inverseq.inverse.maxent.deep import DeepMaxEnt
from inverseq.inverse.maxent.paths import MaxEntIRL
from inverseq.inverse.problem import Solver
from inverseq.inverse.solution import Solution
from inverseq.inverse.tables.column_logit import ColumnLogit
from inverseq.inverse.tables.column_table import ColumnTable
from inverseq.inverse.tables.count_table import CountTable
from inverseq.inverse.tables.greedy import Greedy
from inverseq.inverse.tables.steered import Steered
from inverseq.inverse.values.ciql import CIQL
from inverseq.inverse.values.iavi import IAVI
from inverseq.inverse.values.iql import IQL
from inverseq.mdp import MDP
from strategies import play, random_mdp, random_policy

ON_STATES = MaxEnt(strength=1.0, tolerance=1e-9)
SAMPLED = IQL(reward_step=0.1, q_step=0.3, shifted_step=0.2, epochs=3)
SOLVERS: dict[str, Solver] = {
    "iavi": IAVI(),
    "iavi-soft": IAVI(backup="soft"),
    "iavi-sweeps": IAVI(method="iterate", smoothing=1.0),
    "iavi-of-states": IAVI(gauge="state-only"),
    "iavi-smallest": IAVI(gauge="minimum-norm"),
    "iql": SAMPLED,
    "iql-exact": IQL(method="exact"),
    "ciql": CIQL((), learner=SAMPLED, behaviour="boltzmann"),
    "ciql-exact": CIQL((), learner=IQL(method="exact"), behaviour="boltzmann"),
    "maxent-states": ON_STATES,
    "maxent-state-actions": replace(ON_STATES, reward="state-actions"),
    "maxent-features": replace(ON_STATES, reward="features"),
    "maxent-smooth": replace(ON_STATES, prior="smooth", reward="state-actions"),
    "maxent-chosen": MaxEnt(strengths=(0.1, 10.0), folds=3),
    "maxent-paths": MaxEntIRL(tolerance=1e-9),
    "maxent-paths-pieces": MaxEntIRL("states", horizon=5, tolerance=1e-9),
    "maxent-deep": DeepMaxEnt(seed=0, hidden=(3,), strength=1.0, tolerance=1e-8),
    "iq-learn": IQLearn(seed=0),
    "iq-learn-beginnings": IQLearn(seed=0, distance="total-variation", form="v0", strength=5.0),
    "cloning": BehaviourCloning(seed=0),
    "greedy": Greedy(),
    "greedy-lapses": Greedy(lapse=True),
    "table-0": CountTable(0),
    "table-1": CountTable(1),
    "table-2": CountTable(2),
    "table-2-actions": CountTable(2, of="actions"),
    "table-2-added": CountTable(2, smoothing=0.5, backoff=False),
    "table-columns": ColumnTable(("phase", "place"), own=("phase",)),
    "table-logit": ColumnLogit(("phase", "place"), (0.5, 2.0), own=("phase",), tolerance=1e-9),
    "learner": Learner(tolerance=1e-7),
    "steered": Steered(CountTable(1, smoothing=1.0), folds=3, tolerance=1e-9),
    "steered-columns": Steered(ColumnTable(("phase",), concentrations=(5.0,)), "states", folds=3),
}
FOLDS_FOLLOW_THE_ORDER = {"maxent-chosen", "steered", "steered-columns"}
"""Which trajectories share a fold depends on where they stand in the table."""
NEEDS_THE_PAST = {"table-2", "table-2-actions", "table-2-added"}
LEARNS_FROM_TRANSITIONS = {"iql", "iql-exact", "ciql", "ciql-exact"}
"""Decisions after which nobody saw where they led are left out."""
LEARNS_IN_ORDER = {"iql", "ciql"}
NEEDS_NO_WORLD = {"learner", *(n for n in SOLVERS if n.startswith("table"))}
NEEDS_THE_COLUMNS = {"learner", "table-columns", "table-logit", "steered", "steered-columns"}
"""Contexts stand in the table of decisions."""
NEEDS_THE_ORDER = {
    "maxent-paths",
    "maxent-paths-pieces",
    *LEARNS_FROM_TRANSITIONS,
    *NEEDS_THE_COLUMNS,
}
"""What came after what matters, not only how often."""
every_solver = pytest.mark.parametrize("name", SOLVERS)


def behaviour(seed: int = 4, **options) -> tuple[MDP, Demonstrations]:
    """Play in a world with masks, terminal states and features, gaps and missing actions.

    Two columns name contexts: the step of the trajectory modulo 3, and the state. One says what
    was paid.
    """
    rng = np.random.default_rng(seed)
    mdp = random_mdp(rng, 7, 3, features=2, discount=0.8)
    how = {"trajectories": 15, "length": 20, "missing": 0.1, "gaps": 0.05} | options
    demos = play(rng, mdp, random_policy(rng, mdp), **how)
    columns = {"phase": demos.step % 3, "place": demos.states, "reward": demos.step % 2}
    return mdp, replace(demos, decisions=columns)


def explain(name: str, demos: Demonstrations, mdp: MDP, **options) -> Solution:
    return fit(demos, SOLVERS[name], mdp, **options)


def agree(first: Solution, second: Solution, demos: Demonstrations, atol: float = 1e-6) -> None:
    """Both predict the same, and count as many free numbers."""
    expected = action_probabilities(second, demos)
    assert_allclose(action_probabilities(first, demos), expected, atol=atol)
    assert first.num_parameters == second.num_parameters


@every_solver
def test_predictions_are_probabilities_over_what_exists(name):
    mdp, demos = behaviour()
    assert not mdp.allowed.all()
    assert mdp.terminal.any()
    assert (demos.actions < 0).any()
    solution = explain(name, demos, mdp)
    found = action_probabilities(solution, demos)
    assert found.shape == (demos.num_decisions, 3)
    assert_allclose(found.sum(1), 1, atol=1e-9)
    assert_array_equal(found[~mdp.allowed[demos.states]], 0)
    assert (found[mdp.allowed[demos.states]] > 0).all()


@every_solver
def test_the_record_is_complete(name):
    mdp, demos = behaviour()
    solution = explain(name, demos, mdp)
    pairs = {"reward": (7, 3), "q": (7, 3), "v": (7,), "visits": (7,)}
    for field, shape in pairs.items():
        value = getattr(solution, field)
        if value is not None:
            assert value.shape == shape
            assert np.isfinite(value).all()
            assert not value.flags.writeable
    for value in solution.parameters.values():
        assert not value.flags.writeable
    known = demos.actions >= 0
    used = known & (
        demos.terminated | (demos.next_states >= 0) | (name not in LEARNS_FROM_TRANSITIONS)
    )
    assert_allclose(solution.visits, np.bincount(demos.states[used], minlength=7))
    assert solution.mdp is mdp
    assert solution.status.ok
    assert solution.num_parameters > 0
    set_by_hand = {f.name for f in fields(SOLVERS[name])}
    assert set_by_hand <= set(solution.settings)
    assert solution.solver == type(SOLVERS[name]).__name__
    assert solution.provenance["data_sha256"] == demos.fingerprint
    assert solution.provenance["decisions"] == int(known.sum())


@every_solver
def test_the_same_input_gives_the_same_output(name):
    mdp, demos = behaviour()
    first, second = (explain(name, demos, mdp) for _ in range(2))
    agree(first, second, demos, atol=0)


@every_solver
def test_weights_of_one_are_no_weights(name):
    mdp, demos = behaviour()
    ones = np.ones(demos.num_decisions)
    agree(explain(name, demos, mdp, weights=ones), explain(name, demos, mdp), demos, atol=1e-12)


@pytest.mark.parametrize("name", [n for n in SOLVERS if n not in FOLDS_FOLLOW_THE_ORDER])
def test_a_trajectory_without_weight_is_absent(name):
    mdp, demos = behaviour()
    kept = np.arange(demos.num_trajectories) % 3 > 0
    weights = kept[demos.trajectory_of].astype(float)
    agree(explain(name, demos, mdp, weights=weights), explain(name, demos.take(kept), mdp), demos)


@pytest.mark.parametrize("name", sorted(SOLVERS.keys() - FOLDS_FOLLOW_THE_ORDER - LEARNS_IN_ORDER))
def test_the_order_of_trajectories_does_not_matter(name):
    mdp, demos = behaviour()
    order = np.random.default_rng(1).permutation(demos.num_trajectories)
    agree(explain(name, demos.take(order), mdp), explain(name, demos, mdp), demos)


@every_solver
def test_a_file_gives_back_the_solution(name, tmp_path):
    mdp, demos = behaviour()
    solution = explain(name, demos, mdp)
    again = load(save(solution, tmp_path / "solution.npz"), Solution)
    assert_array_equal(action_probabilities(again, demos), action_probabilities(solution, demos))
    assert again.status.outcome is solution.status.outcome
    assert again.settings.keys() == solution.settings.keys()
    assert again.provenance == dict(solution.provenance)
    for field in ("reward", "q", "v", "visits", "trace"):
        one, other = getattr(again, field), getattr(solution, field)
        assert (one is None) == (other is None)
        if other is not None:
            assert_array_equal(one, other)


@pytest.mark.parametrize("name", sorted(SOLVERS.keys() - NEEDS_THE_PAST - NEEDS_THE_ORDER))
def test_counts_are_enough(name):
    mdp, demos = behaviour()
    narrow = fit(count(demos, mdp), SOLVERS[name], mdp)
    agree(narrow, explain(name, demos, mdp), demos)


@pytest.mark.parametrize("name", sorted(NEEDS_THE_PAST))
def test_counts_are_enough_in_a_world_with_history(name):
    mdp, demos = behaviour()
    longer = mdp.with_history(2, of=SOLVERS[name].of)
    # The marks of a gap: pasts of the play are possible in the world.
    narrow = fit(count(demos, longer), SOLVERS[name], longer)
    agree(narrow, explain(name, demos, mdp), demos)


@every_solver
def test_names_of_states_and_actions_mean_nothing(name):
    mdp, demos = behaviour()
    rng = np.random.default_rng(2)
    state, action = rng.permutation(7), rng.permutation(3)  # the new number of each
    old_state, old_action = np.argsort(state), np.argsort(action)
    pick = lambda array: array[old_state][:, old_action]  # noqa: E731
    other_mdp = replace(
        mdp,
        successors=state[pick(mdp.successors)],
        probabilities=pick(mdp.probabilities),
        allowed=pick(mdp.allowed),
        reward=None,
        features=pick(mdp.features),
        initial=mdp.initial[old_state],
        terminal=mdp.terminal[old_state],
        coordinates=None,
    )
    known = demos.next_states >= 0
    other = replace(
        demos,
        states=state[demos.states],
        next_states=np.where(known, state[demos.next_states], -1),
        actions=np.where(demos.actions >= 0, action[demos.actions], -1),
    )
    expected = action_probabilities(explain(name, demos, mdp), demos)
    found = action_probabilities(explain(name, other, other_mdp), other)
    assert_allclose(found[:, action], expected, atol=1e-6)


@every_solver
def test_one_world_by_name_is_the_world(name):
    mdp, demos = behaviour()
    where = {**demos.trajectories, "world": np.full(demos.num_trajectories, "only")}
    named = replace(demos, trajectories=where)
    agree(fit(named, SOLVERS[name], {"only": mdp}), explain(name, demos, mdp), named)


@every_solver
def test_an_action_that_does_not_exist_names_its_row(name):
    mdp, demos = behaviour()
    state, action = (int(i) for i in np.argwhere(~mdp.allowed)[0])
    bad = np.where(demos.states == state, action, demos.actions)
    row = int(np.argmax(demos.states == state)) + 1
    with pytest.raises(InputError, match=f"row {row}: action {action} does not exist"):
        explain(name, replace(demos, actions=bad), mdp)


@pytest.mark.parametrize("name", sorted(NEEDS_THE_ORDER))
def test_counts_are_refused_where_the_order_matters(name):
    mdp, demos = behaviour()
    with pytest.raises(InputError, match="the demonstrations themselves"):
        fit(count(demos, mdp), SOLVERS[name], mdp)


@pytest.mark.parametrize("name", [n for n in SOLVERS if n not in NEEDS_THE_ORDER])
def test_counts_of_another_world_are_refused(name):
    mdp, demos = behaviour()
    counts = count(demos, mdp)
    other = behaviour(1)[0]
    forbidden = replace(other, allowed=np.eye(7, 3) + np.eye(7, 3, k=-3) + np.eye(7, 3, k=-6) > 0)
    with pytest.raises(InputError, match="where it does not exist"):
        fit(counts, SOLVERS[name], forbidden)
    larger = random_mdp(np.random.default_rng(3), 9, 3, features=2)
    with pytest.raises(InputError, match="counts are of 7 states and 3 actions"):
        fit(counts, SOLVERS[name], larger)


@pytest.mark.parametrize("name", sorted(SOLVERS.keys() - NEEDS_NO_WORLD))
def test_a_reward_needs_a_world(name):
    with pytest.raises(InputError, match="pass mdp="):
        fit(behaviour()[1], SOLVERS[name])
