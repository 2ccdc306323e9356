"""Part "signals": spikes, photometry and dopamine of real animals beside regressors."""

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from inverseq import plot
from inverseq._core.errors import InputError
from inverseq.datasets import bandit, spontaneous
from inverseq.demonstrations import Demonstrations, Recording, Signal
from inverseq.inverse.fit import fit
from inverseq.inverse.values.iavi import IAVI
from inverseq.neural.activity import Window
from inverseq.neural.nulls import shift_orders
from inverseq.neural.relating import Relations, encoding, read_out, relate
from inverseq.neural.series import Regressors, regressors
from inverseq.studies.lever import Settings
from inverseq.studies.run import Result
from inverseq.studies.shapes import plain
from inverseq.studies.study import Effort

_BIN = 0.01
_HELD = (
    *("shape", "trial", "neuron", "bin", "count", "area", "time_of_bin0_s"),
    *("contrast_left", "contrast_right", "feedback"),
)
"""Arrays of a file of spikes."""
_AFTER = Window(0.05, 0.4, causal=False)
_WINDOWS = tuple(Window(s, s + 0.1, causal=False) for s in (0.0, 0.1, 0.2, 0.3))
_SUBJECT = "717531"
LEVEL = 0.05


def run(settings: Settings, effort: Effort) -> Result:
    """Each set of data that is there."""
    tables: dict[str, Any] = {"dopamine": _dopamine(settings, effort)}
    figures: dict[str, Any] = {}
    told = [_sentence("Dopamine in spontaneous behaviour", tables["dopamine"])]
    for path in settings.spikes:
        effort.say("files of spikes", 0, 1)
        name = Path(path).stem
        started = time.process_time()
        found, read, areas = _spikes(path, settings, effort)
        seconds = time.process_time() - started
        tables[name] = _by_area(found, areas)
        tables[f"{name}_read_out"] = [plain(row) for row in read.rows]
        figures[name] = _map(found, areas)
        told.append(
            f"{name}: {len(areas)} neurons, {int((found.adjusted <= LEVEL).sum())} of "
            f"{found.explained.size} relations clear, {seconds:.0f} s of CPU."
        )
    if settings.photometry:
        tables["photometry"] = _photometry(settings.photometry, settings, effort)
        told.append(_sentence("Photometry of the foraging mouse", tables["photometry"]))
    effort.say("data sets", 1, 1)
    return Result(tables, figures, tuple(told))


def _dopamine(settings: Settings, effort: Effort) -> list[dict[str, Any]]:
    """Dopamine at the next syllable beside what IAVI says, beyond the syllables themselves."""
    data = spontaneous()
    demos = data.demonstrations.take(range(20)) if effort.small else data.demonstrations
    series = regressors(fit(demos, IAVI(backup="soft"), data.mdp), demos)
    wanted = np.stack([*series.series.values()], axis=1)
    known = np.isfinite(wanted).all(axis=1)
    dopamine = np.asarray(demos.decisions["dopamine"])[:, None]
    parts = {"alone": (), "beyond syllables": (demos.states, demos.actions)}
    starts = np.searchsorted(np.flatnonzero(known), demos.starts)
    rows = []
    for name, columns in parts.items():
        ones = [v[:, None] == np.unique(v)[1:] for v in columns]
        inside = demos.trajectory_of[:, None] == np.arange(demos.num_trajectories)
        covariates = np.concatenate([inside, *ones], axis=1).astype(np.float64)
        found = encoding(
            dopamine[known],
            wanted[known],
            covariates[known],
            shift_orders(np.unique(starts), permutations=settings.shuffles, seed=effort.seed),
            units=("dopamine",),
            names=series.names,
        )
        rows += [plain({"covariates": name, **row}) for row in found.rows]
    return rows


def _spikes(
    path: str, settings: Settings, effort: Effort
) -> tuple[Relations, Relations, tuple[str, ...]]:
    """Contrasts and feedback in the neurons of a session of Steinmetz and others (2019)."""
    try:
        with np.load(path) as file:
            data: Mapping[str, np.ndarray] = {name: file[name] for name in _HELD}
    except (OSError, ValueError, KeyError, AttributeError) as error:
        raise InputError(
            f"{path} cannot be read as spikes with trials: give a .npz file of the arrays "
            f"{', '.join(_HELD)} ({error})"
        ) from error
    trials, units, _ = (int(n) for n in data["shape"])
    begun = np.asarray(data["time_of_bin0_s"])
    place = np.repeat(np.arange(len(data["count"])), data["count"])
    moment = begun[data["trial"][place]] + (data["bin"][place] + 0.5) * _BIN
    unit = data["neuron"][place].astype(np.int64)
    order = np.lexsort((moment, unit))
    bounds = np.searchsorted(unit[order], np.arange(units + 1))
    recording = Recording(moment[order], bounds, units={"area": data["area"]}, source=path)
    left, right = (data[f"contrast_{side}"].astype(float) for side in ("left", "right"))
    won = (data["feedback"] > 0).astype(float)
    demos = Demonstrations.from_arrays(
        np.zeros(trials, dtype=np.int64),
        np.zeros(trials, dtype=np.int64),
        time=begun,
        decisions={"left": left, "right": right, "before": np.append(0.5, won[:-1])},
    )
    series = {"contrast left": left, "contrast right": right, "feedback": won}
    how: dict[str, Any] = {"shuffles": settings.shuffles, "seed": effort.seed}
    parts = [
        relate(
            recording,
            Regressors({name: values}),
            demos,
            window=_AFTER,
            covariates=("before", *(() if name != "feedback" else ("left", "right"))),
            **how,
        )
        for name, values in series.items()
    ]
    how["shuffles"] = min(settings.shuffles, 200)
    read = read_out(
        recording, Regressors(series), demos, windows=_WINDOWS, covariates=("before",), **how
    )
    return _beside(parts), read, tuple(str(a) for a in data["area"])


def _beside(parts: list[Relations]) -> Relations:
    """Relations to regressors that were asked one at a time, corrected within each."""
    first = parts[0]
    order = np.arange(first.explained.size * len(parts)).reshape(len(parts), -1).T.ravel()
    joined = {
        name: np.concatenate([getattr(p.nulls, name) for p in parts])[order]
        for name in first.nulls.__dataclass_fields__
    }
    return Relations(
        first.units,
        tuple(p.regressors[0] for p in parts),
        np.concatenate([p.explained for p in parts], axis=1),
        np.concatenate([p.correlations for p in parts], axis=1),
        type(first.nulls)(**joined),
    )


def _by_area(found: Relations, areas: tuple[str, ...]) -> list[dict[str, Any]]:
    """Per area and regressor, how many neurons follow it, and how much it explains."""
    rows = []
    for area in sorted(set(areas)):
        mine = np.array(areas) == area
        for j, name in enumerate(found.regressors):
            clear = found.adjusted[mine, j] <= LEVEL
            row = {"area": area, "neurons": int(mine.sum()), "regressor": name}
            row |= {
                "clear": int(clear.sum()),
                "single": int((found.p_values[mine, j] <= LEVEL).sum()),
            }
            row["explained"] = found.explained[mine, j].mean()
            rows.append(plain(row))
    return rows


def _map(found: Relations, areas: tuple[str, ...]) -> Any:
    """The map of relations by area."""
    figure, (ax,) = plot.canvas(6.2, 1.0 + 0.22 * len(set(areas)))
    plot.relation_map(found.explained, found.adjusted <= LEVEL, found.regressors, areas, ax=ax)
    return figure


def _photometry(path: str, settings: Settings, effort: Effort) -> list[dict[str, Any]]:
    """The green channel 0.5 to 2 s after the go cue beside what IAVI says.

    The clock of the stored channel was replaced by that of another one: an inference.
    """
    import duckdb

    asked = "SELECT t_s, G_2 FROM read_parquet(?) ORDER BY t_s"
    try:
        columns = duckdb.execute(asked, [path]).fetchnumpy()
    except duckdb.Error as error:
        raise InputError(
            f"{path} cannot be read as photometry: give a Parquet file with the columns t_s "
            f"(seconds) and G_2 ({str(error).splitlines()[0]})"
        ) from error
    whole = bandit()
    session = whole.demonstrations.select(subject=_SUBJECT)
    acted = session.acted
    found = regressors(fit(whole.demonstrations, IAVI(backup="soft"), whole.mdp), session)
    cues = np.asarray(session.decisions["go_cue_s"])
    keep = np.asarray(columns["t_s"], dtype=np.float64)
    values = np.asarray(columns["G_2"], dtype=np.float64)
    once = np.append(True, np.diff(keep) > 0)
    values = np.log(np.maximum(values, 1.0))
    recording = Recording(signals={"G_2": Signal(keep[once], values[once][:, None])})
    inside = acted & (cues > keep[0] + 1) & (cues < keep[-1] - 3)
    rows = np.flatnonzero(inside)
    demos = Demonstrations.from_arrays(
        session.states[rows],
        session.actions[rows],
        time=cues[rows],
        decisions={"reward": np.asarray(session.decisions["reward"], dtype=float)[rows]},
    )
    wanted = Regressors({name: v[rows] for name, v in found.series.items()})
    made = []
    for name, covariates in {
        "alone": (),
        "beyond reward, choice and their history": ("action", "state", "reward"),
    }.items():
        relations = relate(
            recording,
            wanted,
            demos,
            window=Window(0.5, 2.0, causal=False),
            covariates=covariates,
            drift=16,
            shuffles=settings.shuffles,
            seed=effort.seed,
        )
        made += [plain({"covariates": name, **row}) for row in relations.rows]
    return made


def _sentence(what: str, rows: list[dict[str, Any]]) -> str:
    """What stands after correction, alone and beyond covariates."""
    parts = []
    for name in dict.fromkeys(row["covariates"] for row in rows):
        mine = [row for row in rows if row["covariates"] == name]
        clear = [row["regressor"] for row in mine if row["adjusted"] <= LEVEL]
        parts.append(f"{name} {len(clear)} of {len(mine)} ({', '.join(clear) or 'none'})")
    return f"{what}, regressors that are clear: {'; '.join(parts)}."
