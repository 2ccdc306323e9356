"""The lever: its world by hand, the rat's policy against simulation, and neurons that cause it."""

from dataclasses import replace

import numpy as np
import pytest

from inverseq import InputError, worlds
from inverseq.forward import soft_value_iteration
from inverseq.worlds import Neurons, Rat, Silence, lever, lever_policy, lever_session
from inverseq.worlds.lever import HOLD, RELEASE, advantage, run_lever

WORLD = lever()
RAT, AWAKE = Rat(), Silence()


def spread(rat, silence=AWAKE):
    return worlds.release_distribution(lever_policy(rat, WORLD, silence))


def mean_bin(rat, silence=AWAKE):
    chance = spread(rat, silence)
    return float(chance @ np.arange(chance.size))


def test_the_world_by_hand():
    mdp = WORLD.mdp
    after = mdp.successors[:30, RELEASE, 0]
    assert [mdp.state_names[s] for s in (0, 16, 30, 31, 32)] == [
        *("0 s", "1.6 s", "early", "treat", "late")
    ]
    assert after.tolist() == [30] * 16 + [31] * 6 + [32] * 8
    assert mdp.successors[:30, HOLD, 0].tolist() == [*range(1, 30), 29]
    assert np.flatnonzero(mdp.reward[:, RELEASE]).tolist() == [*range(16, 22)]
    assert lever(0.2).mdp.num_states == 15 + 3
    assert mdp.terminal.tolist() == [False] * 30 + [True] * 3


def test_the_rat_plans_softly():
    rat, mdp = Rat(impulsivity=0.5), WORLD.mdp
    reward = np.zeros((33, 2))
    reward[:30] = [-0.15, 0.5]
    reward[16:22, RELEASE] += rat.treat
    q = soft_value_iteration(mdp, reward).q
    wanted = q[:30, RELEASE] - q[:30, HOLD]
    np.testing.assert_allclose(advantage(rat, WORLD)[:30], wanted, atol=1e-6)


@pytest.mark.parametrize("rat", [RAT, Rat(impulsivity=1.0, gives_up=0.5)])
@pytest.mark.parametrize("silence", [AWAKE, Silence("movement", 0.5, 1.5)])
def test_the_exact_policy_is_what_many_trials_do(rat, silence):
    made = run_lever(rat, WORLD, 40_000, np.random.default_rng(0), silence)
    seen = np.bincount(made.bins, minlength=31) / 40_000
    np.testing.assert_allclose(seen, spread(rat, silence), atol=0.012)


def test_what_a_rat_is_shows_in_what_it_does():
    early = lambda rat: spread(rat)[:16].sum()  # noqa: E731
    assert early(RAT) < early(replace(RAT, timing=0.3)) < 1
    assert early(RAT) < early(replace(RAT, impulsivity=1.5))
    assert early(RAT) < early(replace(RAT, gives_up=0.6))
    assert early(replace(RAT, timing=0.0)) < 0.05
    made = run_lever(Rat(gives_up=0.8), WORLD, 2000, np.random.default_rng(1))
    assert made.bins[:500].mean() > made.bins[-500:].mean() + 3


def test_clocks_err_in_proportion_to_time():
    spreads = []
    for cue in (0.8, 1.6):
        world = lever(0.05, cue=cue, longest=5.0)
        made = run_lever(Rat(latency=3.0, timing=0.2), world, 20_000, np.random.default_rng(0))
        spreads.append(np.std(made.bins[made.engaged & (made.bins > 5)]))
    assert 1.5 < spreads[1] / spreads[0] < 2.5


def test_silence_moves_the_release_as_its_population_says():
    at = mean_bin(RAT)
    for dose in (0.3, 0.8):
        assert mean_bin(RAT, Silence("preparation", dose)) < at - 1
        assert mean_bin(RAT, Silence("movement", dose)) > at + 0.5
    for silence in (Silence("untuned", 1.0), Silence("cue", 1.0), Silence("movement", 0.0)):
        np.testing.assert_array_equal(spread(RAT, silence), spread(RAT))
    only_late = spread(RAT, Silence("preparation", 0.9, 1.0, 1.5))
    np.testing.assert_allclose(only_late[:10], spread(RAT)[:10])


def test_rows_say_what_happened():
    demos, recording, made = lever_session(Rat(gives_up=0.3), 100, seed=3)
    assert demos.num_trajectories == 100
    assert np.diff(demos.starts).tolist() == np.minimum(made.bins + 1, 30).tolist()
    columns, last = demos.trajectories, demos.starts[1:] - 1
    released = np.isfinite(columns["release"])
    np.testing.assert_allclose(columns["release"][released], demos.time[last][released])
    np.testing.assert_array_equal(np.isnan(columns["cue"]), columns["outcome"] == "early")
    np.testing.assert_allclose(
        columns["cue"] - columns["press"], np.where(made.bins < 16, np.nan, 1.6)
    )
    for name in ("press", "cue", "release"):
        known = columns[name][np.isfinite(columns[name])]
        np.testing.assert_array_equal(recording.events[name], known)
    assert (columns["press"][1:] > columns["press"][:-1] + 1.0).all()


def rate(session, population, start, stop, silenced=False):
    """Mean rate of a population over windows, in spikes a second."""
    chosen = session.recording.take(session.recording.units["population"] == population)
    spikes = np.sort(chosen.spikes)
    count = np.searchsorted(spikes, stop) - np.searchsorted(spikes, start)
    return count.sum() / (stop - start).sum() / chosen.num_units


def test_populations_fire_when_they_should():
    session = lever_session(RAT, 300, seed=0, neurons=Neurons(each=6))
    columns = session.demonstrations.trajectories
    treat = columns["outcome"] == "treat"
    press, cue, release = (columns[n][treat] for n in ("press", "cue", "release"))
    rest = {
        p: rate(session, p, press - 0.9, press - 0.3)
        for p in ("preparation", "movement", "cue", "reward", "untuned")
    }
    assert rate(session, "preparation", cue - 0.3, cue) > 1.5 * rest["preparation"]
    assert rate(session, "preparation", cue - 0.3, cue) > rate(
        session, "preparation", press, press + 0.3
    )
    assert rate(session, "movement", release - 0.1, release + 0.1) > 2 * rest["movement"]
    assert rate(session, "movement", press, press + 1.0) < 1.2 * rest["movement"]
    assert (
        rate(session, "cue", cue, cue + 0.2)
        > 1.8 * rest["cue"]
        > 1.5 * rate(session, "cue", press, press + 1.0)
    )
    assert rate(session, "reward", release, release + 0.2) > 1.8 * rest["reward"]
    assert rate(session, "reward", press, release) == pytest.approx(rest["reward"], rel=0.1)
    for start, stop in ((press, cue), (release, release + 0.2)):
        assert rate(session, "untuned", start, stop) == pytest.approx(rest["untuned"], rel=0.1)


def test_silenced_neurons_are_silent_and_only_they():
    silence = Silence("preparation", 1.0, 0.0, 1.0)
    session = lever_session(RAT, 100, seed=0, silence=silence)
    press = session.demonstrations.trajectories["press"]
    assert rate(session, "preparation", press, press + 0.1) == 0
    assert rate(session, "untuned", press, press + 0.1) > 5
    assert session.trials.bins.mean() < lever_session(RAT, 100, seed=0).trials.bins.mean() - 2


def test_neurons_without_signal_tell_nothing_and_counts_are_reproducible():
    flat = Neurons(signal=0.0, gain=0.0, drift=0.0, shared=0.0)
    session = lever_session(RAT, 200, seed=1, neurons=flat)
    press = session.demonstrations.trajectories["press"]
    rest = rate(session, "preparation", press - 0.9, press - 0.3)
    assert rate(session, "preparation", press, press + 0.6) == pytest.approx(rest, rel=0.1)
    again = lever_session(RAT, 200, seed=1, neurons=flat).recording
    np.testing.assert_array_equal(session.recording.spikes, again.spikes)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: lever(2.0), "bins narrower"),
        (lambda: lever(longest=2.0), "longest after"),
        (lambda: lever(0.0), "width=0"),
        (lambda: Rat(gives_up=2.0), "a share"),
        (lambda: Silence(dose=1.5), "dose"),
        (lambda: Neurons(each=0), "1 or more neurons"),
        (lambda: Neurons(shared=-1), "sizes not below"),
        (lambda: Neurons().silence("prep", 0.1), "population must be one of preparation, movement"),
        (lambda: lever_session(RAT, 0, seed=0), "1 or more trials"),
        (lambda: lever_policy(RAT, worlds.four_by_three()), "has no lever"),
        (lambda: worlds.rats(0, seed=0), "1 or more rats"),
    ],
)
def test_what_cannot_be_is_refused(make, words):
    with pytest.raises(InputError, match=words):
        make()


def test_rats_differ_and_every_third_gives_up():
    made = worlds.rats(6, seed=0)
    assert len({rat.treat for rat in made}) == 6
    assert [rat.gives_up > 0 for rat in made] == [False, False, True] * 2
