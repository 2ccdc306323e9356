"""Games in grid worlds by networks, and people in mazes by the same networks."""

from inverseq.studies.gridworld.people import gridworld_people
from inverseq.studies.gridworld.study import gridworld

__all__ = ["gridworld", "gridworld_people"]
