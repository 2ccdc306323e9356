"""What an analysis is asked for."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NoReturn, get_args

import numpy as np

from inverseq._core.errors import InputError, argument
from inverseq._core.ranges import RANGES
from inverseq.analysis.neural_plan import NeuralPlan
from inverseq.intentions.law import Law
from inverseq.inverse.problem import Describes, Solver
from inverseq.inverse.solution import Solution
from inverseq.mdp import MDP
from inverseq.rewards.gauges import GaugeName
from inverseq.worlds import World

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
Actions = Literal["all", "seen"]


@dataclass(frozen=True, eq=False)
class Plan:
    """Everything that an analysis can be asked for; what is left out has a sensible default.

    Attributes:
        solver: Whose reward is shown: "best" of those with a reward in cross-validation within
            the training part, one of them, or a solver such as `IQLearn(0)`, which is then fitted
            and scored beside the others; where states are features, it is the only one with a
            reward, and "diql" and "dciql" are names for it. With `intentions`, what explains each
            of them: "iavi" (also "best"), "maxent-states", "maxent-state-actions",
            "maxent-features" or a solver.
        intentions: K intentions that give way to one another; None for one reward for all. With
            `cross_validate`, the numbers to choose from, `(1, 2, 3)`.
        models: With `cross_validate`, keys of the models to score ("table-2", "planner"); all where
            left out.
        cross_validate: Score all models in folds, every decision predicted once, instead of
            fitting to a training part and looking at what was found.
        world: The world, or worlds by name; None for the data set's own, else one estimated
            from the training part.
        goal: Column with the state at which each trajectory ends, in a world with features and
            certain moves: one reward for all destinations (`RecursiveLogit`) is fitted and shown.
        goal_features: With `goal`, what moves mean for the way to it, of
            `inverseq.GOAL_FEATURES`.
        discount: gamma; None for the data set's own or the given world's, else 0.9.
        actions: In an estimated world, whether "all" actions exist everywhere or only those "seen"
            at each state.
        coordinates: `[S, 2]` where the states of an estimated world lie, for maps; or None.
        split: Column that is "test" in the trajectories to hold out; None for the data set's own.
        test: Without such a column, the share of the units to hold out; a fifth where left out, and
            three units at least where there are six or more.
        by: What a unit is: "trajectory", "session", "subject" or any trajectory column.
        seed: Which random choices.
        folds: Folds of the cross-validation.
        history: States that models with a memory look at, the present one included.
        smoothing: Decisions added to each action's count by IAVI and the plain tables.
        gauge: Which of the equivalent rewards IAVI reports; None for "zero-mean", and for
            "state-only" where several intentions live on a map.
        anchor: Name or number of the action of known reward, for the gauge "anchor".
        forbid: For "dciql", what must never be done: "right where x > 400, left where x < 100".
        over: Where states are features, the two components that the reward is drawn over; None for
            the first two.
        switching: The law of several intentions: "markov", "mixture", columns that changes depend
            on with commas between, or a law such as `Markov(stay=0.8)`; None for "markov".
        restarts: Searches for several intentions from different beginnings; None for 10.
        bootstrap: Replicates behind the intervals; None for 1,000, or 40 with several intentions.
        simulations: Simulations of several intentions beside the real behaviour; None for 100.
        check_by: Columns by which held-out decisions are set against what was expected, as in
            `check_by`: "genotype", "last action", "step", "state".
        title: Of the report; None for that of the data set, or where the table came from.
        keep: Folder of finished fits, as in `inverseq.evaluate.compare`; None to keep nothing.
        neural: What is asked of a recording beside the decisions; its relations are held out by
            `folds` blocks of time, and what foretells an act by `folds` parts of the trials.

    Raises:
        InputError: A number is out of its range, a word is none of the choices, the solver finds no
            reward to report, or a setting goes with others that are not given.
    """

    solver: Model | Solver[Solution] | None = None
    intentions: int | tuple[int, ...] | None = None
    cross_validate: bool = False
    models: tuple[str, ...] = ()
    world: MDP | World | Mapping[str, MDP] | Mapping[str, World] | None = None
    goal: str | None = None
    goal_features: tuple[str, ...] = ()
    discount: float | None = None
    actions: Actions = "all"
    coordinates: np.ndarray | None = None
    split: str | None = None
    test: float | None = None
    by: str = "trajectory"
    seed: int = 0
    folds: int = 5
    history: int = 2
    smoothing: float = 0.5
    gauge: GaugeName | None = None
    anchor: str | int | None = None
    forbid: str | None = None
    over: tuple[str, str] | None = None
    switching: str | Law | None = None
    restarts: int | None = None
    bootstrap: int | None = None
    simulations: int | None = None
    check_by: tuple[str, ...] = ()
    title: str | None = None
    keep: str | None = None
    neural: NeuralPlan | None = None

    def __post_init__(self) -> None:
        for name, (will_do, expected) in RANGES.items():
            value = getattr(self, name)
            if value is not None and not will_do(value):
                raise InputError(f"{name} must be {expected}; got {value:g}")
        for name, choices in (("solver", Model), ("actions", Actions)):
            value = getattr(self, name)
            if isinstance(value, str) and value not in get_args(choices):
                raise InputError(f"{name} must be one of {get_args(choices)}; got {value!r}")
        if isinstance(self.solver, Describes) and not (self.cross_validate or self.numbers):
            refuse_without_reward(type(self.solver).__name__)
        if self.goal is not None and (self.numbers or self.solver not in (None, "best")):
            raise InputError(
                f"{argument('goal', self.goal)} has a solver of its own, with one reward for all; "
                "drop the other solver or the intentions"
            )
        if self.models and (self.numbers or not self.cross_validate):
            raise InputError(
                f"{argument('models', ','.join(self.models))} says which models are scored side by "
                "side, and not those of numbers of intentions; drop one of the two"
            )
        if self.intentions is None:
            needy = ["switching", "restarts", "simulations"]
            needy += ["solver"] if self.cross_validate and isinstance(self.solver, str) else []
            for name in needy:
                if getattr(self, name) is not None:
                    raise InputError(
                        f"{argument(name, getattr(self, name))} goes with several intentions; "
                        f"give {argument('intentions', 3)} too, or drop it"
                    )
        elif min(self.numbers, default=0) < 1:
            raise InputError(f"{argument('intentions', self.intentions)} must be 1 or more")
        elif not self.cross_validate and len(self.numbers) != 1:
            raise InputError("several numbers of intentions need cross_validate=True")
        if self.check_by and self.cross_validate:
            raise InputError(
                f"{argument('check_by', ','.join(self.check_by))} looks at one fit, and here many "
                "are compared: drop it"
            )
        if self.neural is not None and self.cross_validate:
            raise InputError("neurons are related to one fit: drop cross_validate=True")
        if self.anchor is not None and self.gauge != "anchor":
            raise InputError(f"an anchor goes with {argument('gauge', 'anchor')}")

    @property
    def numbers(self) -> tuple[int, ...]:
        """The numbers of intentions that were asked for."""
        asked = self.intentions
        return () if asked is None else (asked,) if isinstance(asked, int) else tuple(asked)

    def anchor_in(self, actions: Sequence[str]) -> int | None:
        """The number of the anchor action among these names; None under another gauge.

        Raises:
            InputError: There is no such action.
        """
        if self.gauge != "anchor":
            return None
        told = "0" if self.anchor is None else str(self.anchor)
        if told in actions:
            return actions.index(told)
        if told.isdecimal() and int(told) < len(actions):
            return int(told)
        raise InputError(
            f"{argument('anchor', told)}: there is no such action; there are {[*actions]}"
        )


def refuse_without_reward(solver: str) -> NoReturn:
    """Raise an `InputError`: there is no reward of this solver that could be shown."""
    raise InputError(
        f"{solver} says what is done and has no reward, which a report is about: take a solver "
        "with a reward, and score this one with inverseq.compare"
    )
