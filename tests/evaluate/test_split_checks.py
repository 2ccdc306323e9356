"""Checks split by columns: quiet where the model is right, loud where it does not know."""

from dataclasses import replace

import numpy as np
import pytest

import inverseq as iq
from inverseq import InputError
from inverseq.forward import Flawed
from inverseq.inverse.planning import SoftOptimum
from inverseq.policies import TabularPolicy
from strategies import random_mdp


@pytest.fixture(scope="module")
def mdp():
    return random_mdp(np.random.default_rng(0), 5, 3, masks=False, terminals=False)


def truth(mdp, agent):
    known = iq.Status(iq.Outcome.CONVERGED, 1, 0.0)
    policy = TabularPolicy(agent.policy(mdp))
    return iq.Solution("truth", {}, policy, known, mdp=mdp, planning=SoftOptimum())


def test_the_true_model_is_left_in_peace(mdp):
    agent, found = Flawed(lapse=0.1), []
    for seed in range(40):
        data = agent.behave(mdp, trajectories=20, steps=20, seed=seed)
        check = iq.check_by(truth(mdp, agent), data, "last action")
        found.append((check.p_value < 0.05, np.nanstd(check.errors)))
    assert np.mean([one for one, _ in found]) < 0.15
    assert 0.8 < np.mean([spread for _, spread in found]) < 1.2


def test_what_the_model_does_not_know_is_seen_where_it_is(mdp):
    data = Flawed(perseveration=1.0).behave(mdp, trajectories=30, steps=30, seed=0)
    fitted = iq.fit(data, iq.IAVI(), mdp)
    check = iq.check_by(fitted, data, "last action")
    assert check.levels == ("-1", "0", "1", "2")
    assert check.p_value < 1e-6
    assert check.rows[0]["last action"] == check.rows[0]["action"]
    assert check.rows[0]["done"] > check.rows[0]["expected"]
    assert iq.check_by(fitted, data, "state").p_value > 0.9  # it was fitted to these
    drugged = replace(data, trajectories={"drug": np.arange(30) % 2})
    assert iq.check_by(fitted, drugged, "drug").p_value > 0.01


def test_where_nothing_can_be_judged_there_is_no_p_value(mdp):
    data = Flawed().behave(mdp, trajectories=1, steps=3, seed=0)
    assert np.isnan(iq.check_by(truth(mdp, Flawed()), data, "state").p_value)


def test_bad_input_says_what_to_do(mdp):
    data = Flawed().behave(mdp, trajectories=3, steps=100, seed=0)
    with pytest.raises(InputError, match="'last action'"):
        iq.check_by(truth(mdp, Flawed()), data, "mood")
    many = replace(data, decisions={"ms": np.arange(300)})
    with pytest.raises(InputError, match="300 values"):
        iq.check_by(truth(mdp, Flawed()), many, "ms")
