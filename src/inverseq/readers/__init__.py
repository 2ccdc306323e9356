"""Files and frames in, demonstrations out."""

from inverseq.readers.games import read_games
from inverseq.readers.minari import read_minari, write_minari
from inverseq.readers.nwb.contents import list_nwb
from inverseq.readers.nwb.decisions import read_nwb
from inverseq.readers.nwb.pynapple import to_pynapple
from inverseq.readers.nwb.recording import read_recording
from inverseq.readers.nwb.write import write_nwb
from inverseq.readers.steps import steps_of
from inverseq.readers.table import read_table

__all__ = [
    "list_nwb",
    "read_games",
    "read_minari",
    "read_nwb",
    "read_recording",
    "read_table",
    "steps_of",
    "to_pynapple",
    "write_minari",
    "write_nwb",
]
