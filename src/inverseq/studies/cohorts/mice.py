"""Seven mice at two spouts: one reward for all, one for each, and one for each that is pooled."""

from dataclasses import replace

import numpy as np

from inverseq.datasets import bandit
from inverseq.evaluate.likelihood import difference, log_likelihood
from inverseq.inverse.fit import fit
from inverseq.inverse.hierarchy.solver import Hierarchical
from inverseq.inverse.values.iavi import IAVI
from inverseq.mdp import MDP
from inverseq.plot import canvas
from inverseq.plot import scores as draw
from inverseq.studies.cohorts import Settings
from inverseq.studies.run import Result
from inverseq.studies.shapes import plain
from inverseq.studies.study import Effort

ALONE = "a reward for each, alone"


def run(settings: Settings, effort: Effort) -> Result:
    """The last fifth of each session, from the two choices before and what came of them; mice are
    the units.
    """
    data = bandit()
    mdp = data.mdp
    assert isinstance(mdp, MDP)  # one world
    # A mouse of its own world knows the behaviour of that mouse alone.
    train, test = (data.demonstrations.select(split=part) for part in ("train", "test"))
    world = mdp.with_history(2)
    solvers = {
        "one reward for all": IAVI(),
        "a reward for each, pooled": Hierarchical(IAVI()),
    }
    scores = {}
    for number, (name, solver) in enumerate(solvers.items()):
        scores[name] = log_likelihood(fit(train, solver, world), test, by="subject")
        effort.say("fits", number + 1, len(solvers) + 1)
    mice = np.unique(train.trajectories["subject"])
    own = [
        log_likelihood(
            fit(train.select(subject=mouse), IAVI(), world),
            test.select(subject=mouse),
            by="subject",
        )
        for mouse in mice
    ]
    effort.say("fits", len(solvers) + 1, len(solvers) + 1)
    names = ("sums", "decisions", "forced", "chance", "hits")
    joined = {n: np.concatenate([getattr(one, n) for one in own]) for n in names}
    scores[ALONE] = replace(own[0], **joined)
    pooled = scores["a reward for each, pooled"]
    rows = []
    for name, score in scores.items():
        gap = difference(pooled, score)
        behind = {"behind_pooled": gap.mean, "behind_error": gap.standard_error}
        rows.append({"model": name} | score.row | behind)
    figure, (ax,) = canvas()
    draw(
        [*scores],
        np.array([s.mean for s in scores.values()]),
        np.array([s.standard_error for s in scores.values()]),
        ax=ax,
    )
    told = ", ".join(f"{score.mean:.4f} ({name})" for name, score in scores.items())
    return Result(
        {"scores": [plain(row) for row in rows]},
        {"scores": figure},
        (f"Nats per choice of {len(mice)} mice, the last fifth of each session: {told}.",),
        facts={"mice": len(mice)},
    )
