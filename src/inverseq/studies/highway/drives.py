"""One expert of the highway study, all that is learned from it, and how everybody drives."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import jax
import numpy as np
from jaxtyping import Float, Int

from inverseq.demonstrations import Demonstrations
from inverseq.forward.dqn import DQN, TrainedDQN, train_dqn
from inverseq.inverse.deep.cloning import BehaviourCloning
from inverseq.inverse.deep.dciql import DCIQL
from inverseq.inverse.deep.diql import DIQL
from inverseq.inverse.fit import fit
from inverseq.networks import FullyConnected, action_values
from inverseq.play.fitted import QAgent
from inverseq.play.orchestrator import Orchestrator
from inverseq.play.side_by_side import play_side_by_side
from inverseq.policies.network import NetworkPolicy
from inverseq.policies.safe import SafePolicy
from inverseq.rewards.observations import ObservationReward
from inverseq.studies.highway import Settings
from inverseq.training.lessons import Lessons
from inverseq.training.loop import Loop
from inverseq.worlds.road_ring import RingRoad, ring_road
from inverseq.worlds.road_sumo import SumoRoadEnv
from inverseq.worlds.road_view import (
    GERMAN_RULES,
    KEEP_RIGHT,
    ROAD_ACTIONS,
    ROAD_FEATURES,
    SAFETY,
    SPEED,
)

EXPERT, CDQN = "expert", "constrained DQN"
LEARNED = ("DIQL", "DCIQL", "cloning", "cloning, masked")
"""What learns from the expert."""
RING, SUMO = "ring", "SUMO"

NETWORK = FullyConnected((64, 64))
DISCOUNT = 0.95
TEMPERATURE = 0.02
"""Of the demonstrations, in units of the expert's values: it tries a change now and then that it
takes for almost as good, so that there is something to learn of all actions."""


@dataclass(frozen=True, eq=False)
class Drive:
    """How one learner drove; arrays `[games]`.

    Attributes:
        seed: Of the expert.
        method: Who drove.
        size: Demonstrated decisions; 0 for who learned from none.
        road: "ring" or "SUMO".
        speed: Mean speed of each game, in m/s.
        unsafe: Decisions that broke *safety*.
        not_right: Decisions that broke *keep right*.
        moves: Decisions of a game.
    """

    seed: int
    method: str
    size: int
    road: str
    speed: Float[np.ndarray, " games"]
    unsafe: Int[np.ndarray, " games"]
    not_right: Int[np.ndarray, " games"]
    moves: int

    @property
    def violations(self) -> Int[np.ndarray, " games"]:
        """Of either rule."""
        return self.unsafe + self.not_right


@dataclass(frozen=True, eq=False)
class Learned:
    """One expert and what came of it.

    Attributes:
        drives: How everybody drove.
        reward: Found from the most demonstrations.
        drivers: Who may play, by name: of the most demonstrations.
        agreement: Correlation of the found action values with the expert's own, of what differs
            between the actions of an observation, by number of demonstrations.
        diverged: Numbers of demonstrations from which values were still growing at the end.
    """

    drives: tuple[Drive, ...]
    reward: ObservationReward
    drivers: Mapping[str, Any]
    agreement: Mapping[int, float]
    diverged: tuple[int, ...]


def one_expert(settings: Settings, seed: int) -> Learned:
    """Train an expert, learn from it, and drive."""
    road = RingRoad(cars=settings.cars, max_moves=settings.moves)
    free, bound = ring_road(road), ring_road(road, GERMAN_RULES)
    for_expert, for_bound = jax.random.split(jax.random.key(seed))
    expert = train_dqn(expert_dqn(settings), free, for_expert)
    told = train_dqn(expert_dqn(settings), bound, for_bound)
    ruled = SafePolicy(NetworkPolicy(told.trained, 1.0), GERMAN_RULES, "greedy")
    drivers: dict[str, Any] = {EXPERT: expert, CDQN: ruled}
    shown = demonstrated(settings, expert, seed)
    drives, agreement, reward, diverged = [], {}, None, []
    for size in sorted(settings.sizes):  # who drives in SUMO learned from the most
        learned, reward, ended = learned_from(shown, size, settings, seed)
        drivers |= learned
        diverged += [] if ended else [size]
        agreement[size] = _agreement(shown, expert, reward)
        drives += [_on_ring(settings, name, learned[name], size, seed) for name in LEARNED]
    drives += [_on_ring(settings, name, drivers[name], 0, seed) for name in (EXPERT, CDQN)]
    if settings.sumo_moves:
        drives += _in_sumo(settings, drivers, seed)
    assert reward is not None  # there is one size or more
    return Learned(tuple(drives), reward, drivers, agreement, tuple(diverged))


def demonstrated(settings: Settings, expert: TrainedDQN, seed: int) -> Demonstrations:
    """Decisions of the expert, who keeps no rules, on the ring."""
    road = RingRoad(cars=settings.cars, max_moves=settings.moves)
    played = play_side_by_side(
        ring_road(road),
        expert,
        games=-(-max(settings.sizes) // settings.moves),
        moves=settings.moves,
        seed=10_000 + seed,
        temperature=TEMPERATURE,
        feature_names=ROAD_FEATURES,
        action_names=ROAD_ACTIONS,
    )
    return played.demonstrations


def learned_from(
    shown: Demonstrations, size: int, settings: Settings, seed: int
) -> tuple[dict[str, Any], ObservationReward, bool]:
    """Policies learned from the first decisions, the reward of the inverse Q-learning, and whether
    that did not diverge.

    DIQL and DCIQL are one fit: the reward and the policy below the constraint are those of DIQL.
    """
    first = first_decisions(shown, size)
    lessons = Lessons(settings.lessons, min(64, max(size, 8)), 1e-3)
    below = DIQL(seed, DISCOUNT, NETWORK, lessons=lessons, num_actions=3)
    careful = fit(first, DCIQL(GERMAN_RULES, below), accept_failure=True)
    clone = fit(first, BehaviourCloning(seed, NETWORK, lessons, num_actions=3))
    reward = careful.reward_function
    assert isinstance(reward, ObservationReward)  # of DCIQL
    assert isinstance(clone.policy, NetworkPolicy)  # of features
    learned = {
        "DIQL": reward.policy,
        "DCIQL": careful.policy,
        "cloning": clone.policy,
        "cloning, masked": SafePolicy(clone.policy, GERMAN_RULES, "greedy"),
    }
    return learned, reward, careful.status.ok


def first_decisions(shown: Demonstrations, size: int) -> Demonstrations:
    """The first decisions; the last game is cut off where need be."""
    rows = slice(0, size)
    allowed = shown.allowed
    return Demonstrations.from_arrays(
        shown.states[rows],
        shown.actions[rows],
        next_states=shown.next_states[rows],
        trajectory=shown.trajectory_of[rows],
        allowed=None if allowed is None else allowed[rows],
        feature_names=shown.feature_names,
        action_names=shown.action_names,
    )


def expert_dqn(settings: Settings) -> DQN:
    """How the expert and the constrained DQN learn from the true reward."""
    steps = settings.expert_steps
    loop = Loop(
        steps,
        training_freq=2,
        learn_steps=min(500, max(steps // 4, 1)),
        test_games=0,
        capacity=50_000,
        learn_from=min(1000, steps // 2),
    )
    return DQN(
        NETWORK,
        loop,
        DISCOUNT,
        learning_rate=5e-4,
        batch=64,
        epsilon_decay=0.9998,
        target_every=500,
        double=True,
    )


def _agreement(shown: Demonstrations, expert: TrainedDQN, reward: ObservationReward) -> float:
    """Correlation of action values with the expert's, less the mean over the actions there are."""
    data = first_decisions(shown, min(5000, shown.num_decisions))
    exist = data.allowed
    assert exist is not None  # the road says it
    true = action_values(expert.trained, data.states)
    contrasts = []
    for q in (true, reward.q(data)):
        mean = np.where(exist, q, 0.0).sum(axis=1, keepdims=True) / exist.sum(axis=1)[:, None]
        contrasts.append((q - mean)[exist])
    return float(np.corrcoef(*contrasts)[0, 1])


def _on_ring(settings: Settings, method: str, driver: Any, size: int, seed: int) -> Drive:
    """Drive on the ring, where no rules are enforced."""
    road = RingRoad(cars=settings.cars, max_moves=settings.moves)
    played = play_side_by_side(
        ring_road(road), driver, games=settings.games, moves=settings.moves, seed=20_000 + seed
    )
    return _judged(played.demonstrations, settings.games, seed, method, size, RING)


def _in_sumo(settings: Settings, drivers: Mapping[str, Any], seed: int) -> list[Drive]:
    """Drive in SUMO what was learned on the ring, without learning more; all the same games."""
    environment = SumoRoadEnv(settings.cars, settings.sumo_moves)
    made = []
    try:
        for method, driver in drivers.items():
            played = Orchestrator(environment, QAgent(driver, seed)).play(
                seed=20_000 + seed, games=settings.games
            )
            size = max(settings.sizes) if method in LEARNED else 0
            made.append(_judged(played.demonstrations, settings.games, seed, method, size, SUMO))
    finally:
        environment.close()
    return made


def _judged(
    driven: Demonstrations, games: int, seed: int, method: str, size: int, road: str
) -> Drive:
    """Speeds and broken rules of games of one length."""
    rows = np.arange(driven.num_decisions)
    speed = driven.next_states[:, ROAD_FEATURES.index("own speed")] * SPEED
    unsafe, not_right = (
        (~rule(driven.states)[rows, driven.actions]).reshape(games, -1).sum(axis=1)
        for rule in (SAFETY, KEEP_RIGHT)
    )
    moves = driven.num_decisions // games
    return Drive(
        seed,
        method,
        size,
        road,
        speed.astype(np.float64).reshape(games, -1).mean(axis=1),
        unsafe,
        not_right,
        moves,
    )
