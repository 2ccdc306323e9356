"""Linear systems: every method against dense NumPy, and what is said when it is hard."""

import copy

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse

from inverseq import InputError
from inverseq._core.linear import System, prepare

METHODS = ("auto", "direct", "krylov", "iterate")


def random_transitions(rng, states, branches, ends=0.0):
    """Random successors; with `ends` > 0 each row loses up to that share to the end."""
    rows = np.repeat(np.arange(states), branches)
    p = rng.dirichlet(np.ones(branches), states) * (1 - ends * rng.random((states, 1)))
    columns = rng.integers(0, states, states * branches)
    return sparse.coo_array((p.ravel(), (rows, columns)), shape=(states, states)).tocsr()


def plane(width, rng):
    """A random walk on a square, its states shuffled."""
    n = width * width
    x, y = np.arange(n) % width, np.arange(n) // width
    moves = [(1, 0), (-1, 0), (0, 1), (0, -1)]
    clip = lambda c: np.clip(c, 0, width - 1)  # noqa: E731
    to = np.stack([clip(y + b) * width + clip(x + a) for a, b in moves], 1)
    names = rng.permutation(n)
    rows, columns = np.repeat(names, 4), names[to].ravel()
    return sparse.coo_array((np.full(4 * n, 0.25), (rows, columns)), shape=(n, n)).tocsr()


def dense_solution(transitions, discount, b, transposed):
    matrix = np.eye(transitions.shape[0]) - discount * transitions.toarray()
    return np.linalg.solve(matrix.T if transposed else matrix, b)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("transposed", [False, True])
@given(
    seed=st.integers(0, 2**32 - 1),
    states=st.integers(1, 40),
    branches=st.integers(1, 4),
    discount=st.sampled_from([0.0, 0.5, 0.9, 0.99]),
    sides=st.sampled_from([(), (1,), (3,)]),
    ends=st.sampled_from([0.0, 0.5]),
)
def test_every_method_agrees_with_dense_numpy(
    method, transposed, seed, states, branches, discount, sides, ends
):
    rng = np.random.default_rng(seed)
    p = random_transitions(rng, states, branches, ends)
    b = rng.standard_normal((states, *sides))
    x, status = prepare(p, discount, method).solve(b, transposed=transposed)
    assert x.shape == b.shape
    assert status.ok
    np.testing.assert_allclose(x, dense_solution(p, discount, b, transposed), atol=2e-8)
    # The error never exceeds what the status says.
    error = np.abs(x - dense_solution(p, discount, b, transposed))
    size = error.sum(0).max() if transposed else error.max()
    assert size <= status.residual + 1e-12 * np.abs(x).sum()


@pytest.mark.parametrize("width", [20, 32, 75])
@pytest.mark.parametrize("transposed", [False, True])
def test_shuffled_planes_are_factored_banded_and_sparse(width, transposed):
    rng = np.random.default_rng(width)
    system = prepare(plane(width, rng), 0.97)
    b = rng.standard_normal((width * width, 4))
    x, status = system.solve(b, transposed=transposed)
    assert system.factored
    assert status.steps == 0
    again, iterated = prepare(system.transitions, 0.97, "iterate").solve(b, transposed=transposed)
    assert iterated.steps > 100
    np.testing.assert_allclose(x, again, atol=1e-6 if transposed else 1e-9)


def test_dense_serves_small_graphs_without_a_band():
    rng = np.random.default_rng(0)
    p = random_transitions(rng, 300, 5)
    system = prepare(p, 0.9)
    b = rng.standard_normal(300)
    assert system.ordering[1] > 64
    for transposed in (False, True):
        x, _ = system.solve(b, transposed=transposed)
        np.testing.assert_allclose(x, dense_solution(p, 0.9, b, transposed), atol=1e-11)


def test_random_graphs_switch_to_krylov():
    rng = np.random.default_rng(0)
    p = random_transitions(rng, 10_000, 5)
    system = prepare(p, 0.99)
    _, status = system.solve(rng.standard_normal((10_000, 60)))
    assert not system.factored
    assert status.ok
    assert 0 < status.steps < 200
    assert status.residual <= 1e-10


def test_many_right_hand_sides_are_solved_as_one_would_be():
    rng = np.random.default_rng(1)
    p = random_transitions(rng, 2_000, 3)
    b = rng.standard_normal((2_000, 5))
    b[:, 2] = 0
    b[:, 3] *= 1e6
    system = prepare(p, 0.95, "krylov")
    x, status = system.solve(b)
    assert status.ok
    np.testing.assert_array_equal(x[:, 2], 0)
    for column in range(5):
        np.testing.assert_allclose(
            x[:, column], system.solve(b[:, column])[0], atol=2e-10, rtol=1e-12
        )


@pytest.mark.parametrize("method", METHODS)
def test_discount_one_with_an_end(method):
    rng = np.random.default_rng(2)
    p = random_transitions(rng, 30, 3, ends=0.4)
    b = rng.standard_normal(30)
    x, status = prepare(p, 1.0, method).solve(b)
    assert status.ok
    np.testing.assert_allclose(x, np.linalg.solve(np.eye(30) - p.toarray(), b), atol=1e-8)


@pytest.mark.parametrize(
    ("method", "states"), [*((m, n) for m in METHODS for n in (2, 3, 30)), ("auto", 600)]
)
def test_discount_one_without_an_end_is_refused(method, states):
    rng = np.random.default_rng(states)
    endless = random_transitions(rng, states, min(states, 4))
    partly = sparse.block_diag([random_transitions(rng, 5, 2, ends=0.4), endless], format="csr")
    for p in (sparse.eye_array(states, format="csr"), endless, sparse.csr_array(partly)):
        for transposed in (False, True):
            with pytest.raises(InputError, match="discount of 1"):
                # A right-hand side of its range has solutions all the same, but not one.
                prepare(p, 1.0, method).solve(np.zeros(p.shape[0]), transposed=transposed)


@pytest.mark.parametrize("leak", [1e-3, 1e-6, 1e-9, 1e-15])
def test_at_discount_one_the_status_bounds_the_error_by_the_time_to_the_end(leak):
    p = sparse.csr_array(np.array([[0.5, 0.5], [0.5, 0.5 - leak]]))
    system = prepare(p, 1.0)
    if leak < 1e-12:
        with pytest.raises(InputError, match="discount of 1"):
            system.solve(np.array([1.0, -1.0]))
        return
    x, status = system.solve(np.array([1.0, -1.0]))
    exact = np.array([2.0, 0.0])
    assert status.ok
    assert np.abs(x - exact).max() <= status.residual + 1e-15
    assert system.stretch == pytest.approx(2 / leak + 2, rel=1e-6)


def test_where_krylov_breaks_down_the_fixed_point_takes_over():
    # One long cycle: BiCGSTAB finds no direction that helps.
    states = 600
    p = sparse.csr_array(
        (np.ones(states), np.roll(np.arange(states), 1), np.arange(states + 1)),
        shape=(states, states),
    )
    b = np.zeros(states)
    b[0] = 1.0
    x, status = prepare(p, 0.9, "krylov").solve(b)
    assert status.ok
    np.testing.assert_allclose(x, dense_solution(p, 0.9, b, False), atol=1e-9)


def test_values_too_large_for_the_tolerance_are_solved_to_rounding_and_say_so():
    p = sparse.eye_array(4, format="csr")
    x, status = prepare(p, 1 - 1e-9).solve(np.full(4, 1 / 3))
    assert status.ok
    assert "rounding" in status.message
    np.testing.assert_allclose(x, 1e9 / 3, rtol=1e-6)


def test_a_right_hand_side_with_nan_is_degenerate():
    p = sparse.eye_array(2, format="csr")
    x, status = prepare(p, 0.5).solve(np.array([1.0, np.nan]))
    assert not status.ok
    assert np.isnan(x).all()


def test_bad_settings_are_refused():
    p = sparse.eye_array(2, format="csr")
    with pytest.raises(InputError, match="method"):
        prepare(p, 0.5, "fast")
    with pytest.raises(InputError, match="square"):
        prepare(sparse.csr_array((2, 3)), 0.5)


def test_the_factorisation_is_made_once():
    system = prepare(plane(20, np.random.default_rng(0)), 0.9)
    b = np.ones(400)
    system.solve(b)
    made = system.factor
    system.solve(2 * b, transposed=True)
    assert system.factor is made
    assert isinstance(system, System)


def test_a_factored_system_can_be_copied_to_other_processes():
    rng = np.random.default_rng(0)
    system = prepare(plane(75, rng), 0.9)
    b = rng.standard_normal(75 * 75)
    x, _ = system.solve(b)
    again = copy.deepcopy(system)  # what cannot be copied is left behind
    assert system.factored
    assert not again.factored
    np.testing.assert_array_equal(again.solve(b)[0], x)


def test_a_long_corridor_is_a_narrow_band():
    states = 200_000
    rows = np.arange(states)
    to = np.stack([np.maximum(rows - 1, 0), np.minimum(rows + 1, states - 1)], 1)
    p = sparse.csr_array(
        (np.full(2 * states, 0.5), to.ravel(), np.arange(0, 2 * states + 1, 2)),
        shape=(states, states),
    )
    x, status = prepare(p, 0.9999).solve(np.ones(states))
    assert status.ok
    assert status.steps == 0
    np.testing.assert_allclose(x, 1e4, rtol=1e-9)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("transposed", [False, True])
def test_a_correction_brings_home_what_was_missing(method, transposed):
    rng = np.random.default_rng(0)
    p, b = random_transitions(rng, 30, 3), rng.standard_normal((30, 2))
    x = rng.standard_normal((30, 2))
    system = prepare(p, 0.9, method)
    matrix = np.eye(30) - 0.9 * (p.T if transposed else p).toarray()
    x += system.correction(b - matrix @ x, transposed=transposed)
    assert np.allclose(x, dense_solution(p, 0.9, b, transposed), atol=1e-8)
