"""Every kind of bad input: one clear line, an exit code, no traceback, no file."""

import pytest

HEAD = "trajectory,time,state,action\n"
GOOD = "".join(f"{w},{t},{t % 2},{(t + w) % 2}\n" for w in range(4) for t in range(6))
WORLD = "state,action,next_state,probability\n0,0,1,1\n0,1,0,1\n1,0,0,1\n1,1,1,1\n"

CASES = {
    "an empty file": ("", "", [], ["is empty"]),
    "only a header": (HEAD, "", [], ["no rows"]),
    "a missing column": ("trajectory,time,state\n0,0,1\n", "", [], ["no column 'action'"]),
    "a column that is not there": (HEAD + GOOD, "", ["--state", "node"], ["'node'"]),
    "text in a number column": (
        HEAD + GOOD + "4,0,1,0\n4,1,two,1\n",
        "",
        [],
        ["row 26", "'state'", "two"],
    ),
    "NaN as a state": (HEAD + GOOD + "4,0,,1\n", "", [], ["row 25", "'state'"]),
    "a negative state": (HEAD + GOOD + "4,0,-3,1\n", "", [], ["row 25", "'state'"]),
    "a state outside the world": (
        HEAD + GOOD + "4,0,7,1\n",
        WORLD,
        [],
        ["row 25", "state 7", "outside the world"],
    ),
    "an action outside the world": (HEAD + GOOD + "4,0,1,5\n", WORLD, [], ["row 25", "action 5"]),
    "an action that does not exist there": (
        HEAD + GOOD,
        WORLD.replace("1,1,1,1\n", ""),
        [],
        ["row ", "action 1 does not exist at state 1"],
    ),
    "probabilities that do not sum to one": (
        HEAD + GOOD,
        WORLD.replace("1,1,1,1\n", "1,1,1,0.7\n"),
        [],
        ["action 1 at state 1", "not to 1", "0.7"],
    ),
    "NaN as a probability": (
        HEAD + GOOD,
        WORLD.replace("1,1,1,1\n", "1,1,1,nan\n"),
        [],
        ["row 4", "'probability'"],
    ),
    "text as a probability": (
        HEAD + GOOD,
        WORLD.replace("1,1,1,1\n", "1,1,1,often\n"),
        [],
        ["row 4", "'probability'", "often"],
    ),
    "a world without a column": (
        HEAD + GOOD,
        "state,action,next_state\n0,0,1\n",
        [],
        ["no column 'probability'"],
    ),
    "a discount of 1 without an end": (HEAD + GOOD, WORLD, ["--discount", "1"], ["discount of 1"]),
    "a discount of 1 in an estimated world": (
        HEAD + GOOD,
        "",
        ["--discount", "1"],
        ["discount of 1"],
    ),
    "a discount of 2": (HEAD + GOOD, "", ["--discount", "2"], ["between 0 and 1", "2"]),
    "a discount that is no number": (HEAD + GOOD, "", ["--discount", "nan"], ["between 0 and 1"]),
    "one trajectory only": (HEAD + GOOD[:48], "", [], ["only one trajectory"]),
    "no action at all": (HEAD + "0,0,1,\n1,0,0,\n", "", [], ["no row has an action"]),
    "a unit that is not there": (HEAD + GOOD, "", ["--by", "herd"], ["cannot group by herd"]),
    "a share beyond all": (
        HEAD + GOOD,
        "",
        ["--test", "1.5"],
        ["--test", "between 0 and 1"],
    ),
    "one fold": (HEAD + GOOD, "", ["--folds", "1"], ["--folds must be 2 or more"]),
    "no history": (HEAD + GOOD, "", ["--history", "0"], ["--history must be 1"]),
    "negative smoothing": (HEAD + GOOD, "", ["--smoothing", "-1"], ["--smoothing must be"]),
    "a negative seed": (HEAD + GOOD, "", ["--seed", "-1"], ["--seed must be 0 or more"]),
    "negative replicates": (HEAD + GOOD, "", ["--bootstrap", "-3"], ["--bootstrap must be 0"]),
    "an anchor that is no action": (
        HEAD + GOOD,
        "",
        ["--gauge", "anchor", "--anchor", "up"],
        ["--anchor up", "['0', '1']"],
    ),
    "an anchor without its gauge": (HEAD + GOOD, "", ["--anchor", "1"], ["--gauge anchor"]),
    "a table without a state": (
        "start,action\n0,1\n",
        "",
        [],
        ["no column 'state'", "--state", "--previous"],
    ),
    "a previous column that is not there": (
        HEAD + GOOD,
        "",
        ["--previous", "choice"],
        ["no column 'choice'", "--previous"],
    ),
    "measured values as states": (HEAD + "0,0,0.5,1\n0,1,1.5,1\n", "", [], ["--named state"]),
    "a split that is not there": (HEAD + GOOD, "", ["--split", "part"], ["no column 'part'"]),
    "a split without a test": (HEAD + GOOD, "", ["--split", "trajectory"], ["must be 'test'"]),
}


@pytest.mark.parametrize("name", CASES)
def test_bad_input_is_one_line_that_says_where_and_what_to_do(inside, tmp_path, name):
    table, world, more, words = CASES[name]
    (tmp_path / "t.csv").write_text(table)
    arguments = ["fit", "t.csv", "--out", "out", *more]
    if world:
        (tmp_path / "world.csv").write_text(world)
        arguments += ["--world", "world.csv"]
    code, out, err = inside(*arguments)
    assert (code, out) == (2, ""), (out, err)
    assert err.startswith("inverseq: error: ")
    assert err.count("\n") == 1
    for word in words:
        assert word in err
    assert "Did you mean" not in err
    assert '="' not in err
    assert [p for p in (tmp_path / "out").rglob("*") if p.is_file()] == []


@pytest.mark.parametrize("place", ["file", "file/deeper"])
def test_a_folder_that_cannot_be_written_to_is_told_before_any_work(
    outside, walks, tmp_path, place
):
    (tmp_path / "file").write_text("no folder")
    done = outside("fit", walks, "--out", place)
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith(f"inverseq: error: cannot write to {place}")
    assert (tmp_path / "file").read_text() == "no folder"


@pytest.mark.parametrize("command", ["doctor", "compare", "fit"])
def test_every_command_refuses_the_same_broken_table(inside, tmp_path, command):
    (tmp_path / "t.csv").write_text(HEAD + GOOD + "4,0,1\n")
    code, out, err = inside(command, "t.csv")
    assert (code, out) == (2, "")
    assert err.startswith("inverseq: error: t.csv")


def test_a_fit_that_fails_is_exit_1(inside, walks):
    code, out, err = inside("fit", walks, "--solver", "maxent-features", "--folds", "2")
    assert (code, out) == (1, "")
    assert "--solver maxent-features could not be fitted here" in err


def test_messages_name_options_as_they_are_typed(inside, walks):
    walks.write_text(walks.read_text().replace("state", "room", 1))
    _, _, err = inside("fit", walks)
    assert "--state" in err
    assert 'state="' not in err
