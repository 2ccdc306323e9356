"""What was observed: trajectories of decisions."""

from inverseq.demonstrations.join import concatenate
from inverseq.demonstrations.record import Demonstrations, Ending

__all__ = ["Demonstrations", "Ending", "concatenate"]
