"""How a computation ended, as a value."""

from dataclasses import dataclass
from enum import StrEnum


class Outcome(StrEnum):
    """The ways a computation can end."""

    CONVERGED = "converged"
    LIMIT = "stopped at the limit"
    DIVERGED = "diverged"
    DEGENERATE = "degenerate input"


@dataclass(frozen=True)
class Status:
    """How a computation ended.

    Attributes:
        outcome: The way it ended.
        steps: Iterations or function evaluations made; 0 for a direct solution.
        residual: The quantity that was driven to zero, in its own units (NaN where none is).
        message: One sentence for a person, with what to try where something went wrong.
    """

    outcome: Outcome
    steps: int = 0
    residual: float = float("nan")
    message: str = ""

    @property
    def ok(self) -> bool:
        """Whether the result may be used without further thought."""
        return self.outcome is Outcome.CONVERGED
