"""The ring road of `road_ring`, driven by SUMO: the simulator of the papers.

Lopez and others, "Microscopic Traffic Simulation using SUMO" (ITSC 2018). It is an extra, `pip
install "inverseq[sumo]"`: libsumo, traci, sumolib and sumo-data are under EPL-2.0 or GPL-2.0 or
later, and no part of this package; the net is ours.
"""

import importlib
import io
from contextlib import redirect_stdout
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces
from jaxtyping import Bool, Float32, UInt8

from inverseq._core.errors import InputError
from inverseq.worlds.road_drawing import road_picture
from inverseq.worlds.road_view import (
    CAR_LENGTH,
    DRIVERS,
    KEEP,
    KEEP_RIGHT,
    LANE_WIDTH,
    LEFT,
    RIGHT,
    ROAD_FEATURES,
    SAFETY,
    SPEED,
    Others,
    observation,
)

_NET = Path(__file__).parent / "roads" / "ring.net.xml"
_LENGTH, _LANES, _STEP = 1000.0, 3, 0.5
_EGO = "0"
_GAMES = 2**31 - 1
"""Games are numbers below this, SUMO's seeds."""

# One simulation is all that a process can hold: libsumo starts a second one in place of the first.
_held: list["SumoRoadEnv"] = []


class SumoRoadEnv(gymnasium.Env):
    """Three lanes of 1,000 m in SUMO; task, observations and counts are those of `RingRoad`.

    Cars follow by SUMO's default (Krauss) and change lanes by LC2013 without keeping right, with
    the numbers of `worlds.ring_road`. SUMO changes no lane for the ego and checks nothing for it
    (lane-change mode 0): what is safe is our own check. Nobody who is stuck vanishes
    (`--time-to-teleport -1`).

    A process holds one such environment at a time; play several in processes. A game follows
    from the number `info["game"]` alone: `reset(options={"game": number})` plays it again. SUMO's
    saved states do not go on alike, so there is no other way back.

    `info` holds `action_mask`, which lanes there are to go to, and counts since the beginning of
    the game: `unsafe`, `not_right` (decisions that broke a rule) and `crashes` (steps in which the
    ego touched another car).

    Args:
        cars: Fewest and most cars beside the ego.
        max_moves: Decisions of a game.
        warm_up: Seconds that all have driven when a game begins.
        change_cost: p_lc.
        render_mode: "rgb_array" for a picture `[H, W, 3]`, or None.

    Raises:
        InputError: SUMO is not installed, this process holds a simulation already, or a number is
            out of range.
    """

    metadata = {"render_modes": ["rgb_array"], "render_fps": 2}  # noqa: RUF012

    def __init__(
        self,
        cars: tuple[int, int] = (30, 60),
        max_moves: int = 100,
        warm_up: float = 10.0,
        change_cost: float = 0.01,
        render_mode: str | None = None,
    ):
        fewest, most = cars
        if not 0 <= fewest <= most <= 120 or max_moves < 1 or warm_up < _STEP:
            raise InputError(
                "cars must be (fewest, most) from 0 to 120, max_moves 1 or more and warm_up "
                f"{_STEP} s or more; got {cars}, {max_moves} and {warm_up}"
            )
        if render_mode not in (None, "rgb_array"):
            raise InputError(f'render_mode must be "rgb_array" or None; got {render_mode!r}')
        if _held:
            raise InputError(
                "this process holds a SUMO simulation already: close() that one first, or use "
                "another process"
            )
        try:
            # It prints a warning of its own about other packages to the standard output.
            with redirect_stdout(io.StringIO()):
                self._sumo: Any = importlib.import_module("libsumo")
        except ImportError as absent:
            raise InputError('SUMO is missing: pip install "inverseq[sumo]"') from absent
        self.cars, self.max_moves, self.warm_up = cars, max_moves, warm_up
        self.change_cost, self.render_mode = change_cost, render_mode
        self.action_space = spaces.Discrete(3)
        self.observation_space = spaces.Box(-np.inf, np.inf, (len(ROAD_FEATURES),), np.float32)
        self._folder = TemporaryDirectory(prefix="inverseq-sumo-")
        self._running = False
        self._seen: np.ndarray | None = None
        _held.append(self)

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Float32[np.ndarray, "26"], dict[str, Any]]:
        """Begin a game.

        Args:
            seed: Which games follow; they go on where they were without one.
            options: {"game": number}, of a game to play again.

        Raises:
            InputError: The environment is closed, there is another option, or the game is no whole
                number that SUMO takes as a seed.
        """
        super().reset(seed=seed)
        self._check_open()
        if unknown := sorted(set(options or ()) - {"game"}):
            raise InputError(f'unknown options {unknown}; there is "game"')
        drawn = int(self.np_random.integers(_GAMES))
        game = (options or {}).get("game", drawn)
        if not isinstance(game, int | np.integer) or not 0 <= game < _GAMES:
            raise InputError(
                f'options={{"game": {game!r}}}: a game has a whole number from 0 to {_GAMES - 1}, '
                'that of info["game"]'
            )
        self._game = int(game)
        routes = Path(self._folder.name) / "cars.rou.xml"
        routes.write_text(_cars(self._game, self.cars), encoding="utf-8")
        given = [
            *("-n", str(_NET), "-r", str(routes), "--seed", str(self._game)),
            *("--step-length", str(_STEP), "--lanechange.duration", "2"),
            *("--time-to-teleport", "-1", "--collision.action", "warn"),
            *("--no-step-log", "--no-warnings", "--duration-log.disable", "--xml-validation"),
            "never",
        ]
        if self._running:
            self._sumo.load(given)
        else:
            self._sumo.start(["sumo", *given])
            self._running = True
        for _ in range(round(self.warm_up / _STEP)):
            self._sumo.simulationStep()
        self._sumo.vehicle.setLaneChangeMode(_EGO, 0)
        self._moves = self._crashes = self._unsafe = self._not_right = 0
        self._look()
        seen = self._see(drift=0)
        return seen, self._info()

    def step(
        self, action: int | np.integer
    ) -> tuple[Float32[np.ndarray, "26"], float, bool, bool, dict[str, Any]]:
        """One decision of two seconds: 0 keep, 1 left, 2 right.

        Raises:
            InputError: There is no such action, or no game has begun.
        """
        self._check_open()
        if self._seen is None:
            raise InputError("no game has begun: reset() first")
        if action not in (KEEP, LEFT, RIGHT):
            raise InputError(f"actions are 0 keep, 1 left, 2 right; got {action}")
        self._unsafe += not SAFETY(self._seen[None])[0, action]
        self._not_right += not KEEP_RIGHT(self._seen[None])[0, action]
        here, sumo = int(self._lanes[0]), self._sumo
        target = here + int(action == LEFT) - int(action == RIGHT)
        if target != here and 0 <= target < _LANES and self._has_room(target):
            sumo.vehicle.changeLane(_EGO, target, 2.0)
        else:
            sumo.vehicle.changeLane(_EGO, here, 2.0)
        for _ in range(4):
            sumo.simulationStep()
            hits = sumo.simulation.getCollisions()
            self._crashes += any(_EGO in (hit.collider, hit.victim) for hit in hits)
        self._look()
        self._moves += 1
        seen = self._see(drift=int(self._lanes[0]) - here)
        reward = 1 - abs(self._speed[0] - SPEED) / SPEED - self.change_cost * (action != KEEP)
        return seen, float(reward), False, self._moves >= self.max_moves, self._info()

    def render(self) -> UInt8[np.ndarray, "height width 3"] | None:
        """The road around the ego, as `render_mode` says."""
        if self.render_mode is None:
            return None
        return road_picture(self._place, self._lateral, self._speed, _LENGTH, _LANES)

    def close(self) -> None:
        """End the simulation, so that this process may hold another."""
        if self in _held:
            if self._running:
                self._sumo.close()
            self._folder.cleanup()
            _held.remove(self)

    def _check_open(self) -> None:
        if self not in _held:
            raise InputError("this environment is closed; make another")

    def _look(self) -> None:
        """Read where all cars are, the ego first."""
        vehicle = self._sumo.vehicle
        names = vehicle.getIDList()
        names = [_EGO, *(name for name in names if name != _EGO)]
        half = [500.0 * (vehicle.getRoadID(name) == "south") for name in names]
        along = [vehicle.getLanePosition(name) for name in names]
        self._place = (np.array(half) + np.array(along)) % _LENGTH
        self._speed = np.array([vehicle.getSpeed(name) for name in names])
        self._lanes = np.array([vehicle.getLaneIndex(name) for name in names])
        aside = np.array([vehicle.getLateralLanePosition(name) for name in names])
        self._lateral = self._lanes * LANE_WIDTH + aside
        # Who is on the way between two lanes stands in the way in both.
        self._other_lane = self._lanes + np.sign(aside).astype(int) * (abs(aside) > 0.1)

    def _see(self, drift: int) -> Float32[np.ndarray, "26"]:
        """The observation of what was read, by an ego that came from `drift` lanes to the right."""
        lane = int(self._lanes[0])
        wanted = np.array([lane, lane + 1, lane - 1])[:, None]
        ahead = (self._place - self._place[0]) % _LENGTH
        inside = (self._lanes == wanted) | (self._other_lane == wanted)
        inside[:, 0] = False
        others = Others(ahead, self._lateral - self._lateral[0], self._speed, inside)
        heading = np.arctan2(drift * LANE_WIDTH / 2.0, max(self._speed[0], 1.0))
        exists = (wanted[:, 0] >= 0) & (wanted[:, 0] < _LANES)
        self._exists: Bool[np.ndarray, "3"] = exists
        seen = self._seen = observation(others, self._speed[0], heading, exists, _LENGTH)
        return seen

    def _has_room(self, lane: int) -> bool:
        """Whether no car is beside the ego in a lane."""
        ahead = (self._place - self._place[0]) % _LENGTH
        near = np.minimum(ahead, _LENGTH - ahead) <= CAR_LENGTH
        near &= (self._lanes == lane) | (self._other_lane == lane)
        return not near[1:].any()

    def _info(self) -> dict[str, Any]:
        return {
            "action_mask": self._exists.astype(np.int8),
            "game": self._game,
            "unsafe": self._unsafe,
            "not_right": self._not_right,
            "crashes": self._crashes,
        }


def sumo_road(**settings: Any) -> SumoRoadEnv:
    """The ring road in SUMO as a Gymnasium environment; arguments are those of `SumoRoadEnv`."""
    return SumoRoadEnv(**settings)


def _cars(game: int, cars: tuple[int, int]) -> str:
    """A game's cars as SUMO reads them."""
    rng = np.random.default_rng(game)
    count = int(rng.integers(cars[0], cars[1] + 1)) + 1
    in_lane = -(-count // _LANES)
    stretch = _LENGTH / in_lane
    places = rng.permutation(_LANES * in_lane)[:count]
    kinds, shifts = rng.integers(len(DRIVERS), size=count), rng.random(count)
    desired = DRIVERS[kinds, 0] + rng.uniform(-5, 5, count)
    desired[0] = SPEED
    eager = rng.uniform(10, 20, count)
    lines = []
    for k in range(count):
        place = (places[k] // _LANES + 0.3 * shifts[k]) * stretch
        edges = ("north", "south") if place < 500 else ("south", "north")
        lines.append(
            f'<vType id="t{k}" length="{CAR_LENGTH}" accel="2.6" decel="4.5" minGap="2" tau="0.5" '
            f'speedDev="0" maxSpeed="{desired[k]:.4f}" laneChangeModel="LC2013" lcKeepRight="0" '
            f'lcSpeedGain="{eager[k]:.4f}" lcCooperative="{DRIVERS[kinds[k], 1]}"/>'
        )
        lines.append(
            f'<route id="r{k}" edges="{" ".join(edges)}" repeat="1000"/>'
            f'<vehicle id="{k}" type="t{k}" route="r{k}" depart="0" '
            f'departLane="{places[k] % _LANES}" departPos="{place % 500:.3f}" '
            f'departSpeed="{min(desired[k], 10):.3f}" insertionChecks="none"/>'
        )
    return "<routes>" + "".join(lines) + "</routes>"
