"""Neurons and signals beside the decisions: which follow what the fit says of each, and when."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Int

from inverseq._core.errors import InputError, argument
from inverseq.analysis.findings import Findings
from inverseq.analysis.foretelling import foretell, require_trials
from inverseq.analysis.neural_findings import NeuralFindings, Related, Stretch
from inverseq.analysis.neural_plan import ANY, NeuralPlan
from inverseq.analysis.plan import Plan
from inverseq.demonstrations import Demonstrations, Recording
from inverseq.inverse.problem import Progress
from inverseq.neural.activity import Window, decision_times, sampled_at
from inverseq.neural.nulls import adjust_p_values
from inverseq.neural.relating import Relations, covariate, read_out, relate
from inverseq.neural.series import Regressors, possible, regressors

_ALIKE = 0.95
_SHOWN = 12
"""Decisions that are drawn beside the spikes around them."""
_AROUND = 0.5
"""Seconds that are drawn before the first of them and after the last."""
_WHOLE = "all"
_SIGNALS = "signals"


@dataclass(frozen=True, eq=False)
class Beside:
    """Decisions in the order of time, and what is looked at beside them.

    Attributes:
        demonstrations: The decisions.
        recording: The units and signals that were asked for.
        areas: `[U]` of the units.
        recorded: `[N]` decisions around which all of it was recorded.
    """

    demonstrations: Demonstrations
    recording: Recording
    areas: tuple[str, ...]
    recorded: Bool[np.ndarray, " N"]

    @classmethod
    def of(cls, known: Demonstrations, recording: Recording, plan: Plan) -> "Beside":
        """What can be said to be wrong before anything is fitted is said here.

        Raises:
            InputError: Decisions have no times, several sessions overlap, there is nothing to
                relate, a setting names what is not there, or there are too few decisions.
        """
        asked = plan.neural
        assert asked is not None  # as `analyse` has seen
        # Several numbers of intentions are compared, and not related to anything.
        several = plan.intentions if isinstance(plan.intentions, int) else None
        _require_names(asked, possible(several), "there are")
        for name in _covariates(known, asked):
            covariate(name, known)
        if asked.within:
            known.units(asked.within)
        switch = several is not None and "switch" in (asked.regressors or ("switch",))
        if asked.foretell not in (None, ANY):
            require_trials(known, str(asked.foretell), plan.folds)
        chosen, ordered = chosen_of(recording, asked), in_time(known)
        rows = ordered.acted & ordered.continues if switch else ordered.acted
        recorded = _recorded(ordered, recording, chosen, asked, np.flatnonzero(rows), plan.folds)
        _require_rows(int((rows & recorded).sum()), plan.folds)
        return cls(ordered, chosen, areas_of(chosen, asked), recorded)


def look_at_neurons(findings: Findings, beside: Beside, progress: Progress) -> NeuralFindings:
    """Everything about a recording beside the decisions that were fitted.

    Raises:
        InputError: It is on another clock, there are too few decisions, or a setting names what is
            not there.
    """
    plan, asked = findings.plan, findings.plan.neural
    assert asked is not None  # as `analyse` has seen
    assert findings.solution is not None
    demos, recording, unit_areas = beside.demonstrations, beside.recording, beside.areas
    series = regressors(findings.solution, demos)
    names, constant = _names(series, asked)
    wanted = Regressors(
        {name: np.where(beside.recorded, series.series[name], np.nan) for name in names},
        series.times,
    )
    known = np.isfinite(np.stack([*wanted.series.values()])).all(axis=0)
    _require_rows(int(known.sum()), plan.folds)
    how: dict[str, Any] = {
        "covariates": _covariates(demos, asked),
        "drift": asked.drift,
        "within": asked.within,
        "null": asked.null,
        "shuffles": asked.shuffles,
        "blocks": plan.folds,
        "seed": plan.seed,
    }
    # Units are known by the numbers of their table, not by their place among those chosen.
    called = tuple(f"unit {number}" for number in recording.units["id"])
    steps = len(asked.lags) + 1
    encoding = []
    for number, lag in enumerate(asked.lags):
        progress("relations", number, steps)
        window = Window(asked.window[0] + lag, asked.window[1] + lag, causal=False)
        made = relate(recording, wanted, demos, window=window, **how)
        made = replace(made, units=(*called, *made.units[len(called) :]))
        encoding.append(_corrected(made, asked, lag, len(asked.lags)))
    progress("relations", steps - 1, steps)
    windows = _windows(asked)
    parts = [Window(float(low), float(high), causal=False) for low, high in windows]
    decoding = _corrected(read_out(recording, wanted, demos, windows=parts, **how), asked)
    progress("relations", steps, steps)
    width = len(encoding[0].relations.units) - recording.num_units
    foretold, unforetold = foretell(
        findings, demos, recording, unit_areas, beside.recorded, progress
    )
    return NeuralFindings(
        source=recording.source,
        units=recording.num_units,
        signals=tuple(recording.signals),
        areas=(*unit_areas, *[_SIGNALS] * width),
        series=series,
        asked=names,
        constant=constant,
        alike=_alike(wanted),
        covariates=tuple(how["covariates"]),
        outside=int((~beside.recorded).sum()),
        encoding=tuple(encoding),
        decoding=decoding,
        windows=windows,
        stretch=_stretch(demos, recording, series, names, unit_areas),
        foretold=foretold,
        unforetold=unforetold,
    )


def in_time(known: Demonstrations) -> Demonstrations:
    """The trajectories in the order of time, which blocks and shifts go by.

    Raises:
        InputError: Decisions have no times, or trajectories overlap.
    """
    time = decision_times(known)
    ordered = known.take(np.argsort(time[known.starts[:-1]], kind="stable"))
    if (np.diff(decision_times(ordered)) < 0).any():
        raise InputError(
            "trajectories overlap in time, so they are not of one session on one clock; take one "
            "session at a time: one NWB file, or Demonstrations.select(session=...)"
        )
    return ordered


def chosen_of(recording: Recording, asked: NeuralPlan) -> Recording:
    """The units and signals that are looked at; "id" says which units they were.

    Raises:
        InputError: There is no such column, unit or signal, or nothing is left.
    """
    keep = np.ones(recording.num_units, dtype=bool)
    for column, value in asked.units.items():
        values = _column(recording, column, choosing=True)
        keep &= values.astype(str) == value
        if not keep.any():
            raise InputError(
                f"no unit has {column}={value}; there {column} is {np.unique(values)[:8].tolist()}"
            )
    there = recording.signals
    names = tuple(there) if asked.signals is None else asked.signals
    if missing := [name for name in names if name not in there]:
        reason = recording.left_out.get(missing[0])
        raise InputError(
            f"no signal {missing[0]!r}" + (f" ({reason})" if reason else f"; there are {[*there]}")
        )
    if not keep.any() and not names:
        raise InputError(
            f"{recording.source} holds no units and no signals to be related to decisions"
            + (f"; left out: {dict(recording.left_out)}" if recording.left_out else "")
            + f". inverseq doctor {recording.source} lists what it holds"
        )
    ids = {"id": np.arange(recording.num_units), **recording.units}
    known = replace(recording, units=ids, signals={name: there[name] for name in names})
    return known.take(keep)


def areas_of(recording: Recording, asked: NeuralPlan) -> tuple[str, ...]:
    """Where each unit is; all in one where the recording does not say.

    Raises:
        InputError: The column that was asked for does not exist.
    """
    if asked.area is None and "area" not in recording.units:
        return (_WHOLE,) * recording.num_units
    values = _column(recording, asked.area or "area")
    return tuple(str(value) or "unknown" for value in values)


def _column(recording: Recording, name: str, *, choosing: bool = False) -> np.ndarray:
    """A column of the units.

    Raises:
        InputError: There is no such column.
    """
    if name not in recording.units:
        there = [*recording.units]
        remedy = "leave it out"
        if there and recording.num_units:
            first = there[-1]
            value = {first: str(recording.units[first][0])}
            remedy = (
                f"give {argument('units', value) if choosing else argument('area', first)}, say"
            )
        raise InputError(f"units have no column {name!r}; there are {there}: {remedy}")
    return np.asarray(recording.units[name])


def _names(series: Regressors, asked: NeuralPlan) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Series that are asked about, and those that do not vary.

    Raises:
        InputError: One that was named does not exist, or none varies.
    """
    _require_names(asked, series.names, "this fit has")
    names = asked.regressors or tuple(series.series)
    varies = {}
    for name in names:
        values = series.series[name][np.isfinite(series.series[name])]
        varies[name] = bool(values.size) and bool(np.ptp(values) > 1e-9)
    if not any(varies.values()):
        raise InputError(
            f"nothing that the fit says of decisions varies: {', '.join(names)}. It found nothing "
            f"that is wanted; {argument('solver', 'iavi')} counts without a prior"
        )
    left_out = tuple(n for n in names if not varies[n])
    return tuple(n for n in names if varies[n]), left_out


def _require_names(asked: NeuralPlan, there: Sequence[str], whose: str) -> None:
    """Raise where a series was named that is not there."""
    if missing := [name for name in asked.regressors if name not in there]:
        raise InputError(
            f"there is no regressor {missing[0]!r}; {whose} {[*there]}. Give "
            f"{argument('regressors', ','.join(there[:2]))}, or leave it out"
        )


def _require_rows(rows: int, blocks: int) -> None:
    """Raise where there are fewer decisions than blocks of time."""
    if rows < 2 * blocks:
        most = rows // 2
        remedy = f"ask for {argument('folds', most)} or fewer" if most >= 2 else "record more"
        raise InputError(
            f"{rows} decisions with all regressors are too few for {blocks} blocks of time that "
            f"are held out; {remedy}"
        )


def _covariates(demos: Demonstrations, asked: NeuralPlan) -> tuple[str, ...]:
    """What is taken out of both sides."""
    if asked.covariates is not None:
        return asked.covariates
    return ("action", "step", *(("reward",) if "reward" in demos.decisions else ()))


def _corrected(made: Relations, asked: NeuralPlan, lag: float = 0.0, times: int = 1) -> Related:
    """Relations with p-values corrected for all of them."""
    adjusted = made.adjusted
    if asked.correction != "max":
        adjusted = adjust_p_values(made.p_values.ravel(), asked.correction)
    adjusted = np.minimum(adjusted.reshape(made.explained.shape) * times, 1.0)
    return Related(made, adjusted, lag)


def _windows(asked: NeuralPlan) -> Float[np.ndarray, "W 2"]:
    """The pieces of all windows that were asked for, one after another."""
    low, high = asked.window[0] + min(asked.lags), asked.window[1] + max(asked.lags)
    edges = np.linspace(low, high, max(round((high - low) / asked.bin_width), 1) + 1).round(9)
    return np.stack([edges[:-1], edges[1:]], axis=1)


def _alike(wanted: Regressors) -> tuple[tuple[str, str, float], ...]:
    """Pairs of series that say the same."""
    columns = np.stack([*wanted.series.values()])
    known = columns[:, np.isfinite(columns).all(axis=0)]
    found = np.atleast_2d(np.corrcoef(known))
    names = wanted.names
    return tuple(
        (names[i], names[j], float(found[i, j]))
        for i in range(len(names))
        for j in range(i + 1, len(names))
        if abs(found[i, j]) >= _ALIKE
    )


def _recorded(
    demos: Demonstrations,
    recording: Recording,
    chosen: Recording,
    asked: NeuralPlan,
    rows: Int[np.ndarray, " M"],
    blocks: int,
) -> Bool[np.ndarray, " N"]:
    """Decisions between the first and the last spike of all units, at which each signal that is
    looked at has a sample in each piece of the window.

    Raises:
        InputError: They are fewer than the blocks of time need, and than half of the rows.
    """
    time = decision_times(demos)
    parts: dict[str, tuple[np.ndarray, np.ndarray]] = {}
    if chosen.num_units and len(recording.spikes):
        ends = np.array([recording.spikes.min(), recording.spikes.max()])
        parts["spikes"] = ends, (time >= ends[0]) & (time <= ends[1])
    for name, signal in chosen.signals.items():
        there = [
            sampled_at(signal, time, Window(float(low), float(high), causal=False))
            for low, high in _windows(asked)
        ]
        parts[name] = signal.times, np.logical_and.reduce(there)
    made = np.logical_and.reduce([there for _, there in parts.values()], initial=True)
    made = np.broadcast_to(made, time.shape)
    left = int(made[rows].sum())
    if left < min(2 * blocks, len(rows) / 2):
        worst = min(parts, key=lambda name: int(parts[name][1][rows].sum()))
        _refuse_unrecorded(worst, parts[worst][0], time[rows], left, asked)
    return made


def _refuse_unrecorded(
    name: str,
    there: Float[np.ndarray, " M"],
    time: Float[np.ndarray, " N"],
    left: int,
    asked: NeuralPlan,
) -> None:
    """Raise where hardly any decision has all recorded around it, for the one that is rarest."""
    span = f"{there[0]:.10g} to {there[-1]:.10g} s" if len(there) else "no time"
    apart = float(np.median(np.diff(there))) if len(there) > 2 else 0.0
    width = float(f"{2 * apart:.2g}")
    slow = apart > asked.bin_width and ((time > there[0]) & (time < there[-1])).any()
    raise InputError(
        f"{left} of {len(time)} decisions have all recorded around them: they are at "
        f"{time.min():.10g} to {time.max():.10g} s, {name} at {span}"
        + (
            f", a sample every {apart:.3g} s, which leaves pieces of {asked.bin_width:g} s empty; "
            f"take {argument('window', (round(-3 * width, 9), 0.0))} {argument('bin_width', width)}"
            if slow
            else "; give times in seconds of its clock, or leave it out"
        )
    )


def _stretch(
    demos: Demonstrations,
    recording: Recording,
    series: Regressors,
    names: Sequence[str],
    areas: Sequence[str],
) -> Stretch:
    """A trial of middling length where trials have several decisions, else some decisions in the
    middle; units of an area stand together.
    """
    lengths = np.diff(demos.starts)
    if np.median(lengths) >= 3 and demos.num_trajectories > 1:
        trial = int(np.argsort(lengths, kind="stable")[len(lengths) // 2])
        first, last = int(demos.starts[trial]), int(demos.starts[trial + 1])
        last = min(last, first + 4 * _SHOWN)
    else:
        first = max((demos.num_decisions - _SHOWN) // 2, 0)
        last = min(first + _SHOWN, demos.num_decisions)
    time = decision_times(demos)[first:last]
    low, high, start = time[0] - _AROUND, time[-1] + _AROUND, float(time[0])
    name = "value" if "value" in names else names[0]
    events = {}
    for event, times in recording.events.items():
        inside = times[(times >= low) & (times <= high)]
        if len(inside) == 1:
            events[event] = float(inside[0]) - start
    spikes = []
    for unit in np.argsort(areas, kind="stable"):
        times = recording.unit(int(unit))
        spikes.append(times[(times >= low) & (times <= high)] - start)
    values = series.series[name][first:last]
    return Stretch(tuple(spikes), time - start, values, name, events, start)
