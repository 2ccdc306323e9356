"""`inverseq show`: what a saved solution holds, drawn."""

import csv
import json
from dataclasses import replace

import numpy as np
import pytest

import inverseq as iq
from inverseq.app.play.log import GameLog
from inverseq.readers.games import places_of_cells
from played_games import walk


@pytest.fixture
def shown(inside, tmp_path):
    """Saves a solution and shows it: (names of figures, rows of the table of states)."""

    def call(solution):
        iq.save(solution, tmp_path / "mine.npz")
        code, out, err = inside("show", "mine.npz", "--out", "drawn", "--json")
        assert (code, err) == (0, "")
        files = json.loads(out)["files"]
        assert all((tmp_path / name).stat().st_size > 0 for name in files)
        figures = {path.stem for path in (tmp_path / "drawn/figures").iterdir()}
        assert {path.suffix for path in (tmp_path / "drawn/figures").iterdir()} >= {".png", ".svg"}
        tables = {}
        for path in (tmp_path / "drawn").glob("tables/*.csv"):
            with open(path, newline="", encoding="utf-8") as stream:
                tables[path.stem] = list(csv.DictReader(stream))
        return figures, tables

    return call


@pytest.fixture(scope="module")
def board():
    """A small board and walks on it."""
    world = iq.worlds.gridworld(3, 2, wins=[(2, 1)])
    walks = iq.forward.simulate(
        world.mdp,
        iq.forward.soft_policy_iteration(world.mdp).policy,
        trajectories=20,
        steps=10,
        seed=0,
    )
    return world.mdp, walks


def test_a_world_with_places_is_drawn_as_maps(shown, board):
    mdp, walks = board
    solution = iq.fit(walks, iq.IAVI(), mdp=mdp)
    figures, tables = shown(solution)
    assert figures == {"reward_map", "value_map"}
    rows = tables["states"]
    assert [[float(r["x"]), float(r["y"])] for r in rows] == mdp.coordinates.tolist()
    values = np.array([float(r["value"]) for r in rows])
    np.testing.assert_allclose(np.diff(values), np.diff(solution.v), atol=1e-9)
    policy = [[float(r[f"probability_{a}"]) for a in mdp.action_names] for r in rows]
    np.testing.assert_allclose(policy, solution.policy.per_state(mdp), atol=1e-9)


def test_memory_is_averaged_out(shown, board):
    mdp, walks = board
    solver = iq.MaxEnt("state-actions", strength=1.0)
    figures, tables = shown(iq.fit(walks, solver, mdp=mdp.with_history(2)))
    assert figures == {"reward_map", "value_map"}
    assert len(tables["states"]) == mdp.num_states


def test_without_places_there_are_tables(shown, walks_solution):
    iavi, _ = walks_solution
    assert shown(iavi)[0] == {"reward_map", "policy_map"}


def test_without_a_reward_the_policy_is_drawn(shown, walks_solution):
    _, table = walks_solution
    assert shown(table) == ({"policy_map"}, {})


@pytest.fixture(scope="module")
def walks_solution():
    choices = iq.Demonstrations.from_arrays([0, 1, 0, 1], [1, 0, 1, 1], action_names=("on", "off"))
    mdp = iq.MDP.estimate(choices, discount=0.9, smoothing=1.0)
    return iq.fit(choices, iq.IAVI(), mdp=mdp), iq.fit(choices, iq.CountTable(1), mdp=mdp)


def test_each_intention_and_each_world_has_its_own(shown, board):
    mdp, walks = board
    two = iq.fit(walks, iq.Intentions(2, iq.IAVI(), restarts=1, seed=0), mdp=mdp)
    figures, tables = shown(two)
    assert figures == {f"{m}_map_intention_{k}" for m in ("reward", "value") for k in (1, 2)}
    assert {*tables} == {"states_intention_1", "states_intention_2"}


def test_each_world_has_its_own(shown, board):
    mdp, walks = board
    names = ["a", "b"] * 10
    both = replace(walks, trajectories={**walks.trajectories, "world": np.array(names)})
    figures, tables = shown(iq.fit(both, iq.IAVI(), mdp={"a": mdp, "b": mdp}))
    assert figures == {f"{m}_map_{w}" for m in ("reward", "value") for w in ("a", "b")}
    assert [r["world"] for r in tables["states"]] == ["a"] * 6 + ["b"] * 6


def test_what_cannot_be_drawn_is_one_message(inside, tmp_path, walks_solution):
    seen = iq.Demonstrations.from_arrays(np.eye(4, dtype=np.float32), [0, 1, 0, 1])
    cloned = iq.fit(seen, iq.BehaviourCloning(seed=0, lessons=iq.Lessons(steps=2)))
    iq.save(cloned, tmp_path / "cloned.npz")
    iq.save(walks_solution[0].mdp, tmp_path / "world.npz")
    for name, words in (
        ("cloned.npz", "fitted without a world of numbered states"),
        ("world.npz", "holds a MDP, not a Solution"),
        ("none.npz", "none.npz does not exist"),
    ):
        code, out, err = inside("show", name)
        assert (code, out, err.count("\n")) == (2, "", 1)
        assert words in err


@pytest.mark.parametrize("below", [[0, 3, 4, 5], [1, 2, 5]])
def test_cells_of_games_are_places(below, tmp_path):
    games = games_of(tmp_path, below)
    cells = sorted({0, 1, 2, 5, *below})  # some may have been left out
    assert places_of_cells(games).tolist() == [[cell % 3, cell // 3] for cell in cells]


def test_games_that_leave_cells_out_are_drawn_as_maps(inside, tmp_path):
    games_of(tmp_path, [0, 3, 0, 1, 2, 5])
    code, _, err = inside("fit", "games.parquet", "--bootstrap", "0", "--history", "1", "--quiet")
    assert (code, err) == (0, "")
    assert inside("show", "out/solution.npz", "--quiet") == (0, "", "")
    assert (tmp_path / "out/figures/reward_map.png").exists()
    assert (tmp_path / "out/shown/figures/value_map.png").exists()


def games_of(folder, below):
    """Games on a board of 3 x 2 cells, half of them through those told."""
    log = GameLog(folder / "games.parquet")
    for _ in range(6):
        log.append(walk([0, 1, 2, 5]))
        log.append(walk(below))
    log.close()
    return iq.read_table(folder / "games.parquet")


def test_other_tables_with_a_column_of_tiles_are_left_alone():
    table = {"state": [0, 1, 0], "action": [0, 1, 0], "tiles": ["red", "blue", "red"]}
    assert places_of_cells(iq.read_table(table)) is None
    boards = {**table, "tiles": ["20/03", "20/03", "20/03"]}
    assert places_of_cells(iq.read_table(boards)) is None  # the player never moved, the state did
