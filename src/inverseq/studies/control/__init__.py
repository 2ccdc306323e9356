"""Learning tasks that people know from a few demonstrations."""

from dataclasses import dataclass

from inverseq._core.errors import InputError
from inverseq.studies.study import Part, Study


@dataclass(frozen=True)
class Settings:
    """Of the control study."""

    tasks: tuple[str, ...] = ("CartPole-v1", "Acrobot-v1", "LunarLander-v3")
    """Environments of Gymnasium."""
    experts: str = ""
    """Folder of `inverseq study experts`; where left out, experts are trained first."""
    expert_steps: int = 0
    """Moves in which an expert that is trained first learns; 0 for what its task needs."""
    solvers: tuple[str, ...] = (
        "IQ-Learn",
        "IQ-Learn, linear",
        "LS-IQ",
        "DIQL",
        "cloning",
        "cloning, linear",
    )
    """What learns offline, "IQ-Learn, chosen" too; online IQ-Learn and LS-IQ of these."""
    seeds: int = 5
    """Trainings of each solver."""
    sizes: tuple[int, ...] = (1, 3, 15)
    """Demonstrations that are learned from; published are 1, 3, 7, 10 and 15."""
    lessons: int = 0
    """Training steps; 0 for what the task needs."""
    games: int = 10
    """Games in which each is tested."""
    online_steps: int = 3000
    """Moves of IQ-Learn beside its own play."""

    def __post_init__(self) -> None:
        least = (self.seeds, self.games, self.online_steps, *self.sizes)
        if not (self.tasks and self.sizes and self.solvers) or min(least) < 1 or self.lessons < 0:
            raise InputError(
                "give one task and one solver or more, sizes, seeds, games and online_steps of 1 "
                "or more, and lessons of 0 or more"
            )


STUDY = Study(
    "control",
    "CartPole, Acrobot and LunarLander from a few demonstrations (many minutes)",
    (Part("offline", f"{__name__}.offline"), Part("online", f"{__name__}.online")),
    Settings(),
    Settings(
        tasks=("LunarLander-v3",),
        solvers=("IQ-Learn", "cloning"),
        seeds=2,
        sizes=(1,),
        lessons=20,
        games=1,
        online_steps=100,
    ),
)
