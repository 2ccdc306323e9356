"""Many games at once: rewards, endings and masks of each are its own."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal

import inverseq as iq
from inverseq.forward.simulator import simulator_of
from inverseq.networks import TrainedNetwork
from inverseq.play import play_side_by_side


def table(q):
    """A linear network on one-hot states."""
    states, actions = q.shape
    settings = {"hidden": (), "tiles": None}
    arrays = (q.T.astype(np.float32), np.zeros(actions, dtype=np.float32))
    return TrainedNetwork("FullyConnected", settings, (states,), actions, arrays)


def test_each_game_has_its_rewards_end_and_masks():
    mdp = iq.worlds.gridworld(4, 1, wins=[(3, 0)], walls=[]).mdp
    right = 1
    q = np.zeros((mdp.num_states, mdp.num_actions))
    q[:, right] = 1.0
    game = simulator_of(mdp, max_moves=2)
    played = play_side_by_side(game, table(q), games=20, moves=5, seed=0)
    seen = played.demonstrations
    assert set(seen.actions) == {right}
    starts = seen.states[seen.starts[:-1]].argmax(axis=1)
    assert len(set(starts)) > 1
    needed = 3 - starts
    assert_array_equal(played.moves, np.minimum(needed, 2))
    assert_array_equal(played.terminated, needed <= 2)
    assert played.over.all()
    earned = mdp.reward[seen.states.argmax(axis=1), right]
    assert_array_equal(played.rewards, np.add.reduceat(earned, seen.starts[:-1]))
    short = play_side_by_side(game, table(q), games=20, moves=1, seed=0)
    assert_array_equal(short.over, needed == 1)
    assert short.demonstrations.num_decisions == 20
    with pytest.raises(iq.InputError, match="1 or more"):
        play_side_by_side(game, table(q), games=0, moves=1, seed=0)
