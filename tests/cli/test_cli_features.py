"""`inverseq fit TABLE --features x,y,heading --solver diql`, and what it refuses."""

import json
import re

import numpy as np
import pytest

import inverseq as iq
from inverseq.policies.forbidden import Forbidden


@pytest.fixture
def walker(tmp_path):
    """A walker who turns towards x = 200 in a room, in `walker.csv`."""
    rng = np.random.default_rng(0)
    lines = ["animal,frame,x,y,heading,action"]
    for animal in range(24):
        x, y, heading = rng.uniform(0, 400), rng.uniform(0, 300), rng.uniform(-180, 180)
        for frame in range(25):
            liking = np.array([0.0, (200 - x) / 60, (x - 200) / 60])
            chance = np.exp(liking - liking.max())
            action = rng.choice(3, p=chance / chance.sum())
            name = ("ahead", "left", "right")[action]
            lines.append(f"{animal},{frame},{x:.1f},{y:.1f},{heading:.1f},{name}")
            x += (0, 20, -20)[action] + rng.normal(0, 60)
            y, heading = y + rng.normal(0, 5), (heading + rng.normal(0, 20) + 180) % 360 - 180
    path = tmp_path / "walker.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def test_a_walker_is_fitted_and_reported(inside, walker, tmp_path):
    asked = ("--features", "x,y,heading", "--solver", "diql", "--out", "out")
    asked = (*asked, "--over", "x,heading", "--bootstrap", "3", "--json")
    code, out, err = inside("fit", walker, *asked)
    assert (code, err) == (0, "")
    told = json.loads(out)
    rows = {row["key"]: row["nats"] for row in told["scores"]}
    assert {*rows} == {"marginal", "neighbours", "cloning", "diql"}
    assert rows["diql"] > rows["marginal"] + 0.1
    assert rows["diql"] > rows["neighbours"] - 0.1
    assert 0 < told["calibration_error"] < 0.12
    assert sum(row["predictions"] for row in told["calibration"]) == 3 * told["decisions"]
    assert 0.5 < told["supported"]["existing"] <= told["supported"]["taken"] <= 1
    assert "off by" in " ".join(told["headline"])
    place = r"near x (.+) \((.+) to (.+)\), heading .+ to .+\): 95 % of 3 fits to units drawn again"
    found = re.search(place, told["headline"][0].replace("−", "-"))
    x, low, high = map(float, found.groups())
    assert -400 < low <= high < 800
    assert -400 < x < 800
    page = (tmp_path / "out/report.html").read_text()
    for words in (
        "What each action earns",
        "The data",
        "over x and heading",
        "Reliability.",
        "nearest",
    ):
        assert words in page
    for figure in ("reward_components", "value_components", "calibration"):
        assert (tmp_path / f"out/figures/{figure}.svg").exists()
    assert {"bootstrap", "smoothing", "history"}.isdisjoint(told["settings"])
    for words in ("No intervals were asked", "best table", "may put it elsewhere"):
        assert words not in page
    code, _, err = inside("show", tmp_path / "out/solution.npz")
    assert (code, "see report.html" in " ".join(err.split())) == (2, True)
    solution = iq.load(tmp_path / "out/solution.npz", iq.Solution)
    data = iq.read_table(walker, features=("x", "y", "heading"))
    table = iq.decision_table(solution, data)
    rows = np.arange(data.num_decisions), data.actions
    behind = solution.reward_function.supported(data)[rows]
    np.testing.assert_array_equal(table["supported"], behind)
    np.testing.assert_allclose(table["reward"], solution.reward_function.values(data, None))


def test_a_walker_is_examined(inside, walker):
    code, out, err = inside("doctor", walker, "--features", "x,y,heading", "--json")
    assert (code, err) == (0, "")
    told = json.loads(out)
    assert (told["facts"]["features"], told["facts"]["decisions"]) == (3, 600)
    assert "a feature that is an angle" in {each["about"] for each in told["findings"]}


def test_what_reads_features_is_compared(inside, walker):
    asked = ("compare", walker, "--features", "x,y,heading", "--folds", 2)
    code, out, err = inside(*asked, "--models", "marginal,neighbours", "--json")
    assert (code, err) == (0, "")
    rows = {row["key"]: row["nats"] for row in json.loads(out)["scores"]}
    assert rows["neighbours"] > rows["marginal"] + 0.1
    for wrong, words in (
        (("--models", "iavi"), "there are marginal, neighbours, cloning, diql"),
        (("--intentions", "1,2"), "put the features into bins: --bins 10"),
    ):
        code, _, err = inside(*asked, *wrong)
        assert (code, words in " ".join(err.split())) == (2, True)


def test_a_walker_is_fitted_under_rules_that_it_keeps(inside, walker, tmp_path):
    """Those that it does not keep are refused before a fit: no policy can both keep them and have
    done that.
    """
    asked = ("fit", walker, "--features", "x,y,heading", "--solver", "dciql", "--out", "out")
    code, out, err = inside(*asked, "--forbid", "ahead where x > 250")
    assert (code, out) == (2, "")
    assert "take --solver diql" in " ".join(err.split())
    code, out, err = inside(*asked, "--forbid", "left where x > 350", "--json")
    assert (code, err) == (0, "")
    assert {row["key"] for row in json.loads(out)["scores"]} == {
        *("marginal", "neighbours", "cloning", "dciql")
    }
    solution = iq.load(tmp_path / "out/solution.npz", iq.Solution)
    data = iq.read_table(walker, features=("x", "y", "heading"))
    beyond = data.states[:, 0] > 350
    chances = solution.probabilities(data)[:, data.action_names.index("left")]
    assert beyond.any()
    assert (chances[beyond] == 0).all()
    assert (chances[~beyond] > 0).all()
    page = (tmp_path / "out/report.html").read_text()
    for words in ("What each action earns", "under the gauge", "Reliability."):
        assert words in page


REFUSED = {
    "rules for the wrong solver": ("--solver", "diql", "--forbid", "left where x > 1"),
    "no rule": ("--solver", "dciql"),
    "a rule of another form": ("--solver", "dciql", "--forbid", "never left"),
    "a rule of an unknown name": ("--solver", "dciql", "--forbid", "up where x > 1"),
    "an unknown component": ("--solver", "diql", "--over", "x,z"),
    "one component": ("--solver", "diql", "--over", "x"),
    "a world": ("--solver", "diql", "--world", "labyrinth"),
    "a gauge of tables": ("--solver", "diql", "--gauge", "minimum-norm"),
    "a solver of tables": ("--solver", "iavi"),
}
WORDS = {
    "rules for the wrong solver": "goes with --solver dciql",
    "no rule": "give --forbid 'ahead where x > 1'",
    "a rule of another form": "is no rule: write an action, where",
    "a rule of an unknown name": "speaks of 'up', which is none of",
    "an unknown component": "--over z: no such component; there are ['x', 'y', 'heading']",
    "one component": "--over takes two columns, x,y",
    "a world": "leave --world out",
    "a gauge of tables": "take zero-mean",
    "a solver of tables": "give a solver that does, --solver diql",
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_is_said_at_once(inside, walker, case):
    code, out, err = inside("fit", walker, "--features", "x,y,heading", *REFUSED[case])
    assert (code, out) == (2, "")
    assert WORDS[case] in " ".join(err.split())


def test_numbered_states_are_told_of_features(inside, walks):
    code, _, err = inside("fit", walks, "--solver", "diql")
    assert code == 2
    assert "--features x,y" in " ".join(err.split())


def test_rules_forbid_what_they_say():
    rules = Forbidden.read("right where x > 4, left where y<-0.5", ("left", "right"), ("x", "y"))
    seen = np.array([[4.0, -0.5], [4.1, 0.0], [0.0, -0.6], [9.0, -9.0]])
    expected = [[True, True], [True, False], [False, True], [False, False]]
    np.testing.assert_array_equal(rules(seen), expected)
    for text, bound in (("1e-3", 0.001), ("-.5", -0.5), ("+2.", 2.0), ("1.5E+2", 150.0)):
        assert Forbidden.read(f"left where x > {text}", ("left",), ("x",)).bounds == (bound,)
    for text in ("much", "e", "1e", "--2", "1.2.3", "."):
        with pytest.raises(iq.InputError, match="is no rule"):
            Forbidden.read(f"left where x > {text}", ("left",), ("x",))
