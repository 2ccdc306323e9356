"""`inverseq worlds`, and mazes beside a table of positions."""

import json

import numpy as np
import pytest
from benchmarks.city import city, trips

import inverseq as iq
from inverseq import worlds
from inverseq.cli import main
from inverseq.evaluate import compare

MAZES = "[one]\nS.#.\n...A\n##.G\n[two]\nS...\n.#.G\n"
WALKS = """world,trajectory,x,y
one,1,0,0
one,1,0,1
one,1,1,1
one,1,2,1
one,1,2,2
one,1,3,2
two,2,0,0
two,2,1,0
two,2,2,0
two,2,2,1
two,2,3,1
"""


@pytest.fixture
def typed(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mazes.txt").write_text(MAZES)
    (tmp_path / "walks.csv").write_text(WALKS)

    def call(command):
        code = main(command.split())
        told = capsys.readouterr()
        return code, told.out, told.err

    return call


def test_worlds_are_drawn_and_examined(typed, tmp_path):
    code, out, _ = typed("worlds check mazes.txt --out w")
    assert code == 0
    assert "one: 9 states, 4 actions, 32 pairs that exist, 1 end(s)" in out
    assert (tmp_path / "w" / "one.png").read_bytes()[:4] == b"\x89PNG"
    (tmp_path / "alone.txt").write_text("[ring]\nS.\n.G\n")
    assert "ring: 4 states" in typed("worlds check alone.txt --out w")[1]
    (tmp_path / "net.csv").write_text(
        "state,action,next_state,probability\na,x,b,1\na,y,b,1\nb,x,b,1\nc,x,a,1\nc,y,d,1\n"
    )
    code, out, _ = typed("worlds check net.csv --json")
    assert code == 2
    found = json.loads(out)["worlds"]["net"]
    assert (found["closed"], found["endless"], found["ends"]) == (["b"], ["a", "b"], ["d"])
    assert found["duplicate_actions"] == [[0, 0, 1]]


def test_positions_are_placed_and_read_back(typed, tmp_path):
    where = "--world mazes.txt --state x,y --action moves"
    code, out, _ = typed(f"worlds place walks.csv {where} --out placed.csv")
    assert (code, "9 decisions in 2 trajectories, 2 of which end" in out) == (0, True)
    code, out, _ = typed("doctor placed.csv --world mazes.txt --json")
    known = json.loads(out)["facts"]
    assert (code, known["decisions"], known["terminated"]) == (0, 9, 2)
    code, out, _ = typed(f"doctor walks.csv {where} --json")
    assert json.loads(out)["facts"] == known


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("worlds place walks.csv --state x,y --out a.csv", "needs a file or folder of mazes"),
        ("worlds place walks.csv --state x,y --world mazes.txt", "say where with --out"),
        ("worlds check none.txt", "there is no such file"),
        ("worlds check estimated", "there is nothing to check"),
        ("doctor walks.csv --state x --world mazes.txt --transform w", "--state x,y"),
        ("doctor walks.csv --state x,y --action moves --places p.csv", "--places goes with"),
        ("doctor mice --transform w", "leave --transform out"),
        ("compare walks.csv --state x --action moves --models path --intentions 2", "drop one"),
        (
            "doctor walks.csv --state x,y --action moves --world mazes.txt --world-column y",
            "the world changes",
        ),
        ("doctor walks.csv --state x,y --action moves --upwards --world mazes.txt", "--upwards"),
    ],
)
def test_what_cannot_be_done_is_said(typed, command, words):
    code, _, err = typed(command)
    assert (code, words in err, err.count("\n")) == (2, True, 1)


def test_names_of_mazes_lead_nowhere_else(typed, tmp_path):
    (tmp_path / "odd.txt").write_text("[../x]\nS.G\n[x]\nS..G\n[..]\nSG\n")
    code, _, _ = typed("worlds check odd.txt --out a/b --quiet")
    drawn = sorted(path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*.png"))
    assert (code, drawn) == (0, ["a/b/3.png", "a/b/x.png", "a/b/x_2.png"])


def test_a_column_of_another_name_says_which_world(typed, tmp_path):
    (tmp_path / "walks.csv").write_text(WALKS.replace("world,", "labyrinth,", 1))
    where = "doctor walks.csv --world mazes.txt --state x,y --action moves --json"
    code, _, err = typed(where)
    assert (code, "no column 'world'" in err) == (2, True)
    code, out, _ = typed(f"{where} --world-column labyrinth")
    assert (code, json.loads(out)["facts"]["terminated"]) == (0, 2)


def test_a_table_of_transitions_may_be_text(typed, tmp_path):
    rows = ["state\taction\tnext_state\tprobability", "a\tx\tb\t1", "b\tx\ta\t1"]
    (tmp_path / "net.txt").write_text("\n".join(rows) + "\n")
    code, out, _ = typed("worlds check net.txt")
    assert (code, "net: 2 states, 1 actions" in out) == (0, True)


def test_gaps_outlive_a_file(typed, tmp_path):
    (tmp_path / "m.txt").write_text("S....\n....G\n")
    rows = ["trajectory,time,x,y,action", "1,0,0,0,right", "1,1,1,0,right", "1,9,2,0,right"]
    (tmp_path / "w.csv").write_text("\n".join(rows) + "\n")
    where = "--world m.txt --state x,y --longest-step 2"
    assert typed(f"worlds place w.csv {where} --out placed.csv --quiet")[0] == 0
    read = iq.read_table(tmp_path / "placed.csv")
    assert read.continues.tolist() == [False, True, False]
    assert json.loads(typed("doctor placed.csv --world m.txt --json")[1])["facts"]["gaps"] == 1


def test_a_reward_is_planned_in_a_changed_maze(typed, tmp_path):
    (tmp_path / "m.txt").write_text("S...\n.#..\n...G\n")
    (tmp_path / "changed.txt").write_text("S.#.\n.#..\n...G\n")
    world = worlds.read_mazes(tmp_path / "m.txt")["m"]
    cost = np.where(world.mdp.terminal, 5.0, -3.0)
    agent = iq.forward.soft_policy_iteration(world.mdp, cost)
    walks = iq.forward.simulate(world.mdp, agent.policy, trajectories=60, steps=30, seed=1)
    for reward, mdp in {
        "states": world.mdp,
        "features": worlds.maze_features(world, ["step", "turn"]),
    }.items():
        iq.save(iq.fit(walks, iq.MaxEnt(reward, strength=1.0), mdp), tmp_path / "s.npz")
        code, out, _ = typed(f"replan s.npz --world changed.txt --out {reward} --json")
        moves = json.loads(out)["moves"]
        assert (code, moves["after"] != moves["before"]) == (0, True)
        folder = tmp_path / reward
        assert iq.load(folder / "solution.npz", iq.Solution).settings["replanned"] is True
        rows = (folder / "tables" / "change.csv").read_text().splitlines()
        assert rows[0] == "world,state,x,y,action,moves"
        total = sum(float(row.split(",")[-1]) for row in rows[1:] if row.startswith("after"))
        assert total == pytest.approx(moves["after"])
        assert (folder / "figures" / "change.png").is_file()
    code, _, err = typed("replan s.npz")
    assert (code, "give its file with --world" in err) == (2, True)
    (tmp_path / "other.txt").write_text("S....\n.#...\n...G.\n")
    iq.save(iq.fit(walks, iq.MaxEnt("states", strength=1.0), world.mdp), tmp_path / "s.npz")
    code, _, err = typed("replan s.npz --world other.txt")
    assert (code, "where (4, 0) was none" in err) == (2, True)


def test_trips_to_destinations_share_a_reward(typed, tmp_path):
    net = city(3, 3, 1)
    walks = trips(net, 80, 8, seed=4)
    rows = zip(
        walks.trajectory_of, walks.step, walks.states, walks.actions, walks.next_states, strict=True
    )
    goal = walks.trajectories["destination"]
    (tmp_path / "trips.csv").write_text(
        "trip,destination,time,state,action,next_state\n"
        + "".join(f"{t},{goal[t]},{k},{s},{a},{n}\n" for t, k, s, a, n in rows)
    )
    pairs = np.argwhere(net.allowed)
    (tmp_path / "net.csv").write_text(
        "state,action,next_state,probability,length,left,back,link\n"
        + "".join(
            f"{s},{a},{net.successors[s, a, 0]},1,{','.join(map(str, net.features[s, a]))}\n"
            for s, a in pairs
        )
    )
    (tmp_path / "nodes.csv").write_text(
        "state,x,y\n" + "".join(f"{s},{x},{y}\n" for s, (x, y) in enumerate(net.coordinates))
    )
    where = "trips.csv --world net.csv --places nodes.csv --goal destination --trajectory trip"
    assert typed(f"doctor {where}")[0] == 0
    code, out, err = typed(f"fit {where} --out out --quiet")
    assert (code, out, err) == (0, "", "")
    told = json.loads((tmp_path / "out" / "summary.json").read_text())
    assert told["chosen"] == "RecursiveLogit"
    assert told["headline"][0].startswith("Most clearly avoided: ")
    page = (tmp_path / "out" / "report.html").read_text()
    assert "Which ways they take" in page
    weights = (tmp_path / "out" / "tables" / "weights.csv").read_text().splitlines()
    assert weights[0] == "feature,weight,low,high,elasticity"
    assert [row.split(",")[0] for row in weights[1:]] == ["length", "left", "back", "link"]
    assert (tmp_path / "out" / "figures" / "routes.png").stat().st_size > 10_000
    code, _, err = typed(f"fit {where} --solver iavi")
    assert (code, "has a solver of its own" in err) == (2, True)
    more = f"{where} --goal-features bearing"
    assert typed(f"fit {more} --out more --quiet")[0] == 0
    weights = (tmp_path / "more" / "tables" / "weights.csv").read_text().splitlines()
    assert weights[-1].split(",")[0] == "bearing"
    code, out, _ = typed(f"compare {more} --folds 2 --json")
    assert (code, json.loads(out)["scores"][-1]["key"]) == (0, "RecursiveLogit")
    for told, words in (
        (f"fit {where} --goal-features left", "there are bearing, distance left"),
        (f"fit {where} --goal-features bearing".replace("--places nodes.csv", ""), "--places"),
        ("fit trips.csv --world net.csv --goal-features bearing", "give --goal"),
    ):
        code, _, err = typed(told)
        assert (code, words in err, err.count("\n")) == (2, True, 1)


def test_each_trip_on_a_board_has_a_goal_of_its_own(typed, tmp_path):
    (tmp_path / "m.txt").write_text("[m]\nS..A\n.#..\nB..G\n[n]\nS..\n.#.\nB.A\n")
    rows = ["world,trip,goal,x,y"]
    ways = {"A": [(0, 0), (1, 0), (2, 0), (3, 0)], "B": [(0, 0), (0, 1), (0, 2)]}
    there = {"A": [(0, 0), (1, 0), (2, 0), (2, 1), (2, 2)], "B": ways["B"]}
    for trip in range(16):
        name, goal = "mn"[trip % 2], "AB"[trip // 2 % 2]
        rows += [f"{name},{trip},{goal},{x},{y}" for x, y in (ways, there)[trip % 2][goal]]
    (tmp_path / "w.csv").write_text("\n".join(rows) + "\n")
    where = "w.csv --world m.txt --goal goal --state x,y --action moves --trajectory trip"
    code, out, _ = typed(f"compare {where} --folds 2 --models path,planner --json")
    scores = {row["key"]: row["nats"] for row in json.loads(out)["scores"]}
    assert (code, scores["path"] > scores["marginal"] + 0.2) == (0, True)
    assert json.loads(typed(f"doctor {where} --json")[1])["facts"]["terminated"] == 16
    (tmp_path / "cut.txt").write_text("[m]\nS#.A\n.#..\nB#.G\n[n]\nS..\n.#.\nB.A\n")
    (tmp_path / "w.csv").write_text("world,trip,goal,x,y\nm,1,A,0,0\nm,1,A,0,1\nm,1,A,0,2\n")
    code, _, err = typed(f"fit {where.replace('m.txt', 'cut.txt')}")
    assert (code, "no win can be reached" in err) == (2, True)
    code, _, err = typed(f"fit {where} --goal-features bearing")
    assert (code, "goes with a network" in err) == (2, True)
    (tmp_path / "cut.txt").write_text("[m]\nS#.A\n.#..\nB#..\n")
    code, _, err = typed(f"fit {where.replace('m.txt', 'cut.txt')}")
    assert (code, "row 1: the decision is made at 0, from which no way leads" in err) == (2, True)
    code, _, err = typed("fit mice --goal subject")
    assert (code, "goes with boards" in err) == (2, True)


def test_boards_are_left_out_one_after_the_other(typed, tmp_path, monkeypatch):
    layouts = {"one": ["S...", ".#..", "...G"], "two": ["S.#.", "....", "#..G"]}
    layouts |= {"three": ["S...", "..#.", "#..G"], "four": ["S#..", "....", ".#.G"]}
    (tmp_path / "mazes.json").write_text(json.dumps(layouts))
    rows = []
    for number, (name, world) in enumerate(worlds.read_mazes(tmp_path / "mazes.json").items()):
        cost = np.where(world.mdp.terminal, 4.0, -1.5)
        agent = iq.forward.soft_policy_iteration(world.mdp, cost)
        made = iq.forward.simulate(world.mdp, agent.policy, trajectories=15, steps=25, seed=number)
        columns = (made.trajectory_of, made.step, made.states, made.actions)
        rows += [f"{name},{name}{t},{k},{s},{a}" for t, k, s, a in zip(*columns, strict=True)]
    head = "world,trajectory,time,state,action"
    (tmp_path / "walks.csv").write_text("\n".join([head, *rows]) + "\n")
    where = "compare walks.csv --world mazes.json --by world --folds 2"
    code, out, _ = typed(f"{where} --models line,path,contexts,planner --json --out page")
    scores = {row["key"]: row for row in json.loads(out)["scores"]}
    assert code == 0
    assert [*scores] == ["marginal", "line", "path", "contexts", "planner"]  # chosen, beside shares
    assert (tmp_path / "page" / "report.html").is_file()
    assert scores["planner"]["nats"] > scores["line"]["nats"]
    assert not scores["planner"]["yardstick"]
    assert all(scores[key]["yardstick"] for key in ("line", "path", "contexts"))
    few = f"{where} --models line,path --keep kept"
    with monkeypatch.context() as patched:
        left, fitted = iter(range(4)), compare.fit

        def fit(*given):
            if next(left, None) is None:
                raise KeyboardInterrupt
            return fitted(*given)

        patched.setattr(compare, "fit", fit)
        code, out, err = typed(f"{few} --json")
    assert (code, "stopped after 4 of 6 fits" in err, "in kept" in err) == (130, True, True)
    told = json.loads(out)
    assert [row["key"] for row in told["scores"]] == ["marginal", "line", "path"]
    assert told["stopped"] == {"done": 4, "total": 6}
    assert len([*(tmp_path / "kept").iterdir()]) == 4
    whole = json.loads(typed(f"{few} --json")[1])["scores"]
    assert [row["nats"] for row in whole] == [
        pytest.approx(scores[key]["nats"]) for key in ("marginal", "line", "path")
    ]
    assert typed("fit walks.csv --world mazes.json --out fitted --quiet")[0] == 0
    told = json.loads((tmp_path / "fitted" / "summary.json").read_text())
    assert (told["chosen"], told["headline"][0].startswith("Most clearly ")) == ("planner", True)
    weights = (tmp_path / "fitted" / "tables" / "weights.csv").read_text().splitlines()
    assert (weights[0], len(weights)) == ("feature,weight,low,high", 16)
    assert "One reward for all 4 mazes" in (tmp_path / "fitted" / "report.html").read_text()
    code, _, err = typed(f"{where} --models plan")
    assert (code, "there are marginal, line, path" in err) == (2, True)


def test_a_data_set_is_written_and_read_back(typed, tmp_path):
    assert typed("datasets --write people --out p --quiet")[0] == 0
    found = worlds.read_mazes(tmp_path / "p" / "mazes.json")
    known = iq.datasets.load("people")
    assert [*found] == [*known.worlds]
    read = iq.read_table(
        tmp_path / "p" / "decisions.csv", action_names=("up", "right", "down", "left")
    )
    np.testing.assert_array_equal(read.states, known.demonstrations.states)
    np.testing.assert_array_equal(read.actions, known.demonstrations.actions)
