"""A solver that nobody foresaw goes through everything: three networks over states of fractions.

It stands in this file alone. Its reward is a network, its values are another, and a third is their
shifted form; what it learns by is beside the point, what is asked of it afterwards is not.
"""

import json
import xml.etree.ElementTree as ElementTree
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import inverseq as iq
from inverseq._core.status import Outcome, Status
from inverseq.inverse.problem import Problem
from inverseq.play import QAgent
from inverseq.policies import FinitePolicy, boltzmann

ACTIONS = 3


def layer(weights: np.ndarray, states: np.ndarray) -> np.ndarray:
    """`[N, A]` of a network with one layer and a constant."""
    return np.column_stack([states, np.ones(len(states))]) @ weights


@dataclass(frozen=True, eq=False)
class ThreeNetworks(FinitePolicy):
    """Boltzmann in Q, beside which a reward and a shifted Q are kept."""

    reward: np.ndarray
    q: np.ndarray
    shifted: np.ndarray

    @property
    def num_actions(self) -> int:
        return self.q.shape[1]

    def probabilities(self, demonstrations, mdp):
        return boltzmann(layer(self.q, demonstrations.states), self.exists(demonstrations, mdp))


@dataclass(frozen=True, eq=False)
class NetworkOfTransitions:
    """r(s, a), of observations alone."""

    weights: np.ndarray

    def values(self, demonstrations, mdp):
        rows = np.arange(demonstrations.num_decisions)
        found = layer(self.weights, demonstrations.states)[rows, demonstrations.actions]
        return np.where(demonstrations.acted, found, np.nan)

    def table(self, mdp):
        raise iq.InputError("states are observations")

    def carry(self, old, new):
        return self

    def like(self, table, parameters: Mapping[str, np.ndarray]):
        return NetworkOfTransitions(parameters["reward"])


@dataclass(frozen=True)
class Toy:
    """Multinomial regression by Newton-like steps; its reward is Q less what follows."""

    discount: float = 0.5
    strength: float = 1.0
    steps: int = 200

    def solve(self, problem: Problem) -> iq.Solution:
        data = problem.decisions
        given = np.ones(data.num_decisions) if problem.weights is None else problem.weights
        weights = given * data.acted
        inputs = np.column_stack([data.states, np.ones(data.num_decisions)])
        chosen = np.eye(ACTIONS)[np.maximum(data.actions, 0)]
        near = problem.near
        q = np.zeros((inputs.shape[1], ACTIONS)) if near is None else near.parameters["q"].copy()
        trace = []
        for _ in range(self.steps):
            policy = ThreeNetworks(q, q, q)
            chances = policy.probabilities(data, None)
            slope = inputs.T @ (weights[:, None] * (chosen - chances)) - self.strength * q
            q = q + slope / (0.5 * (inputs**2).sum(axis=1) @ weights + self.strength)
            taken = np.where(data.acted, (chances * chosen).sum(axis=1), 1.0)
            trace.append(float(weights @ np.log(taken)))
        reward = q - self.discount * q.max(axis=1, keepdims=True)
        shifted = q - reward
        return iq.Solution(
            "Toy",
            {"strength": self.strength},
            ThreeNetworks(reward, q, shifted),
            Status(Outcome.CONVERGED, self.steps),
            reward_function=NetworkOfTransitions(reward),
            parameters={"reward": reward, "q": q, "shifted": shifted},
            num_parameters=3 * q.size,
            trace=np.array(trace),
        )

    def log_prior(self, solution: iq.Solution) -> float:
        return -0.5 * self.strength * float((solution.parameters["q"] ** 2).sum())


def behaviour(seed: int = 0, flips: bool = False) -> iq.Demonstrations:
    """Choices that follow two numbers; where `flips`, the other way round in half of the runs."""
    rng = np.random.default_rng(seed)
    trajectory = np.repeat(np.arange(40), 25)
    states = rng.normal(size=(1000, 2))
    sign = np.where(flips & (trajectory % 2 == 1), -1.0, 1.0)
    q = sign[:, None] * np.column_stack([2 * states[:, 0], 2 * states[:, 1], np.zeros(1000)])
    likely = np.exp(q) / np.exp(q).sum(axis=1, keepdims=True)
    actions = (rng.random(1000)[:, None] > np.cumsum(likely, axis=1)).sum(axis=1)
    actions[::17] = -1
    return iq.Demonstrations.from_arrays(states, actions, trajectory=trajectory)


@pytest.fixture(scope="module")
def fitted():
    data = behaviour()
    return iq.fit(data, Toy()), data


def test_it_is_fitted_and_scored(fitted):
    solution, data = fitted
    score = iq.log_likelihood(solution, data)
    assert score.mean > score.chance_mean + 0.3
    assert_allclose(score.sums.sum(), iq.fit(data, Toy(steps=201)).trace[-1], rtol=1e-6)
    assert np.isnan(iq.transition_rewards(solution, data)).sum() == (data.actions < 0).sum()


def test_it_is_compared(fitted):
    _, data = fitted
    made = iq.compare(
        data, {"weak": Toy(strength=1.0), "strong": Toy(strength=1e4)}, folds=2, seed=0
    )
    assert made.reference == "weak"


def test_it_is_bootstrapped(fitted):
    solution, data = fitted
    made = iq.bootstrap(data, Toy(), seed=0, replicates=20, jobs=1)
    around = iq.interval(made, "q")
    assert (
        (around.low < solution.parameters["q"]) & (solution.parameters["q"] < around.high)
    ).all()
    assert made.rewards is None


def test_it_is_simulated_and_checked(fitted):
    solution, data = fitted
    drawn = iq.simulate_like(solution, data, seed=1, states="observed")
    assert_array_equal(drawn.states, data.states)
    assert_array_equal(drawn.actions < 0, data.actions < 0)
    share = np.bincount(drawn.actions[drawn.acted]) / drawn.acted.sum()
    expected = solution.probabilities(data)[data.acted].mean(axis=0)
    assert np.abs(share - expected).max() < 0.06
    checks = iq.check_predictions(solution, data, seed=2, states="observed", repeats=20)
    assert all(check.p_value > 0.01 for check in checks.checks)
    again = iq.recover_parameters(solution, Toy(), data, repeats=2, seed=3, states="observed")
    assert again.policy_error.max() < 0.1
    with pytest.raises(iq.InputError, match='give states="observed"'):
        iq.simulate_like(solution, data, seed=1)


def test_it_is_saved_and_loaded(fitted, tmp_path):
    solution, data = fitted
    path = iq.save(solution, tmp_path / "toy.npz")
    again = iq.load(path, iq.Solution, also=(ThreeNetworks, NetworkOfTransitions))
    assert_array_equal(again.probabilities(data), solution.probabilities(data))
    assert_array_equal(again.policy.shifted, solution.policy.shifted)
    with pytest.raises(iq.InputError, match="also="):
        iq.load(path, iq.Solution)


def test_it_explains_intentions_that_switch():
    data = behaviour(1, flips=True)
    solution = iq.fit(
        data, iq.Intentions(2, Toy(), iq.Mixture(), max_steps=60), accept_failure=True
    )
    one = iq.log_likelihood(iq.fit(data, Toy()), data).mean
    assert iq.log_likelihood(solution, data).mean > one + 0.2
    truth = data.trajectory_of % 2
    right = (solution.path == truth).mean()
    assert max(right, 1 - right) > 0.95
    assert (np.diff(solution.trace) > -1e-6 * data.num_decisions).all()


QUICK = {"folds": 2, "bootstrap": 5, "seed": 1}


def test_it_is_analysed_and_reported(fitted, tmp_path):
    _, data = fitted
    found = iq.analyse(data, iq.Plan(solver=Toy(), **QUICK))
    assert [row.key for row in found.scores] == ["marginal", "Toy"]
    assert found.chosen == "Toy"
    score = found.row("Toy").score
    train, test = data.split(0.2, seed=1)
    assert_allclose(score.mean, iq.log_likelihood(iq.fit(train, Toy()), test).mean)
    rewards = iq.transition_rewards(found.solution, test)
    for action, earned in enumerate(found.earned):
        assert earned.decisions == (test.actions == action).sum()
        assert_allclose(earned.mean, rewards[test.actions == action].mean())
    page = iq.report(found, tmp_path / "toy").read_text()
    ElementTree.fromstring(page.removeprefix("<!DOCTYPE html>"))
    assert "A reward explains these decisions better than chance" in page
    assert "The reward drawn is that of Toy" in page
    assert f"{found.earned[2].mean:+.3f}" in page
    assert "None" not in page
    summary = json.loads((tmp_path / "toy" / "summary.json").read_text())
    assert summary["chosen"] == "Toy"
    own = (ThreeNetworks, NetworkOfTransitions)
    again = iq.load(tmp_path / "toy" / "solution.npz", iq.Solution, also=own)
    assert_array_equal(again.probabilities(test), found.solution.probabilities(test))
    with pytest.raises(iq.InputError, match="give a solver that does, solver="):
        iq.analyse(data, iq.Plan(**QUICK))


def test_its_intentions_are_analysed_and_reported(tmp_path):
    data = behaviour(1, flips=True)
    asked = {"intentions": 2, "restarts": 1, "simulations": 2, "switching": "mixture"} | QUICK
    found = iq.analyse(data, iq.Plan(solver=Toy(steps=50), **asked))
    two, one, alike = (found.row(key) for key in ("intentions", "one", "marginal"))
    assert two.score.mean > one.score.mean + 0.1
    assert two.name == "2 intentions, Toy"
    assert alike is not None
    page = iq.report(found, tmp_path / "toy").read_text()
    ElementTree.fromstring(page.removeprefix("<!DOCTYPE html>"))
    assert "Two intentions explain the behaviour" in page
    assert "in all states more than the others" in page
    assert (tmp_path / "toy" / "tables" / "posterior.parquet").exists()
    own = (ThreeNetworks, NetworkOfTransitions)
    again = iq.load(tmp_path / "toy" / "solution.npz", iq.IntentionSolution, also=own)
    assert_array_equal(again.probabilities(data), found.solution.probabilities(data))


def test_it_is_chosen_among_others_by_folds():
    data = behaviour(1, flips=True).take(np.arange(16))
    asked = {"cross_validate": True, "folds": 2, "solver": Toy(steps=40)}
    models = iq.analyse(data, iq.Plan(**asked))
    assert {row.key for row in models.scores} == {"marginal", "Toy"}
    more = {"intentions": (1, 2), "restarts": 1, "switching": "mixture"}
    numbers = iq.analyse(data, iq.Plan(**asked, **more))
    assert numbers.chosen == "k=2"


def test_it_chooses_among_the_actions_that_exist():
    data = behaviour()
    allowed = np.ones((1000, ACTIONS), dtype=bool)
    allowed[np.arange(0, 1000, 3), (data.actions[::3] + 1) % ACTIONS] = False
    some = replace(data, allowed=allowed)
    solution = iq.fit(some, Toy())
    assert_array_equal(solution.probabilities(some) == 0, ~allowed)
    assert iq.log_likelihood(solution, some).mean > iq.log_likelihood(solution, data).mean


def test_it_plays(fitted):
    solution, data = fitted
    agent = QAgent(solution, seed=0, temperature=1.0)
    for row in range(3):
        assert_allclose(agent.chances(data.states[row]), solution.probabilities(data)[row])
    best = QAgent(solution, seed=0)
    assert best.get_action(data.states[0]) == solution.probabilities(data)[0].argmax()


def test_what_needs_a_world_says_so(fitted):
    solution, data = fitted
    for asked in (lambda: iq.identify(solution), lambda: iq.replan(solution, simple_world())):
        with pytest.raises(iq.InputError):
            asked()
    with pytest.raises(iq.InputError, match="one for all decisions"):
        iq.dwell_times(solution, data, seed=0)


def simple_world() -> iq.MDP:
    return iq.worlds.maze(["S.G"]).mdp


def test_weights_count(fitted):
    _, data = fitted
    half = data.trajectory_of < 20
    weighted = iq.fit(data, Toy(), weights=half.astype(float))
    alone = iq.fit(data.take(np.arange(20)), Toy())
    assert_allclose(weighted.parameters["q"], alone.parameters["q"], atol=1e-8)
    assert replace(weighted, settings={}).settings == {}
