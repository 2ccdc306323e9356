"""How cars follow and change lanes: the laws IDM and MOBIL, for arrays of NumPy or JAX.

The Intelligent Driver Model (Treiber, Hennecke and Helbing 2000, Physical Review E 62, 1805) and
MOBIL (Kesting, Treiber and Helbing 2007, Transportation Research Record 1999, 86). Metres, seconds.
"""

from dataclasses import dataclass, fields
from typing import Any

from inverseq._core.errors import InputError


@dataclass(frozen=True)
class Following:
    """The Intelligent Driver Model; numbers are those of arXiv 1907.10994, appendix.

    Attributes:
        acceleration: a, the most that a driver accelerates, in m/s^2.
        braking: b, comfortable braking, in m/s^2.
        standstill: s_0, the gap at rest, in m.
        headway: T, seconds to the car ahead.

    Raises:
        InputError: A number is not above 0.
    """

    acceleration: float = 2.6
    braking: float = 4.5
    standstill: float = 2.0
    headway: float = 0.5

    def __post_init__(self) -> None:
        for field in fields(self):
            if not getattr(self, field.name) > 0:
                raise InputError(f"{field.name} must be above 0; got {getattr(self, field.name)}")

    def gap_needed(self, speed: Any, approach: Any) -> Any:
        """s* = s_0 + max(0, v T + v dv / (2 sqrt(a b))) at a speed, approaching by dv m/s."""
        moving = speed * self.headway
        moving += speed * approach / (2 * (self.acceleration * self.braking) ** 0.5)
        return self.standstill + (moving + abs(moving)) / 2

    def accelerate(self, speed: Any, desired: Any, gap: Any, approach: Any) -> Any:
        """A (1 - (v / v_0)^4 - (s* / s)^2), in m/s^2, for a gap s above 0."""
        free = (speed / desired) ** 2
        crowded = self.gap_needed(speed, approach) / gap
        return self.acceleration * (1 - free * free - crowded * crowded)

    def equilibrium_gap(self, speed: Any, desired: Any) -> Any:
        """The gap at which cars at one speed below the desired one neither gain nor lose."""
        return (self.standstill + speed * self.headway) / (1 - (speed / desired) ** 4) ** 0.5


@dataclass(frozen=True)
class Changing:
    """MOBIL: a lane is changed where that is safe and gains enough for all concerned.

    Attributes:
        safe_braking: b_safe: what the new follower may be made to brake, in m/s^2.

    Raises:
        InputError: It is not above 0.
    """

    safe_braking: float = 4.0

    def __post_init__(self) -> None:
        if not self.safe_braking > 0:
            raise InputError(f"safe_braking must be above 0; got {self.safe_braking}")

    def safe(self, own: Any, follower: Any) -> Any:
        """Whether neither the car itself nor its new follower would have to brake harder."""
        return (own >= -self.safe_braking) & (follower >= -self.safe_braking)

    def wanted(
        self, own_gain: Any, new_gain: Any, old_gain: Any, politeness: Any, threshold: Any
    ) -> Any:
        """Whether own gain of acceleration and p times that of the followers exceed a threshold."""
        return own_gain + politeness * (new_gain + old_gain) > threshold
