"""Contexts of mazes, row by row; and tables that count among the moves that exist."""

from dataclasses import replace

import numpy as np
import pytest

import inverseq as iq
from inverseq import InputError, worlds
from inverseq.inverse.problem import Problem
from inverseq.inverse.tables.column_table import barred_shares
from inverseq.inverse.tables.leave_out import luce, usable_rows

ONE = worlds.maze(["S..", ".#.", "..G"], name="one")
TWO = worlds.maze(["..S", "G.."], name="two")


def test_contexts_are_what_stands_before_each_decision():
    walks = iq.Demonstrations.from_arrays(
        [0, 1, 2, 4, 2, 1],
        [1, 1, 2, 2, 3, 3],
        trajectory=[0, 0, 0, 0, 1, 1],
        trajectories={"world": ["one", "two"]},
    )
    made = worlds.maze_contexts(walks, {"one": ONE, "two": TWO}).decisions
    assert made["last move"].tolist() == [0, 2, 2, 3, 0, 4]
    # The goal lies right and down, then below; in the other maze left and down.
    toward, both = (
        (made[f"{name}, last move"] - made["last move"]) // 6 for name in ("goal", "goal, ways")
    )
    assert toward.tolist() == [8, 8, 5, 5, 2, 2]
    ways = [2 + 4, 2 + 8, 4 + 8, 1 + 4, 4 + 8, 2 + 4 + 8]
    assert (both - 16 * toward).tolist() == ways
    # As many columns and rows away, in either maze: (2, 2), (1, 2), (0, 2), (0, 1), (-2, 1), ...
    cells = {}
    for away, number in zip(
        [(2, 2), (1, 2), (0, 2), (0, 1), (-2, 1), (-1, 1)], made["position"].tolist(), strict=True
    ):
        assert cells.setdefault(number, away) == away
    assert len(cells) == 6
    last = made["position, last move"] - 6 * made["position"]
    assert (last == made["last move"]).all()
    # Narrower contexts part no less than wider ones.
    for names in (worlds.MAZE_CONTEXTS, worlds.MAZE_POSITIONS[:1] + worlds.MAZE_POSITIONS[2:]):
        parts = [
            len({*zip(made[names[-1]].tolist(), made[n].tolist(), strict=True)}) for n in names
        ]
        assert {*parts} == {len({*made[names[-1]].tolist()})}


def test_a_maze_that_is_not_there_is_named():
    walks = iq.Demonstrations.from_arrays([0], [1], trajectories={"world": ["three"]})
    with pytest.raises(InputError, match="no MDP for world 'three'"):
        worlds.maze_contexts(walks, {"one": ONE, "two": TWO})


def kinds(layout, walk, actions):
    """The columns "move" and "turn" of a walk."""
    maze = worlds.maze(layout)
    states = [maze.state_at(*cell) for cell in walk]
    made = worlds.maze_contexts(iq.Demonstrations.from_arrays(states, actions), maze).decisions
    return tuple(np.stack([made[f"{n} {a}"] for a in range(4)], axis=1) for n in worlds.MAZE_KINDS)


def test_kinds_of_moves_are_those_of_who_walks():
    layout = ["S...", ".#..", "...G"]
    walk, actions = [(0, 0), (1, 0), (1, 0), (2, 0), (2, 1)], [1, 2, 1, 2, 0]
    fine, coarse = kinds(layout, walk, actions)
    up, right, down, left = range(4)
    assert (fine[0] == -1).all()
    assert coarse[0].tolist() == [14, 12, 12, 14]  # the first move: up and left are blocked
    # Having come by right: straight on is right, to a side up and down (both blocked), back left.
    assert coarse[1].tolist() == [6, 0, 6, 8]
    # Having pressed down into the obstacle: straight on is down, and the last move was blocked.
    assert coarse[2].tolist() == [11, 5, 3, 5]
    assert fine[1, up] == fine[1, down]  # mirror images
    assert len({*fine[1, [right, up, left]].tolist()}) == 3
    turned = [row[::-1] for row in layout], [(3 - x, y) for x, y in walk], [3, 2, 3, 2, 0]
    swap = [up, left, down, right]
    for mirrored, known in zip(kinds(*turned), (fine, coarse), strict=True):
        np.testing.assert_array_equal(mirrored[:, swap], known)
    around = ["".join(column) for column in zip(*layout, strict=True)]
    lying = kinds(around, [(y, x) for x, y in walk], [2, 1, 2, 1, 3])
    for each, known in zip(lying, (fine, coarse), strict=True):
        np.testing.assert_array_equal(each[:, [left, down, right, up]], known)


@pytest.fixture(scope="module")
def choices():
    """Choices among those that exist of four actions, by known weights, in one context."""
    rng = np.random.default_rng(0)
    allowed = rng.random((40, 4)) < 0.6
    allowed[:, 3] = True
    chance = allowed * np.array([0.5, 0.3, 0.15, 0.05])
    states = np.repeat(np.arange(40), 50)
    actions = [rng.choice(4, p=chance[s] / chance[s].sum()) for s in states]
    mdp = iq.MDP.from_dense(np.full((40, 4, 40), 1 / 40), discount=0.9, allowed=allowed)
    data = iq.Demonstrations.from_arrays(
        states, actions, trajectory=np.arange(2000) // 20, trajectories={}
    )
    return replace(data, decisions={"one": np.zeros(2000, int)}), mdp


def test_what_was_impossible_is_no_evidence(choices):
    data, mdp = choices
    rows, _ = usable_rows(Problem(data, mdp), np.zeros((2000, 1), int), "trajectory")
    barred = barred_shares(rows, np.zeros(2000, int))
    counts = np.bincount(data.actions, minlength=4) + barred.sum(0)
    np.testing.assert_allclose(counts / counts.sum(), luce(rows, 0.0)[0], atol=2e-3)
    assert (barred[rows.exists] == 0).all()
    table = iq.ColumnTable(("one",), available=True)
    knowing, blind = (iq.fit(data, replace(table, available=a), mdp) for a in (True, False))
    assert float(iq.log_likelihood(knowing, data)) > float(iq.log_likelihood(blind, data)) + 0.005
    kept = replace(mdp, allowed=np.ones_like(mdp.allowed))
    same = [iq.fit(data, replace(table, available=a), kept) for a in (True, False)]
    np.testing.assert_allclose(*(s.probabilities(data) for s in same), atol=1e-12)


@pytest.mark.parametrize(
    ("states", "actions", "world", "words"),
    [
        ([0, 100], [1, 1], ONE, "row 2: state 100 is outside"),
        ([0, 1], [1, 4], worlds.maze(["S.G"], stay=True), "needs the actions up, right, down"),
        ([0, 1], [1, 1], worlds.labyrinth(), "needs the actions up, right, down and left"),
        ([[0.0], [1.0]], [1, 1], ONE, "states are features"),
    ],
)
def test_what_is_in_no_maze_is_named(states, actions, world, words):
    with pytest.raises(InputError, match=words):
        worlds.maze_contexts(iq.Demonstrations.from_arrays(states, actions), world)
