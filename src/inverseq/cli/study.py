"""`inverseq study`."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.console import Console

from inverseq._core.progress import progress_bars
from inverseq.cli.options import Study
from inverseq.cli.show import print_table
from inverseq.report import Column, Table, require_writable, to_json
from inverseq.studies.lecture import Lecture, lecture
from inverseq.studies.people import people
from inverseq.studies.people_record import People


def run(options: Study) -> int:
    """Run a study, and say where its files lie."""
    folder = require_writable(options.out or Path("out") / options.name)
    with progress_bars(quiet=options.output.quiet or options.output.json) as progress:
        if options.name == "lecture":
            progress("lecture", 0, 1)
            made = lecture(folder, seed=options.seed)
            progress("lecture", 1, 1)
        else:
            made = people(folder, progress=progress)
    if options.output.json:
        print(to_json(asdict(made)), end="")
    elif not options.output.quiet:
        tables = _of_lecture(made) if isinstance(made, Lecture) else _of_people(made)
        _print(tables, made.files)
    return 0


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
