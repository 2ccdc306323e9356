"""Files and frames in, demonstrations out."""

from inverseq.readers.table import read_table

__all__ = ["read_table"]
