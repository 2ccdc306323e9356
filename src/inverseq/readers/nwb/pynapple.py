"""A recording in the types of pynapple, which aligns, bins and draws."""

from typing import Any

from inverseq._core.errors import InputError
from inverseq.demonstrations.recording import Recording, Signal


def to_pynapple(recording: Recording) -> dict[str, Any]:
    """Everything in a recording as pynapple has it, by name.

    "units" is a `TsGroup` with the columns of the units as metadata; signals are `Tsd` or
    `TsdFrame`, events `Ts`. Needs `pip install "inverseq[nwb]"`.

    Raises:
        InputError: pynapple is not installed.
    """
    try:
        import pynapple as nap
    except ImportError as error:
        raise InputError('this needs pynapple: pip install "inverseq[nwb]"') from error

    def of(signal: Signal) -> Any:
        if signal.values.shape[1] == 1 and not signal.channels:
            return nap.Tsd(signal.times, signal.values[:, 0])
        return nap.TsdFrame(signal.times, signal.values, columns=[*signal.channels] or None)

    made: dict[str, Any] = {name: of(signal) for name, signal in recording.signals.items()}
    made |= {name: nap.Ts(times) for name, times in recording.events.items()}
    if recording.num_units:
        trains = {u: nap.Ts(recording.unit(u)) for u in range(recording.num_units)}
        made["units"] = nap.TsGroup(trains, metadata={**recording.units})
    return made
