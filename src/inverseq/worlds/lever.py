"""The response-preparation task: press a lever, wait for the cue, let go in time for a treat.

After the task of Boedecker and Zhu's lecture on NeuRL (2023): the rat presses, a vibration comes
after 1.6 s, and a release within 0.6 s of it earns a treat. Time since the press is the state, in
bins; in each the rat holds or releases.

**The rat** (`Rat`) wants treats, pays for holding, and plans softly (maximum entropy), so that its
advantage of releasing, A, is known at each time. Whether it acts on the right one is another
question: its clock runs at a speed drawn for each trial (scalar timing: errors grow with time;
Gibbon 1977) until it has felt the cue, some time after it came. In a bin it triggers a movement
with probability 1 / (1 + exp(-A)), and a bin later the lever is released (by what is left of the
movement, where it is silenced). A = G - P, where
P = -log p(release) and G = -log p(hold): P holds the movement back, as preparation does, and G
promotes it. Both are what neurons carry in `lever_session`, so that silencing them changes what the
rat does.
"""

from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int
from scipy.special import expit

from inverseq._core.errors import InputError
from inverseq.demonstrations import Demonstrations
from inverseq.forward.soft import soft_plan
from inverseq.mdp import MDP
from inverseq.worlds.record import Drawing, World

HOLD, RELEASE = 0, 1
OUTCOMES = ("early", "treat", "late")
"""Terminal states, behind the bins."""


def lever(
    width: float = 0.1,
    *,
    cue: float = 1.6,
    window: float = 0.6,
    longest: float = 3.0,
    treat: float = 1.0,
    cost: float = 0.0,
    discount: float = 0.99,
) -> World:
    """The task in bins of time since the press; the last bins are the outcomes, which end a trial.

    Actions are 0 hold and 1 release. A release before the cue is early, in the window it earns the
    treat, after it is late. The last bin stands for all later time: who holds stays in it. Marks
    are "cue", "window" (the bins that earn a treat) and the three outcomes.

    Args:
        width: Of a bin, in seconds.
        cue: Time of the cue after the press, in seconds; rounded to whole bins, as the next two.
        window: How long after the cue a release is rewarded, in seconds.
        longest: Where the last bin ends, in seconds.
        treat: Reward of a treat.
        cost: Of a second of holding.
        discount: gamma of a bin.

    Raises:
        InputError: Times are not in this order, or a bin is too wide for them.
    """
    at, until, bins = (round(t / width) if width > 0 else 0 for t in (cue, cue + window, longest))
    if not 1 <= at < until < bins:
        raise InputError(
            "need bins narrower than the cue, the window and what follows it, and longest after "
            f"the window; got width={width:g}, cue={cue:g}, window={window:g}, longest={longest:g}"
        )
    early, paid, late = range(bins, bins + 3)
    time = np.arange(bins + 3)
    after = np.full(bins, early)
    after[at:until], after[until:] = paid, late
    successors = np.tile(time[:, None, None], (1, 2, 1))
    successors[:bins, HOLD, 0] = np.append(time[1:bins], bins - 1)
    successors[:bins, RELEASE, 0] = after
    reward = np.zeros((bins + 3, 2))
    reward[:bins, HOLD] = -cost * width
    reward[at:until, RELEASE] = treat
    places = np.stack([np.append(time[:bins], (0, at, until)), np.repeat([0, 1], (bins, 3))], 1)
    blocked = np.ones((2, bins), dtype=bool)
    blocked[places[:, 1], places[:, 0]] = False
    marks = {"start": (0,), "cue": (at,), "window": tuple(range(at, until))}
    marks |= {name: (s,) for name, s in zip(OUTCOMES, (early, paid, late), strict=True)}
    numbers = {"cue": cue, "window": window, "longest": longest, "treat": treat, "cost": cost}
    mdp = MDP(
        successors,
        np.ones(successors.shape),
        discount,
        initial=np.eye(bins + 3)[0],
        terminal=time >= bins,
        reward=reward,
        coordinates=places,
        state_names=[*(f"{b * width:.3g} s" for b in range(bins)), *OUTCOMES],
        action_names=("hold", "release"),
    )
    return World(
        name="lever",
        mdp=mdp,
        drawing=Drawing(bins, 2, blocked, marks, np.array([[1, 0], [0, 1]])),
        environment="inverseq/Lever-v0",
        settings={"width": float(width), "discount": float(discount)}
        | {name: float(value) for name, value in numbers.items()},
    )


@dataclass(frozen=True)
class Rat:
    """What a simulated rat wants, and how well it knows the time.

    Attributes:
        treat: Worth of a treat, in nats.
        cost: Of a second of holding, in nats.
        impulsivity: What letting go is worth by itself, in nats.
        timing: Standard deviation of the speed of its clock over trials, as a share (the Weber
            fraction).
        latency: Mean time until the cue is felt, in seconds.
        jitter: Standard deviation of that.
        gives_up: Share of trials in which treats are worth nothing to it, at the end of a session;
            it rises from 0 in a straight line.
    """

    treat: float = 8.0
    cost: float = 1.5
    impulsivity: float = 0.0
    timing: float = 0.15
    latency: float = 0.15
    jitter: float = 0.05
    gives_up: float = 0.0

    def __post_init__(self) -> None:
        if min(self.timing, self.latency, self.jitter) < 0 or not 0 <= self.gives_up <= 1:
            raise InputError(
                "timing, latency and jitter must not be negative, and gives_up a share in [0, 1]; "
                f"got {self}"
            )


@dataclass(frozen=True)
class Silence:
    """Neurons held down: what the rat does without them.

    Attributes:
        population: "preparation" or "movement"; or another, which the rat does without.
        dose: Share of its activity that is taken away, in [0, 1].
        start: From this time after the press on, in seconds.
        stop: Until then.
        rest: Nats that its resting activity stands for downstream, which are lost as well; see
            `Neurons.silence`.
    """

    population: str = "preparation"
    dose: float = 0.0
    start: float = 0.0
    stop: float = float("inf")
    rest: float = 0.0

    def __post_init__(self) -> None:
        if not 0 <= self.dose <= 1:
            raise InputError(f"a dose is a share in [0, 1]; got {self.dose:g}")

    def drive(
        self, population: str, drive: Float[np.ndarray, "n B"], time: Float[np.ndarray, " B"]
    ) -> Float[np.ndarray, "n B"]:
        """What is left of what a population carries downstream, in nats."""
        return drive - (1.0 - self.of(population, time)) * (drive + self.rest)

    def of(self, population: str, time: Float[np.ndarray, " B"]) -> Float[np.ndarray, " B"]:
        """What is left of a population at these times, from 0 to 1."""
        hit = (population == self.population) & (time >= self.start) & (time < self.stop)
        return 1.0 - self.dose * hit


AWAKE = Silence()
"""Nothing is silenced."""


class Drives(NamedTuple):
    """What moves n trials, in the bins in which a movement may be triggered: B of them, the first
    just before the press.

    Attributes:
        preparation: `[n, B]` P, in nats, before any silencing, as is
        movement: `[n, B]` G.
        release: `[n, B]` probability, silenced or not, to release in bin b, if not released before.
    """

    preparation: Float[np.ndarray, "n B"]
    movement: Float[np.ndarray, "n B"]
    release: Float[np.ndarray, "n B"]


class LeverTrials(NamedTuple):
    """Trials that were simulated.

    Attributes:
        engaged: `[n]` whether treats were worth something.
        bins: `[n]` bin of the release; the number of bins where it was held to the end of the last.
        drives: What moved the rat.
    """

    engaged: Bool[np.ndarray, " n"]
    bins: Int[np.ndarray, " n"]
    drives: Drives


def rats(number: int, *, seed: int) -> tuple[Rat, ...]:
    """A population of rats that differ in all that a `Rat` has; every third gives up.

    Raises:
        InputError: There are none.
    """
    if number < 1:
        raise InputError(f"need 1 or more rats; got {number}")
    rng = np.random.default_rng(seed)
    return tuple(
        Rat(
            treat=float(rng.uniform(6.5, 9.0)),
            cost=float(rng.uniform(1.0, 2.0)),
            impulsivity=float(rng.uniform(0.0, 1.5)),
            timing=float(rng.uniform(0.05, 0.25)),
            latency=float(rng.uniform(0.1, 0.25)),
            gives_up=float(rng.uniform(0.2, 0.6)) if n % 3 == 2 else 0.0,
        )
        for n in range(number)
    )


def lever_policy(rat: Rat, world: World, silence: Silence = AWAKE) -> Float[np.ndarray, "S 2"]:
    """What the rat does on average in each bin, exactly: its hidden clock integrated out.

    Args:
        rat: The rat.
        world: Made by `lever`.
        silence: What is silenced.

    Returns:
        `[S, 2]` probabilities of holding and releasing; one half where a trial is over.

    Raises:
        InputError: The world is another one.
    """
    speed, latency = (np.linspace(-3, 3, n) for n in (121, 21))
    chance = np.exp(-0.5 * (speed[:, None] ** 2 + latency**2)).ravel()
    grid = np.broadcast_arrays(speed[:, None], latency)
    parts, weights = [], []
    for engaged, share in ((True, 1 - rat.gives_up / 2), (False, rat.gives_up / 2)):
        ready = np.full(chance.size, engaged)
        parts.append(_drives(rat, world, silence, grid[0].ravel(), grid[1].ravel(), ready).release)
        weights.append(share * chance / chance.sum())
    release, weight = np.concatenate(parts), np.concatenate(weights)
    acts = weight @ first_act(release)
    mean = acts[:-1] / np.maximum(acts[::-1].cumsum()[:0:-1], 1e-300)
    policy = np.full(world.mdp.allowed.shape, 0.5)
    policy[: mean.size] = np.stack([1 - mean, mean], axis=1)
    return policy


def release_distribution(policy: Float[np.ndarray, "S 2"]) -> Float[np.ndarray, " B1"]:
    """`[B + 1]` probability to release in each bin, and to hold to the end, under a policy in the
    world of `lever`.
    """
    return first_act(policy[: len(policy) - len(OUTCOMES), RELEASE])


def first_act(hazard: Float[np.ndarray, "*n B"]) -> Float[np.ndarray, "*n B1"]:
    """`[..., B + 1]` probability to act first in each bin, and never, of the probability to act in
    it if not before.
    """
    alive = np.cumprod(np.append(np.ones((*hazard.shape[:-1], 1)), 1 - hazard, axis=-1), axis=-1)
    return np.append(alive[..., :-1] * hazard, alive[..., -1:], axis=-1)


def run_lever(
    rat: Rat, world: World, trials: int, rng: np.random.Generator, silence: Silence = AWAKE
) -> LeverTrials:
    """Trials of a session, with what moved the rat in each.

    Raises:
        InputError: There are no trials, or the world is another one.
    """
    if trials < 1:
        raise InputError(f"need 1 or more trials; got {trials}")
    lost = rat.gives_up * np.arange(trials) / max(trials - 1, 1)
    engaged = rng.random(trials) >= lost
    speed, latency = rng.standard_normal((2, trials)).clip(-3, 3)
    drives = _drives(rat, world, silence, speed, latency, engaged)
    hit = rng.random(drives.release.shape) < drives.release
    bins = np.where(hit.any(1), hit.argmax(1), hit.shape[1])
    return LeverTrials(engaged, bins, drives)


def lever_demonstrations(
    made: LeverTrials, world: World, pressed: Float[np.ndarray, " n"]
) -> Demonstrations:
    """The decisions of trials, one per bin until the release, on a clock in seconds.

    Args:
        made: The trials.
        world: Made by `lever`.
        pressed: `[n]` time of each press, in seconds.

    Returns:
        Demonstrations with `time`, the beginning of each bin, and a trajectory per trial with
        columns "trial", "press", "cue" (NaN where it was released before), "release" (NaN where it
        was held to the end of the last bin, where the record is cut), "outcome" (there "held") and
        "engaged".
    """
    bins = world.mdp.num_states - len(OUTCOMES)
    at, width = world.drawing.marks["cue"][0], world.settings["width"]
    lengths = np.minimum(made.bins + 1, bins)
    starts = np.append(0, np.cumsum(lengths))
    step = np.arange(starts[-1]) - np.repeat(starts[:-1], lengths)
    last = np.zeros(starts[-1], dtype=bool)
    last[starts[1:] - 1] = True
    released = made.bins < bins
    acted = np.where(last & np.repeat(released, lengths), RELEASE, HOLD)
    reached = world.mdp.successors[step, acted, 0]
    blank = np.full(len(lengths), np.nan)
    return Demonstrations.from_arrays(
        step,
        acted,
        next_states=reached,
        trajectory=np.repeat(np.arange(len(lengths)), lengths),
        terminated=acted == RELEASE,
        time=np.repeat(pressed, lengths) + step * width,
        state_names=world.mdp.state_names,
        action_names=world.mdp.action_names,
        trajectories={
            "trial": np.arange(len(lengths)),
            "press": pressed,
            "cue": np.where(made.bins >= at, pressed + at * width, blank),
            "release": np.where(released, pressed + made.bins * width, blank),
            "outcome": np.array([*OUTCOMES, "held"])[np.where(released, reached[last] - bins, 3)],
            "engaged": made.engaged,
        },
        source="lever",
    )


def _drives(
    rat: Rat,
    world: World,
    silence: Silence,
    speed: Float[np.ndarray, " n"],
    latency: Float[np.ndarray, " n"],
    engaged: Bool[np.ndarray, " n"],
) -> Drives:
    """What moves trials whose clocks deviate by `speed` and whose sense of the cue by `latency`, in
    standard deviations.
    """
    if world.name != "lever":
        raise InputError(f"{world.name} has no lever; use worlds.lever()")
    bins = world.mdp.num_states - len(OUTCOMES)
    at, width = world.drawing.marks["cue"][0], world.settings["width"]
    now, then = np.arange(-1, bins - 1) * width, np.arange(bins) * width
    felt = now >= (at * width + np.maximum(rat.latency + rat.jitter * latency, 0.0))[:, None]
    clock = np.where(felt, then, np.maximum(1 + rat.timing * speed, 0.1)[:, None] * then)
    wanted = [
        np.interp(clock, then, advantage(replace(rat, treat=worth), world)[:bins])
        for worth in (rat.treat, 0.0)
    ]
    a = np.where(engaged[:, None], *wanted)
    held, driven = np.logaddexp(0, -a), np.logaddexp(0, a)
    calm = silence.drive("preparation", held, now)
    release = expit(silence.drive("movement", driven, now) - calm)
    release = release * silence.of("movement", now)
    return Drives(held, driven, release)


def advantage(rat: Rat, world: World) -> Float[np.ndarray, " S"]:
    """By how much releasing is better than holding in each state to a rat that knows the time, in
    nats: of the soft optimum of its reward.
    """
    reward = np.zeros(world.mdp.allowed.shape)
    reward[:, HOLD] = -rat.cost * world.settings["width"]
    reward[list(world.drawing.marks["window"]), RELEASE] += rat.treat
    reward[:, RELEASE] += rat.impulsivity
    reward[world.mdp.terminal] = 0.0
    q = soft_plan(world.mdp, reward).q
    return q[:, RELEASE] - q[:, HOLD]
