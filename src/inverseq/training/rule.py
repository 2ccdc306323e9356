"""A way to learn: named networks, what each of them minimises, and one training step of them all.

Settings are frozen records, and what is learned stands in a `Learner`, so that a training step is a
pure function for `jit` and `vmap`. `DQN`, `IQLearn` and `BehaviourCloning` are three rules with one
network each.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple, Protocol, runtime_checkable

import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Bool, Float, Int, PRNGKeyArray, Shaped

from inverseq._core.errors import InputError
from inverseq.training.batch import Batch, Drawing
from inverseq.training.noise import noisy
from inverseq.training.replay import Replay, sample
from inverseq.training.shown import Shown, draw, judgement


class Best(NamedTuple):
    """A network as it was when the judged decisions were likeliest: a tree of arrays."""

    network: Any
    nats: Float[Array, ""]
    """What they cost under it, per decision; infinite before the first look."""
    learned: Int[Array, ""]
    """Training steps that it had made."""


class Learner(NamedTuple):
    """What is learned: a tree of arrays."""

    networks: dict[str, Any]
    """Any trees of arrays, such as the modules that `Network.build` makes."""
    targets: dict[str, Any]
    """Copies that follow some of the networks, and the `Best` of those that are judged."""
    optimisers: dict[str, Any]
    """What the optimiser of each network remembers."""
    learned: Int[Array, ""]
    """Training steps made."""

    def kept(self, name: str) -> Any:
        """A network that counts: as it was at its best where it is judged, else as it is."""
        copy = self.targets.get(name)
        return copy.network if isinstance(copy, Best) else self.networks[name]


Loss = Callable[[Any, Learner, PRNGKeyArray, Any, Any], Float[Array, ""]]
"""`loss(network, learner, key, shown, own)`: of a network, the others as they stand, a key, and a
`Batch` of the expert and one of the learner (None where there is none). Slopes are taken in the
network alone; all losses of a training step are given the same key."""


@dataclass(frozen=True)
class Target:
    """How a copy follows its network.

    Attributes:
        every: Training steps between two moves of the copy.
        share: Of the way to the network that a move makes; 1 makes the copy equal to it.

    Raises:
        InputError: A number is out of range.
    """

    every: int = 1
    share: float = 1.0

    def __post_init__(self) -> None:
        if self.every < 1 or not 0 < self.share <= 1:
            raise InputError(
                "every must be 1 or more, and share above 0 and at most 1; got "
                f"{self.every} and {self.share}"
            )

    def after(self, learned: jax.Array, network: Any, copy: Any) -> Any:
        """The copy after training step number `learned`."""
        if self.share < 1:
            network = jax.tree.map(lambda new, old: old + self.share * (new - old), network, copy)
        moves = learned % self.every == 0
        return jax.tree.map(lambda new, old: jnp.where(moves, new, old), network, copy)


@dataclass(frozen=True)
class Part:
    """One network of a rule.

    Attributes:
        build: `build(key, observation_shape, num_actions)` makes it, as `Network.build` does; any
            tree of arrays.
        loss: What it minimises.
        optimiser: Of Optax.
        target: How a copy follows it; None for no copy.
        nats: `nats(network, batch)` `[n]`, what each judged decision costs: the network is also
            kept as it was when that was least. None keeps none.
    """

    build: Callable[[PRNGKeyArray, tuple[int, ...], int], Any]
    loss: Loss
    optimiser: optax.GradientTransformation
    target: Target | None = None
    nats: Callable[[Any, Batch], Float[Array, " n"]] | None = None


@runtime_checkable
class Rule(Protocol):
    """A way to learn, as settings with pure functions.

    Rules can be hashed, and equal ones share what was compiled for them.
    """

    @property
    def drawing(self) -> Drawing:
        """How transitions are drawn."""
        ...

    def networks(self) -> Mapping[str, Part]:
        """The networks by name. They learn in this order, each beside what those before it have
        become in the same training step.
        """
        ...


@runtime_checkable
class Player(Rule, Protocol):
    """A rule that acts in a world while it learns."""

    def act(
        self,
        key: PRNGKeyArray,
        learner: Learner,
        observations: Float[Array, "n *shape"],
        allowed: Bool[Array, "n A"] | None,
        moves: Int[Array, ""] | None,
    ) -> Shaped[Array, "n *D"]:
        """An action at each observation, of those that are allowed.

        `moves` is the number of moves made in training so far; None while it is tested.
        """
        ...


def untaught(
    rule: Rule, key: PRNGKeyArray, observation_shape: tuple[int, ...], num_actions: int
) -> Learner:
    """A learner before its first training step."""
    parts = rule.networks()
    networks = {
        # The first from the key itself, so that a rule of one network is begun as that network.
        name: part.build(
            jax.random.fold_in(key, number) if number else key, observation_shape, num_actions
        )
        for number, (name, part) in enumerate(parts.items())
    }
    optimisers = {name: part.optimiser.init(networks[name]) for name, part in parts.items()}
    targets = {name: networks[name] for name, part in parts.items() if part.target is not None}
    never = jnp.float32(jnp.inf), jnp.int32(0)
    targets |= {
        name: Best(networks[name], *never) for name, part in parts.items() if part.nats is not None
    }
    return Learner(networks, targets, optimisers, jnp.int32(0))


def learn(
    rule: Rule, key: PRNGKeyArray, learner: Learner, shown: Shown | None, replay: Replay | None
) -> tuple[Learner, dict[str, Float[Array, ""]]]:
    """One training step: what is learned after it, and the loss of each network before.

    Args:
        rule: How to learn.
        key: Of the step.
        learner: What has been learned so far.
        shown: Transitions of an expert; None where there is none.
        replay: Moves of the learner; None where it does not play.
    """
    shown_batch, own_batch, for_loss = _drawn(rule.drawing, key, shown, replay)
    losses, parts = {}, rule.networks()
    for name, part in parts.items():
        network, kept = learner.networks[name], learner.optimisers[name]
        losses[name], slope = jax.value_and_grad(part.loss)(
            network, learner, for_loss, shown_batch, own_batch
        )
        change, kept = part.optimiser.update(slope, kept, network)
        learner = learner._replace(
            networks=learner.networks | {name: optax.apply_updates(network, change)},
            optimisers=learner.optimisers | {name: kept},
        )
    learned = learner.learned + 1
    targets = learner.targets | {
        name: part.target.after(learned, learner.networks[name], learner.targets[name])
        for name, part in parts.items()
        if part.target is not None
    }
    return learner._replace(targets=targets, learned=learned), losses


def look(rule: Rule, learner: Learner, shown: Shown) -> Learner:
    """What is learned, after a look at the judged decisions: a network under which they cost less
    than under the best so far takes its place (any does where none of them has a weight).
    """
    targets = dict(learner.targets)
    for name, part in rule.networks().items():
        if part.nats is None or shown.judged is None:
            continue
        network, best = learner.networks[name], targets[name]
        nats = judgement(partial(part.nats, network), shown.pool, shown.judged)
        better = ~(nats >= best.nats)
        targets[name] = jax.tree.map(
            lambda new, old, better=better: jnp.where(better, new, old),
            Best(network, nats, learner.learned),
            best,
        )
    return learner._replace(targets=targets)


def _drawn(
    drawing: Drawing, key: PRNGKeyArray, shown: Shown | None, replay: Replay | None
) -> tuple[Batch | None, Batch | None, PRNGKeyArray]:
    """Transitions of the expert and of the learner, and the key of the losses."""
    for_own = None
    if shown is not None and replay is not None:
        for_own, key = jax.random.split(key)
    for_batch, for_now, for_next, for_loss = jax.random.split(key, 4)
    theirs = own = None
    if shown is not None:
        theirs = _seen(for_now, for_next, draw(for_batch, shown, drawing), drawing.noise)
        for_now, for_next = (jax.random.fold_in(k, 2) for k in (for_now, for_next))
    if replay is not None and (shown is None or drawing.own):
        own = sample(for_batch if for_own is None else for_own, replay, drawing)
        own = _seen(for_now, for_next, own, drawing.noise)
    return theirs, own, for_loss


def _seen(for_now: PRNGKeyArray, for_next: PRNGKeyArray, batch: Batch, noise: float) -> Batch:
    """Transitions with noise on every observation, as the numbers that networks read."""
    numbers = lambda seen: jnp.asarray(seen, dtype=jnp.float32)  # noqa: E731
    starts = batch.starts
    if starts is not None:
        starts = noisy(jax.random.fold_in(for_now, 1), numbers(starts), noise)
    return batch._replace(
        observations=noisy(for_now, numbers(batch.observations), noise),
        next_observations=noisy(for_next, numbers(batch.next_observations), noise),
        starts=starts,
    )
