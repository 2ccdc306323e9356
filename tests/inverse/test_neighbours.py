"""Counting among nearest observations, against a loop."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import inverseq as iq


def wandering(seed: int, masks: bool = False) -> iq.Demonstrations:
    """Decisions that depend on where one is; features of very different spread."""
    rng = np.random.default_rng(seed)
    states = rng.normal(size=(120, 2)) * [1, 1000]
    chance = 1 / (1 + np.exp(-3 * states[:, 0]))
    actions = np.where(rng.random(120) < chance, 1, 2 * (rng.random(120) < 0.5))
    allowed = np.ones((120, 3), dtype=bool)
    if masks:
        allowed = rng.random((120, 3)) < 0.6
        allowed[np.arange(120), actions] = True
    return iq.Demonstrations.from_arrays(
        states, actions, trajectory=np.repeat(np.arange(12), 10), allowed=allowed
    )


@pytest.mark.parametrize("masks", [False, True])
def test_it_is_the_share_among_the_nearest(masks):
    data, asked = wandering(0, masks), wandering(1, masks)
    weights = np.random.default_rng(2).random(120)
    found = iq.fit(data, iq.NeighbourTable(7), weights=weights).probabilities(asked)
    spread = data.states.std(axis=0)
    shares = np.bincount(data.actions, weights) + 0.5
    shares /= shares.sum()
    for row, state in enumerate(asked.states):
        far = (((data.states - state) / spread) ** 2).sum(axis=1)
        near = np.argsort(far)[:7]
        made = shares + np.bincount(data.actions[near], weights[near], minlength=3)
        made = np.where(asked.allowed[row], made, 0.0)
        assert_allclose(found[row], made / made.sum(), atol=1e-12)


def test_the_number_is_chosen_and_helps(tmp_path):
    data = wandering(0)
    solution = iq.fit(data, iq.NeighbourTable())
    chosen = solution.settings["neighbours"]
    assert 3 <= chosen <= 100
    unseen = wandering(5)
    scores = {k: iq.log_likelihood(iq.fit(data, iq.NeighbourTable(k)), unseen).mean for k in (1,)}
    assert iq.log_likelihood(solution, unseen).mean > scores[1]
    read = iq.load(iq.save(solution, tmp_path / "it.npz"), iq.Solution)
    assert_array_equal(read.probabilities(unseen), solution.probabilities(unseen))
    order = np.array([2, 0, 1])
    other = iq.fit(replace(data, actions=order[data.actions]), iq.NeighbourTable())
    assert_allclose(other.probabilities(unseen)[:, order], solution.probabilities(unseen))


def test_of_a_single_trajectory_runs_of_rows_are_left_out():
    data = wandering(0)
    data = iq.Demonstrations.from_arrays(data.states, data.actions)
    assert iq.fit(data, iq.NeighbourTable()).settings["neighbours"] > 1


def test_units_are_numbered_anew_where_some_have_no_weight():
    data = wandering(5)
    few_units = np.isin(data.trajectory_of, [0, 5, 10])  # all of fold 0, were they not
    few = iq.fit(data, iq.NeighbourTable(), weights=few_units.astype(float))
    alone = iq.fit(data.take(np.isin(np.arange(12), [0, 5, 10])), iq.NeighbourTable())
    assert few.settings["neighbours"] == alone.settings["neighbours"] != 10


def test_what_cannot_be_counted():
    with pytest.raises(iq.InputError, match="neighbours must be 1 or more"):
        iq.NeighbourTable(0)
    numbers = iq.Demonstrations.from_arrays([0, 1, 0], [0, 1, 0])
    with pytest.raises(iq.InputError, match="Count numbered states with CountTable"):
        iq.fit(numbers, iq.NeighbourTable())
    data = wandering(0)
    states = data.states.copy()
    states[3, 1] = np.nan
    with pytest.raises(iq.InputError, match="row 4: the state holds a number"):
        iq.fit(replace(data, states=states), iq.NeighbourTable(3))
    solution = iq.fit(data, iq.NeighbourTable(3))
    with pytest.raises(iq.InputError, match="row 4: the state holds a number"):
        solution.probabilities(replace(data, states=states))
    with pytest.raises(iq.InputError, match="observations have shape"):
        solution.probabilities(iq.Demonstrations.from_arrays(data.states[:, :1], data.actions))
