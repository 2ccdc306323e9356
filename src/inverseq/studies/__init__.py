"""Published figures and tables, made again: a folder each, and a line here."""

from inverseq.studies import (
    cohorts,
    control,
    experts,
    gridworld,
    gridworld_people,
    highway,
    honesty,
    intentions,
    lecture,
    lever,
    mice,
    objectworld,
    people,
)
from inverseq.studies.study import Effort, Part, Settings, Study

STUDIES: tuple[Study, ...] = (
    lecture.STUDY,
    people.STUDY,
    mice.STUDY,
    objectworld.STUDY,
    intentions.STUDY,
    gridworld.STUDY,
    gridworld_people.STUDY,
    highway.STUDY,
    honesty.STUDY,
    lever.STUDY,
    cohorts.STUDY,
    experts.STUDY,
    control.STUDY,
)

__all__ = ["STUDIES", "Effort", "Part", "Settings", "Study"]
