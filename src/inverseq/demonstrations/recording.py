"""What was recorded beside behaviour: spikes of units, and signals sampled in time."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from jaxtyping import Float, Int, Shaped

from inverseq._core.arrays import freeze, frozen_array, require_finite, require_shape
from inverseq._core.display import Fact, Shown
from inverseq._core.errors import InputError


@dataclass(frozen=True, eq=False)
class Signal(Shown):
    """M samples of C channels: photometry, a position, a pupil.

    Attributes:
        times: `[M]` seconds, rising.
        values: `[M, C]`; NaN where missing.
        channels: Names of the C channels; empty where they have none.
        unit: Of the values, as the file says it.
        description: What they are, in a sentence.
    """

    times: Float[np.ndarray, " M"]
    values: Float[np.ndarray, "M C"]
    channels: tuple[str, ...] = ()
    unit: str = ""
    description: str = ""

    def __post_init__(self) -> None:
        freeze(self, np.float64, "times", "values")
        object.__setattr__(self, "channels", tuple(map(str, self.channels)))
        require_finite(self.times, "times")
        require_shape(self.values, (len(self.times), None), "values", "M, C")
        if (np.diff(self.times) <= 0).any():
            first = int(np.argmax(np.diff(self.times) <= 0)) + 1
            raise InputError(f"times of samples must rise; sample {first} is not after the last")
        if self.channels and len(self.channels) != self.values.shape[1]:
            raise InputError(
                f"{len(self.channels)} names for {self.values.shape[1]} channels; name each or none"
            )

    def _facts(self) -> Iterable[Fact]:
        return (
            ("samples", len(self.times)),
            ("channels", self.values.shape[1]),
            ("unit", self.unit or None),
        )


@dataclass(frozen=True, eq=False)
class Recording(Shown):
    """Spikes of U units and signals, on one clock in seconds: that of `Demonstrations.time`.

    Attributes:
        spikes: `[E]` times of all spikes, unit after unit, rising within each.
        bounds: `[U + 1]` bounds: unit u has `spikes[bounds[u]:bounds[u + 1]]`.
        units: Columns `[U]` of the table of units, such as "area".
        signals: By name.
        events: Name -> rising times of what happened (a cue, a lick).
        intervals: Name -> `[M, 2]` beginnings and ends, of epochs say.
        left_out: What the source holds and this does not -> why.
        source: Where it comes from.
    """

    spikes: Float[np.ndarray, " E"] = field(default_factory=lambda: np.zeros(0))
    bounds: Int[np.ndarray, " U1"] = field(default_factory=lambda: np.zeros(1, np.int64))
    units: Mapping[str, Shaped[np.ndarray, " U"]] = field(default_factory=dict)
    signals: Mapping[str, Signal] = field(default_factory=dict)
    events: Mapping[str, Float[np.ndarray, " _"]] = field(default_factory=dict)
    intervals: Mapping[str, Float[np.ndarray, "_ 2"]] = field(default_factory=dict)
    left_out: Mapping[str, str] = field(default_factory=dict)
    source: str = "arrays"

    def __post_init__(self) -> None:
        freeze(self, np.float64, "spikes", "events", "intervals")
        freeze(self, np.int64, "bounds")
        columns = {str(k): np.asarray(v) for k, v in self.units.items()}
        text = {k: v.astype(str) if v.dtype.hasobject else v for k, v in columns.items()}
        object.__setattr__(self, "units", {k: frozen_array(v, v.dtype, k) for k, v in text.items()})
        require_finite(self.spikes, "spikes")
        whole = len(self.bounds) and self.bounds[0] == 0 and self.bounds[-1] == len(self.spikes)
        if not whole or (np.diff(self.bounds) < 0).any():
            raise InputError(
                f"bounds must rise from 0 to the {len(self.spikes)} spikes; got {self.bounds[:5]}"
            )
        for name, column in self.units.items():
            require_shape(column, (self.num_units,), name, "U")
        for name, moments in self.events.items():
            require_shape(moments, (None,), name, "events")
            require_finite(moments, name)
            if (np.diff(moments) < 0).any():
                raise InputError(f"times of {name} are not in the order of time; sort them")
        falls = np.diff(self.spikes) < 0
        falls[self.bounds[(self.bounds > 0) & (self.bounds < len(self.spikes))] - 1] = False
        if falls.any():
            unit = int(np.searchsorted(self.bounds, np.argmax(falls), side="right")) - 1
            raise InputError(f"spikes of unit {unit} are not in the order of time; sort them")

    @classmethod
    def from_spikes(cls, times: Sequence[Any], **fields: Any) -> "Recording":
        """A recording from one array of spike times per unit.

        Args:
            times: U arrays of seconds, each in the order of time.
            **fields: Any further field of `Recording`.

        Raises:
            InputError: As for `Recording`.
        """
        if any(np.ndim(each) != 1 for each in times):
            raise InputError("give one array of spike times per unit, [[0.1, 0.7]] for one unit")
        bounds = np.concatenate([[0], np.cumsum([len(each) for each in times])])
        joined = np.concatenate([np.zeros(0), *times])
        return cls(spikes=joined, bounds=bounds.astype(np.int64), **fields)

    @property
    def num_units(self) -> int:
        """U."""
        return len(self.bounds) - 1

    def unit(self, number: int) -> Float[np.ndarray, " n"]:
        """Spike times of one unit, in seconds.

        Raises:
            InputError: There is no such unit.
        """
        if not 0 <= number < self.num_units:
            raise InputError(f"{self.source} holds {self.num_units} units, and no unit {number}")
        return self.spikes[self.bounds[number] : self.bounds[number + 1]]

    def take(self, chosen: Any) -> "Recording":
        """The units that `chosen` (a mask `[U]` or their numbers) picks; signals stay.

        Raises:
            InputError: There is no such unit, or the mask is too short.
        """
        picked = np.asarray(chosen)
        if picked.dtype == bool:
            require_shape(picked, (self.num_units,), "chosen", "U")
            picked = np.flatnonzero(picked)
        picked = frozen_array(picked, np.int64, "chosen")
        if ((picked < 0) | (picked >= self.num_units)).any():
            raise InputError(f"units are numbered 0 to {self.num_units - 1}; got {picked.tolist()}")
        taken = Recording.from_spikes([self.unit(int(u)) for u in picked])
        units = {name: column[picked] for name, column in self.units.items()}
        return replace(self, spikes=taken.spikes, bounds=taken.bounds, units=units)

    def _facts(self) -> Iterable[Fact]:
        return (
            ("units", self.num_units),
            ("spikes", len(self.spikes)),
            ("signals", len(self.signals)),
            ("events", len(self.events)),
            ("intervals", len(self.intervals) or None),
            ("left out", len(self.left_out) or None),
            ("source", self.source),
        )
