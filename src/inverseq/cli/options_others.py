"""Options of the commands beside those that fit and compare."""

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


@dataclass(frozen=True)
class Show:
    """Draw what a saved solution holds: rewards, values and policy of each intention, as maps where
    the world has places, else as tables of states and actions.

    For example:

      inverseq show out/mine/solution.npz --out out/shown
    """

    solution: Annotated[str, Positional, arg(metavar="SOLUTION")]
    """A solution that `inverseq fit` or `inverseq.save` wrote."""
    out: Annotated[str, arg(metavar="FOLDER")] = "out/shown"
    """Folder for the figures and their table."""
    output: OmitArgPrefixes[Output] = field(default_factory=Output)


@dataclass(frozen=True)
class Datasets:
    """List the data sets that come with the package, with their sources and licences, or write one
    as files, to see how such files look.

    For example:

      inverseq datasets
      inverseq datasets --write people --out people
      inverseq compare people/decisions.csv --world people/mazes.json --by world
    """

    write: Annotated[str | None, arg(metavar="NAME", help_behavior_hint="(default: none)")] = None
    """Write the decisions of this data set as a table, and its mazes, if it has some."""
    out: Annotated[str | None, arg(metavar="FOLDER", help_behavior_hint="(default: NAME)")] = None
    """Folder for these files."""
    output: OmitArgPrefixes[Output] = field(default_factory=Output)


@dataclass(frozen=True)
class Play:
    """Play the grid world in the browser, with the arrow keys. Every game that ends is added to a
    Parquet file, for `inverseq.read_games`, `inverseq doctor` and `inverseq fit`.

    For example:

      inverseq play
      inverseq play --difficulty random-win --out ann.parquet
      inverseq play --agent out/mine/solution.npz

    The page is shown to this machine alone; --host 0.0.0.0 opens it to the network.
    """

    difficulty: Literal["static-walls", "random-walls", "random-win"] = "static-walls"
    """What begins: five walls that never move and the star at the bottom right, walls drawn for
    each game, or the star drawn as well. The page can switch."""
    out: Annotated[str, arg(metavar="FILE")] = "demonstrations.parquet"
    """Parquet file that games are added to."""
    agent: Annotated[str | None, arg(metavar="SOLUTION", help_behavior_hint="(default: none)")] = (
        None
    )
    """A solution that `inverseq fit` wrote for games, to play beside you on the same boards."""
    host: str = "127.0.0.1"
    """Address to listen on. Any other than this machine's own lets others play and add games."""
    allow_host: Annotated[tuple[str, ...], arg(metavar="NAME ...")] = ()
    """Further names that browsers may know this machine by, on a network."""
    port: int = 8765
    """Port to listen on; 0 takes any that is free."""
    no_browser: bool = False
    """Do not show the page in your browser."""
    seed: Annotated[
        int | None, arg(metavar="SEED", help_behavior_hint="(default: new boards each time)")
    ] = None
    """Which boards. The same seed gives the same boards."""
    output: OmitArgPrefixes[Output] = field(default_factory=Output)
