"""Intentions behind continuous actions, explained by a solver whose policy has densities."""

from dataclasses import dataclass

import numpy as np
import pytest
from numpy.testing import assert_allclose

import inverseq as iq
from inverseq._core.status import Outcome, Status
from inverseq.play import QAgent


@dataclass(frozen=True, eq=False)
class Around:
    """Normal with variance 1 around a linear function of the state."""

    weights: np.ndarray
    num_actions = None
    present_only = True

    def exists(self, demonstrations, mdp):
        raise iq.InputError("actions are continuous")

    probabilities = exists

    def per_state(self, mdp):
        raise iq.InputError("states are observations")

    def log_likelihoods(self, demonstrations, mdp):
        gap = np.nan_to_num(demonstrations.actions) - demonstrations.states @ self.weights
        logs = -0.5 * (gap**2).sum(axis=1) - 0.5 * gap.shape[1] * np.log(2 * np.pi)
        return np.where(demonstrations.acted, logs, 0.0)

    def act(self, rng, demonstrations, mdp):
        means = demonstrations.states @ self.weights
        return means + rng.normal(size=means.shape)


@dataclass(frozen=True)
class Linear:
    """Least squares."""

    def solve(self, problem):
        data = problem.decisions
        given = np.ones(data.num_decisions) if problem.weights is None else problem.weights
        weighted = data.states * (given * data.acted)[:, None]
        square = weighted.T @ data.states + 1e-9 * np.eye(data.states.shape[1])
        found = np.linalg.solve(square, weighted.T @ np.nan_to_num(data.actions))
        return iq.Solution(
            "Linear",
            {},
            Around(found),
            Status(Outcome.CONVERGED, 1),
            parameters={"weights": found},
            num_parameters=found.size,
        )


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(0)
    states, trajectory = rng.normal(size=(900, 3)), np.repeat(np.arange(30), 30)
    sign = np.where(trajectory % 2, 1.0, -1.0)
    actions = sign[:, None] * (states @ rng.normal(size=(3, 2))) + rng.normal(size=(900, 2))
    actions[::13] = np.nan
    return iq.Demonstrations.from_arrays(states, actions, trajectory=trajectory)


def test_what_is_known_of_a_single_fit(data):
    alone = iq.fit(data, Linear())
    assert alone.provenance["decisions"] == data.acted.sum()
    assert "nan" not in repr(iq.log_likelihood(alone, data))
    assert "nan" not in repr(iq.compare(data, {"it": Linear()}, folds=2))
    with pytest.raises(iq.InputError, match="continuous"):
        iq.analyse(data, iq.Plan(solver=Linear()))


@pytest.mark.parametrize("switching", [iq.Mixture(), iq.Markov()])
def test_they_are_told_apart(data, switching):
    solution = iq.fit(data, iq.Intentions(2, Linear(), switching))
    right = (solution.path == data.trajectory_of % 2)[data.acted].mean()
    assert max(right, 1 - right) > 0.9
    first, second = (one.parameters["weights"] for one in solution.intentions)
    assert_allclose(first, -second, atol=0.3)
    alone = iq.log_likelihood(iq.fit(data, Linear()), data).mean
    assert iq.log_likelihood(solution, data).mean > alone + 0.3
    drawn = iq.simulate_like(solution, data, seed=0, states="observed")
    assert drawn.actions.shape == data.actions.shape
    assert QAgent(solution, 0).get_action(data.states[0]).shape == (2,)
    with pytest.raises(iq.InputError, match="continuous"):
        iq.action_probabilities(solution, data)
