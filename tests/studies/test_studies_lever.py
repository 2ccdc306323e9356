"""Files that a person brings to the study of the lever: what is no such file is one sentence."""

import numpy as np
import pytest

from inverseq import InputError
from inverseq.studies import STUDIES, Effort
from inverseq.studies.lever import signals

SMALL = next(study for study in STUDIES if study.name == "lever").small
EFFORT = Effort(small=True)


def spikes(path):
    return signals._spikes(str(path), SMALL, EFFORT)


def photometry(path):
    return signals._photometry(str(path), SMALL, EFFORT)


@pytest.mark.parametrize("read", [spikes, photometry])
@pytest.mark.parametrize("held", ["nothing", "text", "others"])
def test_files_that_are_no_signals_are_refused(read, held, tmp_path):
    path = tmp_path / "file.npz"
    if held == "text":
        path.write_text("a,b\n1,2\n")
    if held == "others":
        np.savez(path, rates=np.zeros(3))
    with pytest.raises(
        InputError, match=r"file\.npz cannot be read as (spikes|photometry).*: give"
    ):
        read(path)
