"""NeuRL and its yardsticks: laws of each step, matches by hand, and what a rat's neurons tell."""

from dataclasses import replace

import numpy as np
import pytest

from inverseq import (
    IAVI,
    IQL,
    CountTable,
    Demonstrations,
    InputError,
    Intentions,
    MaxEnt,
    fit,
    worlds,
)
from inverseq.neural.activity import Window
from inverseq.neural.embedding import embed
from inverseq.neural.foretell import Classifier, Hazard, Inputs, NeuRL
from inverseq.neural.matching import (
    Reading,
    choose_reading,
    drawn_match,
    folds_of,
    match,
    paired,
)
from inverseq.neural.readout import Design, Readout, fit_readout
from inverseq.neural.searching import METHODS, search
from inverseq.neural.silencing import effect_of_means, foretold_distribution, silenced
from inverseq.neural.trials import waiting
from inverseq.worlds import Neurons, Rat, lever, lever_policy, lever_session, release_distribution

WORLD = lever()
SESSION = lever_session(Rat(), 160, seed=0, neurons=Neurons(each=4), world=WORLD)
DATA = waiting(SESSION.demonstrations, SESSION.recording, WORLD.mdp, "release")
TRAIN, TEST = DATA.take(np.arange(0, 160, 2)), DATA.take(np.arange(1, 160, 2))
POPULATION = SESSION.recording.units["population"]


def test_a_linear_readout_is_ridge_and_chances_are_logistic():
    rng = np.random.default_rng(0)
    x, y = rng.normal(2.0, 3.0, (50, 3)), rng.normal(size=(50, 2))
    made = fit_readout(Readout(penalty=5.0), Design(x), y)
    z, wanted = (x - x.mean(0)) / x.std(0), (y - y.mean(0)) / y.std(0)
    by_hand = np.linalg.solve(z.T @ z + 5.0 * np.eye(3), z.T @ wanted) * y.std(0)
    np.testing.assert_allclose(made.predict(x), z @ by_hand + y.mean(0))
    hit = (y[:, :1] > 0).astype(float)
    made = fit_readout(Readout(penalty=5.0), Design(x), hit, "chances")
    error = 1 / (1 + np.exp(-made.predict(x))) - hit
    np.testing.assert_allclose(error.sum(), 0.0, atol=1e-2)
    np.testing.assert_allclose(z.T @ error + 5.0 * made.out, 0.0, atol=1e-2)


@pytest.mark.parametrize("kind", ["values", "chances"])
def test_a_latent_layer_learns_what_no_line_can(kind):
    rng = np.random.default_rng(1)
    x = rng.normal(size=(400, 2))
    y = (x[:, :1] * x[:, 1:] > 0).astype(float)
    corr = {}
    for latent in (0, 6):
        made = fit_readout(Readout(0.1, latent, 300), Design(x), y, kind)
        corr[latent] = np.corrcoef(made.predict(x)[:, 0], y[:, 0])[0, 1]
    assert corr[0] < 0.3
    assert corr[6] > 0.8


def test_trials_lie_on_one_grid_whatever_their_length():
    lengths = np.diff(SESSION.demonstrations.starts)
    assert DATA.states.tolist() == [[*range(30)]] * 160
    np.testing.assert_array_equal(DATA.seen.sum(axis=1), lengths)
    np.testing.assert_array_equal(DATA.happened, SESSION.trials.bins)
    assert DATA.step == pytest.approx(0.1)
    press = SESSION.demonstrations.trajectories["press"][7]
    spikes = SESSION.recording.unit(3)
    low, high = press + 1.1, press + 1.2
    assert DATA.activity[7, 12, 3, 2] == ((spikes >= low) & (spikes < high)).sum()


def test_without_own_acts_neurl_reads_the_reward_of_the_state():
    clock = NeuRL(readout=Readout(1e-6), inputs=Inputs(0, clock=True), own=0.0)
    found = clock.prepare(TRAIN)
    wanted = fit(TRAIN.demonstrations, IAVI(backup="soft"), WORLD.mdp)
    seen = np.unique(TRAIN.states[TRAIN.seen])
    np.testing.assert_allclose(found.rewards(TRAIN)[0, seen], wanted.reward[seen], atol=1e-4)
    # One backup over the very reward of the solver gives its policy back.
    policy = np.log(wanted.policy.table[seen, 1] / wanted.policy.table[seen, 0])
    np.testing.assert_allclose(found.foretell(TRAIN)[0, seen], policy, atol=1e-4)


@pytest.mark.parametrize(
    "solver",
    [IAVI(), MaxEnt(strength=1.0), IQL(), Intentions(2, solver=IAVI(backup="soft"), restarts=2)],
    ids=lambda solver: type(solver).__name__,
)
def test_any_solver_can_take_the_first_step(solver):
    method = NeuRL(solver, Readout(30.0), own=0.9)
    logits = method.prepare(TRAIN).foretell(TEST)
    assert match(logits, choose_reading(logits, TEST), TEST).gain > 0.02


def test_neurons_foretell_what_a_clock_cannot():
    gains = {}
    for name, method in {
        "hazard": Hazard(),
        "NeuRL": NeuRL(readout=Readout(30.0), own=0.9),
        "LR": Classifier(Readout(30.0)),
    }.items():
        logits = method.prepare(TRAIN).foretell(TEST)
        gains[name] = match(logits, choose_reading(logits, TEST), TEST)
    for name in ("NeuRL", "LR"):
        assert gains[name].gain > gains["hazard"].gain + 0.02
        assert gains[name].near_1 > gains["hazard"].near_1 + 0.1


def test_matches_by_hand():
    data = TEST.take(np.arange(3))
    data = replace(data, happened=np.array([4, 10, 30]))
    logits = np.full((3, 30), -5.0)
    logits[0, 5], logits[1, 8], logits[2, 20] = 5.0, 5.0, 5.0
    found = match(logits, Reading(1.0, 0.0, 0.0), data)
    assert (found.exact, found.near_1, found.near_2) == (0.0, 1 / 3, 2 / 3)
    never = match(np.full((3, 30), -5.0), Reading(1.0, 0.0, 0.0), data)
    assert never[:3] == (0.0, 0.0, 0.0)  # not even where nothing happened
    drawn = drawn_match(np.full((3, 30), 1.0), replace(data, happened=np.array([0, 1, 9])), 3, 0)
    assert drawn[:3] == pytest.approx((1 / 3, 2 / 3, 2 / 3))


@pytest.mark.parametrize(
    "method",
    [
        Hazard(),
        Classifier(Readout(30.0), Inputs(clock=True)),
        NeuRL(readout=Readout(30.0), own=0.9),
        NeuRL(Intentions(2, solver=IAVI(backup="soft"), restarts=1), Readout(30.0)),
    ],
    ids=["hazard", "classifier", "NeuRL", "intentions"],
)
def test_the_length_of_a_record_tells_a_method_nothing(method):
    demos, cut = SESSION.demonstrations, np.ones(SESSION.demonstrations.num_decisions, dtype=bool)
    cut[demos.starts[1:] - 1] = np.diff(demos.starts) == 1  # the act itself is not in the record
    shorter = Demonstrations.from_arrays(
        demos.states[cut],
        demos.actions[cut],
        trajectory=demos.trajectory_of[cut],
        time=demos.time[cut],
        state_names=demos.state_names,
        action_names=demos.action_names,
    )
    fitted = method.prepare(TRAIN)
    blind = waiting(shorter, SESSION.recording, WORLD.mdp, "release")
    assert (blind.happened == 30).mean() > 0.9
    np.testing.assert_allclose(fitted.foretell(blind), fitted.foretell(DATA), atol=1e-5)


def test_paired_intervals_and_folds():
    parts = folds_of(11, 3)
    assert sorted(np.concatenate(parts).tolist()) == [*range(11)]
    found = paired(np.array([0.5, 0.7, 0.6]), np.array([0.4, 0.4, 0.4]))
    assert found.mean == pytest.approx(0.2)
    assert found.low == pytest.approx(0.2 - 4.3027 * np.sqrt(0.01 * (1 / 3 + 1 / 2)), abs=1e-4)
    assert paired(np.ones(4), np.zeros(4)).low == 1.0


def test_silencing_takes_spikes_from_where_and_when_it_says():
    units = POPULATION == "movement"
    less = silenced(DATA, units, 0.25, 1.0, 1.5)
    np.testing.assert_array_equal(less.activity[:, :, ~units], DATA.activity[:, :, ~units])
    np.testing.assert_allclose(less.activity[:, 14, units], 0.75 * DATA.activity[:, 14, units])
    np.testing.assert_array_equal(less.activity[:, :10], DATA.activity[:, :10])
    changed = (less.activity != DATA.activity).any(axis=(0, 2))
    assert changed[10].tolist() == [False] * 3  # pieces of step 10 end at 1.0 s
    assert changed[17].tolist() == [True, False, False]


def test_silenced_movement_is_foretold_to_delay_and_untuned_neurons_to_do_nothing():
    fitted = NeuRL(readout=Readout(30.0), own=0.97).prepare(TRAIN)
    reading = choose_reading(fitted.foretell(TEST), TEST)
    usual = foretold_distribution(fitted, reading, TEST)
    truth = release_distribution(lever_policy(Rat(), WORLD))
    assert usual.sum() == pytest.approx(1.0)
    assert np.corrcoef(usual, truth)[0, 1] > 0.8
    later = {}
    for name in ("movement", "untuned"):
        made = foretold_distribution(fitted, reading, silenced(TEST, name == POPULATION, 0.3))
        later[name] = float((made - usual) @ np.arange(31))
    assert later["movement"] > 1.0
    assert abs(later["untuned"]) < 0.5


def test_means_of_steps_tell_what_silenced_preparation_does_and_trials_do_not():
    rat, neurons = Rat(), Neurons(signal=0.5)
    made = lever_session(rat, 1000, seed=1, neurons=neurons, world=WORLD)
    data = waiting(made.demonstrations, made.recording, WORLD.mdp, "release")
    learn, check = data.take(np.arange(0, 1000, 2)), data.take(np.arange(1, 1000, 2))
    fitted = Classifier(Readout(100.0), Inputs(clock=True)).prepare(learn)
    reading = choose_reading(fitted.foretell(check), check)
    usual = foretold_distribution(fitted, reading, check)

    def wanted(*silence):
        less, all_of_it = (
            lever_policy(rat, WORLD, *how) for how in ((neurons.silence(*silence),), ())
        )
        return release_distribution(less) - release_distribution(all_of_it)

    for population in ("preparation", "movement"):
        units = made.recording.units["population"] == population
        true = wanted(population, 0.2)
        told = foretold_distribution(fitted, reading, check, effect_of_means(data, units, 0.2))
        assert np.corrcoef(np.cumsum(told - usual), np.cumsum(true))[0, 1] > 0.9
        shifts = [float(change @ np.arange(31)) for change in (told - usual, true)]
        assert 0.5 < shifts[0] / shifts[1] < 2.0
    paper = foretold_distribution(
        fitted, reading, silenced(check, made.recording.units["population"] == "preparation", 0.2)
    )
    assert np.corrcoef(np.cumsum(paper - usual), np.cumsum(wanted("preparation", 0.2)))[0, 1] < 0.8
    late = effect_of_means(data, units, 0.2, 1.0, 1.5)
    np.testing.assert_array_equal(late != 0, (np.arange(30) > 10) & (np.arange(30) < 16))
    for population in ("untuned", "reward"):  # the means of their steps differ by noise alone
        units = made.recording.units["population"] == population
        told = foretold_distribution(fitted, reading, check, effect_of_means(data, units, 0.5))
        assert abs((told - usual) @ np.arange(31)) < 0.1  # of a step


def test_neurons_that_drift_while_the_rat_gives_up_are_not_taken_to_move_it():
    made = lever_session(
        Rat(gives_up=0.6), 1000, seed=7, neurons=Neurons(signal=0.5, drift=0.8), world=WORLD
    )
    data = waiting(made.demonstrations, made.recording, WORLD.mdp, "release")
    moved = {
        name: np.abs(effect_of_means(data, made.recording.units["population"] == name, 0.5)).max()
        for name in ("untuned", "reward", "movement")
    }
    assert moved["movement"] > 2.0  # nats
    assert max(moved["untuned"], moved["reward"]) < 0.1


def test_trials_are_placed_by_what_varies_most():
    group = np.arange(160) % 4 == 0
    activity = np.array(DATA.activity)
    activity[group, 5:10, :8] += 9.0
    planted = replace(DATA, activity=activity)
    made = embed(planted, 0.5, 1.0)
    assert made.points.shape == (160, 2)
    assert made.shares[0] > 2 * made.shares[1] > 0
    assert abs(np.corrcoef(made.points[:, 0], group)[0, 1]) > 0.95
    assert abs(np.corrcoef(embed(planted, 1.2, 1.5).points[:, 0], group)[0, 1]) < 0.5
    np.testing.assert_allclose(made.points.mean(axis=0), 0.0, atol=1e-9)
    fitted = NeuRL(readout=Readout(30.0, 3)).prepare(TRAIN)
    learned = embed(DATA, 0.5, 1.0, fitted=fitted, dimensions=3)
    x = fitted.method.inputs.of(DATA)[:, 5:10]
    hidden = np.tanh(
        (x - fitted.readout.centre) / fitted.readout.scale @ fitted.readout.into
        + fitted.readout.into_bias
    ).mean(axis=1)
    hidden = hidden - hidden.mean(axis=0)
    np.testing.assert_allclose(
        learned.points @ learned.points.T, hidden @ hidden.T, atol=1e-4
    )  # the same but for a turn


def test_signals_are_placed_as_they_are_and_spikes_by_their_roots():
    turned = replace(DATA, activity=-DATA.activity)
    signals = replace(turned, units=np.full_like(DATA.units, -1))
    shown = DATA.activity[..., -1][:, 5:10].mean(axis=1)
    expected = (shown - shown.mean(axis=0)) / shown.std(axis=0)
    variance = np.linalg.svd(expected, compute_uv=False)[:2] ** 2 / (expected**2).sum()
    np.testing.assert_allclose(embed(signals, 0.5, 1.0).shares, variance, rtol=1e-4)
    assert embed(turned, 0.5, 1.0).shares.tolist() == [0.0, 0.0]  # counts are not below 0


def test_search_is_nested_and_goes_on_where_it_was_killed(tmp_path):
    told, few = [], DATA.take(np.arange(80))
    asked = {
        "configurations": 2,
        "folds": 2,
        "methods": ("NeuRL", "LR and clock", "hazard", "random"),
        "keep": tmp_path,
        "progress": lambda *step: told.append(step),
    }
    found = search(few, **asked)
    assert found.matches.shape == (4, 2, 4)
    assert found.of("NeuRL").mean() > found.of("random").mean() + 0.1
    assert len(found.chosen["NeuRL"]) == 2
    told.clear()
    again = search(few, **asked)
    np.testing.assert_array_equal(found.matches, again.matches)
    assert told == [("searches", 8, 8)]
    # Nothing recorded in the fold held out can enter the choice for it.
    activity = np.array(few.activity)
    activity[folds_of(80, 2)[0]] = 0.0
    other = search(
        replace(few, activity=activity),
        **{**asked, "keep": None, "methods": ("NeuRL", "LR and clock")},
    )
    for name in ("NeuRL", "LR and clock"):
        assert other.chosen[name][0] == found.chosen[name][0]
        assert other.of(name)[0] != found.of(name)[0]


def table(steps, actions=None, states=None):
    """Trials that release in the last of so many steps of 0.1 s."""
    place = np.concatenate([np.arange(n) for n in steps])
    last = np.concatenate([np.arange(n) == n - 1 for n in steps]).astype(np.int64)
    trial = np.repeat(np.arange(len(steps)), steps)
    return {
        "states": place if states is None else np.array(states),
        "actions": last if actions is None else np.array(actions),
        "trajectory": trial,
        "time": 3.0 * trial + 0.1 * place,
        "state_names": WORLD.mdp.state_names[: place.max() + 1],
        "action_names": WORLD.mdp.action_names,
    }


def late(columns, row, seconds):
    time = columns["time"].copy()
    time[row] += seconds
    return columns | {"time": time}


def without(columns, row):
    return {
        name: np.delete(values, row) if isinstance(values, np.ndarray) else values
        for name, values in columns.items()
    }


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        (late(table([4, 5]), 6, 0.04), r"trial 2, decision 3 is 0\.24 s .* steps of 0\.1 s.*\(1 "),
        (without(table([4, 5]), 6), "trial 2, decision 3 is 0.3 s after the first, off the steps"),
        (table([3], states=[0, 2, 3]), "trial 1, decision 2 is in state 2, one who waits is in 1"),
        (table([3], actions=[0, 1, 0]), "decision 2 ends the wait, and the trial goes on"),
        (table([3, 2], states=[0, 1, 2, 29, 29]), "decision 2 comes after the 1 steps"),
        (table([1, 1]), "no trial has two decisions"),
    ],
)
def test_trials_that_the_grid_would_misread_are_refused(columns, words):
    with pytest.raises(InputError, match=words):
        waiting(Demonstrations.from_arrays(**columns), SESSION.recording, WORLD.mdp, "release")
    good = Demonstrations.from_arrays(**table([4, 5]))
    assert waiting(good, SESSION.recording, WORLD.mdp, "release").happened.tolist() == [3, 4]


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: NeuRL(CountTable()).prepare(TRAIN), "finds a reward"),
        (lambda: NeuRL(own=1.0), "own must lie"),
        (lambda: Readout(penalty=0.0), "penalty above 0"),
        (lambda: Inputs(0).of(DATA), "look at 1 to 3"),
        (lambda: Inputs(4).of(DATA), "look at 1 to 3"),
        (lambda: search(DATA, configurations=0), "1 or more configurations"),
        (lambda: search(DATA, methods=("SVM",)), f"one of {METHODS[0]}"),
        (lambda: search(DATA, methods=("LR", "SVM")), f"one of {METHODS[0]}"),
        (lambda: search(DATA, methods=()), "1 or more configurations and methods"),
        (lambda: folds_of(3, 4), "3 trials"),
        (lambda: silenced(DATA, POPULATION == "cue", 2.0), "dose"),
        (lambda: effect_of_means(DATA, POPULATION == "cue", 2.0), "dose"),
        (lambda: effect_of_means(DATA.take(np.arange(9)), POPULATION == "cue", 0.1), "more trials"),
        (
            lambda: effect_of_means(replace(DATA, window=Window()), POPULATION == "cue", 0.1),
            r"window=Window\(-0.2, 0.0, 2\)",
        ),
        (lambda: embed(DATA, 9.0, 9.5), "no step"),
        (lambda: embed(DATA, 0.0, 1.0, fitted=Hazard().prepare(TRAIN)), "reads nothing"),
        (
            lambda: waiting(SESSION.demonstrations, SESSION.recording, WORLD.mdp, "jump"),
            "hold, release",
        ),
        (
            lambda: waiting(
                SESSION.demonstrations, SESSION.recording, worlds.four_by_three().mdp, 0, Window()
            ),
            "two actions",
        ),
    ],
)
def test_what_makes_no_sense_is_refused(make, words):
    with pytest.raises(InputError, match=words):
        make()
