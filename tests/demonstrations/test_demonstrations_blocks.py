"""Trajectories in blocks: the same decisions, leading where they led."""

import numpy as np
import pytest

from inverseq import (
    Demonstrations,
    Ending,
    InputError,
    Plan,
    analyse,
    diagnose,
    in_blocks,
    read_table,
)
from inverseq.cli import main
from inverseq.doctor import About
from inverseq.reporting.sections.headline import headline_text
from inverseq.reporting.summary import remarks


def test_blocks_keep_every_decision_and_where_it_led():
    demos = Demonstrations.from_arrays(
        [0, 1, 2, 0, 1, 2, 0],
        [0, 1, 0, 1, 0, 1, 0],
        trajectory=["a"] * 5 + ["b"] * 2,
        terminated=[False] * 6 + [True],
        trajectories={"subject": ["Ann", "Ben"]},
    )
    cut = in_blocks(demos, 3)
    assert np.diff(cut.starts).tolist() == [1, 2, 2, 1, 1]
    assert cut.states.tolist() == demos.states.tolist()
    assert cut.next_states.tolist() == demos.next_states.tolist()
    assert cut.trajectories["subject"].tolist() == ["Ann"] * 3 + ["Ben"] * 2
    assert cut.trajectories["block"].tolist() == [1, 2, 3, 1, 2]
    assert cut.trajectories["cut_from"].tolist() == [1, 1, 1, 2, 2]
    assert cut.endings[-1] == Ending.TERMINATED
    assert cut.endings[0] == Ending.TRUNCATED
    with pytest.raises(InputError, match="blocks must be 1 or more"):
        in_blocks(demos, 0)


def test_a_column_of_that_name_is_not_overwritten():
    demos = Demonstrations.from_arrays([0, 1, 0], [0, 1, 0], decisions={"block": np.arange(3)})
    with pytest.raises(InputError, match="give that another name"):
        in_blocks(demos, 2)


def test_the_advice_for_a_single_trajectory_works(tmp_path, capsys):
    table = tmp_path / "t.csv"
    table.write_text("state,action\n" + "".join(f"{i % 3},{i % 2}\n" for i in range(60)))
    demos = read_table(table)
    words = r"cut them into blocks: inverseq\.in_blocks\(demonstrations, blocks=20\)"
    with pytest.raises(InputError, match=words):
        demos.split(0.2)
    assert in_blocks(demos, blocks=20).split(0.2)[1].num_trajectories == 4
    main(["doctor", str(table)])
    assert "--blocks 20" in capsys.readouterr().out
    main(["doctor", str(table), "--blocks", "20"])
    told = capsys.readouterr().out
    assert "60 decisions in 20 trajectories" in told
    assert "the 20 trajectories are pieces of one" in told


def test_intervals_over_pieces_are_said_to_be_too_narrow_and_the_advice_works():
    # Eight sessions with leanings of their own, each cut into twelve.
    rng = np.random.default_rng(0)
    lean = rng.uniform(0.55, 0.95, 8)
    actions = (rng.random((8, 120)) < lean[:, None]).astype(int).ravel()
    whole = Demonstrations.from_arrays(
        np.zeros(actions.size, int), actions, trajectory=np.repeat(np.arange(8), 120)
    )
    cut = in_blocks(whole, 12)
    asked = Plan(folds=2, history=1, solver="iavi")
    told = " ".join(headline_text(analyse(cut, asked)))
    assert "the units are pieces of 8, which resemble each other" in told
    assert 'by="cut_from"' in told
    (found,) = [each for each in diagnose(cut).findings if each.about is About.PIECES]
    assert 'by="cut_from"' in found.remedy
    # As it says: as wide as over the sessions before they were cut.
    scored = [
        analyse(data, Plan(folds=2, cross_validate=True, models=("marginal",), by=by))
        for data, by in ((cut, "trajectory"), (cut, "cut_from"), (whole, "trajectory"))
    ]
    assert [each.cut_from for each in scored] == [8, 0, 0]
    pieces, advised, before = (each.scores[0].score.standard_error for each in scored)
    assert advised > 1.5 * pieces
    assert advised == pytest.approx(before, rel=0.2)  # the folds are others
    assert remarks(scored[0])[0].startswith("Anything about other recordings")
    assert not remarks(scored[1])


def test_sessions_of_few_animals_are_said_to_be_theirs_and_the_advice_works():
    rng = np.random.default_rng(0)
    lean = rng.uniform(0.6, 0.95, 6)
    actions = (rng.random((6, 10, 40)) < lean[:, None, None]).astype(int).ravel()
    data = Demonstrations.from_arrays(
        np.zeros(actions.size, int),
        actions,
        trajectory=np.repeat(np.arange(60), 40),
        trajectories={"subject": np.repeat([f"mouse {i}" for i in range(6)], 10)},
    )
    asked = Plan(folds=2, history=1, solver="iavi")
    told = " ".join(headline_text(analyse(data, asked)))
    assert "the units (trajectory) are of 6, and those of one resemble each other" in told
    assert 'by="subject"' in told
    scored = [
        analyse(data, Plan(folds=2, cross_validate=True, models=("marginal",), by=by))
        for by in ("trajectory", "subject")
    ]
    assert [each.subjects for each in scored] == [6, 0]
    several, animals = (each.scores[0].score.standard_error for each in scored)
    assert animals > 1.5 * several
    assert remarks(scored[0])[0].startswith("Anything about other subjects")
    assert not remarks(scored[1])
