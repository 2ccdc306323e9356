"""A ring road of several lanes, cars by published laws, as pure functions.

The task of Kalweit, Huegle, Werling and Boedecker (NeurIPS 2020): keep or change lanes every two
seconds, and leave the speed to the law of following. Numbers of road, drivers and sensors are those
of Huegle and others (2019, arXiv 1907.10994, appendix); there SUMO moves the cars, here the laws of
`road_laws`. Cars stand in arrays `[N]`, the ego first; some of them may not be there.
"""

from dataclasses import dataclass, field, replace
from functools import lru_cache
from math import inf

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int, PRNGKeyArray

from inverseq._core.errors import InputError
from inverseq.training.simulator import Simulator
from inverseq.worlds.road_laws import Changing, Following
from inverseq.worlds.road_traffic import MOST_CARS, RoadState, Traffic, occupied
from inverseq.worlds.road_view import (
    CAR_LENGTH,
    DRIVERS,
    KEEP,
    LANE_WIDTH,
    LEFT,
    RIGHT,
    ROAD_FEATURES,
    SPEED,
    Others,
    RoadRules,
    observation,
)

_BEGINNING = 5.0
"""Speed in m/s before the warm-up, at most."""
_REGISTER = 16
"""Numbers that a processor handles at once."""


@dataclass(frozen=True)
class RingRoad:
    """Rules of the game, as pure functions for `jit` and `vmap`.

    Every `decision` seconds the ego keeps its lane (0) or begins to change to the left (1) or right
    (2). The reward is 1 - |v - v_des| / v_des, v the speed that it then has, less `change_cost` for
    a change. Nothing ends a game; it is cut off after `max_moves`. A change to where no room is at
    all does not happen, and costs the same.

    Attributes:
        lanes: How many.
        length: Of the ring, in m.
        cars: Fewest and most cars beside the ego; each game draws their number.
        max_moves: Decisions of a game.
        decision: Seconds between two decisions, and of a change of lanes.
        step: Seconds of a step of the laws.
        speed: v_des of the reward, and desired speed of the ego, in m/s.
        change_cost: p_lc.
        warm_up: Seconds that the others have driven when a game begins.
        following: The law of following, of all.
        changing: The law of changing lanes, of the others.
        rules: What counts as a violation; which of the two hold does not matter.

    Raises:
        InputError: A number is out of range.
    """

    lanes: int = 3
    length: float = 1000.0
    cars: tuple[int, int] = (30, 60)
    max_moves: int = 100
    decision: float = 2.0
    step: float = 0.5
    speed: float = SPEED
    change_cost: float = 0.01
    warm_up: float = 10.0
    following: Following = field(default_factory=Following)
    changing: Changing = field(default_factory=Changing)
    rules: RoadRules = field(default_factory=RoadRules)

    def __post_init__(self) -> None:
        if (
            self.lanes < 1
            or self.max_moves < 1
            or not (0 < self.speed < inf and 0 < self.length < inf)
        ):
            raise InputError(
                "lanes and max_moves must be 1 or more, speed and length above 0; got "
                f"{self.lanes}, {self.max_moves}, {self.speed} and {self.length}"
            )
        steps = self.decision / self.step if self.step > 0 else 0
        if steps < 1 or abs(steps - round(steps)) > 1e-9 or self.warm_up < 0:
            raise InputError(
                "decision must be whole steps, and warm_up 0 or more; got "
                f"{self.decision} s, steps of {self.step} s and {self.warm_up} s"
            )
        fewest, most = self.cars
        room = int(self.lanes * self.length / (3 * CAR_LENGTH)) - 1
        if not 0 <= fewest <= most <= min(room, MOST_CARS - 1):
            raise InputError(
                f"cars must be (fewest, most) from 0 to {min(room, MOST_CARS - 1)}; got {self.cars}"
            )

    @property
    def traffic(self) -> Traffic:
        """How the cars move."""
        return Traffic(
            self.lanes, self.length, self.step, self.decision, self.following, self.changing
        )

    def reset(self, key: PRNGKeyArray) -> RoadState:
        """A new game: cars at random places at which nobody has to brake, after the warm-up."""
        for_count, for_place, for_type, for_speed, for_eager = jax.random.split(key, 5)
        count = self.cars[1] + 1
        number = jnp.arange(count)
        present = number <= jax.random.randint(for_count, (), self.cars[0], self.cars[1] + 1)
        # Places are drawn, as many in each lane: car k stands in one of its lane's equal stretches.
        place = jax.random.permutation(for_place, count)
        in_lane = -(-count // self.lanes)
        stretch = self.length / in_lane
        slack = stretch - CAR_LENGTH - self.following.standstill
        lane = place % self.lanes
        shift = jax.random.uniform(jax.random.fold_in(for_place, 1), (count,))
        position = (place // self.lanes) * stretch + max(slack, 0.0) * shift
        kind = jnp.asarray(DRIVERS, jnp.float32)[jax.random.randint(for_type, (count,), 0, 4)]
        desired = kind[:, 0] + jax.random.uniform(for_speed, (count,), minval=-5.0, maxval=5.0)
        desired = jnp.where(number == 0, self.speed, desired)
        # The eager ones, SUMO's lcSpeedGain of 10 to 20, ask for less.
        threshold = 1 / jax.random.uniform(for_eager, (count,), minval=10.0, maxval=20.0)
        nothing = jnp.zeros(count)
        state = RoadState(
            position,
            jnp.minimum(desired, _BEGINNING) * present,
            lane.astype(jnp.int32),
            lane.astype(jnp.int32),
            nothing,
            desired,
            kind[:, 1],
            threshold,
            present,
            *[jnp.int32(0)] * 4,
        )
        # Loops over whole registers are a quarter quicker; the cars that fill them are never there.
        rest = -count % _REGISTER
        state = jax.tree.map(
            lambda leaf: jnp.pad(leaf, (0, rest), mode="edge") if leaf.ndim else leaf, state
        )
        state = state._replace(present=state.present & (jnp.arange(count + rest) < count))
        return self.traffic.drive(state, self.warm_up)._replace(crashes=jnp.int32(0))

    def turn(
        self, state: RoadState, action: Int[Array, ""]
    ) -> tuple[RoadState, Float[Array, ""], Bool[Array, ""], Bool[Array, ""]]:
        """One decision: the next state, its reward, False, and whether the limit cut it off."""
        seen = self.observe(state)[None]
        safe, right = (
            replace(self.rules, safety=safety, keep_right=not safety)(seen)[0, action]
            for safety in (True, False)
        )
        now = self.traffic.drive(self._begin_change(state, action), self.decision)
        now = now._replace(
            moves=state.moves + 1,
            unsafe=state.unsafe + ~safe,
            not_right=state.not_right + ~right,
        )
        reward = 1 - jnp.abs(now.speed[0] - self.speed) / self.speed
        reward -= jnp.where(action == KEEP, 0.0, self.change_cost)
        return now, reward, jnp.bool_(False), now.moves >= self.max_moves

    def exists(self, state: RoadState) -> Bool[Array, "3"]:
        """Which lanes there are to go to."""
        lane = state.lane[0]
        return jnp.stack([lane >= 0, lane < self.lanes - 1, lane > 0])

    def observe(self, state: RoadState) -> Float[Array, "26"]:
        """What the ego sees, as `road_view` says."""
        lane = state.lane[0]
        wanted = jnp.stack([lane, lane + 1, lane - 1])
        lateral = self.lateral(state)
        others = Others(
            self._ahead(state.position - state.position[0]),
            lateral - lateral[0],
            state.speed,
            occupied(state, wanted) & state.present & (jnp.arange(lateral.size) > 0),
        )
        drift = jnp.sign(lane - state.old_lane[0]) * LANE_WIDTH / self.decision
        heading = jnp.arctan2(drift, jnp.maximum(state.speed[0], 1.0))
        exists = (wanted >= 0) & (wanted < self.lanes)
        return observation(others, state.speed[0], heading, exists, self.length)

    def _begin_change(self, state: RoadState, action: Int[Array, ""]) -> RoadState:
        """The ego's change of lanes, where there is a lane, and room in it."""
        lane = state.lane[0]
        target = lane + jnp.where(action == LEFT, 1, jnp.where(action == RIGHT, -1, 0))
        ahead = self._ahead(state.position - state.position[0])
        nearest = jnp.minimum(ahead, self.length - ahead)
        others = state.present & (jnp.arange(len(ahead)) > 0)
        full = (occupied(state, target[None])[0] & others & (nearest <= CAR_LENGTH)).any()
        goes = (action != KEEP) & (target >= 0) & (target < self.lanes) & ~full
        ego = jnp.arange(len(ahead)) == 0
        return state._replace(
            lane=jnp.where(ego & goes, target, state.lane),
            old_lane=jnp.where(ego, lane, state.old_lane),
            changing=jnp.where(ego, jnp.where(goes, self.decision, 0.0), state.changing),
        )

    def _ahead(self, difference: Float[Array, " N"]) -> Float[Array, " N"]:
        """How far ahead along the ring, of a difference of positions."""
        return jnp.where(difference < 0, difference + self.length, difference)

    def lateral(self, state: RoadState) -> Float[Array, " N"]:
        """Metres from the middle of the rightmost lane."""
        back = (state.old_lane - state.lane) * state.changing / self.decision
        return (state.lane + back) * LANE_WIDTH


@lru_cache(maxsize=16)
def ring_road(road: RingRoad | None = None, rules: RoadRules | None = None) -> Simulator:
    """The ring road as a simulator; observations are `[26]`, see `road_view`.

    The same settings give the same simulator, so that what was compiled for it is used again.

    Args:
        road: Settings; None takes those of the paper's task.
        rules: What is allowed beside the lanes that exist; None for everything.
    """
    road = road or RingRoad()

    def allowed(state: RoadState) -> jax.Array:
        exist = road.exists(state)
        return exist if rules is None else exist & rules(road.observe(state)[None])[0]

    return Simulator(
        reset=road.reset,
        step=lambda key, state, action: road.turn(state, action),
        observe=road.observe,
        observation_shape=(len(ROAD_FEATURES),),
        num_actions=3,
        allowed=allowed,
        description=f"{road!r} under {rules!r}",
    )
