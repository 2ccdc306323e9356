import numpy as np
import pytest

from inverseq import MDP, Demonstrations, InputError
from inverseq.analysis.places import likely_moves, places
from inverseq.inverse.fit import fit
from inverseq.inverse.tables.count_table import CountTable
from inverseq.inverse.values.iavi import IAVI

# A corridor of three rooms; action 0 goes left, 1 goes right, 2 is only possible in the middle.
TO = np.array([[0, 1, 0], [0, 2, 1], [1, 2, 2]])
ROOMS = MDP(
    successors=TO[:, :, None],
    probabilities=np.ones((3, 3, 1)),
    discount=0.8,
    allowed=np.array([[1, 1, 0], [1, 1, 1], [1, 1, 0]], dtype=bool),
)
STATES = np.array([0, 1, 2, 2, 1, 1, 0, 0, 1, 2, 1, 0])
ACTIONS = np.array([1, 1, 1, 0, 2, 0, 0, 1, 1, 0, 0, 1])
SEEN = Demonstrations.from_arrays(STATES, ACTIONS)


def test_without_a_memory_places_are_the_states():
    solution = fit(SEEN, IAVI(), mdp=ROOMS)
    shown = places(solution)
    earned = (solution.policy * solution.reward).sum(1)
    share = np.bincount(STATES) / len(STATES)
    np.testing.assert_allclose(shown.reward, earned - share @ earned)
    np.testing.assert_allclose(shown.value, solution.v - share @ solution.v)
    np.testing.assert_allclose(shown.policy, solution.policy)
    np.testing.assert_allclose(shown.visits, np.bincount(STATES))
    np.testing.assert_array_equal(np.isnan(shown.rewards), ~ROOMS.allowed)


def test_with_a_memory_pasts_are_averaged_by_visits():
    solution = fit(SEEN, IAVI(), mdp=ROOMS.with_history(2))
    shown = places(solution)
    base = solution.mdp.history.base
    for room in range(3):
        mine = base == room
        weight = solution.visits[mine] / solution.visits[mine].sum()
        np.testing.assert_allclose(shown.policy[room], weight @ solution.policy[mine])
    np.testing.assert_allclose(shown.policy.sum(1), 1)
    np.testing.assert_allclose(shown.visits, np.bincount(STATES))
    np.testing.assert_allclose(shown.visits @ shown.reward, 0, atol=1e-12)


def test_places_never_visited_have_a_plain_mean_and_no_visits():
    solution = fit(Demonstrations.from_arrays([0, 0], [0, 0]), IAVI(), mdp=ROOMS.with_history(2))
    shown = places(solution)
    np.testing.assert_allclose(shown.visits, [2, 0, 0])
    assert np.isfinite(shown.reward).all()
    np.testing.assert_allclose(shown.policy[1], [1 / 3, 1 / 3, 1 / 3])


def test_a_count_table_has_no_reward_to_show():
    with pytest.raises(InputError, match="no reward"):
        places(fit(SEEN, CountTable(1), mdp=ROOMS))


def test_likely_moves_add_up_what_leads_to_the_same_place():
    policy = np.array([[0.25, 0.75, 0], [0.5, 0.2, 0.3], [0.6, 0.4, 0]])
    moves, chance = likely_moves(ROOMS, policy)
    found = {tuple(m): p for m, p in zip(moves.tolist(), chance, strict=True)}
    assert found == pytest.approx(
        {
            (0, 0): 0.25,
            (0, 1): 0.75,
            (1, 0): 0.5,
            (1, 2): 0.2,
            (1, 1): 0.3,
            (2, 1): 0.6,
            (2, 2): 0.4,
        }
    )
