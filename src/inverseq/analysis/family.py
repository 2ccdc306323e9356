"""Which model a score belongs to."""

from dataclasses import dataclass
from enum import StrEnum

from inverseq._core.words import render_text


class Family(StrEnum):
    """What kind of model a score belongs to."""

    SHARES = "shares"
    TABLE = "table"
    BACKOFF = "backoff"
    WALK = "walk"
    IAVI = "iavi"
    MAXENT = "maxent"
    NEIGHBOURS = "neighbours"
    CLONING = "cloning"
    OTHER = "other"


@dataclass(frozen=True)
class Model:
    """Which model this is.

    Attributes:
        family: Its kind.
        order: Past states and actions that a table looks at.
        smoothing: What a plain table adds to every count; NaN where that is chosen by itself.
        reward: What a MaxEnt reward is given on: "states", "state-actions" or "features".
        memory: States that its world looks at, the present one included.
        intentions: How many intentions; None for a model without any.
        solver: Name of a solver or walker that is none of these kinds.
    """

    family: Family
    order: int = 0
    smoothing: float = float("nan")
    reward: str = ""
    memory: int = 1
    intentions: int | None = None
    solver: str = ""

    @property
    def name(self) -> str:
        """Its name for people."""
        return " ".join(render_text("inverseq.analysis", "models.j2", "name", model=self))

    @property
    def yardstick(self) -> bool:
        """Whether it has no reward, or looks no further than the next move."""
        return self.counts or self.family in (Family.CLONING, Family.WALK)

    @property
    def counts(self) -> bool:
        """Whether it only counts."""
        return self.tabled or self.family is Family.NEIGHBOURS

    @property
    def tabled(self) -> bool:
        """Whether it is a table of counts."""
        return self.family in (Family.SHARES, Family.TABLE, Family.BACKOFF)
