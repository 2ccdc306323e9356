"""The labyrinth against the published numbering of its nodes and steps."""

import numpy as np
import pytest

from inverseq import InputError, load, save, worlds

STEPS = 6


def published() -> tuple[dict, dict]:
    """Places of nodes and moves between them, after Rosenberg and others (2021).

    There the children of node r are 2 r + 1 on the side of smaller coordinates and 2 r + 2 on the
    other, odd levels branch along y. A step from level i between nodes j and c is of the left kind
    or of the right by the parity of i + j + c.
    """
    place, level = {0: (7, 7)}, {0: 0}
    moves = {}
    for r in range(2**STEPS - 1):
        i = level[r]
        length = 2 ** ((STEPS - 1 - i) // 2)
        for c, sign in ((2 * r + 1, -1), (2 * r + 2, 1)):
            x, y = place[r]
            place[c] = (x, y + sign * length) if i % 2 == 0 else (x + sign * length, y)
            level[c] = i + 1
            moves[place[r], 1 if (i + r + c) % 2 == 0 else 0] = place[c]
            moves[place[c], 2 if (i + 1 + c + r) % 2 == 0 else 3] = place[r]
    moves[place[0], 3] = place[0]  # out of the maze and back
    return place, moves


def test_nodes_and_moves_are_the_published_ones():
    world = worlds.labyrinth()
    mdp = world.mdp
    place, moves = published()
    cells = [tuple(int(v) for v in xy) for xy in mdp.coordinates]
    assert dict(enumerate(cells)) == place
    found = {
        (cells[s], a): cells[mdp.successors[s, a, 0]]
        for s in range(mdp.num_states)
        for a in range(4)
        if mdp.allowed[s, a]
    }
    assert found == moves
    assert mdp.action_names == ("in_left", "in_right", "out_left", "out_right")


def test_numbers_of_nodes_and_of_actions():
    world = worlds.labyrinth(discount=0.7)
    mdp, parents = world.mdp, world.drawing.parents
    np.testing.assert_array_equal(parents[1:], (np.arange(1, 127) - 1) // 2)
    assert parents[0] == -1
    np.testing.assert_array_equal(np.bincount(mdp.allowed.sum(1)), [0, 64, 0, 63])
    assert mdp.discount == 0.7
    assert mdp.initial[0] == 1
    assert not mdp.terminal.any()
    assert world.drawing.marks == {"home": (0,), "water": (116,)}
    assert world.state_at(14, 8) == 116, "where the mice drink"
    # What does not exist leads nowhere, as in the published table.
    missing = ~mdp.allowed
    np.testing.assert_array_equal(mdp.successors[..., 0][missing], np.nonzero(missing)[0])


def test_corridors_hold_every_node_and_every_way():
    world = worlds.labyrinth()
    free = ~world.drawing.blocked
    place, moves = published()
    assert all(free[y, x] for x, y in place.values())
    assert all(
        free[(y + v) // 2, (x + u) // 2]
        for (x, y), (u, v) in zip([start for start, _ in moves], moves.values(), strict=True)
    )
    # A way in of 8 cells, home included, and corridors of 4, 4, 2, 2, 1, 1 cells.
    assert free.sum() == 8 + 2 * 4 + 4 * 4 + 8 * 2 + 16 * 2 + 32 + 64


def test_cells_are_found_one_by_one_and_together():
    world = worlds.labyrinth()
    assert world.state_at(7, 7) == 0
    x, y = np.asarray(world.mdp.coordinates, dtype=int).T
    np.testing.assert_array_equal(world.state_at(x, y), np.arange(127))
    np.testing.assert_array_equal(world.state_at(x, 14 - y, from_bottom=True), np.arange(127))
    for cell in ((0, 5), (15, 7), (-1, 7), (7, 15)):
        with pytest.raises(InputError, match="wall or outside"):
            world.state_at(*cell)
    with pytest.raises(InputError, match=r"cell \(0, 5\)"):
        world.state_at([7, 0], [7, 5])


@pytest.mark.parametrize("make", [worlds.labyrinth, worlds.four_by_three])
def test_a_world_is_one_file(tmp_path, make):
    world = make()
    back = load(save(world, tmp_path / "world.npz"), worlds.World)
    assert (back.name, back.environment, back.settings) == (
        world.name,
        world.environment,
        world.settings,
    )
    np.testing.assert_array_equal(back.mdp.successors, world.mdp.successors)
    np.testing.assert_array_equal(back.states, world.states)
    assert back.drawing.marks == world.drawing.marks
