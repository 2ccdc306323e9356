"""The laws of switching: what they depend on, and their M-step."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from scipy.optimize import minimize
from scipy.special import log_softmax

from inverseq._core.errors import InputError
from inverseq.demonstrations import Demonstrations
from inverseq.intentions.contexts import Contexts, find_contexts
from inverseq.intentions.predict import posterior
from inverseq.intentions.solver import Intentions
from inverseq.intentions.switching import DependentMarkov, Markov, Mixture
from inverseq.inverse.explanation import action_probabilities
from inverseq.inverse.fit import fit
from strategies import play, random_mdp, random_policy, seeds


def table(**columns) -> Demonstrations:
    """Six decisions in two trajectories, the first with a gap after its second row."""
    return Demonstrations.from_arrays(
        [0, 1, 3, 2, 0, 1],
        [0, 1, 0, 1, 1, 0],
        next_states=[1, 0, 2, 0, 1, 2],
        trajectory=[0, 0, 0, 0, 1, 1],
        decisions={name: np.asarray(values) for name, values in columns.items()},
    )


def expectations(seed: int, k: int, contexts: int, restarts: int = 2):
    """Expected beginnings and transitions such as an E-step gives."""
    rng = np.random.default_rng(seed)
    return rng.gamma(1.0, 5.0, (restarts, k)), rng.gamma(0.3, 20.0, (contexts, restarts, k, k))


def test_where_chains_begin():
    demos = table()
    assert_array_equal(Markov().begins(demos), [1, 0, 1, 0, 1, 0])
    assert_array_equal(DependentMarkov(("step",)).begins(demos), [1, 0, 1, 0, 1, 0])
    assert_array_equal(Mixture().begins(demos), [1, 0, 0, 0, 1, 0])


@settings(max_examples=8)
@given(seed=seeds, k=st.integers(1, 4), contexts=st.integers(1, 6))
def test_the_regression_finds_what_a_generic_optimiser_finds(seed, k, contexts):
    rng = np.random.default_rng(seed)
    inputs = rng.normal(size=(contexts, 2))
    law = DependentMarkov(("step",), strength=2.0, smoothing=0.7)
    made = Contexts(sparse.csr_array(inputs), np.zeros(1, int))
    initial, counts = expectations(seed, k, contexts)
    numbers = law.start(k, made, 2)
    for _ in range(5):
        numbers = law.update(numbers, initial, counts, made)

    for r in range(2):
        for i in range(k):

            def cost(flat, r=r, i=i):
                bias, weights = flat[:k], flat[k:].reshape(2, k)
                fitted = (counts[:, r, i] * log_softmax(bias + inputs @ weights, axis=1)).sum()
                prior = 0.7 * log_softmax(bias).sum() - (weights**2).sum()
                return -(fitted + prior)

            best = minimize(cost, np.zeros(3 * k), method="BFGS", options={"gtol": 1e-6})
            ours = np.concatenate([numbers["bias"][r, i], numbers["weights"][r, i].ravel()])
            assert cost(ours) <= best.fun + 1e-5 * max(1.0, abs(best.fun))
    shares = (initial + 0.7) / (initial + 0.7).sum(axis=1, keepdims=True)
    assert_allclose(numbers["initial"], shares)


@settings(max_examples=8)
@given(seed=seeds, k=st.integers(1, 4))
def test_where_weights_must_be_zero_the_law_is_markov(seed, k):
    initial, counts = expectations(seed, k, 3)
    made = Contexts(sparse.csr_array((3, 1)), np.zeros(1, int))
    law, plain = DependentMarkov(("step",)), Markov()
    numbers = law.start(k, made, 2)
    for _ in range(3):
        numbers = law.update(numbers, initial, counts, made)
    wanted = plain.update({}, initial, counts, made)
    assert_array_equal(numbers["weights"], 0)
    found = np.exp(law.log_transition(numbers, made))
    assert_allclose(found, np.broadcast_to(wanted["transition"], found.shape), atol=1e-4)
    assert_allclose(law.log_prior(numbers), plain.log_prior(wanted), rtol=1e-4, atol=1e-3)


@pytest.mark.parametrize(
    "law", [Mixture(), Markov(), DependentMarkov()], ids=lambda law: type(law).__name__
)
def test_an_update_raises_what_it_is_meant_to_raise(law):
    rng = np.random.default_rng(1)
    made = Contexts(sparse.csr_array(rng.normal(size=(4, 2))), np.zeros(1, int))
    contexts = 4 if isinstance(law, DependentMarkov) else 1
    initial, counts = expectations(1, 3, contexts)
    if isinstance(law, Mixture):
        counts = counts * np.eye(3)

    def objective(numbers):
        switches = law.log_transition(numbers, made)
        told = np.where(counts > 0, counts * np.where(counts > 0, switches, 0), 0)
        value = told.sum(axis=(0, 2, 3)) + (initial * np.log(numbers["initial"])).sum(axis=1)
        return value + law.log_prior(numbers)

    before = law.start(3, made, 2)
    assert_allclose(np.exp(law.log_transition(before, made)).sum(axis=-1), 1)
    after = law.update(before, initial, counts, made)
    assert (objective(after) > objective(before)).all()


def test_free_numbers_are_counted():
    inputs = np.random.default_rng(0).normal(size=(6, 4))
    made = Contexts(sparse.csr_array(inputs), np.zeros(1, int))
    assert Mixture().num_parameters(3, made) == 2
    assert Markov().num_parameters(3, made) == 2 + 6
    assert DependentMarkov().num_parameters(3, made) == 2 + 6 + 3 * 4 * 2
    assert [law.num_parameters(1, made) for law in (Mixture(), Markov(), DependentMarkov())] == [
        0,
        0,
        0,
    ]


@settings(max_examples=20)
@given(seed=seeds, states=st.integers(1, 5), columns=st.integers(0, 3), contexts=st.integers(1, 9))
def test_the_rank_is_that_of_the_dense_table(seed, states, columns, contexts):
    rng = np.random.default_rng(seed)
    here, before = (np.eye(states + 1, states)[rng.integers(0, states + 1, contexts)] for _ in "ab")
    numbers = rng.integers(-1, 2, (contexts, columns))
    inputs = np.hstack([here, before, numbers.astype(float)])
    wanted = np.linalg.matrix_rank(np.hstack([np.ones((contexts, 1)), inputs]))
    assert Contexts(sparse.csr_array(inputs), np.zeros(1, int)).rank == wanted


def test_numbers_that_no_context_tells_apart_are_not_free():
    law = DependentMarkov()
    # Six states, of which three were seen: as many numbers as a table has for three states.
    states = np.eye(6)[[0, 2, 5]]
    assert law.num_parameters(3, Contexts(sparse.csr_array(states), np.zeros(1, int))) == 2 + 18
    twice = np.hstack([states, states])
    assert law.num_parameters(3, Contexts(sparse.csr_array(twice), np.zeros(1, int))) == 2 + 18
    alike = Contexts(sparse.csr_array(np.zeros((5, 4))), np.zeros(1, int))
    assert law.num_parameters(3, alike) == Markov().num_parameters(3, alike)


def test_contexts_are_combinations_of_values_in_units_of_their_spread():
    demos = table(reward=[0.0, 1.0, 1.0, 0.0, 0.0, 1.0])
    made = find_contexts(demos, None, ("reward",))
    assert made.num_contexts == 2
    assert_allclose(made.inputs.toarray()[made.context, 0], [-1, 1, 1, -1, -1, 1])
    assert_allclose(made.constants["centre"], 0.5)
    assert_allclose(made.constants["scale"], 0.5)


def test_the_row_before_is_that_of_the_chain():
    demos = table(reward=[0.0, 10.0, 20.0, 30.0, 40.0, 50.0])
    made = find_contexts(demos, None, ("previous reward",))
    values = made.inputs.toarray()[made.context, 0] * made.constants["scale"][0]
    # Known before rows 2, 4 and 6 only; the others stand at the mean.
    centre = made.constants["centre"][0]
    assert_allclose(centre, (0 + 20 + 40) / 3)
    assert_allclose(values, [0, 0 - centre, 0, 20 - centre, 0, 40 - centre], atol=1e-12)


def test_states_are_those_without_history_each_with_a_number_of_its_own():
    rng = np.random.default_rng(0)
    mdp = random_mdp(rng, 5, 3, terminals=False)
    demos = play(rng, mdp, random_policy(rng, mdp), trajectories=4)
    for world in (mdp, mdp.with_history(2)):
        made = find_contexts(demos, world, ("state",))
        assert made.inputs.shape[1] == 5
        assert_array_equal(made.inputs.toarray()[made.context].argmax(axis=1), demos.states)
    both = find_contexts(demos, mdp, ("state", "step"))
    rows = both.inputs.toarray()[both.context]
    assert_array_equal(rows[:, :5].argmax(axis=1), demos.states)
    step = (demos.step - demos.step.mean()) / demos.step.std()
    assert_allclose(rows[:, 5], step)


def test_the_state_before_is_that_of_the_chain():
    rng = np.random.default_rng(0)
    mdp = random_mdp(rng, 5, 3, terminals=False)
    demos = play(rng, mdp, random_policy(rng, mdp), trajectories=4, gaps=0.2)
    made = find_contexts(demos, mdp, ("previous state",))
    rows = made.inputs.toarray()[made.context]
    follows = demos.continues
    assert_array_equal(rows.sum(axis=1), follows)
    before = demos.states[np.flatnonzero(follows) - 1]
    assert_array_equal(rows[follows].argmax(axis=1), before)


def test_forecasts_use_the_units_of_the_training_data():
    rng = np.random.default_rng(3)
    mdp = random_mdp(rng, 4, 3, terminals=False)
    demos = play(rng, mdp, random_policy(rng, mdp), trajectories=8, length=15)
    demos = replace(demos, decisions={"drug": rng.normal(3.0, 2.0, demos.num_decisions)})
    solution = fit(demos, Intentions(2, switching=DependentMarkov(("drug",)), restarts=1), mdp)
    assert_allclose(solution.constants["centre"], demos.decisions["drug"].mean())
    one = demos.take([4])
    rows = slice(int(demos.starts[4]), int(demos.starts[5]))
    assert_allclose(
        action_probabilities(solution, one), action_probabilities(solution, demos)[rows]
    )
    assert_allclose(posterior(solution, one).smoothed, solution.smoothed[rows], atol=1e-12)


@pytest.mark.parametrize(
    ("columns", "on", "message"),
    [
        ({}, ("reward",), r"no column 'reward' per decision; there are \['step'\]"),
        ({}, ("previous reward",), "no column 'reward' per decision"),
        ({"drug": list("abcdef")}, ("drug",), "column 'drug' must hold numbers; got 'a' in row 1"),
        ({"drug": [1.0, 2.0, np.nan, 1.0, 2.0, 1.0]}, ("drug",), "row 3: column 'drug' is nan"),
        (
            {"drug": [1.0, np.inf, 1, 1.0, 2, 1.0]},
            ("previous drug",),
            "row 2: column 'drug' is inf",
        ),
        ({}, ("state",), "needs the world: pass mdp="),
    ],
)
def test_columns_that_cannot_be_used_are_named(columns, on, message):
    with pytest.raises(InputError, match=message):
        find_contexts(table(**columns), None, on)


def test_rows_of_the_source_are_named():
    demos = replace(table(drug=[1, 2, 3, np.nan, 2, 1]), rows=np.arange(101, 107))
    with pytest.raises(InputError, match="row 104: column 'drug' is nan"):
        find_contexts(demos, None, ("drug",))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Markov(stay=1.0), "stay is a probability between 0 and 1"),
        (lambda: DependentMarkov(stay=0.0), "stay is a probability"),
        (lambda: Mixture(smoothing=0.0), "smoothing must be a number above 0"),
        (lambda: Markov(smoothing=np.inf), "smoothing must be a number above 0"),
        (lambda: DependentMarkov(strength=-1.0), "strength must be a number above 0"),
        (lambda: DependentMarkov(()), "on must be a tuple of names"),
    ],
)
def test_settings_out_of_range_are_refused(make, message):
    with pytest.raises(InputError, match=message):
        make()
