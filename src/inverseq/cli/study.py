"""`inverseq study`."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.console import Console

from inverseq._core.errors import InputError
from inverseq._core.folders import claimed
from inverseq._core.progress import progress_bars
from inverseq.cli.options import Study
from inverseq.cli.show import print_table
from inverseq.demonstrations import Demonstrations
from inverseq.readers import read_games
from inverseq.reporting import Column, Table, to_json
from inverseq.studies.gridworld import gridworld
from inverseq.studies.gridworld.people import gridworld_people
from inverseq.studies.gridworld.record import GRIDS, GridWorldStudy
from inverseq.studies.intentions import intentions
from inverseq.studies.lecture.study import Lecture, lecture
from inverseq.studies.mice import mice
from inverseq.studies.mice.record import Mice, Row
from inverseq.studies.objectworld import objectworld
from inverseq.studies.objectworld.record import Objectworld, mean_and_error
from inverseq.studies.people import people
from inverseq.studies.people.record import People
from inverseq.studies.study import IntentionsStudy


def run(options: Study) -> int:
    """Run a study, and say where its files lie.

    Raises:
        InputError: Parts of another study are asked for, or the folder cannot be written to.
    """
    if options.parts is not None and options.name != "intentions":
        raise InputError(f"--parts belongs to the study intentions; {options.name} has no parts")
    if options.games is not None and options.name != "gridworld":
        raise InputError(f"--games belongs to the study gridworld; {options.name} reads none")
    games = None if options.games is None else _games(options.games)
    parts = () if options.parts is None else tuple(map(str.strip, options.parts.split(",")))
    quiet = options.output.quiet or options.output.json
    place = claimed(options.out or Path("out") / options.name)
    with place as folder, progress_bars(quiet=quiet) as progress:
        if options.name == "lecture":
            progress("lecture", 0, 1)
            made = lecture(folder, seed=options.seed)
            progress("lecture", 1, 1)
        elif options.name == "people":
            made = people(folder, progress=progress)
        elif options.name == "mice":
            made = mice(folder, seed=options.seed, progress=progress)
        elif options.name == "intentions":
            made = intentions(folder, parts=parts, seed=options.seed, progress=progress)
        elif options.name == "gridworld":
            made = gridworld(folder, seed=options.seed, demonstrations=games, progress=progress)
        elif options.name == "gridworld-people":
            made = gridworld_people(folder, seed=options.seed, progress=progress)
        else:
            made = objectworld(folder, seed=options.seed, progress=progress)
    if options.output.json:
        print(to_json(asdict(made)), end="")
    elif not options.output.quiet:
        _print(_tables(made), made.files)
    return 0


def _games(path: str) -> dict[str, Demonstrations]:
    """A person's games that were won or lost, by grid type.

    Raises:
        InputError: There is none of the study's grid types.
    """
    found = read_games(path)
    level, ended = found.trajectories["difficulty"], found.trajectories["ended"]
    finished = ended != "abandoned"
    made = {}
    for grid in GRIDS:
        here = finished & (level == grid.name.replace(" ", "-"))
        if here.any():
            made[grid.name] = found.take(here)
    if not made:
        raise InputError(
            f"{path} holds no finished game of the study's grid types; play some with inverseq play"
        )
    return made


def _tables(
    made: Lecture | People | Mice | Objectworld | IntentionsStudy | GridWorldStudy,
) -> list[Table]:
    """What a study found, to be shown."""
    if isinstance(made, GridWorldStudy):
        return _of_gridworld(made)
    if isinstance(made, IntentionsStudy):
        return [_of_part_table(made, name) for name in made.tables]
    if isinstance(made, Mice):
        return _of_mice(made)
    if isinstance(made, Lecture):
        return _of_lecture(made)
    return _of_people(made) if isinstance(made, People) else _of_objectworld(made)


def _of_part_table(made: IntentionsStudy, name: str) -> Table:
    """One table of a part, with what the part found below the last of them."""
    part = next(part for part in made.sentences if name.startswith(f"{part}_"))
    last = [other for other in made.tables if other.startswith(f"{part}_")][-1] == name
    rows = made.tables[name]
    whole = lambda key: all(isinstance(row[key], int | None) for row in rows)  # noqa: E731
    forms = {key: "d" if whole(key) else ".3f" for key in rows[0]}
    return Table(
        name,
        name.replace("_", ": "),
        tuple(Column(key.replace("_", " "), form) for key, form in forms.items()),
        tuple(tuple(row.values()) for row in rows),
        note="\n".join(made.sentences[part]) if last else "",
    )


def _of_gridworld(made: GridWorldStudy) -> list[Table]:
    """Its tables, the curve left to its file and figure, with what was found below the first."""
    tables = []
    for name, rows in made.tables.items():
        if name == "curve":
            continue
        texts = {key for key in rows[0] if any(isinstance(row[key], str) for row in rows)}
        columns = tuple(
            Column(key.replace("_", " "), *(() if key in texts else (".4g",))) for key in rows[0]
        )
        note = "" if tables else "\n".join(made.sentences)
        tables.append(Table(name, name, columns, tuple(tuple(r.values()) for r in rows), note))
    return tables


def _print(tables: Sequence[Table], files: Sequence[str]) -> None:
    """The tables, and what was written."""
    console = Console(highlight=False)
    for table in tables:
        print_table(console, table)
        if table.note:
            console.print(table.note, markup=False)
    for name in files:
        console.print(f"Written: {name}", markup=False, soft_wrap=True)


def _of_lecture(made: Lecture) -> list[Table]:
    """Optimal values under both rewards per step."""
    columns = [Column("State")]
    columns += [
        Column(f"{reward:g} per step".replace("-", "−"), ".3f") for reward in made.step_rewards
    ]
    rows = [(str(s), *map(float, made.values[:, s])) for s in range(made.values.shape[1])]
    changed = ", ".join(map(str, made.changed)) or "none"
    note = (
        f"The best action differs in the states {changed}. After {made.steps[-1]:,} decisions, "
        f"{len(made.errors)} runs of Q-learning are within {made.errors.max():.3f} of every value."
    )
    return [Table("values", "Optimal values of the 4x3 world", tuple(columns), tuple(rows), note)]


def _of_people(made: People) -> list[Table]:
    """Scores in the mazes left out, and what each cost weighs."""
    rows: list[tuple[Any, ...]] = [
        (row.name, row.score, row.error, row.behind, row.behind_error, max(row.numbers, 0) or None)
        for row in made.rows
    ]
    scores = Table(
        "scores",
        f"{made.people} people, {made.decisions:,} moves, each predicted in a maze left out",
        (
            Column("Model"),
            Column("Nats", ".3f"),
            Column("SE", ".3f"),
            Column("Behind the full planner", ".3f"),
            Column("SE", ".3f"),
            Column("Numbers", "d"),
        ),
        tuple(rows),
        note="Nats per decision; standard errors over people.",
    )
    weights = Table(
        "weights",
        "What each cost weighs, in nats, mean over folds (negative: avoided)",
        (
            Column("Cost"),
            Column("Mean", "+.3f"),
            Column("Lowest", "+.3f"),
            Column("Highest", "+.3f"),
        ),
        tuple(
            (name, float(w.mean()), float(w.min()), float(w.max()))
            for name, w in zip(made.features, made.weights.T, strict=True)
        ),
    )
    return [scores, weights]


def _of_mice(made: Mice) -> list[Table]:
    """Scores on test trajectories and in the other half of the maze, and what habits are worth."""
    title = f"{made.trajectories} test trajectories, {made.decisions:,} decisions"
    note = (
        f"Nats per decision; standard errors over trajectories. {made.forced:,} decisions had no "
        f"alternative. Cross-validation on training trajectories chose the discount "
        f"{made.discount:g}."
    )
    habits = Table(
        "habits",
        "What each habit is worth in nats (negative: avoided), with 95 % intervals",
        (Column("Habit"), Column("Weight", "+.2f"), Column("Low", "+.2f"), Column("High", "+.2f")),
        tuple(
            (name, float(weight), float(low), float(high))
            for name, low, weight, high in zip(made.habits, *made.weights, strict=True)
        ),
    )
    halves = "Each half of the maze predicted from the other"
    return [
        _of_rows("scores", title, made.rows, note),
        _of_rows("halves", halves, made.transfer),
        habits,
    ]


def _of_rows(name: str, title: str, found: Sequence[Row], note: str = "") -> Table:
    """Scores with differences to the yardsticks."""
    yardsticks = [*found[0].gains]
    columns = [Column("Model"), Column("Numbers", "d"), Column("Nats", ".3f"), Column("SE", ".3f")]
    rows: list[tuple[Any, ...]] = []
    for row in found:
        gains = [row.gains[yardstick] for yardstick in yardsticks]
        numbers = [value for gain in gains for value in (gain.mean, gain.standard_error)]
        rows.append((row.name, row.numbers, row.score, row.error, *numbers))
    for yardstick in yardsticks:
        columns += [Column(f"Over {yardstick}", "+.3f"), Column("SE", ".3f")]
    return Table(name, title, tuple(columns), tuple(rows), note)


def _of_objectworld(made: Objectworld) -> list[Table]:
    """Both errors by size of data, beside what was published, and the losses after changes."""
    sizes = [Column(f"{size:,}", ".3f") for size in made.sizes]
    squared, error = (part[0] for part in mean_and_error(made.squared))
    rows: list[tuple[Any, ...]] = []
    for m, method in enumerate(made.methods):
        rows += [(method, *map(float, squared[m])), ("  SE", *map(float, error[m]))]
        known = [made.published(method, size) for size in made.sizes]
        rows += [("  published", *known)] if any(k is not None for k in known) else []
    note = (
        f"Relative to the uniform policy; means over {made.squared.shape[-1]} worlds. IAVI is the "
        f"empirical policy (they differ by {made.gap:.1g}). The expert itself scores "
        f"{made.expert_squared[0].mean():.2f}: to be better than the reference counts as error. "
        f"MaxEnt takes {made.slower:.0f} times as long as IAVI."
    )
    title = "Squared value difference, recorded as released, by number of trajectories"
    tables = [Table("squared", title, (Column("Method"), *sizes), tuple(rows), note)]
    for name, title, values in (
        ("loss", "Loss of value, honest recording (uniform policy 1, optimum 0)", made.loss[1]),
        ("reward", "Correlation of the reward with the true one, up to shaping", made.correlation),
    ):
        lines = zip(made.methods, values.mean(-1), strict=True)
        body = tuple((method, *map(float, line)) for method, line in lines)
        tables.append(Table(name, title, (Column("Method"), *sizes), body))
    changes = [Column(change, ".3f") for change in made.changes]
    lines = [*zip(made.methods, made.transfer.mean(-1), strict=True)]
    lines += [("old shares of actions", made.stale[0].mean(-1))]
    lines += [("true reward", made.informed.mean(-1))]
    body = tuple((method, *map(float, line)) for method, line in lines)
    title = f"Loss in a changed world, rewards of {made.transfer_size} trajectories"
    return [*tables, Table("transfer", title, (Column("Method"), *changes), body)]
