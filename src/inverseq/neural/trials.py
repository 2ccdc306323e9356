"""Trials in which one waits and then acts, with the activity of every moment of the wait."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Float32, Int

from inverseq._core.arrays import freeze
from inverseq._core.errors import InputError
from inverseq.decisions.alignment import align
from inverseq.demonstrations import Demonstrations, Recording
from inverseq.mdp import MDP
from inverseq.neural.activity import Window, activity_at, decision_times

_SLACK = 0.05
"""Share of a step by which a decision may be off it."""


@dataclass(frozen=True, eq=False)
class Waiting:
    """T trials on one grid of B steps, those after the act included.

    A method that foretells the act is asked at every step of the grid, so that the length of a
    record tells it nothing.

    Attributes:
        demonstrations: The decisions.
        mdp: Their world, of two actions.
        event: Number of the action that ends the wait.
        states: `[T, B]` state at each step where one goes on waiting.
        happened: `[T]` step of the act; B where there was none.
        activity: `[T, B, F, P]` in P pieces before each step, the latest last.
        step: Seconds of a step.
        window: Of the activity before a step.
        units: `[F]` number of the unit of the recording; -1 for signals.
    """

    demonstrations: Demonstrations
    mdp: MDP
    event: int
    states: Int[np.ndarray, "T B"]
    happened: Int[np.ndarray, " T"]
    activity: Float32[np.ndarray, "T B F P"]
    step: float
    window: Window
    units: Int[np.ndarray, " F"]
    _made: dict[str, tuple[Any, Any]] = field(
        default_factory=dict, init=False, repr=False, metadata={"content": False}
    )

    def __post_init__(self) -> None:
        freeze(self, np.int64, "states", "happened", "units")
        freeze(self, np.float32, "activity")

    def once(self, what: str, key: Any, make: Callable[[], Any]) -> Any:
        """What many settings share, made once: the latest of each kind is kept."""
        if what not in self._made or self._made[what][0] != key:
            self._made[what] = key, make()
        return self._made[what][1]

    @property
    def seen(self) -> Bool[np.ndarray, "T B"]:
        """The steps at which a decision was made: up to the act."""
        return np.arange(self.states.shape[1]) <= self.happened[:, None]

    @property
    def acted(self) -> Bool[np.ndarray, "T B"]:
        """The step of the act."""
        return np.arange(self.states.shape[1]) == self.happened[:, None]

    def take(self, trials: Int[np.ndarray, " n"]) -> "Waiting":
        """Some of the trials, by number."""
        return replace(
            self,
            demonstrations=self.demonstrations.take(trials),
            states=self.states[trials],
            happened=self.happened[trials],
            activity=self.activity[trials],
        )


def waiting(
    demonstrations: Demonstrations,
    recording: Recording,
    mdp: MDP,
    event: str | int = 1,
    window: Window | None = None,
) -> Waiting:
    """Put a recording beside trials that one action ends.

    Args:
        demonstrations: A trajectory per trial, with times.
        recording: On the same clock.
        mdp: Their world, of two actions; where one waits, the most likely successor follows.
        event: The action that ends the wait, by name or number.
        window: Activity of a step; the 0.3 s before it in three pieces where left out.

    Raises:
        InputError: There are not two actions, decisions have no times, or the event is unknown; a
            trial is not one decision a step, goes on after the act, or is in other states than one
            who waits.
    """
    if mdp.num_actions != 2:
        raise InputError(
            f"one waits or acts, which are two actions; this world has {mdp.num_actions}"
        )
    names = mdp.action_names or ("0", "1")
    if event not in (0, 1, *names):
        raise InputError(f"event must be one of {', '.join(names)}; got {event!r}")
    number = event if isinstance(event, int) else names.index(event)
    time, states = decision_times(demonstrations), align(demonstrations, mdp)
    starts = demonstrations.starts
    lengths = np.diff(starts)
    inside = np.flatnonzero(np.diff(demonstrations.trajectory_of) == 0)
    if not inside.size:
        raise InputError("no trial has two decisions, so there is no step of time between them")
    step = float(np.median(np.diff(time)[inside]))
    path = _held(mdp, states[starts[:-1]], 1 - number)
    bins = path.shape[1]
    _check(demonstrations, time - np.repeat(time[starts[:-1]], lengths), states, step, path, number)
    acts = demonstrations.actions[starts[1:] - 1] == number
    happened = np.where(acts, lengths - 1, bins)
    grid = time[starts[:-1], None] + step * np.arange(bins)
    window = Window(-0.3, 0.0, 3) if window is None else window
    found = activity_at(recording, grid.ravel(), window)
    shape = (len(lengths), bins, *found.values.shape[1:])
    activity = found.values.reshape(shape)
    small = activity.astype(np.float32)
    return Waiting(demonstrations, mdp, number, path, happened, small, step, window, found.units)


def _check(
    demonstrations: Demonstrations,
    since: Float[np.ndarray, " N"],
    states: Int[np.ndarray, " N"],
    step: float,
    path: Int[np.ndarray, "T B"],
    event: int,
) -> None:
    """Raise an `InputError` where trials would be misread on the grid."""
    trial, place = demonstrations.trajectory_of, demonstrations.step
    bins = path.shape[1]
    off = np.abs(since - step * place) > _SLACK * step
    long = place >= bins
    astray = states != path[trial, np.minimum(place, bins - 1)]
    early = np.append(trial[1:] == trial[:-1], False) & (demonstrations.actions == event)
    for bad, words in (
        (
            off,
            "is {since:.4g} s after the first, off the steps of {step:.4g} s; give one decision a "
            "step, all steps equally long (a table of releases is cut into such bins first)",
        ),
        (
            long,
            "comes after the {bins} steps in which one can wait in this world; let all trials "
            "begin in one state, and the world last as long as the longest",
        ),
        (
            astray,
            "is in state {state}, one who waits is in {wanted} then; waiting must lead to one "
            "state for sure, and trials must leave out no step",
        ),
        (early, "ends the wait, and the trial goes on; begin another trajectory after it"),
    ):
        if bad.any():
            row = int(np.argmax(bad))
            said = words.format(
                since=since[row],
                step=step,
                bins=bins,
                state=states[row],
                wanted=path[trial[row], min(place[row], bins - 1)],
            )
            raise InputError(
                f"trial {trial[row] + 1}, decision {place[row] + 1} {said} ({int(bad.sum())} such "
                "decisions)"
            )


def _held(mdp: MDP, first: Int[np.ndarray, " T"], wait: int) -> Int[np.ndarray, "T B"]:
    """The states of those who only wait, until one comes again or the world ends it."""
    chances = mdp.transition_matrix.tocsr()
    likely = np.array(
        [
            row.indices[np.argmax(row.data)] if row.nnz else -1
            for row in (chances[[s * 2 + wait]] for s in range(mdp.num_states))
        ]
    )
    path, now, alive = [first], first, True
    while alive:
        then = likely[now]
        alive = bool((then >= 0).all() and not mdp.terminal[then].any() and (then != now).all())
        alive = alive and len(path) < mdp.num_states
        if alive:
            path.append(then)
            now = then
    return np.stack(path, axis=1)
