"""Pictures of a ring road: the stretch around the ego, straightened."""

import numpy as np
from jaxtyping import Float, UInt8

from inverseq.worlds.road_view import CAR_LENGTH, LANE_WIDTH, SIGHT, SPEED

_SCALE = 4
"""Pixels in a metre."""
_SLOW, _FAST = np.array([178, 24, 43]), np.array([33, 102, 172])
_EGO = np.array([0, 0, 0])
_ROAD, _LINE, _EDGE = 225, 255, 150


def road_picture(
    position: Float[np.ndarray, " N"],
    lateral: Float[np.ndarray, " N"],
    speed: Float[np.ndarray, " N"],
    length: float,
    lanes: int,
) -> UInt8[np.ndarray, "height width 3"]:
    """Cars as far as the ego sees, driving to the right; the ego, the first, is black, others are
    red where slow and blue where fast.

    Args:
        position: Of the front bumper, in m along the ring.
        lateral: Metres from the middle of the rightmost lane.
        speed: In m/s.
        length: Of the ring, in m.
        lanes: How many.
    """
    height, width = round(lanes * LANE_WIDTH * _SCALE), round(2 * SIGHT * _SCALE)
    made = np.full((height, width, 3), _ROAD, dtype=np.uint8)
    for lane in range(1, lanes):
        row = height - round(lane * LANE_WIDTH * _SCALE)
        dashes = np.arange(width) % 48 < 24
        made[row, dashes] = _LINE
    made[[0, -1]] = _EDGE
    ahead = (position - position[0] + length / 2) % length - length / 2
    for car in [*np.flatnonzero(np.abs(ahead) <= SIGHT)[::-1]]:
        front = round(float(SIGHT + ahead[car]) * _SCALE)
        back = max(front - round(CAR_LENGTH * _SCALE), 0)
        middle = height - round((float(lateral[car]) + 0.5 * LANE_WIDTH) * _SCALE)
        share = float(np.clip(speed[car] / (1.25 * SPEED), 0, 1))
        colour = _EGO if car == 0 else _SLOW + share * (_FAST - _SLOW)
        made[max(middle - 3, 0) : middle + 4, back:front] = colour
    return made
