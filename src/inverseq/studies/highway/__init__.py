"""Driving under rules that the demonstrator did not keep."""

from dataclasses import dataclass

from inverseq._core.errors import InputError
from inverseq.studies.study import Part, Study


@dataclass(frozen=True)
class Settings:
    """Of the highway study."""

    seeds: int = 5
    """Experts, and all that is learned from each."""
    sizes: tuple[int, ...] = (10, 100, 1000, 10_000, 50_000)
    """Demonstrated decisions that are learned from."""
    expert_steps: int = 20_000
    """Decisions in which the expert, and the constrained DQN, learn."""
    lessons: int = 10_000
    """Training steps of DIQL, DCIQL and cloning."""
    games: int = 100
    """Games driven by everybody, on the ring and in SUMO."""
    moves: int = 50
    """Decisions of a game on the ring."""
    sumo_moves: int = 20
    """Decisions of a game in SUMO; 0 leaves SUMO out."""
    cars: tuple[int, int] = (30, 60)
    """Fewest and most cars beside the own one."""
    decisions: tuple[int, ...] = (100, 1000, 10_000, 100_000)
    """Demonstrated decisions that rewards are found from, to be held against the true one."""
    gauges: tuple[str, ...] = ("zero-mean", "state-only")
    """Which of the equivalent rewards networks find there."""

    def __post_init__(self) -> None:
        least = (self.seeds, self.expert_steps, self.lessons, self.games, self.moves)
        least += self.sizes + self.decisions
        if not (self.sizes and self.decisions) or self.sumo_moves < 0 or min(least) < 1:
            raise InputError(
                "seeds, sizes, decisions, steps, lessons, games and moves must be 1 or more, and "
                "sumo_moves 0 or more"
            )


STUDY = Study(
    "highway",
    "rules of the road that nobody showed, on a ring and in SUMO (many minutes)",
    (Part("highway", f"{__name__}.study"), Part("rewards", f"{__name__}.rewards")),
    Settings(),
    Settings(
        seeds=1,
        sizes=(40,),
        expert_steps=600,
        lessons=30,
        games=2,
        moves=10,
        sumo_moves=0,
        cars=(8, 12),
        decisions=(40,),
        gauges=("zero-mean",),
    ),
)
