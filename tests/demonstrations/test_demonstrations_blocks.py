"""Trajectories in blocks: the same decisions, leading where they led."""

import numpy as np
import pytest

from inverseq import Demonstrations, Ending, InputError, in_blocks, read_table
from inverseq.cli import main


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
    assert "60 decisions in 20 trajectories" in capsys.readouterr().out
