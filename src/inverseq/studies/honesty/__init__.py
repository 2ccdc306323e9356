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
    flaws: tuple[str, ...] = (
        *("none", "myopic", "hyperbolic", "lapses", "perseveration", "slow values", "wrong world"),
    )
    """Agents that are watched."""
    worlds: int = 10
    """Boards on which each flawed agent is watched."""
    width: int = 6
    """Cells of such a board in a row."""
    walks: int = 60
    """Trajectories that are fitted; half as many more judge."""
    steps: int = 40
    """Decisions of each."""
    covered: int = 12
    """Worlds of each kind in which intervals are made."""
    states: tuple[int, ...] = (6, 20)
    """States of these worlds."""
    sizes: tuple[int, ...] = (200, 2000, 20000)
    """Decisions in each."""
    scales: tuple[float, ...] = (0.5, 1.0, 2.0, 5.0)
    """Size of the true weights in units of the temperature."""
    replicates: int = 400
    """Of each bootstrap."""
    ranked: int = 150
    """Walks, and cohorts of animals, whose posteriors are ranked."""


STUDY = Study(
    "honesty",
    "what is claimed of noise, flaws of agents, what intervals hold (minutes)",
    (
        Part("honesty", f"{__name__}.study"),
        Part("misspecified", f"{__name__}.misspecified"),
        Part("coverage", f"{__name__}.coverage"),
    ),
    Settings(),
    Settings(
        coins=4,
        bandits=3,
        effects=(0.3,),
        animals=(15, 20),
        decisions=(20, 25),
        flaws=("none", "lapses"),
        worlds=1,
        width=3,
        walks=6,
        steps=12,
        covered=1,
        states=(3,),
        sizes=(200, 400),
        scales=(1.0,),
        replicates=40,
        ranked=2,
    ),
)
