"""People in mazes: one reward for nine, tried on the three left out."""

from inverseq.studies.people.study import people

__all__ = ["people"]
