"""Recordings of the rat at the lever, whose link to what it does is known.

Neurons fire as a Poisson process whose rate follows what their population carries:

* *preparation*: P of `worlds.lever`, what holds the movement back; it ramps up to the cue.
* *movement*: G, what promotes it, and a burst in the bin of the trigger and the next, in which
  the lever is released.
* *cue* and *reward*: a burst of 0.2 s after the one and the other. Both come too late to foretell
  the release that they follow, or have nothing to do with its time.
* *untuned*: nothing.

On top of that, as in cortex, every population has a gain of each trial, every neuron a slow drift
over the session, and all share a slow noise. Preparation and movement are what moves the simulated
rat, so that `silence` changes what it does, not only what is seen.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from inverseq._core.errors import InputError
from inverseq.demonstrations import Demonstrations, Recording
from inverseq.worlds.lever import (
    AWAKE,
    OUTCOMES,
    LeverTrials,
    Rat,
    Silence,
    lever,
    lever_demonstrations,
    run_lever,
)
from inverseq.worlds.record import World

POPULATIONS = ("preparation", "movement", "cue", "reward", "untuned")
_PAUSE = (10, 30)
"""Fewest and most bins between the end of a trial and the next press."""
_BURST = 0.2
"""Seconds that neurons answer to a cue or a treat."""
_HELD = 6.0
"""Nats of P at which preparation neurons fire at `signal` times their peak above rest."""


@dataclass(frozen=True)
class Neurons:
    """Who is recorded, and how well it shows.

    Attributes:
        each: Neurons of each population.
        signal: How far tuned neurons leave their resting rate, as a share of it; 1 is a middle one.
        rest: Mean resting rate, in spikes a second.
        gain: Standard deviation of the gain of a population over trials.
        drift: Size of the slow change of each neuron's rate over the session.
        shared: Size of the noise that all share, as a share of the rate.
    """

    each: int = 10
    signal: float = 1.0
    rest: float = 8.0
    gain: float = 0.15
    drift: float = 0.2
    shared: float = 0.15

    def __post_init__(self) -> None:
        if (
            self.each < 1
            or self.rest <= 0
            or min(self.signal, self.gain, self.drift, self.shared) < 0
        ):
            raise InputError(
                f"need 1 or more neurons, a resting rate above 0 and sizes not below; got {self}"
            )

    def silence(
        self, population: str, dose: float, start: float = 0.0, stop: float = float("inf")
    ) -> Silence:
        """These neurons held down: who reads them misses what they carry and their rest.

        Args:
            population: One of `POPULATIONS`.
            dose: Share of their spikes that is taken away, in [0, 1].
            start: From this time after the press on, in seconds.
            stop: Until then.

        Raises:
            InputError: There is no such population, or the dose is no share.
        """
        if population not in POPULATIONS:
            raise InputError(
                f"population must be one of {', '.join(POPULATIONS)}; got {population!r}"
            )
        unit = {"preparation": _HELD, "movement": 1.0}.get(population, 0.0)
        rest = unit / self.signal if self.signal > 0 else 0.0
        return Silence(population, dose, start, stop, rest)


MIDDLE = Neurons()


class LeverSession(NamedTuple):
    """A session at the lever.

    Attributes:
        demonstrations: Decisions, as of `lever_demonstrations`, on the clock of the recording.
        recording: Spikes; units have "population" and "area"; events "press", "cue", "release" and
            "treat".
        trials: What moved the rat.
    """

    demonstrations: Demonstrations
    recording: Recording
    trials: LeverTrials


def lever_session(
    rat: Rat,
    trials: int,
    *,
    seed: int,
    neurons: Neurons = MIDDLE,
    world: World | None = None,
    silence: Silence = AWAKE,
) -> LeverSession:
    """Simulate a rat at the lever with its neurons.

    Args:
        rat: The rat.
        trials: How many.
        seed: Of all random choices.
        neurons: Who is recorded.
        world: Made by `lever`; with its defaults where left out.
        silence: Which neurons are held down; it changes what the rat does.

    Raises:
        InputError: There are no trials, or the world is another one.
    """
    world = lever() if world is None else world
    rng = np.random.default_rng(seed)
    made = run_lever(rat, world, trials, rng, silence)
    bins, width = world.mdp.num_states - len(OUTCOMES), world.settings["width"]
    lengths = np.minimum(made.bins + 1, bins)
    pause = rng.integers(*_PAUSE, trials, endpoint=True)
    press = np.cumsum(pause + lengths) - lengths
    total = int(press[-1] + lengths[-1] + _PAUSE[1])
    demos = lever_demonstrations(made, world, press * width)
    events = _events(demos)
    carried = _carried(made, press, total, events, width)
    gain = np.repeat(
        1 + neurons.gain * rng.standard_normal((trials, len(POPULATIONS))).clip(-3, 3),
        np.diff(np.append(np.append(0, press[1:] - pause[1:] // 2), total)),
        axis=0,
    )
    area = np.repeat(POPULATIONS, neurons.each)
    population = np.repeat(np.arange(len(POPULATIONS)), neurons.each)
    left = _left(press, total, bins, width, silence)
    spikes = _fire(neurons, (carried * gain)[:, population], left[:, population], width, rng)
    units = {"population": area, "area": np.where(population < 2, "M1", "other")}
    recording = Recording.from_spikes(spikes, units=units, events=events, source="lever")
    return LeverSession(demos, recording, made)


def _events(demos: Demonstrations) -> dict[str, Float[np.ndarray, " _"]]:
    """Times of what happened, in seconds."""
    columns = demos.trajectories
    treat = columns["outcome"] == "treat"
    times = {name: columns[name] for name in ("press", "cue", "release")}
    kept = {name: time[np.isfinite(time)] for name, time in times.items()}
    return kept | {"treat": columns["release"][treat]}


def _carried(
    made: LeverTrials,
    press: np.ndarray,
    total: int,
    events: dict[str, np.ndarray],
    width: float,
) -> Float[np.ndarray, "bins populations"]:
    """How far each population leaves its rest in each bin of the session, at a signal of 1."""
    carried = np.zeros((total, len(POPULATIONS)))
    bins = made.drives.release.shape[1]
    last = np.minimum(made.bins, bins - 1)
    now = np.arange(-1, bins - 1)
    trial, column = np.nonzero(now < last[:, None])
    at = press[trial] + now[column]
    carried[at, 0] = made.drives.preparation[trial, column] / _HELD
    carried[at, 1] = made.drives.movement[trial, column]
    moved = np.flatnonzero(made.bins < bins)
    for later in (-1, 0):  # the trigger, and the release a bin later
        carried[press[moved] + made.bins[moved] + later, 1] += 2.0
    for number, name in ((2, "cue"), (3, "treat")):
        begun = np.round(events[name] / width).astype(np.int64)
        for later in range(max(round(_BURST / width), 1)):
            carried[begun + later, number] = 1.5
    return carried


def _left(
    press: np.ndarray, total: int, bins: int, width: float, silence: Silence
) -> Float[np.ndarray, "bins populations"]:
    """What is left of each population's firing in each bin of the session."""
    left = np.ones((total, len(POPULATIONS)))
    now = np.arange(-1, bins - 1)
    for number, name in enumerate(POPULATIONS):
        share = silence.of(name, now * width)
        for column in np.flatnonzero(share < 1):
            at = press + now[column]
            left[at[at < total], number] = share[column]
    return left


def _fire(
    neurons: Neurons,
    carried: Float[np.ndarray, "bins U"],
    left: Float[np.ndarray, "bins U"],
    width: float,
    rng: np.random.Generator,
) -> list[Float[np.ndarray, " _"]]:
    """Spike times of each neuron, in seconds."""
    total, count = carried.shape
    rest = neurons.rest * rng.gamma(4.0, 0.25, count)
    tuning = neurons.signal * rng.uniform(0.5, 1.5, count)
    place = np.linspace(0, 2 * np.pi, total)[:, None]
    slow = np.sin(place * rng.uniform(0.3, 1.2, count) + rng.uniform(0, 2 * np.pi, count))
    steps = max(round(1.0 / width), 1)
    noise = np.convolve(rng.standard_normal(total + steps), np.ones(steps) / steps**0.5, "valid")
    shared = noise[:total, None] * rng.uniform(0.5, 1.5, count)
    rate = rest * (1 + tuning * carried) * left
    rate *= (1 + neurons.drift * slow) * np.exp(neurons.shared * shared)
    counts = rng.poisson(np.maximum(rate, 0.0) * width)
    fired = []
    for unit in range(count):
        bins = np.repeat(np.arange(total), counts[:, unit])
        fired.append(np.sort((bins + rng.random(bins.size)) * width))
    return fired
