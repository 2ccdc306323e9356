"""What was measured beside the decisions: spikes, sampled signals, events, on their own clocks."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Int, Shaped

from inverseq._core.arrays import freeze, frozen_array, require_finite
from inverseq._core.display import Fact, Shown
from inverseq._core.errors import InputError
from inverseq.demonstrations.arrays import read_columns


@dataclass(frozen=True, eq=False)
class Signal(Shown):
    """M samples of one or several channels.

    Attributes:
        times: `[M]` rising; seconds, as the times of the decisions.
        values: `[M, ...]` one number, or an array, per sample.
        unit: What they are measured in.
        description: What they are, in a sentence.
        names: Names of the channels of `[M, C]`, or empty.

    Raises:
        InputError: There is not one time per sample, times do not rise, or names do not fit.
    """

    times: Float[np.ndarray, " M"]
    values: Shaped[np.ndarray, "M *channels"]
    unit: str = "n.a."
    description: str = ""
    names: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        freeze(self, np.float64, "times")
        freeze(self, None, "values")
        if len(self.values) != len(self.times):
            raise InputError(
                f"a signal has {len(self.times)} times and {len(self.values)} values; give one "
                "time per sample"
            )
        wrong = ~np.append(np.isfinite(self.times[:1]), np.diff(self.times) > 0)
        if wrong.any() and self.times.size:
            place = int(np.argmax(wrong))
            raise InputError(
                f"times of a signal must rise; sample {place + 1} is at {self.times[place]:.6g}. "
                "Sort the samples, and leave out those without a time"
            )
        if self.names and self.values.shape[1:] != (len(self.names),):
            raise InputError(
                f"a signal has {len(self.names)} names and samples of shape "
                f"{[*self.values.shape[1:]]}; name each channel of [M, C]"
            )

    def _facts(self) -> list[Fact]:
        shape = "x".join(map(str, self.values.shape[1:]))
        span = f"{self.times[0]:.6g} to {self.times[-1]:.6g}" if len(self.times) else None
        return [
            ("samples", len(self.times)),
            ("channels", shape or None),
            ("times", span),
            ("unit", self.unit),
        ]


@dataclass(frozen=True, eq=False)
class Recording(Shown):
    """Spikes of U units, sampled signals, events and intervals, all in seconds of one session.

    Nothing is tied to decisions but by time: it stands beside `Demonstrations` with `time` in the
    same seconds.

    Attributes:
        spike_times: All spikes, unit after unit, rising within each.
        starts: `[U + 1]` the spikes of unit u are `starts[u]` to `starts[u + 1] - 1`.
        units: Columns per unit, each `[U]`: "id", "area" where it is known, anything.
        signals: Name -> signal.
        events: Name -> rising times.
        intervals: Name -> `[M, 2]` beginnings and ends.
        left_out: What the source holds and this does not -> why.
        source: Where it came from.

    Raises:
        InputError: Lengths disagree, or times are not finite or, of a unit, do not rise; the
            message names the unit.
    """

    spike_times: Float[np.ndarray, " spikes"]
    starts: Int[np.ndarray, " bounds"]
    units: Mapping[str, np.ndarray] = field(default_factory=dict)
    signals: Mapping[str, Signal] = field(default_factory=dict)
    events: Mapping[str, np.ndarray] = field(default_factory=dict)
    intervals: Mapping[str, np.ndarray] = field(default_factory=dict)
    left_out: Mapping[str, str] = field(default_factory=dict)
    source: str = "arrays"

    def __post_init__(self) -> None:
        freeze(self, np.float64, "spike_times", "events", "intervals")
        freeze(self, np.int64, "starts")
        object.__setattr__(self, "units", read_columns(self.units, "units"))
        bounds = self.starts
        if not bounds.size or bounds[0] != 0 or bounds[-1] != self.spike_times.size:
            raise InputError(
                f"starts must rise from 0 to the {self.spike_times.size} spikes; use "
                "Recording.from_units with one array of times per unit"
            )
        for name, values in self.units.items():
            if len(values) != self.num_units:
                raise InputError(
                    f"column {name!r} has {len(values)} entries, expected {self.num_units}, one "
                    "per unit"
                )
        require_finite(self.spike_times, "spike_times")
        falls = np.diff(self.spike_times) < 0
        falls[bounds[(bounds > 0) & (bounds < self.spike_times.size)] - 1] = False
        if falls.any():
            unit = int(np.searchsorted(bounds, np.argmax(falls), side="right")) - 1
            raise InputError(f"spikes of unit {unit} are not in order of time; sort them")

    @classmethod
    def from_units(cls, spike_times: Sequence[Any], **fields: Any) -> "Recording":
        """A recording from one array of spike times per unit, in any order, and other fields.

        Raises:
            InputError: As for `Recording`.
        """
        trains = [np.sort(frozen_array(times, np.float64, "spike_times")) for times in spike_times]
        lengths = [train.size for train in trains]
        return cls(
            np.concatenate(trains) if trains else np.empty(0),
            np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)]),
            **fields,
        )

    @property
    def num_units(self) -> int:
        """U."""
        return len(self.starts) - 1

    def spikes(self, unit: int) -> Float[np.ndarray, " spikes"]:
        """Spike times of unit `unit` (from 0).

        Raises:
            InputError: There is no such unit.
        """
        if not 0 <= unit < self.num_units:
            raise InputError(f"{self.source} holds {self.num_units} units; there is no unit {unit}")
        return self.spike_times[self.starts[unit] : self.starts[unit + 1]]

    def select(self, chosen: Bool[np.ndarray, " U"]) -> "Recording":
        """The recording with only the units where `chosen` is true: `units["area"] == "VISp"`.

        Raises:
            InputError: `chosen` does not have one truth value per unit.
        """
        chosen = np.asarray(chosen)
        if chosen.dtype != bool or chosen.shape != (self.num_units,):
            raise InputError(
                f"chosen must be {self.num_units} truth values, one per unit; got "
                f"{chosen.dtype} of shape {[*chosen.shape]}"
            )
        lengths = np.diff(self.starts)
        return replace(
            self,
            spike_times=self.spike_times[np.repeat(chosen, lengths)],
            starts=np.concatenate([[0], np.cumsum(lengths[chosen])]),
            units={name: values[chosen] for name, values in self.units.items()},
        )

    def _facts(self) -> list[Fact]:
        return [
            ("units", self.num_units),
            ("spikes", int(self.spike_times.size)),
            ("signals", len(self.signals)),
            ("events", len(self.events)),
            ("intervals", len(self.intervals)),
            ("left out", len(self.left_out) or None),
            ("source", self.source),
        ]
