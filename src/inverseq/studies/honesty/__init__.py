"""How often an analysis claims what is not there, and misses what is."""

from dataclasses import dataclass

from inverseq.studies.study import Part, Study


@dataclass(frozen=True)
class Settings:
    """Of the study of honesty."""

    coins: int = 200
    """Tables of coin flips."""
    bandits: int = 60
    """Tables of bandits for each effect."""
    effects: tuple[float, ...] = (0.1, 0.2, 0.3)
    """Bandits: how far the probability of staying after a win lies from one half."""
    animals: tuple[int, int] = (6, 60)
    """Fewest and most animals of a table."""
    decisions: tuple[int, int] = (20, 60)
    """Fewest and most decisions of an animal."""


STUDY = Study(
    "honesty",
    "what is claimed of coin flips, and of effects of known size (two minutes)",
    (Part("honesty", f"{__name__}.study"),),
    Settings(),
    Settings(coins=4, bandits=3, effects=(0.3,), animals=(15, 20), decisions=(20, 25)),
)
