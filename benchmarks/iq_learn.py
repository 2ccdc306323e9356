"""IQ-Learn, offline: training steps a second, beside the same in plain PyTorch."""

from typing import Any

import jax

from benchmarks.diql import plain_rows, walks
from inverseq.inverse.deep.iq_learn import IQLearn
from inverseq.inverse.deep.network_fit import enrolled
from inverseq.inverse.problem import Problem
from inverseq.networks import FullyConnected
from inverseq.training.lessons import Lessons
from inverseq.training.trainer import train


def run(small: bool = False) -> list[dict[str, Any]]:
    """One seed and eight."""
    lessons = Lessons(300 if small else 20_000, 64, schedule="constant")
    told = {"network": FullyConnected((64, 64)), "temperature": 1.0, "alpha": 50.0}
    rule = IQLearn(0, discount=0.9, lessons=lessons, **told)
    course, shown = enrolled(Problem(walks()), rule, lessons, 3)

    def training(seeds: int) -> None:
        jax.block_until_ready(train(course, [jax.random.key(seed) for seed in range(seeds)], shown))

    told_by = "IQ-Learn, offline, network of 64-64, batch 64"
    return plain_rows(told_by, "iq_torch.py", training, lessons.steps, small)
