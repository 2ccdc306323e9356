"""Objectworld: rewards from 1 to 2,048 trajectories."""

from dataclasses import dataclass

from inverseq.studies.study import Part, Study


@dataclass(frozen=True)
class Board:
    """Of the Objectworlds; as released where left alone."""

    size: int = 32
    """Cells each way."""
    objects: int = 50
    """Objects on it."""
    colours: int = 2
    """Colours of each of their two rims."""
    wind: float = 0.3
    """Share of the moves that go anywhere."""
    discount: float = 0.9
    """How much the next step counts."""


@dataclass(frozen=True)
class Settings:
    """Of the Objectworld study."""

    worlds: int = 5
    """How many; they are those of the seed, the seed + 1 and so on."""
    sizes: tuple[int, ...] = (1, 4, 16, 32, 128, 512, 2048)
    """Numbers of trajectories, of 8 decisions each."""
    transfer_size: int = 512
    """Which of them gives the rewards that are drawn, and carried to changed worlds."""
    decisions: tuple[int, ...] = (100, 1000, 10_000, 100_000)
    """Numbers of decisions that measured values are learned from."""
    gauges: tuple[str, ...] = ("zero-mean", "state-only")
    """Which of the equivalent rewards networks find there."""
    steps: int = 10_000
    """Training steps of networks that read them."""
    board: Board = Board()
    """Size and objects of the worlds."""


STUDY = Study(
    "objectworld",
    "inverse Q-learning and maximum entropy from 1 to 2,048 trajectories (minutes)",
    (Part("states", f"{__name__}.study"), Part("features", f"{__name__}.features")),
    Settings(),
    Settings(
        worlds=1,
        sizes=(8,),
        transfer_size=8,
        decisions=(80,),
        gauges=("zero-mean",),
        steps=20,
        board=Board(size=7, objects=6),
    ),
)
