"""The Objectworld study, small: its numbers against oracles, its tables, what it refuses."""

from dataclasses import replace

import numpy as np
import pytest

from inverseq import IAVI, InputError, fit
from inverseq.evaluate.rewards import squared_value_difference
from inverseq.forward import value_iteration
from inverseq.policies import boltzmann, uniform
from inverseq.studies import Effort
from inverseq.studies.objectworld import Board, Settings
from inverseq.studies.objectworld.fits import changed_world, measure_in
from inverseq.studies.objectworld.record import mean_and_error, score_table
from inverseq.studies.objectworld.study import METHODS, run
from inverseq.worlds import objectworld as make_world
from inverseq.worlds import objectworld_demonstrations, objectworld_expert

BOARD = {"size": 6, "objects": 5}


@pytest.fixture(scope="module")
def done():
    """Its record, its result and the steps reported, for two worlds."""
    steps = []
    settings = Settings(worlds=2, sizes=(12, 3), transfer_size=12, board=Board(6, 5))
    found = run(settings, Effort(seed=2, workers=1, progress=lambda *step: steps.append(step)))
    return found.record, found, steps


def dense_values(mdp, policy):
    transitions = np.einsum(
        "sa,sab,sabt->st", policy, mdp.probabilities, np.eye(mdp.num_states)[mdp.successors]
    )
    earned = (policy * mdp.reward).sum(1)
    return np.linalg.solve(np.eye(mdp.num_states) - mdp.discount * transitions, earned)


def released_reference(mdp, q):
    """The softmax of values that begin with the reward of the next state."""
    return boltzmann((q - mdp.reward) / mdp.discount, mdp.allowed)


def test_one_number_is_made_again_by_hand(done):
    made, _, _ = done
    world = make_world(3, released_wind=True, **BOARD)
    mdp = world.mdp
    expert = objectworld_expert(world)
    data = objectworld_demonstrations(
        world, expert, trajectories=12, seed=1_000_003, record_wind_as_action=True
    ).take(np.arange(3))
    policy = fit(data, IAVI(smoothing=1e-6), mdp).policy
    best = value_iteration(mdp)
    reference = dense_values(mdp, released_reference(mdp, best.q))
    chance, found = dense_values(mdp, uniform(mdp.allowed)), dense_values(mdp, policy)
    squared = ((reference - found) ** 2).mean() / ((reference - chance) ** 2).mean()
    loss = (best.values - found).mean() / (best.values - chance).mean()
    assert made.squared[0, 0, 0, 1] == pytest.approx(squared, rel=1e-6)
    assert made.loss[0, 0, 0, 1] == pytest.approx(loss, rel=1e-6)
    assert made.uniform[0, 1] == pytest.approx(((reference - chance) ** 2).mean(), rel=1e-6)


def test_iavi_is_the_empirical_policy(done):
    made, _, _ = done
    assert made.gap < 1e-9
    names = {name: m for m, name in enumerate(made.methods)}
    smoothed, of_states = (
        made.loss[:, names[f"IAVI, {kind}"]] for kind in ("smoothed", "of states")
    )
    np.testing.assert_allclose(smoothed, of_states, atol=1e-9)  # a gauge changes no behaviour


def test_the_record_is_whole(done):
    made, _, seen = done
    shape = (2, len(METHODS), 2, 2)
    assert made.sizes == (3, 12)
    for name in ("squared", "loss", "seconds", "converged"):
        assert getattr(made, name).shape == shape
        assert np.isfinite(getattr(made, name)).all()
    assert made.transfer.shape == made.stale.shape == (len(METHODS), 3, 2)
    assert made.informed.shape == (3, 2)
    assert (made.informed < 0.2).all(), "who knows the reward loses little"
    assert (np.abs(np.nan_to_num(made.correlation)) <= 1).all()
    assert made.converged.all()
    assert made.slower > 1
    assert (made.expert_loss[0] < 0.05).all(), "optimal, but for another discount"
    assert seen[-1] == ("worlds", 4, 4)


def test_the_tables_hold_the_numbers(done):
    made, found, _ = done
    scores = found.tables["scores"]
    assert len(scores) == 2 * len(METHODS) * 2
    iql = next(r for r in scores if (r["recording"], r["method"]) == ("honest", "IQL"))
    m = made.methods.index("IQL")
    assert iql["loss"] == pytest.approx(made.loss[1, m, 0].mean(), abs=1e-4)
    assert iql["reward_error"] == pytest.approx(made.error[m, 0].mean(), abs=1e-4)
    raw = found.tables["worlds"]
    assert len(raw) == made.squared.size
    mean = np.mean([r["squared"] for r in raw if r["method"] == "IQL"])
    assert mean == pytest.approx(made.squared[:, m].mean(), rel=1e-5)
    assert len(found.tables["transfer"]) == 3 * (len(METHODS) + 1)
    (wide,) = [row for row in found.tables["loss"] if row["method"] == "IQL"]
    assert wide["3"] == pytest.approx(made.loss[1, m, 0].mean(), abs=1e-4)
    assert [r["method"] for r in found.tables["squared"]][:2] == ["IAVI", "IAVI, SE"]
    assert found.facts["uniform_squared_published"] == 15.415
    assert found.facts["iavi_and_empirical_policy_differ_by"] == made.gap


def test_published_numbers_are_relative_to_the_uniform_policy(done):
    small, _, _ = done
    assert small.published("IAVI", 512) is None, "a smaller board is another experiment"
    made = replace(small, as_released=True)
    assert made.published("IAVI", 512) == pytest.approx(2.045 / 15.415)
    assert made.published("IQL", 2048) is None
    assert made.published("MaxEntIRL", 4) is None
    rows = score_table(replace(made, sizes=(4, 32)))
    shown = [row["squared_published"] for row in rows if row["squared_published"] is not None]
    assert shown == [0.9933, 0.572, 0.9964, 0.979]


def test_the_mean_has_an_error_only_over_several_worlds():
    mean, error = mean_and_error(np.array([[1.0, 2.0, 6.0]]))
    assert (mean[0], error[0]) == (3.0, pytest.approx(np.sqrt(7 / 3)))
    assert np.isnan(mean_and_error(np.ones((1, 1)))[1][0])


def test_changed_worlds_are_what_they_say():
    world = make_world(0, **BOARD)
    calm = make_world(0, **BOARD, wind=0.0).mdp
    still = changed_world(world.mdp, "no wind", calm, 0)
    np.testing.assert_array_equal(still.expected(np.arange(36.0)), calm.expected(np.arange(36.0)))
    assert changed_world(world.mdp, "discount 0.99", calm, 0).discount == 0.99
    walled = changed_world(world.mdp, "walls", calm, 0)
    walls = walled.initial == 0
    assert 0 < walls.sum() < 18
    arrives = walled.transition_matrix[:, walls].toarray().reshape(36, 5, -1).sum(2)
    assert (arrives[~walls] == 0).all(), "nobody enters a wall"
    np.testing.assert_allclose(walled.transition_matrix.sum(1), 1)
    np.testing.assert_array_equal(walled.reward, world.mdp.reward)


def test_scores_are_relative_to_the_uniform_policy():
    mdp = make_world(1, **BOARD).mdp
    measure = measure_in(mdp)
    assert measure(uniform(mdp.allowed)) == {"squared": pytest.approx(1), "loss": pytest.approx(1)}
    assert measure(value_iteration(mdp).policy)["loss"] == pytest.approx(0, abs=1e-9)
    reference = released_reference(mdp, value_iteration(mdp).q)
    assert measure(reference)["squared"] == pytest.approx(0, abs=1e-9)
    wanted = squared_value_difference(mdp, value_iteration(mdp).policy, expert=reference)
    wanted /= squared_value_difference(mdp, uniform(mdp.allowed), expert=reference)
    assert measure(value_iteration(mdp).policy)["squared"] == pytest.approx(wanted)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"worlds": 0}, "1 or more worlds"),
        ({"sizes": (0, 4)}, "1 or more worlds and trajectories"),
        ({"sizes": (4,), "transfer_size": 8}, "transfer_size must be one of"),
    ],
)
def test_settings_out_of_range_are_refused(settings, message):
    with pytest.raises(InputError, match=message):
        run(Settings(**settings), Effort())
