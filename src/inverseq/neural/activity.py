"""Spikes and signals put beside decisions, so that nothing after a decision enters it."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int, Shaped

from inverseq._core.arrays import freeze, names_or_numbers, require_finite
from inverseq._core.errors import InputError
from inverseq.demonstrations import Demonstrations, Recording, Signal


@dataclass(frozen=True)
class Window:
    """Which activity belongs to a decision.

    Attributes:
        start: Its beginning, in seconds from the decision; below 0 lies before it.
        stop: Its end; that moment itself is left out.
        pieces: Into how many equal pieces it is cut.
        causal: Whether a window that reaches beyond the decision is refused.
    """

    start: float = -0.3
    stop: float = 0.0
    pieces: int = 1
    causal: bool = True

    def __post_init__(self) -> None:
        if not self.start < self.stop or self.pieces < 1:
            raise InputError(
                "a window needs a start before its stop and 1 or more pieces; got "
                f"{self.start:g} to {self.stop:g} s in {self.pieces}"
            )
        if self.causal and self.stop > 0:
            raise InputError(
                f"a window to {self.stop:g} s after the decision sees what the decision led to; "
                "end it at 0, or say causal=False where that is what you want to relate"
            )

    @property
    def edges(self) -> Float[np.ndarray, " P1"]:
        """`[P + 1]` bounds of the pieces, in seconds from the decision."""
        return np.linspace(self.start, self.stop, self.pieces + 1)


@dataclass(frozen=True, eq=False)
class Activity:
    """What was recorded around N moments.

    Attributes:
        values: `[N, F, P]` spikes of each unit, then the mean of each channel of the signals, in
            each piece of the window, earliest first.
        names: Of the F series.
        units: `[F]` number of the unit of the recording; -1 for signals.
    """

    values: Float[np.ndarray, "N F P"]
    names: tuple[str, ...]
    units: Int[np.ndarray, " F"]

    def __post_init__(self) -> None:
        freeze(self, np.float64, "values")
        freeze(self, np.int64, "units")


def activity_at(
    recording: Recording,
    times: Float[np.ndarray, " N"],
    window: Window | None = None,
    signals: tuple[str, ...] | None = None,
) -> Activity:
    """Spikes and signals in a window around moments.

    Args:
        recording: What was recorded.
        times: `[N]` moments on its clock, in seconds.
        window: Around each of them; the 0.3 s before it where left out.
        signals: Names of the signals that are taken; all where left out.

    Raises:
        InputError: A moment is not known, there is no such signal, or a signal has no sample in the
            window of a moment.
    """
    window = Window() if window is None else window
    require_finite(np.asarray(times), "times")
    chosen = tuple(recording.signals) if signals is None else signals
    if missing := [name for name in chosen if name not in recording.signals]:
        raise InputError(f"no signal {missing[0]!r}; there are {[*recording.signals]}")
    edges = times[:, None] + window.edges
    count = recording.num_units
    parts = [np.empty((len(times), count, window.pieces))]
    for unit in range(count):
        parts[0][:, unit] = np.diff(np.searchsorted(recording.unit(unit), edges), axis=1)
    names, units = [f"unit {u}" for u in range(count)], [*range(count)]
    for name in chosen:
        signal = recording.signals[name]
        parts.append(_means(name, signal, edges))
        channels = names_or_numbers(signal.channels, signal.values.shape[1])
        names += [name] if len(channels) == 1 else [f"{name} {c}" for c in channels]
        units += [-1] * len(channels)
    return Activity(np.concatenate(parts, axis=1), tuple(names), np.array(units, dtype=np.int64))


def activity_of(
    recording: Recording,
    demonstrations: Demonstrations,
    window: Window | None = None,
    signals: tuple[str, ...] | None = None,
    rows: Int[np.ndarray, " M"] | None = None,
) -> Activity:
    """`activity_at` the decisions of `demonstrations`, or at those numbered in `rows`.

    Raises:
        InputError: As `activity_at`, decisions have no times, or all of them lie outside of what
            was recorded.
    """
    times = decision_times(demonstrations)
    times = times if rows is None else times[rows]
    ends = [recording.spikes[[0, -1]]] if len(recording.spikes) else []
    if recording.num_units:
        ends = [np.array([recording.spikes.min(), recording.spikes.max()])] if ends else []
    ends += [signal.times[[0, -1]] for signal in recording.signals.values() if len(signal.times)]
    if ends:
        low, high = np.min(ends), np.max(ends)
        if (times > high).all() or (times < low).all():
            raise InputError(
                f"decisions are at {times.min():.6g} to {times.max():.6g} s, the recording is at "
                f"{low:.6g} to {high:.6g} s: they are not on one clock; give times in its seconds"
            )
    return activity_at(recording, times, window, signals)


def decision_times(demonstrations: Demonstrations) -> Float[np.ndarray, " N"]:
    """Times of decisions, in seconds.

    Raises:
        InputError: There are none.
    """
    if demonstrations.time is None:
        raise InputError(
            "decisions have no times, so nothing recorded can be put beside them: name the column "
            'with time="..." when the table is read'
        )
    return np.asarray(demonstrations.time, dtype=np.float64)


def sampled_at(
    signal: Signal, times: Float[np.ndarray, " N"], window: Window
) -> Bool[np.ndarray, " N"]:
    """Moments at which each channel of a signal has a sample in each piece of a window."""
    counts = _in_pieces(np.isfinite(signal.values), signal, times[:, None] + window.edges)
    return np.asarray((counts > 0).all(axis=(1, 2)))


def _in_pieces(
    values: Shaped[np.ndarray, "M C"], signal: Signal, edges: Float[np.ndarray, "N P1"]
) -> Float[np.ndarray, "N P C"]:
    """Sums over the samples in each piece."""
    sums = np.concatenate([np.zeros((1, values.shape[1])), np.cumsum(values, axis=0)])
    return np.diff(sums[np.searchsorted(signal.times, edges)], axis=1)


def _means(
    name: str, signal: Signal, edges: Float[np.ndarray, "N P1"]
) -> Float[np.ndarray, "N C P"]:
    """Mean of the samples of each channel in each piece."""
    known = np.isfinite(signal.values)
    total = _in_pieces(np.where(known, signal.values, 0.0), signal, edges)
    number = _in_pieces(known, signal, edges)
    if (number == 0).any():
        row = int(np.argwhere(number == 0)[0][0])
        raise InputError(
            f"{name} has no sample from {edges[row, 0]:.6g} to {edges[row, -1]:.6g} s (moment "
            f"{row + 1}; {int((number == 0).any(axis=(1, 2)).sum())} such); widen the window or "
            "leave these decisions out"
        )
    return np.swapaxes(total / number, 1, 2)
