"""Tabular Q-learning, compiled: the agent learns by acting, the MDP serves as its simulator."""

from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float, Int

from inverseq._core.arrays import freeze
from inverseq._core.errors import InputError
from inverseq._core.status import Outcome, Status
from inverseq.forward.records import reward_of
from inverseq.mdp import MDP
from inverseq.mdp.backup import action_values, hard_value, only
from inverseq.policies import greedy


@dataclass(frozen=True, eq=False)
class Learned:
    """What an agent learned.

    Attributes:
        values: `[S]` the largest learned Q of each state.
        q: `[S, A]` learned values of actions; 0 at actions that do not exist or were never taken.
        policy: `[S, A]` the greedy policy of `q`.
        status: How it ended. The residual is the largest |max_a (r + gamma E V) - V| of the learned
            V in the true world, in units of the reward.
        steps: `[C]` decisions made at each checkpoint.
        curve: `[C, S]` values at each checkpoint.
    """

    values: Float[np.ndarray, " S"]
    q: Float[np.ndarray, "S A"]
    policy: Float[np.ndarray, "S A"]
    status: Status
    steps: Int[np.ndarray, " C"]
    curve: Float[np.ndarray, "C S"]

    def __post_init__(self) -> None:
        freeze(self, np.float64, "values", "q", "policy", "curve")
        freeze(self, np.int64, "steps")


def q_learning(
    key: jax.Array,
    mdp: MDP,
    reward: Any = None,
    *,
    steps: int,
    step_size: float = 0.5,
    halving: float = 50.0,
    exploration: float = 0.2,
    episode_limit: int = 100,
    checkpoints: int = 100,
    tolerance: float = 0.05,
) -> Learned:
    """Q-learning (Watkins 1989): Q(s, a) += alpha (r + gamma max Q(next state) - Q(s, a)).

    An episode begins at `mdp.initial`. A terminal state is acted in once, for its own reward, and
    ends the episode; `episode_limit` cuts it off without ending the world, so that the last
    transition still counts on what follows. Computed in single precision.

    Args:
        key: JAX random key; it is consumed.
        mdp: The world.
        reward: `[S, A]` or `[S]`; the world's own where left out.
        steps: Decisions to make; rounded up to a multiple of `checkpoints`.
        step_size: alpha of the first visit to a pair (s, a), in (0, 1].
        halving: Visits to a pair after which its alpha is half as large:
            alpha = step_size / (1 + visits / halving). Infinity keeps it constant.
        exploration: Probability of an action drawn from all that exist; else the best is taken.
        episode_limit: Decisions in an episode at most.
        checkpoints: C, how often to write the values down.
        tolerance: Residual up to which learning counts as converged.

    Returns:
        The learned values, and how they came about.

    Raises:
        InputError: There is no reward, or a number is out of range.
    """
    _check_settings(steps, step_size, halving, exploration, episode_limit, checkpoints)
    earned = reward_of(mdp, reward)
    world = _Simulator(
        reward=_single(earned),
        successors=jnp.asarray(mdp.successors),
        leads=_single(_running(mdp.probabilities)),
        begins=_single(_running(mdp.initial)),
        acts=_single(_running(mdp.allowed / mdp.allowed.sum(1, keepdims=True))),
        barred=_single(np.where(mdp.allowed, 0.0, -np.inf)),
        terminal=jnp.asarray(mdp.terminal),
    )
    agent = _Agent(*map(jnp.float32, (mdp.discount, step_size, halving, exploration)))
    block = -(-steps // checkpoints)
    q, curve = _learn(key, world, agent, jnp.int32(episode_limit), block, checkpoints)
    values = np.asarray(curve[-1], dtype=float)
    learned = np.asarray(q, dtype=float)
    target = hard_value(action_values(mdp, earned, values), mdp.allowed)
    status = _status(float(np.abs(target - values).max()), block * checkpoints, tolerance)
    return Learned(
        values=values,
        q=learned,
        policy=greedy(only(learned, mdp.allowed), mdp.allowed),
        status=status,
        steps=block * np.arange(1, checkpoints + 1),
        curve=np.asarray(curve, dtype=float),
    )


class _Simulator(NamedTuple):
    """The world as the compiled loop needs it; running sums in place of probabilities."""

    reward: jax.Array  # [S, A]
    successors: jax.Array  # [S, A, B]
    leads: jax.Array  # [S, A, B]
    begins: jax.Array  # [S]
    acts: jax.Array  # [S, A] choosing at random among what exists
    barred: jax.Array  # [S, A] minus infinity where an action does not exist
    terminal: jax.Array  # [S]


class _Agent(NamedTuple):
    """Numbers that may change without compiling anew."""

    discount: jax.Array
    step_size: jax.Array
    halving: jax.Array
    exploration: jax.Array


@partial(jax.jit, static_argnames=("block", "checkpoints"))
def _learn(
    key: jax.Array,
    world: _Simulator,
    agent: _Agent,
    limit: jax.Array,
    block: int,
    checkpoints: int,
) -> tuple[jax.Array, jax.Array]:
    """Q `[S, A]` after all steps, and V `[C, S]` after each block of steps."""
    key_begin, key_blocks = jax.random.split(key)

    def decide(carry: Any, chance: tuple[jax.Array, jax.Array]) -> tuple[Any, None]:
        return _step(carry, *chance, world, agent, limit), None

    def one_block(carry: Any, key_block: jax.Array) -> tuple[Any, jax.Array]:
        key_chance, key_begins = jax.random.split(key_block)
        chances = jax.random.uniform(key_chance, (block, 2))
        begins = _begin(world, jax.random.uniform(key_begins, (block,)))
        carry, _ = jax.lax.scan(decide, carry, (chances, begins))
        return carry, (carry[0][..., 0] + world.barred).max(1)

    table = jnp.zeros((*world.reward.shape, 2))
    start = (table, _begin(world, jax.random.uniform(key_begin)), jnp.int32(0))
    (table, *_), curve = jax.lax.scan(one_block, start, jax.random.split(key_blocks, checkpoints))
    return table[..., 0], curve


def _step(
    carry: tuple[jax.Array, jax.Array, jax.Array],
    chance: jax.Array,
    begin: jax.Array,
    world: _Simulator,
    agent: _Agent,
    limit: jax.Array,
) -> tuple[jax.Array, jax.Array, jax.Array]:
    """One decision and one update; `begin` is the state of the next episode, if one starts.

    Values and visits share the table `[S, A, 2]`: two tables would be copied at each step, because
    the update of one reads the other.
    """
    table, state, age = carry
    here = table[state]
    explores = chance[0] < agent.exploration
    # The same number is uniform again once it is known to lie below the exploration.
    action = jnp.where(
        explores,
        _pick(world.acts[state], chance[0] / agent.exploration),
        jnp.argmax(here[:, 0] + world.barred[state]).astype(jnp.int32),
    )
    branch = _pick(world.leads[state, action], chance[1])
    following = world.successors[state, action, branch]
    ends = world.terminal[state]
    ahead = jnp.where(ends, 0.0, (table[following, :, 0] + world.barred[following]).max())
    value, visits = here[action]
    alpha = agent.step_size / (1 + visits / agent.halving)
    value += alpha * (world.reward[state, action] + agent.discount * ahead - value)
    # A slice, unlike a scatter, is sure to be written in place.
    entry = jnp.stack([value, visits + 1])[None, None]
    table = jax.lax.dynamic_update_slice(table, entry, (state, action, 0))
    restarts = ends | (age + 1 >= limit)
    return table, jnp.where(restarts, begin, following), jnp.where(restarts, 0, age + 1)


def _pick(running: jax.Array, chance: jax.Array) -> jax.Array:
    """The outcome that a number in [0, 1) falls on, given a few running sums of probabilities."""
    return (running <= chance).sum().astype(jnp.int32)


def _begin(world: _Simulator, chance: jax.Array) -> jax.Array:
    """First states of episodes."""
    return jnp.searchsorted(world.begins, chance, side="right").astype(jnp.int32)


def _running(probabilities: np.ndarray) -> np.ndarray:
    """Running sums along the last axis. From the last possible outcome on they are 2, so that
    rounding cannot choose beyond it.
    """
    total = np.cumsum(probabilities, axis=-1)
    return np.where(total >= total[..., -1:] * (1 - 1e-9), 2.0, total)


def _single(array: np.ndarray) -> jax.Array:
    """The array in single precision."""
    return jnp.asarray(array, dtype=jnp.float32)


def _check_settings(
    steps: int,
    step_size: float,
    halving: float,
    exploration: float,
    episode_limit: int,
    checkpoints: int,
) -> None:
    """Raise an `InputError` for a number that is out of range."""
    for name, count in (
        ("steps", steps),
        ("episode_limit", episode_limit),
        ("checkpoints", checkpoints),
    ):
        if count < 1:
            raise InputError(f"{name} must be 1 or more; got {count}")
    if not 0 < step_size <= 1:
        raise InputError(f"step_size must lie above 0 and be at most 1; got {step_size}")
    if not halving > 0:
        raise InputError(f"halving must be above 0; got {halving}")
    if not 0 < exploration <= 1:
        raise InputError(f"exploration must lie above 0 and be at most 1; got {exploration}")


def _status(residual: float, steps: int, tolerance: float) -> Status:
    """How learning ended."""
    if not np.isfinite(residual):
        return Status(Outcome.DIVERGED, steps, residual, "values are not finite; lower step_size")
    if residual > tolerance:
        message = f"the Bellman residual is {residual:.2g}; raise steps or exploration"
        return Status(Outcome.LIMIT, steps, residual, message)
    return Status(Outcome.CONVERGED, steps, residual)
