"""Syllables with dopamine: sizes, gaps, and the alignment of dopamine with them."""

import numpy as np

from inverseq import Ending, count, datasets


def test_the_sizes_gaps_and_split_are_the_published_ones():
    data = datasets.spontaneous()
    demos = data.demonstrations
    assert (demos.num_decisions, demos.num_trajectories) == (47_700, 159)
    assert set(np.diff(demos.starts)) == {300}
    assert np.unique(demos.trajectories["session"]).size == 159
    test = np.flatnonzero(demos.trajectories["split"] == "test")
    assert test.tolist() == [*range(0, 159, 5)]
    assert np.bincount(demos.endings, minlength=4).tolist() == [21_763, 0, 159, 25_778]
    assert demos.state_names[0] == "pause"


def test_rows_go_on_exactly_where_syllables_are_adjacent():
    demos = datasets.spontaneous().demonstrations
    now = np.flatnonzero(demos.continues)
    assert (np.diff(demos.time)[now - 1] == 1).all()
    np.testing.assert_array_equal(demos.actions[now - 1], demos.states[now])
    np.testing.assert_array_equal(demos.next_states, demos.actions)
    gap = np.flatnonzero(demos.endings == Ending.GAP)
    assert (np.diff(demos.time)[gap] > 1).all()
    # Some rows behind a gap begin as expected all the same: states alone do not show the gap.
    np.testing.assert_allclose(
        (demos.actions[gap] == demos.states[gap + 1]).mean(), 0.163, atol=1e-3
    )


def test_every_action_leads_to_its_own_state():
    data = datasets.spontaneous()
    assert (data.mdp.successors[:, :, 0] == np.arange(9)).all()
    counted = count(data.demonstrations, data.mdp)
    assert counted.state_action.sum() == 47_700


def test_dopamine_is_one_number_per_decision():
    demos = datasets.spontaneous().demonstrations
    dopamine = demos.decisions["dopamine"]
    assert np.isfinite(dopamine).all()
    np.testing.assert_allclose([dopamine.mean(), dopamine.std()], [0.0717, 1.0393], atol=1e-3)
    np.testing.assert_allclose(dopamine[:3], [1.514929, 2.117850, -0.121489], atol=1e-5)
