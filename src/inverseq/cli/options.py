"""The command line as data: one record per command, whose comments are its help."""

from dataclasses import dataclass, field
from typing import Annotated, Literal, Optional

from tyro.conf import OmitArgPrefixes, Positional, arg

from inverseq.cli.choices import one_of

Name = Annotated[Optional[str], arg(metavar="COLUMN", help_behavior_hint="(default: by its name)")]
Names = Annotated[Optional[str], arg(metavar="A,B", help_behavior_hint="(default: none)")]

# The same choices as in `inverseq.analysis`, which takes two seconds to import: too long for help.
Model = Literal[
    "best",
    "iavi",
    "maxent-states",
    "maxent-state-actions",
    "maxent-features",
    "maxent-history-states",
    "maxent-history",
    "diql",
    "dciql",
]


@dataclass(frozen=True)
class Columns:
    """Which column is what. Columns with usual names (state, action, subject or animal or mouse,
    session, trajectory or episode, time or trial) are found without being told.
    """

    state: Name = None
    """Column of the state, or several with commas between: x,y."""
    action: Name = None
    """Column of the action; "moves" to make actions of the places that follow one another."""
    features: Names = None
    """Columns of measured values that are the state as they are, with commas between: x,y,heading.
    For --solver diql and dciql, which need no intervals."""
    next_state: Name = None
    """Column(s) of the state after the decision. Without one, the state of the next row."""
    subject: Name = None
    """Column of the subject; "none" to ignore a column of that name."""
    session: Name = None
    """Column of the session, or "none"."""
    trajectory: Name = None
    """Column of the trajectory, or "none"."""
    time: Name = None
    """Column by which the rows of a trajectory are ordered, or "none"."""
    terminated: Name = None
    """Column that is true where the world (not the recording) ended the trajectory."""
    gap: Name = None
    """Column that is true where the recording has a hole after the row (gap_after, by its name)."""
    world_column: Name = None
    """Column with the name of the world in which a trajectory was made, where there are several."""
    previous: Names = None
    """Columns whose values at the decision before make the state: choice,reward is "what was done
    last and what came of it"."""
    missing: Names = None
    """Values of the action that mean "none" (besides empty cells and -1), with commas between."""
    named: Names = None
    """Columns whose values are names although they look like numbers, with commas between."""
    bins: Annotated[
        Optional[str], arg(aliases=["--bin"], metavar="10", help_behavior_hint="(default: none)")
    ] = None
    """Put measured values into intervals: 10 for so many of equal width in each column of the
    state, x=10,y=8 by column, x=0:0.5:2 for their edges."""
    upwards: bool = False
    """Of states x,y: y counts upwards on the map; else downwards, as the pixels of a video do."""
    longest_step: Annotated[
        Optional[float], arg(metavar="TIME", help_behavior_hint="(default: none)")
    ] = None
    """Rows further apart in time than this have a gap between them."""
    partitions: bool = False
    """Folders on the way to the file that are called name=value are columns too."""
    blocks: Annotated[Optional[int], arg(metavar="20", help_behavior_hint="(default: none)")] = None
    """Cut each trajectory into so many pieces, where there are too few to hold some out; intervals
    over pieces are about these trajectories alone. --by cut_from takes whole ones."""
    decisions: Annotated[
        Optional[str], arg(metavar="NAME", help_behavior_hint="(default: trials)")
    ] = None
    """Of an NWB file: its table of trials, intervals or events with a row per decision."""
    act: Name = None
    """Of an NWB file whose rows are trials: column with the time of the act that ends the wait.
    Each trial is cut into steps of time, in each of which one waits or acts."""
    start: Annotated[str, arg(metavar="COLUMN")] = "start_time"
    """With --act: column with the time at which the wait begins."""
    stop: Annotated[str, arg(metavar="COLUMN")] = "stop_time"
    """With --act: column with the end of the trial, for those without the act."""
    step: Annotated[float, arg(metavar="SECONDS")] = 0.1
    """With --act: seconds of a step."""


@dataclass(frozen=True)
class World:
    """Where the decisions were made."""

    world: Annotated[
        Optional[str],
        arg(metavar="WORLD", help_behavior_hint="(default: the data set's, or estimated)"),
    ] = None
    """"labyrinth"; "estimated" (transitions counted in the table, the default for a file); a file
    or folder of mazes (text, JSON, arrays, images), on which --state x,y are cells; or a transition
    table (CSV or Parquet) with the columns state, action, next_state, probability, which may be
    called as in the table of decisions, and further columns of numbers, which are features. Where
    it holds several worlds, the column world says which is whose."""
    places: Annotated[Optional[str], arg(metavar="FILE", help_behavior_hint="(default: none)")] = (
        None
    )
    """Of a transition table: a table with one row per state: state, x and y for maps, and columns
    of numbers, which are features of the decisions that lead there."""
    transform: Annotated[
        Optional[str], arg(metavar="COLUMN", help_behavior_hint="(default: none)")
    ] = None
    """Of mazes: column that says how each was shown: base, hflip, vflip, rot90, rot180, rot270."""
    goal: Name = None
    """Column with the state at which a trajectory ends, where each goes to a place of its own (of
    mazes: a letter that stands there once, or a state's number). A reward on features is then
    shared by all goals."""
    goal_features: Annotated[
        Optional[str], arg(metavar="A,B", help_behavior_hint="(default: none)")
    ] = None
    """Of a network with x and y: what a move means for the way to the goal, bearing (its angle with
    the straight line there), distance left, or both."""
    discount: Annotated[
        Optional[float],
        arg(metavar="GAMMA", help_behavior_hint="(default: the data set's, or 0.9)"),
    ] = None
    """How much the next step counts against the present one, from 0 to 1."""
    actions: Literal["all", "seen"] = "all"
    """In an estimated world: "all" actions exist everywhere, or only those "seen" at each state."""


@dataclass(frozen=True)
class HeldOut:
    """What is scored: decisions that no model has seen."""

    split: Annotated[
        Optional[str], arg(metavar="COLUMN", help_behavior_hint="(default: the data set's, if any)")
    ] = None
    """Column whose value is "test" in the trajectories to hold out. Data sets bring their own."""
    test: Annotated[
        Optional[float],
        arg(metavar="FLOAT", help_behavior_hint="(default: a fifth; three units at least of six)"),
    ] = None
    """Without such a column: share of the units to hold out."""
    by: str = "trajectory"
    """What a unit is: trajectory, session, subject or any column that is constant in a trajectory.
    Take subject to know how well a model does on animals it has never seen; genotype would hold a
    whole genotype out."""
    seed: int = 0
    """Which random choices. The same seed gives the same numbers."""


@dataclass(frozen=True)
class Output:
    """What is written and printed."""

    json: bool = False
    """Print the result as JSON on standard output, and nothing else there."""
    quiet: bool = False
    """No progress bars and no summary."""


Explainer = Literal["iavi", "maxent-states", "maxent-state-actions", "maxent-features"]
"""What can explain each of several intentions."""

Width = Literal["single", "double"]
"""Columns of a journal."""

Gauge = Literal["zero-mean", "state-only", "anchor", "minimum-norm"]
"""Which of the equivalent rewards is reported."""


@dataclass(frozen=True)
class Where:
    """Where many fits run, and networks learn."""

    cluster: Annotated[
        Optional[str], arg(metavar="ADDRESS", help_behavior_hint="(default: this machine)")
    ] = None
    """Address of a Dask scheduler, tcp://HOST:8786, or the file in which it says where it is:
    many fits run there."""
    device: Annotated[
        Literal["cpu", "gpu"] | None,
        arg(metavar="{cpu,gpu}", help_behavior_hint="(default: what JAX finds)"),
    ] = None
    """Where networks learn: on the processor or on a GPU."""


@dataclass(frozen=True)
class Changing:
    """How several intentions change, and how they are searched; these go with --intentions."""

    switching: Annotated[
        Optional[str], arg(metavar="LAW", help_behavior_hint="(default: markov)")
    ] = None
    """"mixture" (one intention per trajectory), "markov" (always the same chances), "state" (they
    depend on where one is), or names with commas between: "state", "step" (decisions since the
    trajectory began), "time", columns per decision, and "previous X" for X one row earlier."""
    restarts: Annotated[
        Optional[int], arg(metavar="NUMBER", help_behavior_hint="(default: 10)")
    ] = None
    """Searches from different beginnings; the best on the training data is kept."""


@dataclass(frozen=True)
class Fit:
    """Find the reward that explains the decisions of a table, score it on decisions it has not
    seen, and write a report.

    Everything is scored against yardsticks that only count, because a reward that predicts worse
    than counting has not been understood yet:

      uniform        every action that exists is equally likely
      n-step tables  how often each action followed the last n states, plus
                     0.5 or with back-off

    and the models that explain:

      IAVI           the reward in one linear solve (Kalweit and others 2020).
                     It predicts exactly what the one-step table does; what it
                     adds is the reward.
      DIQL, DCIQL    the same of measured values (--features), by networks;
                     DCIQL never does what --forbid forbids
      MaxEnt         a planner under a reward on states, on state-actions, on
                     features, or on states with a memory (Ziebart and others
                     2010). It shares what it learns between states and can be
                     carried to a changed world.

    For example:

      inverseq fit mice --out out/mice
      inverseq fit mine.csv --out out/mine
      inverseq fit trials.csv --previous choice,reward --action choice
      inverseq fit walks.parquet --state x,y --world maze.csv --by subject
      inverseq fit tracked.csv --features x,y,heading --solver diql
      inverseq fit mice --intentions 3 --out out/intentions

    Exit code: 0 done, 1 a fit failed, 2 the input cannot be used, 130 interrupted.
    """

    table: Annotated[str, Positional, arg(metavar="TABLE")]
    """A CSV or Parquet file with one row per decision, an NWB file, or a data set: mice,
    people, bandit and others that `inverseq datasets` lists."""
    out: Annotated[str, arg(metavar="FOLDER")] = "out"
    """Folder for the report, figures, tables and the fitted model."""
    columns: OmitArgPrefixes[Columns] = field(default_factory=Columns)
    world: OmitArgPrefixes[World] = field(default_factory=World)
    held_out: OmitArgPrefixes[HeldOut] = field(default_factory=HeldOut)
    output: OmitArgPrefixes[Output] = field(default_factory=Output)
    where: OmitArgPrefixes[Where] = field(default_factory=Where)
    per: Name = None
    """Fit each subject, or each group that a column such as genotype names, by itself, and put
    their scores and rewards side by side. Nothing is tested."""
    groups: Name = None
    """The same for the groups of a column such as genotype, and a test over animals: each animal is
    fitted too, and what differs between groups is told with intervals, effect sizes and p values.
    (--by genotype asks whether one reward predicts a genotype that was held out.)"""
    intentions: Annotated[
        Optional[int], arg(metavar="K", help_behavior_hint="(default: one reward for all)")
    ] = None
    """Find K intentions, each with a reward of its own, that give way to one another: when which
    was pursued, what each wants, and whether K predict more than one (Zhu and others 2024)."""
    changing: OmitArgPrefixes[Changing] = field(default_factory=Changing)
    solver: Model = "best"
    """Which model's reward is drawn. "best" is the reward model that predicts best in
    cross-validation on the training data. All are scored in any case. With --intentions, what
    explains each of them: "iavi" (also "best"), "maxent-states", "maxent-state-actions" or
    "maxent-features"."""
    history: int = 2
    """States that the models with a memory look at, the present one included; 1 for no memory.
    With --intentions, what all of them look at."""
    smoothing: float = 0.5
    """Decisions added to each action's count before IAVI and the plain tables take logarithms."""
    gauge: Annotated[
        Optional[Gauge],
        one_of(Gauge),
        arg(help_behavior_hint="(default: zero-mean; state-only with --intentions on a map)"),
    ] = None
    """Which of the equivalent rewards IAVI, DIQL and DCIQL report."""
    anchor: Annotated[
        Optional[str], arg(metavar="ACTION", help_behavior_hint="(default: the first)")
    ] = None
    """The action, by name or number, whose reward is taken to be zero under --gauge anchor."""
    forbid: Annotated[Optional[str], arg(metavar="RULES", help_behavior_hint="(default: none)")] = (
        None
    )
    """For --solver dciql, what must never be done, with commas between: "right where x > 400"."""
    over: Names = None
    """With --features, the two of them that the reward is drawn over; the first two without it."""
    folds: int = 5
    """Folds of the cross-validation that chooses the strength of priors, on training data."""
    bootstrap: Annotated[
        Optional[int],
        arg(
            metavar="NUMBER",
            help_behavior_hint="(default: 1000; with --intentions 40 for iavi, else 0)",
        ),
    ] = None
    """Replicates behind the intervals; 0 for none."""
    simulations: Annotated[
        Optional[int], arg(metavar="NUMBER", help_behavior_hint="(default: 100)")
    ] = None
    """With --intentions: simulations of the fit, set against the real behaviour; 0 for none."""
    check_by: Names = None
    """Columns by which held-out decisions are set against what was expected: genotype,last action;
    also step and state."""
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
class Compare:
    """Score solvers and yardsticks side by side by cross-validation: every decision is predicted
    once by models that have not seen it.

    For example:

      inverseq compare mice
      inverseq compare mine.csv --by subject --folds 4 --out out/compared
      inverseq compare mice --intentions 1,2,3,4 --out out/how-many
    """

    table: Annotated[str, Positional, arg(metavar="TABLE")]
    """A CSV or Parquet file with one row per decision, an NWB file, or a data set: mice,
    people, bandit and others that `inverseq datasets` lists."""
    out: Annotated[Optional[str], arg(metavar="FOLDER", help_behavior_hint="(default: none)")] = (
        None
    )
    """Folder for the report and its tables; nothing is written without it."""
    columns: OmitArgPrefixes[Columns] = field(default_factory=Columns)
    world: OmitArgPrefixes[World] = field(default_factory=World)
    output: OmitArgPrefixes[Output] = field(default_factory=Output)
    where: OmitArgPrefixes[Where] = field(default_factory=Where)
    intentions: Annotated[
        Optional[str], arg(metavar="1,2,3", help_behavior_hint="(default: none)")
    ] = None
    """Numbers of intentions to score beside the yardsticks, to choose one."""
    changing: OmitArgPrefixes[Changing] = field(default_factory=Changing)
    solver: Annotated[
        Optional[Explainer], one_of(Explainer), arg(help_behavior_hint="(default: iavi)")
    ] = None
    """With --intentions: what explains each of them."""
    models: Annotated[Optional[str], arg(metavar="A,B", help_behavior_hint="(default: all)")] = None
    """Models to score, with commas between, where some are slow: table-2,planner; a wrong name
    lists those there are."""
    by: str = "trajectory"
    """What is held out: trajectory, session, subject, world or any column constant in a
    trajectory."""
    folds: int = 5
    """Folds of the cross-validation."""
    seed: int = 0
    """Which random choices. The same seed gives the same numbers."""
    history: int = 2
    """States that the models with a memory look at, the present one included; 1 for no memory."""
    smoothing: float = 0.5
    """Decisions added to each action's count before IAVI and the plain tables take logarithms."""
    keep: Annotated[Optional[str], arg(metavar="FOLDER", help_behavior_hint="(default: none)")] = (
        None
    )
    """Folder where each finished fit is kept: what is there is not fitted again."""


@dataclass(frozen=True)
class Running:
    """How a study is run, whichever it is."""

    out: Annotated[
        Optional[str], arg(metavar="FOLDER", help_behavior_hint="(default: out/NAME)")
    ] = None
    """Folder to write to."""
    small: bool = False
    """Little data and few repeats, to see in seconds that it works; the numbers mean nothing."""
    seed: int = 0
    """Which random choices."""
    workers: int = -1
    """Processes; -1 for as many as there are cores."""
    output: OmitArgPrefixes[Output] = field(default_factory=Output)
    where: OmitArgPrefixes[Where] = field(default_factory=Where)
