"""Several intentions, where the truth is known and in animals."""

from inverseq.studies.intentions.study import intentions

__all__ = ["intentions"]
