"""What a driver sees of a road of several lanes, and what rules allow there.

An observation has 26 numbers: for each of the six `PLACES` distance, relative speed and direction
of the nearest car there; own speed and heading; and a mark for each place: 1 a car in sight, 0
nobody, -1 no such lane. Distances are in units of the range of sight, speeds of 20 m/s, angles of
half a turn. Where nobody is in sight the distance is 1, and the relative speed 0.
"""

from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from inverseq._core.errors import InputError
from inverseq.worlds.road_laws import Following

PLACES = ("front", "back", "left front", "left back", "right front", "right back")
"""Where the six cars are that are seen: ahead and behind in each lane."""

KEEP, LEFT, RIGHT = range(3)
ROAD_ACTIONS = ("keep", "left", "right")
"""Names of the actions."""

ROAD_FEATURES = (
    *(f"{place} {what}" for place in PLACES for what in ("distance", "speed", "direction")),
    "own speed",
    "own heading",
    *(f"{place} mark" for place in PLACES),
)
"""Names of the 26 numbers of an observation."""

SIGHT, SPEED, CAR_LENGTH, LANE_WIDTH = 80.0, 20.0, 4.5, 3.2
"""Range of sight in m, unit of speed (and the ego's desired one) in m/s, and two more lengths."""

DRIVERS = np.array([[24.0, 0.0], [12.0, 1.0], [18.0, 0.8], [21.0, 0.4]])
"""Types of drivers, equally often: mean of the desired speed (uniform within 5 m/s of it) and
SUMO's `lcCooperative`, here also the politeness of MOBIL."""

HALF_TURN = 3.141592653589793
NOBODY = 1e4
"""Gap in m to a car that is not there."""


class Around(NamedTuple):
    """An observation read: arrays `[N]`, by place in the order of `PLACES`."""

    gaps: tuple[Any, ...]
    """Metres from bumper to bumper; `NOBODY` where there is none, below 0 beside one another."""
    speeds: tuple[Any, ...]
    """Of the cars in m/s; the own one where there is none."""
    lanes: tuple[Any, Any]
    """Whether there is a lane on the left, and one on the right."""
    speed: Any
    """Own, in m/s."""


def around(observations: Any) -> Around:
    """What observations `[N, 26]` of NumPy or JAX say, in metres and seconds."""
    xp = observations.__array_namespace__()
    own = observations[:, 18] * SPEED
    gaps, speeds = [], []
    for place in range(len(PLACES)):
        distance, speed, direction = (observations[:, 3 * place + part] for part in range(3))
        along = distance * SIGHT * xp.cos(direction * HALF_TURN)
        ahead = along if place % 2 == 0 else -along
        seen = observations[:, 20 + place] > 0.5
        gaps.append(xp.where(seen, ahead - CAR_LENGTH, NOBODY))
        speeds.append(xp.where(seen, own + speed * SPEED, own))
    lanes = observations[:, 22] > -0.5, observations[:, 24] > -0.5
    return Around(tuple(gaps), tuple(speeds), lanes, own)


class Others(NamedTuple):
    """The other cars, and some that are not there; arrays `[N]` of NumPy or JAX."""

    ahead: Any
    """Metres along the ring from the own car, from 0 to its length."""
    across: Any
    """Metres to the left of the own car."""
    speed: Any
    """In m/s."""
    inside: Any
    """`[3, N]` whether a car is there and stands in the way in the own lane, the one on its left,
    and the one on its right."""


def observation(others: Others, speed: Any, heading: Any, exists: Any, length: float) -> Any:
    """`[26]` what is seen.

    Args:
        others: The other cars.
        speed: Own, in m/s.
        heading: Own, in radians, to the left.
        exists: `[3]` whether there are the own lane, one on its left, and one on its right.
        length: Of the ring, in m.
    """
    xp = others.ahead.__array_namespace__()
    front = xp.where(others.inside, others.ahead, NOBODY)
    back = xp.where(others.inside, length - others.ahead, NOBODY)
    # [3 lanes, ahead and behind]
    car = xp.stack([xp.argmin(front, axis=1), xp.argmin(back, axis=1)], axis=1)
    along = xp.stack([xp.min(front, axis=1), -xp.min(back, axis=1)], axis=1)
    across = others.across[car]
    distance = xp.hypot(along, across)
    seen = distance <= SIGHT
    cars = xp.stack(
        [
            xp.where(seen, distance / SIGHT, 1.0),
            xp.where(seen, (others.speed[car] - speed) / SPEED, 0.0),
            xp.where(seen, xp.atan2(across, along) / HALF_TURN, xp.where(along < 0, 1.0, 0.0)),
        ],
        axis=-1,
    )
    own = xp.stack([speed / SPEED, heading / HALF_TURN])
    mark = xp.where(exists[:, None], xp.where(seen, 1.0, 0.0), -1.0)
    parts = [xp.reshape(cars, (-1,)), own, xp.reshape(mark, (-1,))]
    return xp.astype(xp.concat(parts), xp.float32)


@dataclass(frozen=True)
class RoadRules:
    """Which actions rules of the road allow at an observation; a constraint for `DCIQL`.

    *Safety*: a lane may be entered where it exists and the gaps to the next cars there are those
    that the law needs (`Following.gap_needed`): ahead for the driver, behind for the follower.

    *Keep right*: a lane with a free one to its right must be left for that. It is free where it may
    be entered, and where it could then be driven at `speed` for `free_for` seconds before the law's
    gap to the car ahead in it is reached, as far as one sees.

    Attributes:
        safety: Whether the first rule holds.
        keep_right: Whether the second rule holds.
        free_for: Seconds.
        speed: That one would drive, in m/s.
        following: The law.

    Raises:
        InputError: No rule holds, or a number is out of range.
    """

    safety: bool = True
    keep_right: bool = True
    free_for: float = 10.0
    speed: float = SPEED
    following: Following = field(default_factory=Following)

    def __post_init__(self) -> None:
        if not (self.safety or self.keep_right):
            raise InputError("without safety and keep_right there is no rule: give None instead")
        if not (self.free_for > 0 and self.speed > 0):
            raise InputError(
                f"free_for and speed must be above 0; got {self.free_for} and {self.speed}"
            )

    def __call__(self, observations: Any) -> Any:
        """`[N, 3]` bool, which actions are allowed at observations `[N, 26]` of NumPy or JAX."""
        xp = observations.__array_namespace__()
        seen = around(observations)
        left, right = self._enters(seen, 2), self._enters(seen, 4)
        keep = xp.ones(left.shape, dtype=bool)
        allowed = [keep, left, right] if self.safety else [keep, *seen.lanes]
        if self.keep_right:
            must = right & self._free(seen)
            allowed = [allowed[KEEP] & ~must, allowed[LEFT] & ~must, allowed[RIGHT]]
        return xp.stack(allowed, axis=1)

    def _enters(self, seen: Around, place: int) -> Any:
        """Whether the lane of two places can be entered safely."""
        (front, back), (ahead, behind) = (x[place : place + 2] for x in (seen.gaps, seen.speeds))
        needed = self.following.gap_needed
        own = (front >= needed(seen.speed, seen.speed - ahead)) & (front > 0)
        theirs = (back >= needed(behind, behind - seen.speed)) & (back > 0)
        return seen.lanes[place // 2 - 1] & own & theirs

    def _free(self, seen: Around) -> Any:
        """Whether the lane on the right could be driven for long enough."""
        front, ahead = seen.gaps[4], seen.speeds[4]
        slower = self.speed - ahead
        room = front - self.following.gap_needed(ahead, 0.0)
        return room >= slower * self.free_for


SAFETY = RoadRules(keep_right=False)
"""Safety alone; violations of it are counted by this."""

KEEP_RIGHT = RoadRules(safety=False)
"""Keep right alone."""

GERMAN_RULES = RoadRules()
"""Both."""
