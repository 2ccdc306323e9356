"""Reports say where in the table a model is wrong, and refuse columns that are not there."""

import numpy as np
import pytest

import inverseq as iq
from inverseq import InputError


@pytest.fixture(scope="module")
def turning():
    """Right in the light and left in the dark: of both together, each is as likely."""
    rng = np.random.default_rng(0)
    light = np.arange(40) % 2
    actions = (rng.random((40, 20)) < np.where(light, 0.9, 0.1)[:, None]).astype(int)
    return iq.Demonstrations.from_arrays(
        np.zeros(800, int),
        actions.ravel(),
        trajectory=np.repeat(np.arange(40), 20),
        decisions={"even": np.arange(800) % 2},
        trajectories={
            "light": np.array(["dark", "light"])[light],
            "held": np.array(["train", "test"])[np.arange(40) // 2 % 2],
        },
    )


def test_the_page_says_what_the_model_does_not_know(turning, tmp_path):
    plan = iq.Plan(solver="iavi", bootstrap=0, history=1, split="held", check_by=("light", "even"))
    found = iq.analyse(turning, plan)
    known = {check.column: check.p_value for check in found.split_checks}
    assert known["light"] < 1e-6 < 0.05 < known["even"]
    page = iq.report(found, tmp_path / "out").read_text(encoding="utf-8")
    assert "does not know light" in page
    assert "By even, held-out decisions are not clearly other than expected" in page
    table = (tmp_path / "out" / "tables" / "checks_by_column.csv").read_text(encoding="utf-8")
    assert table.startswith("column,value,action,decisions,done_percent")


def test_columns_that_are_not_there_are_told_before_any_fit(turning):
    with pytest.raises(InputError, match="there is no column 'dose'"):
        iq.analyse(turning, iq.Plan(check_by=("dose",)))
    with pytest.raises(InputError, match="looks at one fit"):
        iq.Plan(cross_validate=True, check_by=("light",))
