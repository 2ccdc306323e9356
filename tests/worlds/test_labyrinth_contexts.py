"""Contexts of a walk in the labyrinth: numbers by hand, mirrored walks, and what gaps forget."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from inverseq import InputError
from inverseq.demonstrations import Demonstrations, Ending
from inverseq.worlds import four_by_three, labyrinth, labyrinth_contexts
from inverseq.worlds.labyrinth_features import NOTHING

WORLD = labyrinth()
IN_LEFT, IN_RIGHT, OUT_LEFT, OUT_RIGHT, LEAVE = range(5)
NEVER = 10


def node_after(node: int, action: int) -> int:
    assert WORLD.mdp.allowed[node, action]
    return int(WORLD.mdp.successors[node, action, 0])


def walk(*actions: int, start: int = 0) -> Demonstrations:
    """One trajectory of these actions."""
    states = [start]
    for action in actions:
        states.append(node_after(states[-1], action))
    return Demonstrations.from_arrays(np.array(states[:-1]), np.array(actions))


def mirrored(actions: list[int]) -> list[int]:
    """The same walk with left and right exchanged."""
    return [action ^ 1 for action in actions]


def number(first: int, symbols: list[int], radix: int) -> int:
    for symbol in symbols:
        first = first * radix + symbol
    return first


def random_walk(seed: int, length: int = 300) -> list[int]:
    """Actions from home that never leave the maze."""
    rng, node, made = np.random.default_rng(seed), 0, []
    for _ in range(length):
        exists = [a for a in range(4) if WORLD.mdp.allowed[node, a] and (node or a != 3)]
        made.append(int(rng.choice(exists)))
        node = node_after(node, made[-1])
    return made


def test_numbers_of_a_short_walk_by_hand():
    demos = walk(0, 1, 3, 0)  # in left, in right, back out to the right, in left
    states = demos.states.tolist()
    made = labyrinth_contexts(demos, WORLD, moves=(0, 1, 2), nodes=(1, 2)).decisions
    # Level and side: home counts as a right side; then a left, a right and again the left node.
    place = [1, 2 * 1 + 0, 2 * 2 + 1, 2 * 1 + 0]
    past = [NOTHING, IN_LEFT, IN_RIGHT, OUT_RIGHT]
    before = [NOTHING, NOTHING, IN_LEFT, IN_RIGHT]
    assert made["moves 0"].tolist() == place
    assert made["moves 1"].tolist() == [number(p, [a], 6) for p, a in zip(place, past, strict=True)]
    both = zip(place, past, before, strict=True)
    assert made["moves 2"].tolist() == [number(p, [a, b], 6) for p, a, b in both]
    assert made["nodes 1"].tolist() == states
    earlier = [-1, *states[:-1]]
    pairs = zip(states, earlier, strict=True)
    assert made["nodes 2"].tolist() == [number(s, [e + 1], 128) for s, e in pairs]
    assert states[1] == states[3]


def test_how_long_ago_by_hand():
    demos = walk(3, 0, 2, 0, 1, 3)  # out of the maze and back, in left, out, in left, in right, out
    assert demos.states[[0, 1, 3]].tolist() == [0, 0, 0]
    made = labyrinth_contexts(demos, WORLD, moves=(), nodes=()).decisions
    node = np.stack([made[f"since node {a}"] for a in range(4)], axis=1)
    edge = np.stack([made[f"since edge {a}"] for a in range(4)], axis=1)
    out = 11 + NEVER
    assert node.tolist() == [
        [NEVER, NEVER, -1, 11],  # at home, where leaving leads
        [NEVER, NEVER, -1, 11],
        [NEVER, NEVER, 11, -1],  # home was one step ago
        [0, NEVER, -1, 11],  # so was the left node
        [NEVER, NEVER, 11, -1],
        [NEVER, NEVER, -1, 11],
    ]
    assert edge.tolist() == [
        [NEVER, NEVER, -1, out],
        [NEVER, NEVER, -1, 11],  # the last step was to leave
        [NEVER, NEVER, out, -1],
        [0, NEVER, -1, 12],  # there by in left one row ago, by leaving two rows ago
        [NEVER, NEVER, 11, -1],  # at home one row ago, by the way out
        [NEVER, NEVER, -1, out],
    ]


@pytest.mark.parametrize(
    ("lag", "place"), [(1, 0), (2, 1), (3, 2), (4, 2), (5, 3), (8, 3), (9, 4), (256, 8), (257, 9)]
)
def test_bins_double(lag, place):
    """Leave the maze again and again, go in left, come back: the node was left `lag` rows ago."""
    demos = walk(0, 2, *[3] * (lag - 1), 0)
    made = labyrinth_contexts(demos, WORLD, moves=(), nodes=()).decisions
    assert made["since node 0"][-1] == place
    assert made["since node 1"][-1] == NEVER


def test_the_loop_agrees_with_looking_back():
    demos = walk(*random_walk(1))
    made = labyrinth_contexts(demos, WORLD, moves=(), nodes=()).decisions
    ends = [1, 2, 4, 8, 16, 32, 64, 128, 256]
    for row in range(demos.num_decisions):
        for action in range(4):
            if not WORLD.mdp.allowed[demos.states[row], action]:
                assert made[f"since node {action}"][row] == -1
                continue
            goal = node_after(demos.states[row], action)
            seen = np.flatnonzero(demos.states[: row + 1] == goal)
            step = (demos.states[:row] == demos.states[row]) & (demos.states[1 : row + 1] == goal)
            walked = np.flatnonzero(step) + 1
            for name, past in (("node", seen), ("edge", walked)):
                lag = row - past[-1] if past.size else None
                bin_ = NEVER if lag is None else sum(lag > end for end in ends)
                assert made[f"since {name} {action}"][row] == bin_ + 11 * (action >= 2)


@pytest.mark.parametrize("seed", [0, 1])
def test_a_mirrored_walk_has_mirrored_contexts(seed):
    actions = random_walk(seed)
    plain, mirror = (
        labyrinth_contexts(walk(*a), WORLD, moves=(0, 3), nodes=(3,))
        for a in (actions, mirrored(actions))
    )
    inside = plain.states > 0  # home has one side only
    for name in ("node", "edge"):
        for action in range(4):
            one = plain.decisions[f"since {name} {action}"][inside]
            assert_array_equal(one, mirror.decisions[f"since {name} {action ^ 1}"][inside])
    found = mirror.decisions["moves 3"][inside]
    expected = []
    for context in plain.decisions["moves 3"][inside].tolist():
        symbols = [context // 36 % 6, context // 6 % 6, context % 6]
        turned = [s ^ 1 if s < LEAVE else s for s in symbols]
        expected.append(number((context // 216) ^ 1, turned, 6))
    assert_array_equal(found, expected)
    # Nodes tell the two apart wherever they are.
    assert (plain.decisions["nodes 3"] != mirror.decisions["nodes 3"])[inside].all()


def test_the_same_moves_elsewhere_are_the_same_context():
    left, right = walk(0, 0, 1, 0, 1), walk(1, 0, 1, 0, 1)
    one, other = (labyrinth_contexts(d, WORLD, moves=(2,), nodes=(2,)) for d in (left, right))
    assert (one.states[3:] != other.states[3:]).all()
    assert_array_equal(one.decisions["moves 2"][3:], other.decisions["moves 2"][3:])
    assert (one.decisions["nodes 2"][3:] != other.decisions["nodes 2"][3:]).all()


def test_nothing_is_remembered_across_trajectories_and_gaps():
    actions = random_walk(3, 60)
    whole = walk(*actions)
    endings = whole.endings.copy()
    endings[29] = Ending.GAP
    gap = replace(whole, endings=endings)
    cut = replace(gap, starts=np.array([0, 30, 60]))
    alone = Demonstrations.from_arrays(whole.states[30:], whole.actions[30:])
    expected = labyrinth_contexts(alone, WORLD).decisions
    before = labyrinth_contexts(whole, WORLD).decisions
    for demos in (gap, cut):
        made = labyrinth_contexts(demos, WORLD).decisions
        for name, values in made.items():
            assert_array_equal(values[30:], expected[name])
            assert_array_equal(values[:30], before[name][:30])
    assert any((before[name][30:] != expected[name]).any() for name in expected)


def test_other_columns_stay_and_long_memories_are_told_apart():
    demos = replace(walk(*random_walk(4)), decisions={"speed": np.arange(300)})
    made = labyrinth_contexts(demos, WORLD, moves=(20,), nodes=(8,)).decisions
    assert_array_equal(made["speed"], np.arange(300))
    pasts = {tuple(demos.states[max(row - 7, 0) : row + 1]) for row in range(300)}
    assert len(np.unique(made["nodes 8"])) == len(pasts)
    assert (made["moves 20"] >= 0).all()


@pytest.mark.parametrize(
    "settings", [{"moves": (21,)}, {"moves": (-1,)}, {"nodes": (0,)}, {"nodes": (9,)}]
)
def test_memories_that_cannot_be_numbered_are_refused(settings):
    with pytest.raises(InputError, match="moves must be 0 to 20 and nodes 1 to 8"):
        labyrinth_contexts(walk(0, 1), WORLD, **settings)


def test_other_worlds_and_nodes_are_refused():
    with pytest.raises(InputError, match=r"needs worlds.labyrinth\(\)"):
        labyrinth_contexts(walk(0, 1), four_by_three())
    outside = Demonstrations.from_arrays(np.array([0, 127]), np.array([0, 0]))
    with pytest.raises(InputError, match="row 2: state 127 is outside the world"):
        labyrinth_contexts(outside, WORLD)
