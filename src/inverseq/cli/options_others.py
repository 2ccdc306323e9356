"""Options of the commands beside those that fit and compare."""

from dataclasses import dataclass, field
from typing import Annotated, Literal, Optional

from tyro.conf import OmitArgPrefixes, Positional, arg

from inverseq.cli.choices import one_of
from inverseq.cli.options import (
    Changing,
    Columns,
    HeldOut,
    Model,
    Name,
    Output,
    Where,
    Width,
    World,
)
from inverseq.neural.choices import Correction, Null


@dataclass(frozen=True)
class Doctor:
    """Say in plain words what will hurt a fit of this table, before any fit.

    Exit code: 0 nothing stands in the way, 2 something does.

    For example:

      inverseq doctor mine.csv
      inverseq doctor trials.csv --previous choice,reward --action choice
    """

    table: Annotated[str, Positional, arg(metavar="TABLE")]
    """A CSV or Parquet file with one row per decision, an NWB file, or a data set: mice,
    people, bandit and others that `inverseq datasets` lists."""
    columns: OmitArgPrefixes[Columns] = field(default_factory=Columns)
    world: OmitArgPrefixes[World] = field(default_factory=World)
    output: OmitArgPrefixes[Output] = field(default_factory=Output)


@dataclass(frozen=True)
class Recorded:
    """What was recorded beside the decisions, and how it is related to them."""

    units: Annotated[Optional[str], arg(metavar="A=B", help_behavior_hint="(default: all)")] = None
    """Units that are looked at, by columns of their table: quality=good,area=CA1; "none"."""
    signals: Annotated[Optional[str], arg(metavar="A,B", help_behavior_hint="(default: all)")] = (
        None
    )
    """Sampled signals that are looked at, by name; "none"."""
    area: Annotated[
        Optional[str], arg(metavar="COLUMN", help_behavior_hint="(default: area, if any)")
    ] = None
    """Column of the units by which they are put together, and silenced."""
    window: Annotated[str, arg(metavar="FROM,TO")] = "-0.3,0"
    """Seconds around a decision whose activity is related to it: 0,0.3 for what follows it, which
    knows what it led to."""
    bin_width: float = 0.1
    """Seconds of the pieces of the window in which regressors are read out, and from which acts
    are foretold."""
    lags: Annotated[str, arg(metavar="A,B")] = "0"
    """Seconds by which the window is moved, each asked: -0.6,-0.3,0."""
    regressors: Annotated[
        Optional[str], arg(metavar="A,B", help_behavior_hint="(default: all that vary)")
    ] = None
    """Of value, action value, advantage, reward, prediction error, surprise, entropy; with
    --intentions also intention 1, intention 2 and switch."""
    beyond: Annotated[
        Optional[str], arg(metavar="A,B", help_behavior_hint="(default: action,step,reward)")
    ] = None
    """What is taken out first: action, state, step (time in the trajectory), columns; "none"."""
    within: Name = None
    """Column of the parts that are shuffled each by itself: trajectory, session."""
    null: Null = "shift"
    """Regressors are shifted in a circle, or exchanged between the parts that --within names."""
    shuffles: int = 1000
    """Of each null."""
    correction: Correction = "max"
    """For asking many: the largest of each shuffle, holm, or bh (false discoveries)."""
    foretell: Annotated[
        Optional[str],
        arg(metavar="ACTION", help_behavior_hint="(default: the one that ends all trials, if any)"),
    ] = None
    """The action that ends the wait of each trial, foretold by NeuRL, classifiers and a clock;
    "none"."""
    configurations: int = 4
    """Settings that each of these draws in each fold."""


@dataclass(frozen=True)
class Neural:
    """Find the reward behind the decisions, and relate neurons and signals to it: which neuron
    follows which of value, reward, prediction error and others beyond what was done, in which
    window they can be read out, and, where an act ends each trial, who foretells it.

    For example:

      inverseq neural lever --out out/lever
      inverseq neural session.nwb --state contrast --action choice --blocks 20
      inverseq neural session.nwb --units quality=good --window 0,0.4

    Exit code: 0 done, 1 a fit failed, 2 the input cannot be used, 130 interrupted.
    """

    table: Annotated[str, Positional, arg(metavar="FILE")]
    """An NWB file with decisions and units or signals, or the data set lever."""
    out: Annotated[str, arg(metavar="FOLDER")] = "out"
    """Folder for the report, figures, tables and the fitted model."""
    recorded: OmitArgPrefixes[Recorded] = field(default_factory=Recorded)
    write_nwb: bool = False
    """Write fitted.nwb too: a copy of the file with the fitted series in it."""
    columns: OmitArgPrefixes[Columns] = field(default_factory=Columns)
    world: OmitArgPrefixes[World] = field(default_factory=World)
    held_out: OmitArgPrefixes[HeldOut] = field(default_factory=HeldOut)
    output: OmitArgPrefixes[Output] = field(default_factory=Output)
    where: OmitArgPrefixes[Where] = field(default_factory=Where)
    intentions: Annotated[
        Optional[int], arg(metavar="K", help_behavior_hint="(default: one reward for all)")
    ] = None
    """Find K intentions, and relate neurons to what is believed of each."""
    changing: OmitArgPrefixes[Changing] = field(default_factory=Changing)
    solver: Model = "best"
    """Whose reward is looked at, as in fit."""
    folds: int = 5
    """Blocks of time, and parts of the trials, that are held out in turn."""
    width: Annotated[
        Optional[Width],
        one_of(Width),
        arg(help_behavior_hint="(default: each as on the page)"),
    ] = None
    """Width of the figures beside the page, in columns of a journal: 85 or 180 mm."""
    keep: Annotated[Optional[str], arg(metavar="FOLDER", help_behavior_hint="(default: none)")] = (
        None
    )
    """Folder where each finished fit is kept: what is there is not fitted again."""


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
    out: Annotated[
        Optional[str], arg(metavar="PATH", help_behavior_hint="(default: out/worlds)")
    ] = None
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

    write: Annotated[Optional[str], arg(metavar="NAME", help_behavior_hint="(default: none)")] = (
        None
    )
    """Write the decisions of this data set as a table, and its mazes, if it has some."""
    out: Annotated[Optional[str], arg(metavar="FOLDER", help_behavior_hint="(default: NAME)")] = (
        None
    )
    """Folder for these files."""
    output: OmitArgPrefixes[Output] = field(default_factory=Output)


@dataclass(frozen=True)
class Served:
    """To whom a page is shown."""

    host: str = "127.0.0.1"
    """Address to listen on. Any other than this machine's own shows the page to a network."""
    allow_host: Annotated[tuple[str, ...], arg(metavar="NAME ...")] = ()
    """Further names that browsers may know this machine by, on a network."""
    no_browser: bool = False
    """Do not show the page in your browser."""


@dataclass(frozen=True)
class App:
    """Look at a table, say which column is what, fit it, and see what was found, in the browser and
    without writing code. Everything stays in the folder of a project, on this machine: tables,
    worlds, and a folder per fit with what `inverseq fit` writes.

    For example:

      inverseq app
      inverseq app mymice --port 0

    A fit survives the page: kill it or close it, begin it again, and it goes on.
    The page is shown to this machine alone; --host 0.0.0.0 opens it to whoever on the network has
    its address with the ticket.
    """

    project: Annotated[str, Positional, arg(metavar="FOLDER")] = "inverseq-project"
    """Folder of the project; it is made where it does not exist."""
    served: OmitArgPrefixes[Served] = field(default_factory=Served)
    port: int = 8766
    """Port to listen on; 0 takes any that is free."""
    limit: Annotated[float, arg(metavar="GB")] = 2.0
    """Gigabytes that a file may have that is brought in by the page."""
    output: OmitArgPrefixes[Output] = field(default_factory=Output)


@dataclass(frozen=True)
class Play:
    """Play the grid world in the browser, with the arrow keys. Every game that ends is added to a
    Parquet file, for `inverseq.read_games`, `inverseq doctor` and `inverseq fit`.

    For example:

      inverseq play
      inverseq play --difficulty random-win --out ann.parquet
      inverseq play --maze mymaze.json --out mymaze.parquet
      inverseq play --agent out/mine/solution.npz

    The page is shown to this machine alone; --host 0.0.0.0 opens it to the network.
    """

    difficulty: Literal["static-walls", "random-walls", "random-win"] = "static-walls"
    """What begins: five walls that never move and the star at the bottom right, walls drawn for
    each game, or the star drawn as well. The page can switch."""
    maze: Annotated[Optional[str], arg(metavar="FILE", help_behavior_hint="(default: none)")] = None
    """A file of mazes (as for --world of fit), in place of these: the star lies at the goal, and a
    game begins at the start, or anywhere where there is none. With several, the page can switch."""
    out: Annotated[str, arg(metavar="FILE")] = "demonstrations.parquet"
    """Parquet file that games are added to."""
    agent: Annotated[
        Optional[str], arg(metavar="SOLUTION", help_behavior_hint="(default: none)")
    ] = None
    """A solution that `inverseq fit` wrote for games, to play beside you on the same boards."""
    served: OmitArgPrefixes[Served] = field(default_factory=Served)
    port: int = 8765
    """Port to listen on; 0 takes any that is free."""
    seed: Annotated[
        Optional[int], arg(metavar="SEED", help_behavior_hint="(default: new boards each time)")
    ] = None
    """Which boards. The same seed gives the same boards."""
    output: OmitArgPrefixes[Output] = field(default_factory=Output)
