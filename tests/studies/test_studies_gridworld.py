"""The GridWorld study: readings against true values, its tables, what it refuses."""

from dataclasses import replace

import numpy as np
import pytest

from inverseq import InputError
from inverseq.forward import policy_iteration
from inverseq.networks import TrainedNetwork
from inverseq.play import expert_games
from inverseq.policies.network import NetworkPolicy
from inverseq.studies import Effort
from inverseq.studies.gridworld import STUDY, Settings, study
from inverseq.studies.gridworld.fits import data_curve, judged, train_grid, yardsticks
from inverseq.studies.gridworld.maps import (
    drawn_boards,
    empty_board,
    map_table,
    read_board,
    reward_table,
)
from inverseq.studies.gridworld.record import GRIDS, PUBLISHED, Grid, Trial, score_table
from inverseq.worlds import board_world
from inverseq.worlds.game_boards import GridState
from inverseq.worlds.game_rules import GridWorldRules

RULES = GridWorldRules(width=3, height=3, walls=((1, 1),), max_moves=12)
TINY = Grid("static walls", RULES, games=8, steps=200)
BOARD = GridState(np.eye(3, dtype=bool) & (np.arange(3) == 1), 0, 8, 0)


def table_network(q, cells):
    """A linear network that gives the rows of `q` with the player on `cells` of a 3x3 board."""
    weight = np.zeros((4, 9, 4), dtype=np.float32)
    weight[:, cells, 2] = q.T
    arrays = (weight.reshape(4, 36), np.zeros(4, dtype=np.float32))
    return TrainedNetwork("FullyConnected", {"hidden": (), "tiles": 4}, (3, 3), 4, arrays)


def best_policy():
    """The true optimal values of the tiny board, as a network."""
    mdp = board_world(RULES, BOARD).mdp
    q = policy_iteration(mdp).q
    cells = (np.asarray(mdp.coordinates) @ [1, 3]).astype(int)
    return NetworkPolicy(table_network(q, cells), 1.0, 0.9, "hard"), mdp


def trial_of(policy, method="DQN", preset="ours"):
    none = np.zeros((1, 0))
    one = np.ones(1)
    return Trial(TINY.name, preset, method, one, one, one, none, none, 0, (policy,), 0.0, 0.0)


def test_true_values_give_the_true_reward():
    policy, mdp = best_policy()
    reading = read_board(policy, RULES, BOARD)
    away = np.arange(8) != reading.win
    np.testing.assert_allclose(reading.reward[away], mdp.reward[away], atol=1e-5)
    assert np.isnan(reading.v[reading.win])
    assert reading.correlation == pytest.approx(1.0, abs=1e-5)
    assert reading.slope > 0.95
    assert (reading.arrows[away] <= reading.good[away]).all()
    assert reading.distance.tolist() == [4, 3, 2, 3, 1, 2, 1, 0]
    # Up in the corner leaves the board, down from the middle of the top row meets the wall.
    assert reading.bumps[0].tolist() == [True, False, False, True]
    assert reading.bumps[1].tolist() == [True, False, True, False]


def test_rewards_and_moves_are_counted():
    policy, _ = best_policy()
    (reward,) = reward_table(TINY, [trial_of(policy)], [BOARD])
    assert (reward["win"], reward["step"], reward["bump"]) == (10.0, -1.0, -1.0)
    assert reward["expert_moves"] == pytest.approx(1.0, abs=1e-3)
    (found,) = map_table(TINY, [trial_of(policy)], [BOARD])
    assert (found["nearer"], found["into_walls"], found["off_the_board"]) == (1.0, 0.0, 0.0)
    up = NetworkPolicy(table_network(np.tile([1.0, 0, 0, 0], (9, 1)), np.arange(9)), 1.0, 0.9)
    (found,) = map_table(TINY, [trial_of(up)], [BOARD])
    assert found["nearer"] == 0.0
    assert found["into_walls"] == pytest.approx(1 / 7, abs=1e-3)  # from below the middle
    assert found["off_the_board"] == pytest.approx(3 / 7, abs=1e-3)  # from the top row


def test_the_best_policy_is_as_good_as_the_expert():
    straight, shortest = judged(TINY, best_policy()[0], None, 0.0, seed=0, boards=40)
    assert float(shortest.ratio.mean()) == 1.0
    random, expert = yardsticks(TINY, seed=0, boards=40)
    assert float(straight.ratio.mean()) == pytest.approx(expert.straight[0])
    assert random.straight[0] > 1.5
    assert random.won[0] < 1
    drawn = judged(TINY, best_policy()[0], 20.0, 0.0, seed=0, boards=40)[0]
    assert float(drawn.ratio.mean()) > 1.2, "at a high temperature moves are nearly random"


def test_boards_to_read_are_new_and_empty_ones_empty():
    random = Grid("random win", GridWorldRules(width=4, height=4, num_walls=2, win="random"), 5, 9)
    boards = drawn_boards(random, seed=0, boards=3)
    assert len({(b.walls.tobytes(), int(b.win)) for b in boards}) == 3
    assert len(drawn_boards(TINY, seed=0, boards=3)) == 1
    assert not empty_board(RULES).walls.any()
    assert empty_board(RULES, (0, 0)).win == 0
    assert empty_board(RULES).win == 8


def trials_of(grid, preset, tests):
    """Trials of every method that play by the true values of the tiny board."""
    policy = best_policy()[0]
    curve = np.array([tests])
    made = [trial_of(policy, method, preset) for method in ("DQN", "IQ-Learn", "cloning")]
    bare = np.zeros((1, 0))
    curves = [curve, curve / 2, bare]
    return [
        replace(t, grid=grid.name, loss=c, tests=c, block=50)
        for t, c in zip(made, curves, strict=True)
    ]


@pytest.fixture(scope="module")
def done():
    """The whole study with trainings put in its place: tables and figures."""
    grids = [Grid(grid.name, RULES, 8, 200) for grid in GRIDS]
    steps = []

    def train(grid, preset, games, settings, *, done, seed):
        assert games.num_trajectories == 8
        assert settings.seeds == 1
        for trial in trials_of(grid, preset, [3.0, 2.0, 1.5]):
            done(trial)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(study, "train_grid", train)
        patch.setattr(
            study,
            "data_curve",
            lambda grid, settings, effort: {n: np.ones((2, 2, 2)) for n in ("IQ-Learn", "cloning")},
        )
        effort = Effort(progress=lambda *step: steps.append(step))
        made = study.trained(grids, {}, replace(STUDY.small, sizes=(4, 8)), effort)
    return made, steps


def test_the_study_makes_its_figures_and_tables(done):
    made, steps = done
    assert steps[-1] == ("trainings", 18, 18)
    names = ("1_demonstrations", "2_loss", "3_ratios", "4_dqn_values", "5_iq_values")
    assert set(made.figures) == {*names, "6_iq_policies", "7_rewards", "curve"}
    assert set(made.tables) == {"scores", "curve", "maps", "rewards"}
    rows = made.tables["scores"]
    assert [(r["settings"], r["method"]) for r in rows[:3]] == [
        ("", "random"),
        ("", "expert"),
        ("faithful", "DQN"),
    ]
    assert len(rows) == 3 * 8
    assert rows[2]["last_50_tests"] == pytest.approx(6.5 / 3, abs=1e-3)
    assert made.sentences[0] == "DQN, faithful: mean distance ratio 1 / 1 / 1."
    assert len(made.tables["curve"]) == 2 * 2 * 2


def test_the_faithful_trainings_have_their_budget():
    seen = []
    games = expert_games(RULES, games=8, seed=0)
    settings = Settings(seeds=2, boards=10)
    found = train_grid(TINY, "faithful", games, settings, seed=1, done=seen.append)
    assert seen == [*found]
    for trial, blocks in zip(found, (1, 1, 0), strict=True):
        assert trial.loss.shape == trial.tests.shape == (2, blocks)
        assert trial.preset == "faithful"
        assert len(trial.policies) == 2
        assert trial.straight.min() >= 1
        assert trial.cpu > 0
    assert found[1].policies[0].temperature == 0.01
    first, second = (policy.network.arrays[0] for policy in found[1].policies)
    assert not np.array_equal(first, second), "seeds differ"


def test_our_iq_learn_needs_few_games():
    settings = Settings(sizes=(6,), curve_seeds=1, boards=10, lessons=50)
    made = data_curve(TINY, settings, Effort(seed=1))
    assert made["IQ-Learn"].shape == (1, 1, 2)
    assert made["IQ-Learn"][0, 0, 1] == 1.0
    assert made["cloning"][0, 0, 1] >= 1.0


def test_published_numbers_stand_beside_the_faithful():
    policy = best_policy()[0]
    rows = score_table([trial_of(policy, preset="faithful"), trial_of(policy)])
    assert [row["published"] for row in rows] == [1.11, None]
    assert all((grid.name, "person") in PUBLISHED for grid in GRIDS)


def test_other_demonstrations_must_fit():
    games = expert_games(GridWorldRules(width=4, height=4), games=2, seed=0)
    with pytest.raises(InputError, match="boards of shape"):
        study.trained((TINY,), {"static walls": games}, STUDY.small, Effort())
    with pytest.raises(InputError, match="grid types are"):
        study.trained((TINY,), {"no walls": games}, STUDY.small, Effort())
    with pytest.raises(InputError, match="1 or more"):
        Settings(seeds=0)
    with pytest.raises(InputError, match="grids are some of"):
        Settings(grids=())


def test_every_grid_type_can_be_asked_for():
    assert Settings().grids == tuple(grid.name for grid in GRIDS)


def test_recorded_games_are_taken_by_grid_type(monkeypatch):
    games = expert_games(GRIDS[0].rules, games=3, seed=0)
    columns = {
        "difficulty": np.array(["static-walls", "static-walls", "random-win"]),
        "ended": np.array(["won", "abandoned", "abandoned"]),
    }
    object.__setattr__(games, "trajectories", columns)
    monkeypatch.setattr(study, "read_games", lambda path: games)
    found = study.recorded_games("mine.parquet")
    assert [*found] == ["static walls"]
    assert found["static walls"].num_trajectories == 1
    columns["ended"][:] = "abandoned"
    with pytest.raises(InputError, match="no finished game"):
        study.recorded_games("mine.parquet")
