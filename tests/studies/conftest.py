"""Studies run small, once for all tests."""

import pytest

from inverseq.studies import STUDIES, Effort
from inverseq.studies.run import run


@pytest.fixture(scope="session")
def small(tmp_path_factory):
    """`small(study, part)`: what came of it, its folder, and the steps that were reported."""
    found = {}

    def made(name, part):
        if (name, part) not in found:
            study = next(study for study in STUDIES if study.name == name)
            folder, steps = tmp_path_factory.mktemp(name), []
            effort = Effort(small=True, workers=1, progress=lambda *step: steps.append(step))
            found[name, part] = run(study, folder, parts=(part,), effort=effort), folder, steps
        return found[name, part]

    return made
