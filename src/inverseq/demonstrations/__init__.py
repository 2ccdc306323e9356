"""What was observed: trajectories of decisions, and what was recorded beside them."""

from inverseq.demonstrations.blocks import in_blocks
from inverseq.demonstrations.endings import Ending
from inverseq.demonstrations.join import concatenate
from inverseq.demonstrations.record import Demonstrations
from inverseq.demonstrations.recording import Recording, Signal
from inverseq.demonstrations.spaces import Box, Finite

__all__ = [
    "Box",
    "Demonstrations",
    "Ending",
    "Finite",
    "Recording",
    "Signal",
    "concatenate",
    "in_blocks",
]
