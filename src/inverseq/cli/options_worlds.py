"""Options of the commands about worlds."""

from dataclasses import dataclass, field
from typing import Annotated, Literal

from tyro.conf import OmitArgPrefixes, Positional, arg

from inverseq.cli.options import Columns, Output, World


@dataclass(frozen=True)
class Worlds:
    """Look at the worlds of a file before anybody behaves in them, or put positions into mazes.

      check FILE    draw and examine every world: what cannot be reached or
                    left, actions that lead to the same
      place TABLE   make decisions (state, action, next_state, terminated) of
                    positions, naming rows that are impossible

    Exit code of check: 0, or 2 where a state that is no end has no way out.

    For example:

      inverseq worlds check mazes.json
      inverseq worlds check net.csv --places nodes.csv
      inverseq worlds place walks.csv --state x,y --world mazes.json --out p.csv
    """

    what: Annotated[Literal["check", "place"], Positional]
    """What to do."""
    file: Annotated[str, Positional, arg(metavar="FILE")]
    """To check: a file or folder of mazes, or a transition table. To place: a table with one row
    per position or decision."""
    out: Annotated[str | None, arg(metavar="PATH", help_behavior_hint="(default: out/worlds)")] = (
        None
    )
    """Folder for the pictures; for place, the table to write, .csv or .parquet."""
    columns: OmitArgPrefixes[Columns] = field(default_factory=Columns)
    world: OmitArgPrefixes[World] = field(default_factory=World)
    output: OmitArgPrefixes[Output] = field(default_factory=Output)


@dataclass(frozen=True)
class Replan:
    """Plan for a fitted reward in a changed world: what the same agent is expected to do there.

    Draws where it is expected to go before and after the change, and writes the
    new solution. The discount of the fit is kept unless another is given.

    For example:

      inverseq replan out/mine/solution.npz --world changed.txt
    """

    solution: Annotated[str, Positional, arg(metavar="SOLUTION")]
    """A solution of one reward that `inverseq fit` or `inverseq.save` wrote."""
    out: Annotated[str, arg(metavar="FOLDER")] = "out/replanned"
    """Folder for figures, tables and the new solution."""
    world: OmitArgPrefixes[World] = field(default_factory=World)
    output: OmitArgPrefixes[Output] = field(default_factory=Output)
