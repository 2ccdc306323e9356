"""Labyrinth features: against geometry on the plan of the maze, node by node."""

import numpy as np
import pytest

from inverseq import InputError, MaxEnt, fit
from inverseq.datasets import mice
from inverseq.worlds import LABYRINTH_FEATURES, gridworld, labyrinth, labyrinth_features

PLACES = labyrinth().mdp.coordinates
PARENT = [-1, *((n - 1) // 2 for n in range(1, 127))]
LEVEL = [int(np.log2(n + 1)) for n in range(127)]
WATER = 116
LEAVING, COMING = (-1, 0), (1, 0)  # the way to home lies in the west


@pytest.fixture(scope="module")
def made():
    return labyrinth_features(labyrinth())


def heading(before, after, leaving):
    """Where the animal faces on the way from one node to the next; x to the right, y downwards."""
    if before == after:
        return LEAVING if leaving else COMING
    return tuple(np.sign(PLACES[after] - PLACES[before]).astype(int))


def turn(first, second):
    """Left, right, straight or back, from two headings."""
    (x, y), (u, v) = first, second
    if (u, v) in ((x, y), (-x, -y)):
        return "straight" if (u, v) == (x, y) else "back"
    return "left" if (u, v) == (y, -x) else "right"


def kind(before, after):
    """Name of a move: its sides are those of someone who comes from home."""
    if before < 0:
        return "start"
    if before == after:
        return "leave"
    inner, outer = (before, after) if PARENT[after] == before else (after, before)
    from_home = heading(PARENT[inner], inner, False) if inner else COMING
    side = turn(from_home, heading(inner, outer, False))
    return f"{'in' if PARENT[after] == before else 'out'} {side}"


def steps_to_water(node):
    ways = []
    for start in (node, WATER):
        ways.append([start])
        while ways[-1][-1]:
            ways[-1].append(PARENT[ways[-1][-1]])
    meet = next(n for n in ways[0] if n in ways[1])
    return ways[0].index(meet) + ways[1].index(meet)


def expected(earlier, before, node, after):
    """Every feature of a move that is not 0, by name, the nodes before it known or -1."""
    inward = PARENT[after] == node and after != node
    found = {f"at {after}": 1.0}
    if inward:
        found[f"in from level {LEVEL[node]}"] = 1.0
    now = last = None
    if before >= 0:
        now = turn(heading(before, node, False), heading(node, after, True))
    if earlier >= 0:
        last = turn(heading(earlier, before, False), heading(before, node, True))
    if now in ("right", "straight"):
        found[now] = 1.0
    if now == "back" and LEVEL[node] < 6:
        found["back in" if inward else "back out"] = 1.0
    if now in ("left", "right") and last in ("left", "right"):
        found["same turn" if now == last else "other turn"] = 1.0
    if before >= 0 and LEVEL[before] == 6 and now in ("straight", "back"):
        found["across from end" if now == "straight" else "back to end"] = 1.0
    if after == node:
        found["leave"] = 1.0
    elif after in (0, WATER):
        found["home" if after == 0 else "water"] = 1.0
    if (nearer := steps_to_water(node) - steps_to_water(after)) != 0:
        found["nearer water"] = float(nearer)
    move, one, two = kind(node, after), kind(before, node), kind(earlier, before)
    at = f"level {LEVEL[node]}"
    for words in (f"{one} >", f"{two}, {one} >", f"{at} >", f"{at}, {one} >"):
        found[f"{words} {move}"] = 1.0
    found[f"{at}, {two}, {one} > {move}"] = 1.0
    return found


def test_every_feature_of_every_move_is_what_the_plan_says(made):
    following = made.history.base[made.successors[:, :, 0]]
    for s, a in np.argwhere(made.allowed):
        before, earlier = made.history.previous[s]
        wanted = expected(earlier, before, made.history.base[s], following[s, a])
        there = np.flatnonzero(made.features[s, a])
        found = {made.feature_names[i]: made.features[s, a, i] for i in there}
        assert found == wanted, (earlier, before, made.history.base[s], following[s, a])
    assert not made.features[~made.allowed].any()
    assert made.features.any((0, 1)).all()


def test_groups_are_chosen_by_name_in_order(made):
    few = labyrinth_features(labyrinth(0.7), ["ports", "turn"], history=2)
    assert few.feature_names[:5] == ("water", "home", "leave", "nearer water", "right")
    assert (few.discount, few.history.length) == (0.7, 2)
    parts = [labyrinth_features(labyrinth(), [group]) for group in LABYRINTH_FEATURES]
    assert made.feature_names == tuple(n for part in parts for n in part.feature_names)
    np.testing.assert_array_equal(made.features, np.concatenate([p.features for p in parts], 2))
    sizes = [len(part.feature_names) for part in parts]
    assert (sizes[:5], sizes[-1]) == ([6, 4, 2, 2, 4], 127)


def test_turns_before_the_memory_begins_are_unknown():
    short = labyrinth_features(labyrinth(), ["alternation"], history=2)
    assert not short.features.any()


def test_a_turn_reward_learnt_from_mice_is_alternation():
    data = mice()
    seen = data.demonstrations.take(np.arange(data.demonstrations.num_trajectories) < 40)
    mdp = labyrinth_features(labyrinth(), ["depth", "turn", "alternation", "ends", "ports"])
    found = fit(seen, MaxEnt("features", strength=1.0), mdp)
    weight = dict(zip(mdp.feature_names, found.parameters["weights"], strict=True))
    assert weight["other turn"] > weight["same turn"] + 0.3
    assert weight["straight"] > weight["back out"] + 0.5


def test_what_is_no_labyrinth_or_no_group_is_refused():
    with pytest.raises(InputError, match="no group of labyrinth features 'smell'"):
        labyrinth_features(labyrinth(), ["smell"])
    with pytest.raises(InputError, match=r"Use worlds\.labyrinth"):
        labyrinth_features(gridworld(3, 3, wins=[(2, 2)]))
    with pytest.raises(InputError, match="2 nodes or more; got 1"):
        labyrinth_features(labyrinth(), history=1)
