"""Traffic on a ring by the laws of `road_laws`, as pure functions of arrays, one entry per car."""

from dataclasses import dataclass
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int, Shaped

from inverseq.worlds.road_laws import Changing, Following
from inverseq.worlds.road_view import CAR_LENGTH, NOBODY

MOST_CARS = 128
"""Cars at most, a power of two."""
_NONE = np.iinfo(np.int32).max
_HARDEST = 9.0
"""Emergency braking in m/s^2, SUMO's default."""
_CLOSEST = 0.1
"""Gap in m that the law is asked about where there is less."""


class RoadState(NamedTuple):
    """Where a game stands; arrays `[N]` have one entry per car."""

    position: Float[Array, " N"]
    """Of the front bumper, in m along the ring."""
    speed: Float[Array, " N"]
    lane: Int[Array, " N"]
    """From 0, the rightmost; of a car that changes, the new one."""
    old_lane: Int[Array, " N"]
    changing: Float[Array, " N"]
    """Seconds until it has left its old lane; it stands in the way in both."""
    desired: Float[Array, " N"]
    """Speed."""
    politeness: Float[Array, " N"]
    threshold: Float[Array, " N"]
    """Gain of acceleration for which a lane is changed."""
    present: Bool[Array, " N"]
    moves: Int[Array, ""]
    unsafe: Int[Array, ""]
    """Decisions so far that broke *safety*."""
    not_right: Int[Array, ""]
    """Decisions so far that broke *keep right*."""
    crashes: Int[Array, ""]
    """Steps so far in which the ego, or the car behind it, could not brake in time."""


class Neighbours(NamedTuple):
    """Of each car the next ones in each lane: arrays `[lanes, N]`."""

    ahead: Int[Array, "lanes N"]
    """Number of the car ahead."""
    gap: Float[Array, "lanes N"]
    """Metres to it; `NOBODY` where there is none."""
    behind: Int[Array, "lanes N"]
    gap_behind: Float[Array, "lanes N"]


@dataclass(frozen=True)
class Traffic:
    """How cars move on a ring; car 0, the ego, changes lanes by itself alone.

    Attributes:
        lanes: How many.
        length: Of the ring, in m.
        step: Seconds of a step.
        change: Seconds of a change of lanes.
        following: The law of following, of all.
        changing: The law of changing lanes, of the others.
    """

    lanes: int
    length: float
    step: float
    change: float
    following: Following
    changing: Changing

    def drive(self, state: RoadState, seconds: float) -> RoadState:
        """The cars so much later."""
        steps = round(seconds / self.step)
        return jax.lax.fori_loop(0, steps, lambda i, now: self.advance(now, i % 2 == 0), state)

    def advance(self, state: RoadState, leftwards: Bool[Array, ""] | bool) -> RoadState:
        """One step of the laws, in which the others may change lanes to the left, or right."""
        state = state._replace(old_lane=jnp.where(state.changing > 0, state.old_lane, state.lane))
        near = jax.lax.optimization_barrier(self.neighbours(state))
        by_lane = self._accelerations(state, near)
        in_lane = _of(by_lane, state.lane)
        both = jnp.minimum(in_lane, _of(by_lane, state.old_lane))
        target = state.lane + jnp.where(leftwards, 1, -1)
        goes = self._goes(state, near, by_lane, both, target)
        target = jnp.clip(target, 0, self.lanes - 1)
        wanted = jnp.where(goes, jnp.minimum(both, _of(by_lane, target)), both)
        lane = jnp.where(goes, target, state.lane)
        now = state._replace(
            lane=lane,
            old_lane=jnp.where(goes, state.lane, state.old_lane),
            changing=jnp.where(goes, self.change, state.changing),
        )
        return self._moved(now, near, wanted)

    def neighbours(self, state: RoadState) -> Neighbours:
        """Who is next to each car in each lane, ahead and behind.

        A distance and its car are one whole number: the bits of a float above 0 are in its order,
        and the lowest seven of them, less than 2 cm in 1,000 m, hold the number of the car.
        """
        number = jnp.arange(state.lane.size)
        inside = occupied(state, jnp.arange(self.lanes)) & state.present
        # [car that is looked at, car that looks]: minima are over the first axis.
        away = state.position[:, None] - state.position[None, :]
        itself = jnp.where(number[:, None] == number[None, :], NOBODY, 0.0)
        ahead = jnp.where(away < 0, away + self.length, away) + itself
        back = jnp.where(away > 0, self.length - away, -away) + itself

        def nearest(distance: jax.Array) -> tuple[jax.Array, jax.Array]:
            bits = jax.lax.bitcast_convert_type(distance, jnp.int32)
            coded = (bits & -MOST_CARS) | number[:, None]
            best = jnp.where(inside[:, :, None], coded, _NONE).min(axis=1)
            found = jax.lax.bitcast_convert_type(best & -MOST_CARS, jnp.float32)
            nobody = ~(found <= self.length)
            car = jnp.where(nobody, 0, best & (MOST_CARS - 1))
            return car, jnp.where(nobody, NOBODY, found - CAR_LENGTH)

        return Neighbours(*nearest(ahead), *nearest(back))

    def _accelerations(self, state: RoadState, near: Neighbours) -> Float[Array, "lanes N"]:
        """What the law of following says to each car of each lane."""
        approach = jnp.where(near.gap == NOBODY, 0.0, state.speed - state.speed[near.ahead])
        gap = jnp.maximum(near.gap, _CLOSEST)
        return self.following.accelerate(state.speed, state.desired, gap, approach)

    def _goes(
        self,
        state: RoadState,
        near: Neighbours,
        by_lane: Float[Array, "lanes N"],
        present: Float[Array, " N"],
        target: Int[Array, " N"],
    ) -> Bool[Array, " N"]:
        """Which of the others begin to change to the target lanes, by MOBIL."""
        number = jnp.arange(state.lane.size)
        exists = (target >= 0) & (target < self.lanes)
        place, here = jnp.clip(target, 0, self.lanes - 1), state.lane

        def behind(
            lane: Int[Array, " N"], gap: Float[Array, " N"], ahead: Float[Array, " N"]
        ) -> tuple[Float[Array, " N"], Float[Array, " N"]]:
            """Acceleration of the car behind in a lane at a gap, and what it gains by it."""
            car = _of(near.behind, lane)
            followed = _of(near.gap_behind, lane) < NOBODY
            new = self.following.accelerate(
                state.speed[car],
                state.desired[car],
                jnp.maximum(gap, _CLOSEST),
                state.speed[car] - ahead,
            )
            new = jnp.where(followed, new, 0.0)
            return new, jnp.where(followed, new - present[car], 0.0)

        new, new_gain = behind(place, _of(near.gap_behind, place), state.speed)
        left_alone = _of(near.gap_behind, here) + CAR_LENGTH + _of(near.gap, here)
        _, old_gain = behind(here, left_alone, state.speed[_of(near.ahead, here)])
        own = _of(by_lane, place)
        room = (_of(near.gap, place) > 0) & (_of(near.gap_behind, place) > 0)
        free = exists & room & (state.changing <= 0) & state.present & (number > 0)
        wanted = self.changing.wanted(
            own - present, new_gain, old_gain, state.politeness, state.threshold
        )
        return free & self.changing.safe(own, new) & wanted

    def _moved(self, state: RoadState, near: Neighbours, wanted: Float[Array, " N"]) -> RoadState:
        """The cars a step later, braking no harder than cars can."""
        wanted = jnp.clip(wanted, -_HARDEST, self.following.acceleration)
        speed = jnp.maximum(state.speed + wanted * self.step, 0.0)
        way = (state.speed + speed) / 2 * self.step
        # Who cannot brake in time stops at the bumper ahead, of either lane that it is in.
        here, old = state.lane, state.old_lane
        closest = _of(near.gap, here) <= _of(near.gap, old)
        gap = jnp.where(closest, _of(near.gap, here), _of(near.gap, old))
        leader = jnp.where(closest, _of(near.ahead, here), _of(near.ahead, old))
        room = jnp.where(gap < NOBODY, gap + way[leader], NOBODY)
        hits = state.present & (way > jnp.maximum(room, 0.0))
        way = jnp.where(hits, jnp.maximum(room, 0.0), way)
        speed = jnp.where(hits, jnp.minimum(speed, speed[leader]), speed) * state.present
        place = state.position + way * state.present
        involved = hits[0] | (hits & (leader == 0)).any()
        return state._replace(
            position=jnp.where(place >= self.length, place - self.length, place),
            speed=speed,
            changing=jnp.maximum(state.changing - self.step, 0.0),
            crashes=state.crashes + involved,
        )


def _of(values: Shaped[Array, "lanes N"], lane: Int[Array, " N"]) -> Shaped[Array, " N"]:
    """Of each car the value in a lane, chosen without an index, which is several times quicker."""
    return jnp.where(jnp.arange(len(values))[:, None] == lane, values, 0).sum(axis=0)


def occupied(state: RoadState, lanes: Int[Array, " k"]) -> Bool[Array, "k N"]:
    """Which cars stand in the way in each of some lanes; one that changes does in two."""
    here = state.lane == lanes[:, None]
    return here | ((state.changing > 0) & (state.old_lane == lanes[:, None]))
