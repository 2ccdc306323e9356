import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest

from inverseq.analysis.places import Places
from inverseq.mdp import MDP
from inverseq.plot import to_svg
from inverseq.reporting.figures.places import maps, place_names, scenes, visit_maps
from inverseq.worlds import four_by_three, labyrinth, maze


def places_of(*mdps):
    states = sum(m.num_states for m in mdps)
    rng = np.random.default_rng(0)
    visits = rng.integers(1, 50, states).astype(float)
    return Places(
        reward=rng.normal(size=states),
        rewards=np.where(np.concatenate([m.allowed for m in mdps]), 1.0, np.nan),
        value=rng.normal(size=states),
        policy=np.concatenate([m.allowed / m.allowed.sum(1, keepdims=True) for m in mdps]),
        visits=visits,
    )


@pytest.mark.parametrize("world", [labyrinth(), four_by_three()], ids=["maze", "grid"])
def test_a_world_with_places_is_drawn_as_maps_that_say_what_they_show(world):
    shown = places_of(world.mdp)
    pictures = maps(shown, scenes(world.mdp, {world.name: world}, shown.visits), "IAVI")
    assert [p.name for p in pictures] == ["reward_map", "value_map"]
    best = int(shown.often[np.argmax(shown.reward[shown.often])])
    assert best == shown.wanted[0]
    name = place_names(world.mdp, {world.name: world})[best]
    assert pictures[0].alt.startswith(f"Reward of each place. Highest at {name} (")
    for picture in pictures:
        drawn = to_svg(picture.drawn())
        assert ElementTree.fromstring(drawn).tag.endswith("svg")
        wanted = shown.wanted[0] if picture.name == "reward_map" else None
        marks = {name for name, states in world.drawing.marks.items() if wanted in states}
        assert wanted is None or marks or f">place {wanted}<" in drawn


def test_a_world_without_places_is_drawn_as_tables_of_its_most_visited_states():
    names = tuple(f"s{i}" for i in range(40))
    mdp = MDP.from_dense(
        np.full((40, 2, 40), 1 / 40), discount=0.9, state_names=names, action_names=("a", "b")
    )
    shown = places_of(mdp)
    pictures = maps(shown, scenes(mdp, {}, shown.visits), "IAVI")
    assert [p.name for p in pictures] == ["reward_map", "policy_map"]
    assert "24 most visited" in pictures[0].caption


def test_of_many_worlds_the_four_most_visited_are_drawn_each_with_its_own_states():
    layouts = ["S.G", "S..G", "S...G", "S....G", "S.....G"]
    worlds = {f"m{len(row)}": maze([row], name=f"m{len(row)}") for row in layouts}
    given = {name: world.mdp for name, world in worlds.items()}
    shown = places_of(*given.values())
    found = scenes(given, worlds, shown.visits)
    assert len(found) == 4
    total = {s.name: shown.visits[s.first : s.first + s.mdp.num_states].sum() for s in found}
    assert list(total.values()) == sorted(total.values(), reverse=True)
    firsts = dict(zip(given, np.cumsum([0, 3, 4, 5, 6]), strict=True))
    assert all(s.first == firsts[s.name] for s in found)
    pictures = maps(shown, found, "MaxEnt")
    assert [p.name for p in pictures[:2]] == [
        f"{kind}_{found[0].name}" for kind in ("reward_map", "value_map")
    ]


@pytest.mark.parametrize("up", [1, -1])
def test_maps_of_binned_positions_have_axes_with_the_edges_of_the_bins(up):
    names = [f"x {a}–{a + 10}, height {b}–{b + 0.5}" for b in (0, 0.5) for a in (0, 10, 20)]
    at = np.array([[a, up * b] for b in (0, 1) for a in (0, 1, 2)], dtype=float)
    stay = np.tile(np.eye(6)[:, None], (1, 2, 1))
    mdp = MDP.from_dense(stay, discount=0.9, coordinates=at, state_names=names)
    where = scenes(mdp, {}, np.ones(6))
    pictures = [*maps(places_of(mdp), where, "IAVI"), *visit_maps(np.ones(6), where)]
    assert len(pictures) == 3
    for each in pictures:
        ax = each.draw(3.3).axes[0]
        assert (ax.get_xlabel(), ax.get_ylabel()) == ("x", "height")
        ticks = [
            dict(zip(axis.get_ticklocs(), map(str, labels), strict=True))
            for axis in (ax.xaxis, ax.yaxis)
            for labels in [[label.get_text() for label in axis.get_ticklabels()]]
        ]
        assert ticks[0] == {-0.5: "0", 0.5: "10", 1.5: "20", 2.5: "30"}
        assert ticks[1] == {-0.5 * up: "0", 0.5 * up: "0.5", 1.5 * up: "1"}
