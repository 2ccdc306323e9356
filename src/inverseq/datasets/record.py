"""What a data set is: demonstrations with their world, and where they come from."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from inverseq._core.display import Fact, Shown
from inverseq.demonstrations import Demonstrations, Recording
from inverseq.mdp import MDP
from inverseq.worlds import World

if TYPE_CHECKING:  # which of them it is, whoever named the data set knows
    AnyWorld = MDP | Any
else:
    AnyWorld = MDP | Mapping[str, MDP]


@dataclass(frozen=True, eq=False)
class Dataset(Shown):
    """Observed behaviour, ready to fit.

    Attributes:
        name: The name it is loaded by.
        title: One line for headings.
        demonstrations: What was observed.
        mdp: The world, or name -> world where trajectories name theirs in the column "world".
        worlds: Name -> world with its drawing; empty where there is nothing to draw.
        description: What was done and what the rows are.
        source: Who measured and who prepared it.
        licence: Under which it is passed on.
        citation: What to cite.
        split: Trajectory column with the values "train" and "test" of the split in which results
            are usually given, or None.
        score_from_step: The first step of a trajectory that is usually scored (from 0).
        recording: What was recorded beside the decisions, on their clock; or None.
    """

    name: str
    title: str
    demonstrations: Demonstrations
    mdp: AnyWorld
    description: str
    source: str
    licence: str
    citation: str
    worlds: Mapping[str, World] = field(default_factory=dict)
    split: str | None = None
    score_from_step: int = 0
    recording: Recording | None = None

    def _facts(self) -> Iterable[Fact]:
        return (
            ("name", self.name),
            ("title", self.title),
            ("decisions", self.demonstrations.num_decisions),
            ("trajectories", self.demonstrations.num_trajectories),
            ("worlds", len(self.mdp) if isinstance(self.mdp, Mapping) else 1),
            ("split", self.split),
            ("licence", self.licence),
        )
