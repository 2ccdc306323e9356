import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

import inverseq.inverse.tables.leave_out as leave_out_module
from inverseq._core.errors import InputError
from inverseq.decisions.counts import count
from inverseq.demonstrations import Demonstrations, Ending, concatenate
from inverseq.inverse.explanation import action_probabilities
from inverseq.inverse.fit import fit
from inverseq.inverse.tables.count_table import CountTable, past_columns
from inverseq.inverse.tables.leave_out import (
    Rows,
    choose_smoothing,
    held_out_likelihood,
    leave_out,
    luce,
)
from inverseq.mdp import MDP
from inverseq.policies.backoff import BackoffTable, allowed_at, grow, table_policy
from strategies import any_demonstrations, play, played, random_mdp, random_policy, seeds


def pasts(demos: Demonstrations, order: int, of: str = "states") -> list[tuple]:
    """Oracle: the past of each row by walking back row by row."""
    made = []
    for row in range(demos.num_decisions):
        past = [int(demos.states[row])]
        at = row
        while len(past) < order:
            first = at in demos.starts or demos.endings[at - 1] != Ending.CONTINUES
            at -= 1
            known = not first and (of == "states" or demos.actions[at] >= 0)
            if not known:
                break
            past.append(int(demos.states[at] if of == "states" else demos.actions[at]))
        made.append(tuple(past + [-1] * (order - len(past)))[:order])
    return made


def tally(demos: Demonstrations, order: int, weights=None, of: str = "states") -> dict:
    """Oracle: weights of (past, action) in a dictionary."""
    made: dict = {}
    for row, past in enumerate(pasts(demos, order, of)):
        action = int(demos.actions[row])
        if action >= 0:
            made[past, action] = made.get((past, action), 0.0) + (
                1.0 if weights is None else weights[row]
            )
    return made


def by_hand(train, test, allowed, order, shorter, even, marginal, of="states") -> np.ndarray:
    """Oracle: the formula of `BackoffTable`, row by row; one weight pair for all orders."""
    actions = allowed.shape[1]
    tables = [tally(train, n, of=of) for n in range(order + 1)]
    made = []
    for row, past in enumerate(pasts(test, max(order, 1), of)):
        exists = [a for a in range(actions) if allowed[test.states[row], a]]
        total = sum(marginal[a] for a in exists)
        p = {a: marginal[a] / total if total > 0 else 1 / len(exists) for a in exists}
        for n in range(1, order + 1):
            c = {a: tables[n].get((past[:n], a), 0.0) for a in exists}
            below = sum(c.values()) + len(exists) * (shorter + even)
            p = {
                a: (c[a] + len(exists) * shorter * p[a] + even) / below
                if below
                else 1 / len(exists)
                for a in exists
            }
        made.append([p.get(a, 0.0) for a in range(actions)])
    return np.array(made)


@given(played(missing=0.2, gaps=0.2), st.integers(1, 4), st.sampled_from([0.0, 0.5, 2.0]))
def test_added_smoothing_equals_counting_in_dictionaries(world, order, smoothing):
    mdp, _, demos = world
    if (demos.actions < 0).all():
        return
    solution = fit(demos, CountTable(order, smoothing=smoothing, backoff=False), mdp)
    expected = by_hand(demos, demos, mdp.allowed, order, 0.0, smoothing, np.ones(mdp.num_actions))
    assert_allclose(action_probabilities(solution, demos), expected, atol=1e-12)


@given(played(missing=0.2, gaps=0.2), st.integers(0, 4), st.sampled_from(["states", "actions"]))
def test_back_off_equals_the_formula_row_by_row(world, order, of):
    mdp, _, demos = world
    if (demos.actions < 0).all():
        return
    solution = fit(demos, CountTable(order, smoothing=0.7, of=of), mdp)
    marginal = solution.parameters["marginal"]
    expected = by_hand(demos, demos, mdp.allowed, order, 0.7, 0.0, marginal, of)
    assert_allclose(action_probabilities(solution, demos), expected, atol=1e-12)


@given(any_demonstrations(), any_demonstrations(), st.integers(0, 3))
def test_pasts_never_seen_fall_back_and_need_no_world(train, test, order):
    if (train.actions < 0).all():
        return
    solution = fit(train, CountTable(order, smoothing=0.7))
    actions = train.num_actions
    states = 1 + max(train.states.max(), test.states.max())
    everything = np.ones((states, actions), bool)
    marginal = solution.parameters["marginal"]
    expected = by_hand(train, test, everything, order, 0.7, 0.0, marginal)
    assert_allclose(action_probabilities(solution, test), expected, atol=1e-12)


def test_of_very_many_decisions_some_units_are_asked_and_all_are_counted(monkeypatch):
    rng = np.random.default_rng(0)
    units, states = np.repeat(np.arange(40), 25), rng.integers(0, 4, 1000)
    actions = (rng.random(1000) < 0.2 + 0.2 * states).astype(np.int64)
    rows = Rows(states[:, None], actions, np.ones(1000), units, np.ones((1000, 2), bool))
    levels, lowest = grow(rows.columns, 1)[2][:, 1:], luce(rows, 0.5, left_out=True)
    told = [leave_out(rows, levels, lowest)]
    monkeypatch.setattr(leave_out_module, "_MOST_ASKED", 250)
    monkeypatch.setattr(leave_out_module, "_FEWEST_UNITS", 10)
    told.append(leave_out(rows, levels, lowest))
    assert [data.weights.sum() for data in told] == [1000, 250]
    every, some = ({*zip(d.lowest, *d.chosen, *d.total, strict=True)} for d in told)
    assert some < every
    chosen = [choose_smoothing(data, True)[0] for data in told]
    best, found = (held_out_likelihood(told[0], smoothing)[0] for smoothing in chosen[:2])
    assert best - 0.002 < found <= best + 1e-9
    monkeypatch.setattr(leave_out_module, "_FEWEST_UNITS", 40)
    assert leave_out(rows, levels, lowest).weights.sum() == 1000


@given(played(missing=0.1, gaps=0.1), st.integers(1, 3), st.booleans(), seeds)
def test_leaving_units_out_equals_counting_anew_without_each(world, order, backoff, seed):
    mdp, _, demos = world
    if len(np.unique(demos.trajectory_of[demos.actions >= 0])) < 2:
        return
    rows, levels = rows_of(demos, mdp, order)
    smoothing = np.random.default_rng(seed).uniform(0.1, 3, (order, 2))
    smoothing[:, 0] *= backoff
    data = leave_out(rows, levels[:, 1:], luce(rows, 0.5, left_out=True))
    total, weight = 0.0, 0.0
    for unit in np.unique(rows.units):
        others, own = rows.units != unit, rows.units == unit
        rest = Rows(*(getattr(rows, f)[others] for f in Rows.__dataclass_fields__))
        parents, symbols, inside = grow(rest.columns, order)
        counts = [np.zeros((len(np.unique(i)), mdp.num_actions)) for i in inside.T]
        for level in range(order + 1):
            np.add.at(counts[level], (inside[:, level], rest.actions), rest.weights)
        marginal = luce(rest, 0.5)[0]
        table = BackoffTable(
            "states", parents, symbols, tuple(counts), marginal, smoothing, mdp.allowed
        )
        policy = table_policy(table, rows.columns[own])[np.arange(own.sum()), rows.actions[own]]
        free = rows.exists[own].sum(1) > 1
        total += np.log(policy[free]).sum()
        weight += free.sum()
    if weight:
        assert_allclose(held_out_likelihood(data, smoothing)[0], total / weight, rtol=1e-9)


def rows_of(demos: Demonstrations, mdp: MDP, order: int) -> tuple[Rows, np.ndarray]:
    """Decisions and the numbers of their pasts, with trajectories as units."""
    keep = demos.actions >= 0
    columns = past_columns(demos, mdp, order, "states")[keep]
    exists = allowed_at(mdp.allowed, columns[:, 0], mdp.num_actions)
    weights = np.ones(int(keep.sum()))
    rows = Rows(columns, demos.actions[keep], weights, demos.trajectory_of[keep], exists)
    return rows, grow(columns, order)[2]


def some_play(seed: int = 0, **options) -> tuple[MDP, np.ndarray, Demonstrations]:
    rng = np.random.default_rng(seed)
    mdp = random_mdp(rng, 6, 4, terminals=False)
    policy = random_policy(rng, mdp)
    return mdp, policy, play(rng, mdp, policy, **({"trajectories": 8, "length": 40} | options))


@given(any_demonstrations())
def test_where_all_actions_exist_the_marginal_is_the_smoothed_share(demos):
    if (demos.actions < 0).all():
        return
    seen = np.bincount(demos.actions[demos.actions >= 0])
    for smoothing in (None, 0.5):
        solution = fit(demos, CountTable(0, smoothing=smoothing))
        expected = (seen + 0.5) / (seen + 0.5).sum()
        assert_allclose(solution.parameters["marginal"], expected, atol=1e-12)
        assert_allclose(action_probabilities(solution, demos)[0], expected, atol=1e-12)


@given(played(max_trajectories=4), seeds)
def test_whole_weights_are_repetitions_and_weight_zero_is_absence(world, seed):
    mdp, _, demos = world
    times = np.random.default_rng(seed).integers(0, 3, demos.num_trajectories)
    kept = np.repeat(np.arange(demos.num_trajectories), times)
    if not (demos.actions[times[demos.trajectory_of] > 0] >= 0).any():
        return
    solver = CountTable(2, smoothing=0.5)
    weighted = fit(demos, solver, mdp, weights=times[demos.trajectory_of].astype(float))
    repeated = fit(demos.take(kept), solver, mdp)
    assert_allclose(
        action_probabilities(weighted, demos), action_probabilities(repeated, demos), atol=1e-12
    )
    assert weighted.num_parameters == repeated.num_parameters


def test_chosen_smoothing_leaves_out_what_it_is_told_to():
    mdp, _, demos = some_play(2)
    by_trajectory = fit(demos, CountTable(1), mdp).parameters["smoothing"]
    by_subject = fit(demos, CountTable(1, by="subject"), mdp).parameters["smoothing"]
    assert not np.allclose(by_trajectory, by_subject)
    one = demos.take([0])
    assert fit(one, CountTable(2), mdp).status.ok
    with pytest.raises(InputError, match="cannot group by animal"):
        fit(demos, CountTable(1, by="animal"), mdp)


def test_only_forced_decisions_leave_nothing_to_choose():
    mdp = MDP.from_dense(np.eye(2)[:, None], discount=0.5)
    demos = Demonstrations.from_arrays([0, 0, 1], [0, 0, 0], trajectory=[0, 0, 1])
    solution = fit(demos, CountTable(2), mdp)
    assert solution.num_parameters == 0
    assert_array_equal(action_probabilities(solution, demos), np.ones((3, 1)))


def test_parameters_are_the_free_probabilities_of_the_pasts_seen():
    mdp, _, demos = some_play(4)
    for order in (1, 2, 3):
        seen = {past for past, _ in tally(demos, order)}
        free = sum(int(mdp.allowed[past[0]].sum()) - 1 for past in seen)
        assert fit(demos, CountTable(order, smoothing=1.0), mdp).num_parameters == free
    assert fit(demos, CountTable(0), mdp).num_parameters == mdp.num_actions - 1


def test_counts_stand_for_the_demonstrations():
    mdp, _, demos = some_play(6, missing=0.1)
    for order in (0, 1):
        for smoothing in (None, 0.5):
            solver = CountTable(order, smoothing=smoothing)
            whole = fit(demos, solver, mdp)
            narrow = fit(count(demos, mdp), solver, mdp)
            assert_allclose(
                action_probabilities(narrow, demos), action_probabilities(whole, demos), atol=1e-9
            )
            assert narrow.num_parameters == whole.num_parameters
            assert_array_equal(narrow.visits, whole.visits)


@pytest.mark.parametrize("of", ["states", "actions"])
def test_counts_in_a_world_with_history_know_the_past(of):
    mdp, _, demos = some_play(7)
    longer = mdp.with_history(3, of=of)
    counts = count(demos, longer)
    plain = fit(demos, CountTable(2, of=of), mdp)
    for order in (1, 2, 3):
        narrow = fit(counts, CountTable(order, of=of), longer)
        whole = fit(demos, CountTable(order, of=of), longer)
        expected = action_probabilities(whole, demos)
        assert_allclose(action_probabilities(narrow, demos), expected, atol=1e-9)
        if order == 2:
            assert_allclose(action_probabilities(plain, demos), expected, atol=1e-9)
    with pytest.raises(InputError, match="cannot make a table of order 4"):
        fit(counts, CountTable(4, of=of, smoothing=1.0), longer)
    other = "actions" if of == "states" else "states"
    with pytest.raises(InputError, match=f"over {other}"):
        fit(counts, CountTable(2, of=other, smoothing=1.0), longer)


def test_counts_that_do_not_know_the_past_or_the_units_are_refused():
    mdp, _, demos = some_play(8)
    with pytest.raises(InputError, match="do not say what came before"):
        fit(count(demos, mdp), CountTable(2), mdp)
    single = count(demos.take([0]), mdp)
    with pytest.raises(InputError, match="cannot choose the smoothing"):
        fit(single, CountTable(1), mdp)
    assert fit(single, CountTable(1, smoothing=0.5), mdp).status.ok


def two_worlds() -> tuple[dict[str, MDP], Demonstrations]:
    rng = np.random.default_rng(9)
    worlds = {f"w{i}": random_mdp(rng, 4 + i, 3, terminals=False) for i in range(3)}
    parts = []
    for name, mdp in worlds.items():
        part = play(rng, mdp, random_policy(rng, mdp), trajectories=6)
        names = {"world": np.full(6, name), "subject": part.trajectories["subject"]}
        parts.append(
            Demonstrations(
                part.states,
                part.actions,
                part.next_states,
                part.endings,
                part.starts,
                trajectories=names,
            )
        )
    return worlds, concatenate(parts)


@pytest.mark.parametrize("history", [1, 2])
def test_worlds_are_counted_apart(history):
    worlds, demos = two_worlds()
    united = {name: mdp.with_history(history) for name, mdp in worlds.items()}
    for order in (1, 3):
        solver = CountTable(order, smoothing=0.5, backoff=False)
        together = fit(demos, solver, united)
        for name, mdp in worlds.items():
            own = demos.select(world=name)
            assert_allclose(
                action_probabilities(together, own),
                action_probabilities(fit(own, solver, mdp), own),
                atol=1e-12,
            )


def test_a_table_cannot_be_carried_to_another_world():
    worlds, demos = two_worlds()
    train, test = demos.select(world=["w0", "w2"]), demos.select(world="w1")
    for known in (worlds, {n: worlds[n] for n in ("w0", "w2")}):
        solution = fit(train, CountTable(1), known)
        with pytest.raises(InputError, match="cannot be carried to a world"):
            action_probabilities(solution, test)
        assert action_probabilities(solution, train).shape == (train.num_decisions, 3)
    marginal = fit(train, CountTable(0), worlds)
    assert_allclose(action_probabilities(marginal, test).sum(1), 1)
    with pytest.raises(InputError, match="several worlds"):
        fit(demos, CountTable(1))


def test_order_and_smoothing_are_checked():
    for settings, words in (
        ({"order": -1}, "order must be 0 or more"),
        ({"smoothing": -1.0}, "smoothing must be"),
        ({"smoothing": float("nan")}, "smoothing must be"),
        ({"smoothing": float("inf")}, "smoothing must be"),
        ({"smoothing": 0.0}, "smoothing must be"),
        ({"of": "dreams"}, "of must be"),
    ):
        with pytest.raises(InputError, match=words):
            CountTable(**settings)
    assert CountTable(smoothing=0.0, backoff=False).smoothing == 0


def test_what_cannot_be_counted_is_refused():
    features = Demonstrations.from_arrays(np.zeros((3, 2)), [0, 1, 0])
    with pytest.raises(InputError, match="bin the features"):
        fit(features, CountTable(1))
    silent = Demonstrations.from_arrays([0, 1], [-1, -1])
    with pytest.raises(InputError, match="nothing to count"):
        fit(silent, CountTable(1))
    demos = Demonstrations.from_arrays([0, 1], [0, 1])
    with pytest.raises(InputError, match="weights"):
        fit(demos, CountTable(1), weights=np.array([1.0, -1.0]))
    mdp = MDP.from_dense(np.tile(np.eye(2)[:, None], (1, 2, 1)), discount=0.5)
    with pytest.raises(InputError, match="row 2: state 5"):
        fit(Demonstrations.from_arrays([0, 5], [0, 1]), CountTable(1), mdp)
