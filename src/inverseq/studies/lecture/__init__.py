"""The 4x3 world of Russell and Norvig, as a lecture teaches it."""

from inverseq.studies.lecture.study import lecture

__all__ = ["lecture"]
