"""What comes after a decision."""

from enum import IntEnum


class Ending(IntEnum):
    """What comes after a row. Four different facts."""

    CONTINUES = 0
    """The next row of the trajectory is the next decision."""
    TERMINATED = 1
    """The world ended the trajectory."""
    TRUNCATED = 2
    """A limit, or the end of the table, ended the trajectory."""
    GAP = 3
    """The recording has a hole: the next row does not go on from this one."""
