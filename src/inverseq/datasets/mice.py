"""Mice in the labyrinth."""

from inverseq.datasets.files import bundled
from inverseq.datasets.record import Dataset
from inverseq.readers import read_table
from inverseq.worlds import labyrinth


def mice(discount: float = 0.9) -> Dataset:
    """Water-restricted mice in a labyrinth of 127 nodes: 238 trajectories of 500 decisions.

    States are nodes and actions in_left, in_right, out_left, out_right, of which 1 to 3 exist at a
    node. The trajectory column "split" is the published one: every fifth trajectory is test,
    scored from the second decision on.

    Args:
        discount: gamma of the world.
    """
    world = labyrinth(discount)
    with bundled("labyrinth_decisions.parquet") as path:
        demonstrations = read_table(
            path,
            keep=("group", "split"),
            subject=None,
            action_names=world.mdp.action_names,
        )
    return Dataset(
        name="mice",
        title="Mice in a labyrinth",
        demonstrations=demonstrations,
        mdp=world.mdp,
        worlds={"labyrinth": world},
        description=(
            "Water-restricted mice explore a binary labyrinth of 127 nodes in the dark; one end "
            "has a water port. One row is one move from node to node. The trajectories are windows "
            "of 500 moves with at least 7 visits to water and home; which animal made them is not "
            "stored."
        ),
        source=(
            "Rosenberg, Zhang, Perona and Meister 2021 (Rosenberg-2021-Repository), as prepared by "
            "Ke and others 2025 (SWIRL)"
        ),
        licence="MIT",
        citation=(
            "Rosenberg M, Zhang T, Perona P, Meister M (2021). Mice in a labyrinth show rapid "
            "learning, sudden insight, and efficient exploration. eLife 10:e66175. "
            "Ke J, Wu F, Wang J, Markowitz J, Wu A (2025). Inverse reinforcement learning with "
            "switching rewards and history dependency for characterizing animal behaviors. ICML."
        ),
        split="split",
        score_from_step=1,
    )
