"""Boards against cell-by-cell enumeration, the textbook's numbers, and boards that are refused."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inverseq import InputError, worlds
from inverseq.forward import policy_iteration, value_iteration
from inverseq.worlds.grids import STUDY_WALLS
from strategies import seeds

LECTURE = [[0.812, 0.868, 0.918, 1.0], [0.762, np.nan, 0.660, -1.0], [0.705, 0.655, 0.611, 0.388]]
WAYS = [(0, -1), (1, 0), (0, 1), (-1, 0), (0, 0)]


def enumerated(free: set, x: int, y: int, action: int, wind: float, slip: float, actions: int):
    """Chance of each next cell, the plainest way."""
    chance: Counter = Counter()
    for a in range(actions):
        chance[a] += wind / actions
    if action == 4:
        chance[4] += 1 - wind
    else:
        chance[action] += (1 - wind) * (1 - slip)
        chance[(action + 1) % 4] += (1 - wind) * slip / 2
        chance[(action - 1) % 4] += (1 - wind) * slip / 2
    cells: Counter = Counter()
    for a, share in chance.items():
        to = (x + WAYS[a][0], y + WAYS[a][1])
        cells[to if to in free else (x, y)] += share
    return cells


def random_cells(rng: np.random.Generator, width: int, height: int, share: float) -> list:
    return [(x, y) for x in range(width) for y in range(height) if rng.random() < share]


@given(
    seeds,
    st.integers(1, 5),
    st.integers(2, 5),
    st.sampled_from([0.0, 0.3, 1.0]),
    st.sampled_from([0.0, 0.2, 1.0]),
    st.booleans(),
)
def test_moves_and_rewards_are_those_of_the_enumeration(seed, width, height, wind, slip, stay):
    rng = np.random.default_rng(seed)
    walls = [c for c in random_cells(rng, width, height, 0.25) if c not in ((0, 0), (0, 1))]
    free = {(x, y) for x in range(width) for y in range(height)} - set(walls)
    win = (0, 1)
    world = worlds.gridworld(
        width, height, walls, [win], start=(0, 0), wind=wind, slip=slip, stay=stay
    )
    mdp = world.mdp
    assert mdp.num_states == len(free)
    table = mdp.transition_matrix.toarray().reshape(mdp.num_states, mdp.num_actions, -1)
    for x, y in free - {win}:
        s = world.state_at(x, y)
        for a in range(mdp.num_actions):
            cells = enumerated(free, x, y, a, wind, slip, mdp.num_actions)
            wanted = np.zeros(mdp.num_states)
            for cell, share in cells.items():
                wanted[world.state_at(*cell)] += share
            np.testing.assert_allclose(table[s, a], wanted, atol=1e-12)
            assert mdp.reward[s, a] == pytest.approx(-1 + 11 * cells[win])
    np.testing.assert_array_equal(mdp.terminal, np.arange(len(free)) == world.state_at(*win))
    assert not table[world.state_at(*win)].any()
    assert mdp.initial[world.state_at(0, 0)] == 1
    listed = np.where(
        mdp.probabilities > 0, mdp.successors, -1 - np.arange(mdp.successors.shape[2])
    )
    assert all(len(set(row)) == len(row) for row in listed.reshape(-1, listed.shape[2]).tolist())


def test_the_lectures_nine_values_and_the_policy_that_changes():
    world = worlds.four_by_three()
    for solve in (value_iteration, policy_iteration):
        plan = solve(world.mdp)
        shown = np.where(world.states >= 0, plan.values[world.states], np.nan)
        np.testing.assert_array_equal(shown.round(3), LECTURE)
    careful = plan.policy.argmax(1)
    hasty = value_iteration(worlds.four_by_three(-2.0).mdp).policy.argmax(1)
    at = world.state_at
    assert (careful[at(2, 1)], hasty[at(2, 1)]) == (0, 1), "into the bad exit, which is nearest"
    assert (careful[at(3, 2)], hasty[at(3, 2)]) == (3, 0)
    changed = (careful != hasty) & ~world.mdp.terminal
    assert set(np.flatnonzero(changed)) == {at(2, 1), at(0, 2), at(1, 2), at(2, 2), at(3, 2)}


def test_the_studys_board():
    world = worlds.gridworld(10, 10, STUDY_WALLS, [(9, 9)])
    assert world.mdp.num_states == 95
    plan = value_iteration(world.mdp)
    # Eighteen moves, the last of which pays 10.
    wanted = -sum(0.9**t for t in range(17)) + 10 * 0.9**17
    assert plan.values[world.state_at(0, 0)] == pytest.approx(wanted)
    assert world.drawing.blocked.sum() == 5
    assert world.drawing.blocked[1, 8]
    assert world.drawing.marks == {"goal": (world.state_at(9, 9),)}
    assert world.mdp.action_names == ("up", "right", "down", "left")


def reachable(free: set, wins: set) -> set:
    """Cells with a way to a win, by flooding from the wins."""
    seen, edge = set(wins), list(wins)
    while edge:
        x, y = edge.pop()
        for dx, dy in WAYS[:4]:
            if (c := (x + dx, y + dy)) in free and c not in seen:
                seen.add(c)
                edge.append(c)
    return seen


@given(seeds, st.integers(2, 6), st.integers(2, 6), st.sampled_from([0.2, 0.45]))
def test_a_board_is_accepted_exactly_where_every_start_has_a_way(seed, width, height, share):
    rng = np.random.default_rng(seed)
    cells = {(x, y) for x in range(width) for y in range(height)}
    walls = set(random_cells(rng, width, height, share)) - {(0, 0)}
    wins = set(random_cells(rng, width, height, 0.1)) - walls | {(0, 0)}
    starts = cells - walls - wins
    if starts and starts <= reachable(cells - walls, wins):
        world = worlds.gridworld(width, height, sorted(walls), sorted(wins), discount=1.0)
        assert value_iteration(world.mdp).status.ok
    else:
        with pytest.raises(InputError, match=r"no win can be reached|no cell to start"):
            worlds.gridworld(width, height, sorted(walls), sorted(wins))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"width": 0}, "1 or more cells"),
        ({"walls": [(4, 0)]}, r"walls\[0\] = \(4, 0\) is off the board"),
        ({"walls": [(1, 1)], "wins": [(1, 1)]}, r"wins\[0\] = \(1, 1\) is a wall"),
        ({"wins": [(0, 0)], "start": (0, 0)}, "is a win"),
        ({"wins": [(3, 3)], "walls": [(2, 3), (3, 2)]}, "no win can be reached from cell"),
        ({"wind": 1.5}, "wind is a probability"),
        ({"slip": float("nan")}, "slip is a probability"),
        ({"step_reward": float("inf")}, "step_reward must be a finite number; got inf"),
        ({"discount": 1.0}, "discount of 1"),
    ],
)
def test_boards_that_cannot_be_played_are_refused(arguments, words):
    with pytest.raises(InputError, match=words):
        worlds.gridworld(**({"width": 4, "height": 4} | arguments))


def test_a_start_beyond_the_wall_is_named():
    walls = [(2, 0), (2, 1), (2, 2)]
    with pytest.raises(InputError, match=r"from cell \(3, 0\) \(3 such starts\)"):
        worlds.gridworld(4, 3, walls, [(0, 0)])
    assert worlds.gridworld(4, 3, walls, [(0, 0)], start=(1, 2)).mdp.num_states == 9


def test_a_maze_is_read_from_text():
    world = worlds.maze(["..#G", ".1..", "S..."], name="small", step_reward=-2.0)
    assert world.mdp.num_states == 10
    assert world.drawing.marks == {"goal": (world.state_at(3, 0),), "start": (6,)}
    assert world.state_at(0, 0, from_bottom=True) == world.state_at(0, 2) == 6
    plan = value_iteration(world.mdp)
    assert plan.values[6] == pytest.approx(-2 * (1 + 0.9 + 0.81 + 0.729) + 10 * 0.9**4)
    assert world.name == "small"
    text = worlds.maze("..#G\n.1..\nS...\n", name="small", step_reward=-2.0)
    assert text.settings == world.settings


@pytest.mark.parametrize(
    ("layout", "words"),
    [
        ([], "equally long"),
        (["..", "..."], "equally long"),
        (["S.", ".x"], "row 2, column 2 of the layout is 'x'"),
        (["S#G"], "no win can be reached from cell"),
        (["##"], "no cell to start from"),
    ],
)
def test_mazes_that_make_no_sense_are_refused(layout, words):
    with pytest.raises(InputError, match=words):
        worlds.maze(layout)


def test_a_maze_equals_the_grid_with_the_same_cells():
    text = worlds.maze(["S..", "#.G"], wind=0.1, stay=True)
    cells = worlds.gridworld(3, 2, [(0, 1)], [(2, 1)], start=(0, 0), wind=0.1, stay=True)
    for name in ("successors", "probabilities", "initial", "terminal", "reward", "coordinates"):
        np.testing.assert_array_equal(getattr(text.mdp, name), getattr(cells.mdp, name))
