"""Counting in contexts of columns: against dictionaries, units counted anew, and a loop."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from scipy.optimize import check_grad

from inverseq._core.errors import InputError
from inverseq._core.store import load, save
from inverseq.decisions.counts import count
from inverseq.demonstrations import Demonstrations
from inverseq.inverse.explanation import action_probabilities
from inverseq.inverse.fit import fit
from inverseq.inverse.problem import Problem
from inverseq.inverse.solution import Solution
from inverseq.inverse.tables.column_table import (
    ColumnTable,
    choose_concentrations,
    count_levels,
    counts_of_others,
    log_likelihood_of_concentrations,
)
from inverseq.inverse.tables.count_table import CountTable
from inverseq.inverse.tables.leave_out import usable_rows
from inverseq.mdp import MDP
from inverseq.policies.columns import names_of_columns, own_counts
from strategies import play, played, random_mdp, random_policy, seeds

COLUMNS = ("wide", "narrow")
CONCENTRATIONS = (3.0, 0.5, 2.0)


def with_columns(demos: Demonstrations, seed: int) -> Demonstrations:
    """Contexts that do not nest, some with negative or large numbers."""
    rng = np.random.default_rng(seed)
    wide, narrow = rng.integers(-1, 2, demos.num_decisions), rng.integers(0, 5, demos.num_decisions)
    return replace(demos, decisions={"wide": wide, "narrow": narrow * 10**9, "kind": wide > 0})


def behaviour(seed: int = 3, **options) -> tuple[MDP, Demonstrations]:
    rng = np.random.default_rng(seed)
    mdp = random_mdp(rng, 5, 3)
    how = {"trajectories": 12, "length": 20, "missing": 0.1, "gaps": 0.05} | options
    return mdp, with_columns(play(rng, mdp, random_policy(rng, mdp), **how), seed)


def own_by_hand(demos: Demonstrations, column: str, row: int, num_actions: int) -> list[float]:
    """Oracle: what the trajectory did before `row` in the same context, row by row."""
    made = [0.0] * num_actions
    for earlier in range(int(demos.starts[demos.trajectory_of[row]]), row):
        same = demos.decisions[column][earlier] == demos.decisions[column][row]
        if same and demos.actions[earlier] >= 0:
            made[demos.actions[earlier]] += 1.0
    return made


def by_hand(train, weights, test, exists, concentrations, own=()) -> np.ndarray:
    """Oracle: the recursion of the levels in dictionaries."""
    num_actions = exists.shape[1]
    tables = []
    for column in COLUMNS:
        table: dict = {}
        for row, action in enumerate(train.actions.tolist()):
            if action >= 0:
                counts = table.setdefault(int(train.decisions[column][row]), [0.0] * num_actions)
                counts[action] += weights[row]
        tables.append(table)
    made = []
    for row in range(test.num_decisions):
        p = [e / exists[row].sum() for e in exists[row]]
        levels = [
            table.get(int(test.decisions[column][row]), [0.0] * num_actions)
            for column, table in zip(COLUMNS, tables, strict=True)
        ]
        levels += [own_by_hand(test, column, row, num_actions) for column in own]
        for n, c in zip(levels, concentrations, strict=True):
            p = [(n[a] + c * p[a]) / (sum(n) + c) for a in range(num_actions)]
        p = [p[a] * exists[row, a] for a in range(num_actions)]
        made.append([value / sum(p) for value in p])
    return np.array(made)


@given(played(missing=0.2, gaps=0.2), seeds, st.sampled_from([(), ("kind",)]))
def test_levels_are_the_recursion_in_dictionaries(world, seed, own):
    mdp, _, demos = world
    assume((demos.actions >= 0).any())
    train, test = with_columns(demos, seed), with_columns(demos, seed + 1)
    weights = np.random.default_rng(seed).uniform(0.1, 2.0, demos.num_decisions)
    worth = CONCENTRATIONS[: 2 + len(own)]
    solution = fit(train, ColumnTable(COLUMNS, own, worth), mdp, weights=weights)
    exists = mdp.allowed[demos.states]
    expected = by_hand(train, weights, test, exists, worth, own)
    assert_allclose(action_probabilities(solution, test), expected, atol=1e-12)


@given(played(missing=0.3, gaps=0.1), seeds)
def test_the_own_past_is_counted_row_by_row(world, seed):
    mdp, _, demos = world
    demos = with_columns(demos, seed)
    found = own_counts(demos, "wide", mdp.num_actions)
    rows = range(demos.num_decisions)
    assert_array_equal(found, [own_by_hand(demos, "wide", r, mdp.num_actions) for r in rows])


def test_a_row_never_sees_itself_nor_what_comes_later_nor_another_trajectory():
    mdp, demos = behaviour()
    solution = fit(demos, ColumnTable(COLUMNS, ("wide",), CONCENTRATIONS), mdp)
    before = action_probabilities(solution, demos)
    free = mdp.allowed[demos.states].sum(axis=1) > 1
    begin, end = demos.starts[4], demos.starts[5]
    row = int(begin + np.flatnonzero(free[begin:end])[0])
    other = demos.actions.copy()
    exists = np.flatnonzero(mdp.allowed[demos.states[row]])
    other[row] = exists[exists != other[row]][0]
    after = action_probabilities(solution, replace(demos, actions=other))
    moved = np.abs(after - before).max(axis=1) > 1e-12
    assert moved.any()  # the change is seen later in the same trajectory
    assert not moved[: row + 1].any()
    assert not moved[end:].any()


def left_out(seed: int):
    """The decisions with their levels, as the choice of concentrations sees them."""
    mdp, demos = behaviour(seed)
    columns = np.stack([demos.decisions[c] for c in COLUMNS], axis=1)
    rows, _ = usable_rows(Problem(demos, mdp), columns, "trajectory")
    _, counts, places = count_levels(rows)
    return mdp, demos, rows, counts_of_others(rows, counts, places)


def kept_rows(demos: Demonstrations) -> np.ndarray:
    return np.flatnonzero(demos.actions >= 0)


@pytest.mark.parametrize("seed", [3, 8])
def test_leaving_units_out_is_counting_the_others_anew(seed):
    mdp, demos, rows, levels = left_out(seed)
    worth = np.array(CONCENTRATIONS[:2])
    total = []
    for one in range(demos.num_trajectories):
        mine = np.arange(demos.num_trajectories) == one
        solution = fit(demos.take(~mine), ColumnTable(COLUMNS, (), CONCENTRATIONS[:2]), mdp)
        test = demos.take(mine)
        acted = kept_rows(test)
        total += np.log(action_probabilities(solution, test)[acted, test.actions[acted]]).tolist()
    value, _ = log_likelihood_of_concentrations(rows, levels, np.log(worth))
    assert_allclose(value, np.mean(total), rtol=1e-10)


@pytest.mark.parametrize("seed", [3, 8])
def test_the_slope_is_that_of_finite_differences(seed):
    _, demos, rows, levels = left_out(seed)
    levels = [*levels, own_counts(demos, "wide", 3)[kept_rows(demos)]]
    rows = replace(rows, weights=np.random.default_rng(seed).uniform(0.2, 3, rows.weights.size))
    of = lambda part: lambda logs: log_likelihood_of_concentrations(rows, levels, logs)[part]  # noqa: E731
    assert check_grad(of(0), of(1), np.array([0.4, -1.0, 2.0])) < 1e-6


def test_the_chosen_concentrations_are_a_maximum():
    _, _, rows, levels = left_out(3)
    worth, status, _ = choose_concentrations(rows, levels)
    best = log_likelihood_of_concentrations(rows, levels, np.log(worth))[0]
    assert status.ok
    assert status.residual < 1e-4
    for step in (-0.3, 0.3):
        for level in np.eye(2):
            logs = np.clip(np.log(worth) + step * level, np.log(1e-2), np.log(1e5))
            assert log_likelihood_of_concentrations(rows, levels, logs)[0] <= best + 1e-9


def test_a_column_that_decides_is_trusted_and_noise_is_not():
    rng = np.random.default_rng(0)
    kind, noise = rng.integers(0, 2, 600), rng.integers(0, 40, 600)
    actions = np.where(rng.random(600) < 0.9, kind, 1 - kind)
    demos = Demonstrations.from_arrays(
        np.zeros(600, int),
        actions,
        trajectory=np.repeat(np.arange(30), 20),
        decisions={"kind": kind, "noise": noise},
    )
    solution = fit(demos, ColumnTable(("kind", "noise")))
    trusted, ignored = solution.parameters["concentrations"]
    assert trusted < 20
    assert ignored > 200
    right = action_probabilities(solution, demos)[np.arange(600), kind]
    assert_allclose(right, 0.9, atol=0.05)


def test_the_own_past_tells_animals_apart():
    rng = np.random.default_rng(1)
    likes = np.repeat(np.arange(20) % 2, 50)
    demos = Demonstrations.from_arrays(
        np.zeros(1000, int),
        np.where(rng.random(1000) < 0.9, likes, 1 - likes),
        trajectory=np.repeat(np.arange(20), 50),
        decisions={"all": np.zeros(1000, int)},
    )
    late = demos.step > 20
    for own, low, high in (((), 0.45, 0.55), (("all",), 0.8, 0.95)):
        solution = fit(demos, ColumnTable(("all",), own))
        right = action_probabilities(solution, demos)[np.arange(1000), likes]
        assert low < right[late].mean() < high


def test_settled_is_the_same_fit_with_the_concentrations_given():
    mdp, demos = behaviour()
    table = ColumnTable(COLUMNS, ("wide",))
    settled = table.settle(Problem(demos, mdp))
    assert settled.concentrations is not None
    assert settled.settle(Problem(demos, mdp)) is settled
    first, second = (action_probabilities(fit(demos, t, mdp), demos) for t in (table, settled))
    assert_array_equal(first, second)


def test_free_numbers_are_those_of_the_narrowest_contexts():
    mdp, demos = behaviour()
    demos = replace(demos, decisions={"place": demos.states, "all": np.zeros_like(demos.states)})
    made = fit(demos, ColumnTable(("all", "place"), concentrations=(1.0, 1.0)), mdp)
    assert made.num_parameters == fit(demos, CountTable(1), mdp).num_parameters


def test_a_file_gives_back_the_policy(tmp_path):
    mdp, demos = behaviour()
    solution = fit(demos, ColumnTable(COLUMNS, ("wide",)), mdp)
    again = load(save(solution, tmp_path / "table.npz"), Solution)
    assert again.policy.own == ("wide",)
    assert_array_equal(action_probabilities(again, demos), action_probabilities(solution, demos))


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"columns": ()}, "columns must be a tuple of names"),
        ({"columns": COLUMNS, "concentrations": (1.0,)}, "must be 2 numbers above 0"),
        ({"columns": COLUMNS, "concentrations": (1.0, 0.0)}, "must be 2 numbers above 0"),
        ({"columns": COLUMNS, "own": ("wide",), "concentrations": (1.0, 2.0)}, "must be 3 numbers"),
    ],
)
def test_settings_that_cannot_be_are_refused(settings, words):
    with pytest.raises(InputError, match=words):
        ColumnTable(**settings)


def test_one_name_is_no_tuple_of_names():
    with pytest.raises(InputError, match=r"own must be a tuple of names.*got 'wide'"):
        names_of_columns("own", "wide")


def test_columns_that_are_missing_or_hold_no_whole_numbers_are_named():
    mdp, demos = behaviour()
    with pytest.raises(InputError, match=r"no column 'gone' per decision; there are \['kind', "):
        fit(demos, ColumnTable(("wide", "gone")), mdp)
    with pytest.raises(InputError, match="no column 'gone' per decision"):
        fit(demos, ColumnTable(("wide",), ("gone",)), mdp)
    for values in (np.full(demos.num_decisions, "left"), np.full(demos.num_decisions, 0.5)):
        bad = replace(demos, decisions={"wide": values})
        with pytest.raises(InputError, match=r"column 'wide' must hold whole numbers.*in row 1"):
            fit(bad, ColumnTable(("wide",)), mdp)
    solution = fit(demos, ColumnTable(COLUMNS), mdp)
    with pytest.raises(InputError, match="no column 'wide' per decision"):
        action_probabilities(solution, replace(demos, decisions={}))


def test_what_cannot_be_counted_is_refused():
    mdp, demos = behaviour()
    with pytest.raises(InputError, match="a single unit cannot choose concentrations"):
        fit(demos.take([5]), ColumnTable(COLUMNS), mdp)
    only = (demos.trajectory_of == 5).astype(float)  # the others have no weight
    with pytest.raises(InputError, match="a single unit cannot choose concentrations"):
        fit(demos, ColumnTable(COLUMNS), mdp, weights=only)
    with pytest.raises(InputError, match="nothing to count"):
        fit(demos, ColumnTable(COLUMNS), mdp, weights=0 * only)
    with pytest.raises(InputError, match="the demonstrations themselves"):
        fit(count(demos, mdp), ColumnTable(COLUMNS), mdp)
