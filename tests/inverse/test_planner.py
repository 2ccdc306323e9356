"""Planners: against `MaxEnt`, discounts by hand, known lapses, and slopes of both optima."""

from dataclasses import replace

import numpy as np
import pytest

import inverseq as iq
from inverseq import InputError, Planner, worlds
from inverseq.inverse.maxent import planner
from inverseq.inverse.maxent.objective import Model
from inverseq.inverse.maxent.planner import _Search
from inverseq.rewards.linear import make_design

BOARD = worlds.maze(["S....", ".#.#.", "..#..", "#...G"], discount=0.9)
MDP = worlds.maze_features(BOARD, ["step", "turn", "blocked"])
TRUE = np.array([-1.0, -0.7, -2.0])


def walks(lapse=0.0, seed=1):
    agent = iq.forward.soft_policy_iteration(MDP, MDP.features @ TRUE)
    policy = (1 - lapse) * np.asarray(agent.policy) + lapse / 4
    made = iq.forward.simulate(MDP, policy, trajectories=300, steps=40, seed=seed)
    return iq.Demonstrations.from_arrays(
        MDP.history.base[made.states], made.actions, trajectory=made.trajectory_of
    )


WALKS = walks()


def test_without_more_it_is_maximum_entropy():
    made, same = (
        iq.fit(WALKS, solver, MDP)
        for solver in (Planner(tolerance=1e-8), iq.MaxEnt("features", strength=1.0, tolerance=1e-8))
    )
    np.testing.assert_allclose(made.policy.table, same.policy.table, atol=1e-8)
    assert made.num_parameters == same.num_parameters == 3


def test_the_discount_is_the_one_under_which_the_data_are_most_likely():
    tried = (0.5, 0.8, 0.9, 0.97)
    made = iq.fit(WALKS, Planner(discounts=tried), MDP)
    by_hand = {
        d: float(iq.log_likelihood(iq.fit(WALKS, Planner(), replace(MDP, discount=d)), WALKS))
        for d in tried
    }
    assert made.settings["discount"] == made.mdp.discount == max(by_hand, key=by_hand.get) == 0.9
    assert made.num_parameters == 4
    assert sorted(made.settings["profile"]) == sorted(f"{d:g}" for d in tried)
    solver = Planner(discounts=tried)
    assert solver.settle(iq.inverse.problem.Problem(WALKS, MDP)).discounts == (0.9,)


def test_a_search_that_broke_off_has_not_converged(monkeypatch):
    real = planner.minimize

    def broken(*given, **how):
        found = real(*given, **how)
        found.success = False
        return found

    monkeypatch.setattr(planner, "minimize", broken)
    made = iq.fit(WALKS, Planner(lapse=True), MDP, accept_failure=True)
    assert (made.status.ok, "max_steps" in made.status.message) == (False, True)


def test_lapses_are_found():
    made = iq.fit(walks(0.2), Planner(lapse=True), MDP)
    assert made.settings["lapse"] == pytest.approx(0.2, abs=0.05)
    np.testing.assert_allclose(made.parameters["weights"], TRUE, atol=0.5)
    again = iq.replan(made, made.mdp)
    np.testing.assert_allclose(again.policy.table, made.policy.table, atol=1e-9)
    none = iq.fit(WALKS, Planner(lapse=True), MDP)
    assert none.settings["lapse"] < 0.02


@pytest.mark.parametrize("optimum", ["soft", "hard"])
def test_slopes_are_those_of_the_cost(optimum):
    solver = Planner(optimum=optimum, lapse=True)
    counts = iq.count(WALKS, MDP).state_action
    search = _Search(solver, Model(MDP, make_design(MDP, "features", "gaussian")), counts)
    at, step = np.array([-0.8, -0.5, -1.5, -2.0]), 1e-6
    slope = search(at)[1]
    for k, unit in enumerate(np.eye(4) * step):
        by_hand = (search(at + unit)[0] - search(at - unit)[0]) / (2 * step)
        assert slope[k] == pytest.approx(by_hand, rel=1e-4, abs=1e-7)


def test_a_hard_optimum_predicts_a_hard_planner_better(tmp_path):
    best = iq.forward.policy_iteration(MDP, MDP.features @ (2 * TRUE))
    policy = iq.policies.boltzmann(best.q, MDP.allowed)
    made = iq.forward.simulate(MDP, policy, trajectories=400, steps=40, seed=2)
    data = iq.Demonstrations.from_arrays(
        MDP.history.base[made.states], made.actions, trajectory=made.trajectory_of
    )
    hard, soft = (iq.fit(data, Planner(optimum=o), MDP) for o in ("hard", "soft"))
    assert float(iq.log_likelihood(hard, data)) > float(iq.log_likelihood(soft, data))
    again = iq.replan(iq.load(iq.save(hard, tmp_path / "s.npz"), iq.Solution), MDP)
    np.testing.assert_allclose(again.policy.table, hard.policy.table, atol=1e-9)


@pytest.mark.parametrize(
    "wrong", [{"optimum": "best"}, {"strength": -1.0}, {"discounts": (0.9, 1.1)}]
)
def test_settings_out_of_range_are_refused(wrong):
    with pytest.raises(InputError):
        Planner(**wrong)
