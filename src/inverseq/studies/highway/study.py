"""The highway study: driving under rules that the demonstrator did not keep.

Kalweit, Huegle, Werling and Boedecker, "Deep Inverse Q-learning with Constraints" (NeurIPS 2020),
Figure 5: an expert of the true reward keeps no rules; what is learned from it is to keep right and
to change lanes safely.
"""

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import jax
import numpy as np

from inverseq.play.fitted import QAgent
from inverseq.play.orchestrator import Orchestrator
from inverseq.play.side_by_side import compiled
from inverseq.studies.highway import Settings
from inverseq.studies.highway.drives import (
    CDQN,
    EXPERT,
    LEARNED,
    RING,
    SUMO,
    Drive,
    Learned,
    one_expert,
)
from inverseq.studies.highway.figures import (
    METHODS,
    PUBLISHED,
    by_seed,
    draw_driving,
    draw_reward,
    draw_samples,
    film,
    per_hundred,
)
from inverseq.studies.run import Result
from inverseq.studies.study import Effort
from inverseq.worlds.road_drawing import road_picture
from inverseq.worlds.road_ring import RingRoad, ring_road
from inverseq.worlds.road_sumo import SumoRoadEnv

_FILMED = 30
"""Decisions of a film."""


def run(settings: Settings, effort: Effort) -> Result:
    """Experts, what is learned from them, and how all drive."""
    seeds = [(effort.seed + n,) for n in range(settings.seeds)]
    learned = effort.each("experts", partial(one_expert, settings), seeds)
    drives = [drive for one in learned for drive in one.drives]
    most = max(settings.sizes)
    figures = {
        "driving": draw_driving(drives, most),
        "samples": draw_samples(drives, settings.sizes),
        "reward": draw_reward([one.reward for one in learned]),
    }
    tables = {
        "driving": [
            _row(drives, method, road, most)
            for road in (RING, SUMO)
            for method in METHODS
            if by_seed(drives, method, road, most)
        ],
        "samples": [
            _row(drives, method, RING, size) for size in settings.sizes for method in LEARNED
        ],
        "agreement": _agreement(learned, settings.sizes),
    }
    return Result(
        tables,
        figures,
        (*_sentences(drives, most, settings), *_diverged(learned)),
        films=filmed(settings, learned[0].drivers, effort.seed),
        record=learned,
    )


def _row(drives: Sequence[Drive], method: str, road: str, size: int) -> dict[str, Any]:
    """One driver on one road: means and spreads over the seeds."""
    found = by_seed(drives, method, road, size)
    speeds = np.array([d.speed.mean() for d in found])
    experts = np.array([d.speed.mean() for d in by_seed(drives, EXPERT, road, size)])
    published = PUBLISHED.get(method) if road == SUMO else None
    return {
        "road": road,
        "driver": method,
        "decisions": size if method in LEARNED else None,
        "speed": round(float(speeds.mean()), 2),
        "slowest seed": round(float(speeds.min()), 2),
        "share of the expert": round(float(speeds.mean() / experts.mean()), 3),
        "lowest share": round(float((speeds / experts).min()), 3),
        "unsafe in 100": round(_mean(found, "unsafe"), 3),
        "not right in 100": round(_mean(found, "not_right"), 3),
        "violations": int(sum(d.violations.sum() for d in found)),
        "of decisions": int(sum(d.moves * d.speed.size for d in found)),
        "published speed": None if published is None else "{} to {}".format(*published[0]),
        "published violations": None if published is None else "{} to {}".format(*published[1]),
    }


def _mean(found: Sequence[Drive], what: str) -> float:
    """Violations of one rule in a hundred decisions."""
    return float(np.mean([100 * getattr(d, what).mean() / d.moves for d in found]))


def _agreement(learned: Sequence[Learned], sizes: Sequence[int]) -> list[dict[str, Any]]:
    """How far found action values are the expert's own, by number of demonstrations."""
    found = [[one.agreement[size] for one in learned] for size in sizes]
    return [
        {
            "decisions": size,
            "correlation": round(float(np.mean(values)), 3),
            "lowest": round(float(np.min(values)), 3),
            "highest": round(float(np.max(values)), 3),
        }
        for size, values in zip(sizes, found, strict=True)
    ]


def _sentences(drives: Sequence[Drive], size: int, settings: Settings) -> tuple[str, ...]:
    """What was found."""
    said = []
    for road, place in ((RING, "On the ring"), (SUMO, "In SUMO")):
        found = by_seed(drives, "DCIQL", road, size)
        if not found:
            continue
        expert = by_seed(drives, EXPERT, road, size)
        share = np.mean([d.speed.mean() for d in found]) / np.mean([d.speed.mean() for d in expert])
        broken = sum(int(d.violations.sum()) for d in found)
        said.append(
            f"{place} DCIQL broke the rules {broken} times in {settings.games} games of each of "
            f"{len(found)} seeds, at {share:.1%} of the speed of the expert, who broke them "
            f"{np.mean([per_hundred(d) for d in expert]):.1f} times in 100 decisions."
        )
        free = {name: by_seed(drives, name, road, size) for name in ("DIQL", "cloning")}
        said.append(
            f"{place} "
            + " and ".join(
                f"{name} broke them {np.mean([per_hundred(d) for d in found]):.1f} times"
                for name, found in free.items()
            )
            + "; the constrained DQN, who was told the true reward, came to "
            f"{np.mean([d.speed.mean() for d in by_seed(drives, CDQN, road, size)]):.1f} m/s."
        )
    return tuple(said)


def _diverged(learned: Sequence[Learned]) -> Iterator[str]:
    """Which fits are counted although their values still grew at the end."""
    for seed, one in enumerate(learned):
        if one.diverged:
            sizes = ", ".join(f"{size:,}" for size in one.diverged)
            yield (
                f"Of expert {seed + 1} the values diverged from {sizes} decisions; what they drove "
                "is counted all the same."
            )


def filmed(
    settings: Settings, drivers: Mapping[str, Any], seed: int
) -> dict[str, tuple[np.ndarray, ...]]:
    """The same traffic with each driver in it, on the ring and in SUMO."""
    moves = min(_FILMED, settings.moves)
    films = {RING: film({n: _ring_strip(settings, d, seed, moves) for n, d in drivers.items()})}
    if settings.sumo_moves:
        environment = SumoRoadEnv(settings.cars, moves, render_mode="rgb_array")
        try:
            strips = {
                name: Orchestrator(environment, QAgent(driver, seed))
                .play(seed=seed, games=1, video=True)
                .frames
                for name, driver in drivers.items()
            }
        finally:
            environment.close()
        films[SUMO.lower()] = film(strips)
    return films


def _ring_strip(settings: Settings, driver: Any, seed: int, moves: int) -> list[np.ndarray]:
    """Pictures of one game on the ring."""
    # Of as many games as are driven, so that nothing is compiled anew; the first is shown.
    road, games = RingRoad(cars=settings.cars, max_moves=settings.moves), settings.games
    begin, look, step = compiled(ring_road(road))
    agent = QAgent(driver, seed)
    keys = jax.random.split(jax.random.key(seed), games)
    state = begin(keys)
    frames = []
    for _ in range(moves):
        seen, allowed = look(state)
        agent.allowed = np.asarray(allowed)[0]
        action = agent.get_action(np.asarray(seen)[0])
        state = step(keys, state, np.full(games, action, dtype=np.int32))[0]
        shown = jax.tree.map(lambda leaf: leaf[0], state)
        parts = (shown.position, road.lateral(shown), shown.speed)
        at, aside, speed = (np.asarray(part)[np.asarray(shown.present)] for part in parts)
        frames.append(road_picture(at, aside, speed, road.length, road.lanes))
    return frames
