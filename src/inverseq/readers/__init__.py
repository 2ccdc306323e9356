"""Files and frames in, demonstrations out."""

from inverseq.readers.games import read_games
from inverseq.readers.minari import read_minari
from inverseq.readers.table import read_table

__all__ = ["read_games", "read_minari", "read_table"]
