"""`inverseq study gridworld` and `gridworld-people`: what is passed on and what is shown."""

import numpy as np

from inverseq.cli import study
from inverseq.play import expert_games
from inverseq.studies.gridworld.record import GridWorldStudy
from inverseq.worlds.game_rules import STATIC_WALLS

ROWS = [{"grid": "static walls", "method": "DQN", "ratio": 1.25, "published": None}]


def fake(seen):
    def run(folder, **given):
        seen.update(given, folder=folder)
        return GridWorldStudy({"scores": ROWS, "curve": ROWS}, ("All went well.",), ("a.png",))

    return run


def test_the_tables_are_shown(inside, monkeypatch):
    seen = {}
    monkeypatch.setattr(study, "gridworld", fake(seen))
    code, out, _ = inside("study", "gridworld", "--seed", "3")
    assert code == 0
    assert seen["seed"] == 3
    assert seen["demonstrations"] is None
    for words in ("static walls", "1.25", "All went well.", "Written: a.png"):
        assert words in out
    assert out.count("static walls") == 1, "the curve is left to its file"
    monkeypatch.setattr(study, "gridworld_people", fake(seen))
    code, out, _ = inside("study", "gridworld-people")
    assert code == 0
    assert "All went well." in out


def test_recorded_games_are_passed_on_by_grid_type(inside, monkeypatch):
    seen = {}
    games = expert_games(STATIC_WALLS, games=3, seed=0)
    columns = {
        "difficulty": np.array(["static-walls", "static-walls", "random-win"]),
        "ended": np.array(["won", "abandoned", "abandoned"]),
    }
    object.__setattr__(games, "trajectories", columns)
    monkeypatch.setattr(study, "read_games", lambda path: games)
    monkeypatch.setattr(study, "gridworld", fake(seen))
    code, _, _ = inside("study", "gridworld", "--games", "mine.parquet")
    assert code == 0
    assert [*seen["demonstrations"]] == ["static walls"]
    assert seen["demonstrations"]["static walls"].num_trajectories == 1
    columns["ended"][:] = "abandoned"
    code, _, err = inside("study", "gridworld", "--games", "mine.parquet")
    assert code == 2
    assert "no finished game" in err
    code, _, err = inside("study", "mice", "--games", "mine.parquet")
    assert code == 2
    assert "--games belongs to the study gridworld" in err
