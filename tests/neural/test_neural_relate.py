"""Encoding and decoding against dull loops, and how often nothing is called something."""

from dataclasses import replace

import numpy as np
import pytest

from inverseq import (
    IAVI,
    CountTable,
    Demonstrations,
    InputError,
    Intentions,
    Recording,
    Signal,
    fit,
    worlds,
)
from inverseq.forward import simulate, soft_policy_iteration
from inverseq.neural.activity import Window
from inverseq.neural.nulls import shift_orders
from inverseq.neural.relating import decoding, encoding, read_out, relate
from inverseq.neural.series import Regressors, regressors

GRID = worlds.gridworld(4, 4, wins=((3, 3),), step_reward=-0.5)
PLAN = soft_policy_iteration(GRID.mdp)
DEMOS = simulate(GRID.mdp, PLAN.policy, trajectories=60, steps=30, seed=0)
DEMOS = replace(DEMOS, time=np.arange(DEMOS.num_decisions) * 1.0 + 10.0)


def orders(rows, shuffles=20):
    return shift_orders(np.array([0, rows]), permutations=shuffles, seed=0)


def test_regressors_by_hand_and_their_laws():
    found = fit(DEMOS, IAVI(backup="soft"), GRID.mdp)
    series = regressors(found, DEMOS).series
    row = int(np.flatnonzero(DEMOS.step == 1)[0])
    s, a, then = DEMOS.states[row], DEMOS.actions[row], DEMOS.next_states[row]
    assert series["value"][row] == found.v[s]
    assert series["action value"][row] == found.q[s, a]
    error = found.reward[s, a] + GRID.mdp.discount * found.v[then] - found.v[s]
    assert series["prediction error"][row] == pytest.approx(error)
    entropy = -(found.policy.table[s] * np.log(found.policy.table[s])).sum()
    assert series["entropy"][row] == pytest.approx(entropy)
    assert series["surprise"][row] == pytest.approx(-np.log(found.policy.table[s, a]) - entropy)
    # With the soft backup log pi = Q - V, so the advantage is minus the surprise.
    np.testing.assert_allclose(series["advantage"], -series["surprise"], atol=1e-8)
    assert "switch" not in series
    assert [*regressors(fit(DEMOS, CountTable()), DEMOS).series] == ["surprise", "entropy"]


def test_where_a_trajectory_ended_counts_where_it_is_known():
    found = fit(DEMOS, IAVI(backup="soft"), GRID.mdp)
    ends = DEMOS.starts[1:] - 1
    row = int(ends[~GRID.mdp.terminal[DEMOS.states[ends]]][0])
    s, a = int(DEMOS.states[row]), int(DEMOS.actions[row])
    for then in (-1, *range(GRID.mdp.num_states)):
        led = np.array(DEMOS.next_states)
        led[row] = then
        told = replace(DEMOS, next_states=led, following=None)
        onward = found.v[then] if then >= 0 else GRID.mdp.expected(found.v)[s, a]
        wanted = found.reward[s, a] + GRID.mdp.discount * onward - found.v[s]
        assert regressors(found, told).series["prediction error"][row] == pytest.approx(wanted)


def test_several_intentions_weigh_what_each_says():
    found = fit(DEMOS, Intentions(2, solver=IAVI(), restarts=1), GRID.mdp)
    series = regressors(found, DEMOS).series
    np.testing.assert_allclose(series["intention 1"] + series["intention 2"], 1.0)
    values = np.stack([one.v[DEMOS.states] for one in found.intentions], axis=1)
    beliefs = np.stack([series["intention 1"], series["intention 2"]], axis=1)
    np.testing.assert_allclose(series["value"], (values * beliefs).sum(axis=1))
    assert np.isnan(series["switch"][DEMOS.starts[:-1]]).all()
    assert (series["switch"][~np.isnan(series["switch"])] >= 0).all()


def test_series_go_on_any_clock():
    made = Regressors({"value": np.array([1.0, 2.0])}, np.array([0.5, 1.5]))
    on = made.on(np.array([0.0, 0.5, 1.4, 9.0]))
    np.testing.assert_array_equal(on.series["value"], [np.nan, 1.0, 1.0, 2.0])
    assert [*made.to_pandas().columns] == ["time", "value"]


def test_encoding_is_what_a_dull_loop_finds():
    rng = np.random.default_rng(0)
    z = np.concatenate([np.ones((60, 1)), rng.normal(size=(60, 2))], axis=1)
    g = rng.normal(size=(60, 2))
    y = g @ rng.normal(size=(2, 3)) + z @ rng.normal(size=(3, 3)) + rng.normal(size=(60, 3))
    found = encoding(y, g, z, orders(60), units="abc", names="de", blocks=4)
    left = lambda v: v - z @ np.linalg.lstsq(z, v, rcond=None)[0]  # noqa: E731
    for unit in range(3):
        for j in range(2):
            a, b, error = left(y[:, unit]), left(g[:, j]), 0.0
            for test in np.array_split(np.arange(60), 4):
                train = np.setdiff1d(np.arange(60), test)
                slope = (a[train] @ b[train]) / (b[train] @ b[train])
                error += ((a[test] - slope * b[test]) ** 2).sum()
            assert found.explained[unit, j] == pytest.approx(1 - error / (a @ a))
            assert found.correlations[unit, j] == pytest.approx(np.corrcoef(a, b)[0, 1])


def test_what_covariates_explain_up_to_rounding_is_not_explained_again():
    rng = np.random.default_rng(4)
    z = np.concatenate([np.ones((80, 1)), rng.normal(size=(80, 3))], axis=1)
    known = z @ rng.normal(size=(4, 1)) * 1e3
    noise, other = rng.normal(size=(80, 1)), rng.normal(size=(80, 1))
    found = encoding(
        np.concatenate([known, noise], 1), np.concatenate([known, other], 1), z, orders(80),
        units="ab", names="cd",
    )  # fmt: skip
    assert found.explained[:, 0].tolist() == found.explained[0].tolist() == [0.0, 0.0]
    assert found.correlations[:, 0].tolist() == found.correlations[0].tolist() == [0.0, 0.0]
    assert found.p_values[0].tolist() == [1.0, 1.0]
    assert found.explained[1, 1] != 0
    told, null = decoding(np.concatenate([known, noise], 1), known, z, orders(80))
    assert told.tolist() == [0.0]
    assert not null.any()


def test_shuffled_shares_are_those_of_shuffled_regressors():
    rng = np.random.default_rng(1)
    z, y, g = np.ones((50, 1)), rng.normal(size=(50, 2)), rng.normal(size=(50, 1))
    found = encoding(y, g, z, orders(50, 30), units="ab", names="c")
    alone = [
        encoding(y, g[order], z, orders(50, 2), units="ab", names="c").explained.ravel()
        for order in orders(50, 30)
    ]
    np.testing.assert_allclose(found.nulls.mean, np.mean(alone, axis=0), atol=1e-5)
    np.testing.assert_allclose(found.nulls.deviation, np.std(alone, axis=0, ddof=1), atol=1e-5)


def test_decoding_is_ridge_on_other_blocks():
    rng = np.random.default_rng(2)
    x, z = rng.normal(size=(40, 5)), np.ones((40, 1))
    g = x[:, :1] + 0.5 * rng.normal(size=(40, 1))
    observed, null = decoding(x, g, z, orders(40), penalty=0.2, blocks=4)
    a, b, error = (x - x.mean(0)) / x.std(0), g - g.mean(0), 0.0
    for test in np.array_split(np.arange(40), 4):
        train = np.setdiff1d(np.arange(40), test)
        ridge = a[train].T @ a[train] + 0.2 * 40 * np.eye(5)
        weights = np.linalg.solve(ridge, a[train].T @ b[train])
        error += ((b[test] - a[test] @ weights) ** 2).sum()
    assert observed[0] == pytest.approx(1 - error / (b**2).sum())
    assert null.shape == (20, 1)
    assert observed[0] > np.quantile(null, 0.9)


def slow(rng, rows, columns):
    """Random walks: what drifts and repeats itself."""
    return np.cumsum(rng.normal(size=(rows, columns)), axis=0) / np.sqrt(rows)


def test_drift_on_both_sides_fools_plain_tests_and_not_these():
    rng, clear, each, plain = np.random.default_rng(3), 0, 0, 0
    place = (np.arange(300) + 0.5) / 300
    z = np.concatenate([np.ones((300, 1)), np.cos(np.pi * place[:, None] * np.arange(1, 9))], 1)
    for number in range(60):
        y, g = (slow(rng, 300, 3) + 0.3 * rng.normal(size=(300, 3)) for _ in range(2))
        shifts = shift_orders(np.array([0, 300]), permutations=99, seed=number)
        found = encoding(y, g, z, shifts, units="abc", names="def")
        clear += found.adjusted.min() <= 0.05
        each += (found.p_values <= 0.05).mean()
        plain += (np.abs(np.corrcoef(y.T, g.T)[:3, 3:]) > 1.96 / np.sqrt(300)).mean()
    assert clear <= 8  # 3 expected; more has probability below 0.004
    assert each / 60 < 0.09
    assert plain / 60 > 0.5


def planted(seed=0):
    """Neurons of which the first fires with the value of the state, the second with the action."""
    series = regressors(fit(DEMOS, IAVI(backup="soft"), GRID.mdp), DEMOS)
    rng = np.random.default_rng(seed)
    value = series.series["value"]
    rates = np.stack(
        [
            6 + 3 * (value - value.mean()) / value.std(),
            4.0 + 4.0 * (DEMOS.actions == 1),
            np.full(len(value), 5.0),
        ]
    )
    counts = rng.poisson(np.maximum(rates, 0.2))
    times = np.asarray(DEMOS.time)
    spikes = [np.sort(np.repeat(times, c) - rng.uniform(0.0, 0.3, c.sum())) for c in counts]
    area = np.array(["striatum", "M1", "M1"])
    pupil = Signal(
        np.arange(0, times[-1], 0.1), rng.normal(size=(len(np.arange(0, times[-1], 0.1)), 1))
    )
    return Recording.from_spikes(spikes, units={"area": area}, signals={"pupil": pupil}), series


def test_a_planted_neuron_is_found_and_what_only_follows_actions_is_not():
    recording, series = planted()
    found = relate(recording, series, DEMOS, shuffles=199)
    assert found.units == ("unit 0", "unit 1", "unit 2", "pupil")
    value = found.regressors.index("value")
    assert found.adjusted[0, value] <= 0.01
    assert found.explained[0, value] > 0.2
    assert (found.adjusted[1:] > 0.05).all()
    bare = relate(recording, series, DEMOS, shuffles=199, covariates=())
    assert (bare.adjusted[1] <= 0.01).any()  # actions differ in what they are worth
    assert len(found.rows) == 4 * len(series.names)
    within = relate(recording, series, DEMOS, shuffles=199, null="exchange", within="trajectory")
    assert within.adjusted[0, value] <= 0.05


def test_a_value_is_read_out_before_the_decision_and_not_long_before():
    recording, series = planted()
    windows = (Window(-0.9, -0.6), Window(-0.3, 0.0))
    found = read_out(
        recording,
        Regressors({"value": series.series["value"]}),
        DEMOS,
        windows=windows,
        shuffles=60,
    )
    assert found.units == ("-0.9 to -0.6 s", "-0.3 to 0 s")
    assert found.adjusted[1, 0] <= 0.05 < found.adjusted[0, 0]


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda r, s: relate(r, s, DEMOS, covariates=("licks",)), "no covariate 'licks'"),
        (lambda r, s: relate(r, s, DEMOS, null="jitter"), "shift or exchange"),
        (lambda r, s: relate(r, s, DEMOS, blocks=1), "cannot be cut"),
        (
            lambda r, s: relate(r, s, DEMOS, null="exchange"),
            'take null="shift", or name in within=',
        ),
        (
            lambda r, s: relate(r, Regressors({"x": np.full(DEMOS.num_decisions, np.nan)}), DEMOS),
            "NaN everywhere",
        ),
        (lambda r, s: Regressors({"x": np.zeros(2), "y": np.zeros(3)}), "of one length"),
        (lambda r, s: Regressors({"x": np.zeros(2)}).on(np.zeros(1)), "have no times"),
        (lambda r, s: relate(r, Regressors({"x": np.zeros(2)}), DEMOS), "regressors must have"),
    ],
)
def test_what_cannot_be_related_is_refused(make, words):
    with pytest.raises(InputError, match=words):
        make(*planted())


def test_demonstrations_without_times_have_no_neurons():
    bare = Demonstrations.from_arrays(np.zeros(3, np.int64), np.zeros(3, np.int64))
    series = Regressors({"x": np.arange(3.0)})
    with pytest.raises(InputError, match="no times"):
        relate(planted()[0], series, bare)
