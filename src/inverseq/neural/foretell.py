"""Ways to foretell when one acts: NeuRL, classifiers, a hazard by time, chance.

Each is a record of settings; `prepare` fits it to trials, and what comes out gives logits of acting
at every step of these or other ones, so that all are read and scored alike
(`inverseq.neural.matching`).

**NeuRL** (Kalweit and others 2022; the lecture of Boedecker and Zhu 2023) has three steps: an
intrinsic reward from behaviour alone, a regression from activity to that reward, and a Bellman
backup over the predicted reward, whose Boltzmann policy foretells the act. How these are tied
together is not public. Here:

1. Any solver that finds a reward explains the training decisions. Several intentions are weighed by
   what is believed of them.
2. What activity x at a decision in state s is to tell is r(s, .) + log p(. | s, a) - log pi(. | s),
   where p = (1 - own) pi + own [a taken]: the reward under which this decision's policy is the
   solver's, pulled by `own` to what was done. With own = 0 it is the reward of the state; near 1
   each act has a reward of its own.
3. Q(x, s, a) = r(x, a) + gamma E[V(next state)], with V of the solver: one backup, which needs no
   activity of later moments.
"""

from dataclasses import dataclass, field, replace
from typing import Any, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float, Float32, Int

from inverseq._core.errors import InputError
from inverseq.demonstrations import Demonstrations
from inverseq.intentions.predict import posterior
from inverseq.intentions.solution import IntentionSolution
from inverseq.inverse.explanation import Explanation
from inverseq.inverse.fit import fit
from inverseq.inverse.problem import Solver
from inverseq.inverse.values.iavi import IAVI
from inverseq.neural.readout import Design, FittedReadout, Readout, fit_readout
from inverseq.neural.trials import Waiting


@runtime_checkable
class Method(Protocol):
    """A way to foretell the act."""

    def prepare(self, data: Waiting) -> "Fitted":
        """Fit to trials."""
        ...


@runtime_checkable
class Fitted(Protocol):
    """A method that was fitted."""

    def foretell(self, data: Waiting) -> Float[np.ndarray, "T B"]:
        """Log-odds of acting at each step of trials, others or the same with other activity."""
        ...


@dataclass(frozen=True)
class Inputs:
    """What of the activity is looked at.

    Attributes:
        pieces: How many of the latest pieces; 0 for none of the activity.
        apart: Whether each piece is an input of its own, or their sum.
        clock: Whether the state, which says the time in the trial, is an input too.
    """

    pieces: int = 3
    apart: bool = False
    clock: bool = False

    def of(self, data: Waiting) -> Float32[np.ndarray, "T B F"]:
        """`[T, B, F]` numbers.

        Raises:
            InputError: There are not so many pieces, or nothing to look at.
        """
        return data.once("inputs", self, lambda: self._of(data))

    def design(self, data: Waiting) -> Design:
        """The rows at which a decision was made, for a readout."""
        return data.once("design", self, lambda: Design(self.of(data)[data.seen]))

    def _of(self, data: Waiting) -> Float32[np.ndarray, "T B F"]:
        trials, bins, _, pieces = data.activity.shape
        if not 0 <= self.pieces <= pieces or not (self.pieces or self.clock):
            raise InputError(
                f"the activity has {pieces} pieces; look at 1 to {pieces} of them, or at the clock"
            )
        latest = data.activity[..., pieces - self.pieces :]
        shown = latest.reshape(trials, bins, -1) if self.apart else latest.sum(axis=3)
        parts = [shown] if self.pieces else []
        if self.clock:
            parts.append(np.eye(data.mdp.num_states, dtype=np.float32)[data.states])
        return np.concatenate(parts, axis=2)


@dataclass(frozen=True)
class NeuRL:
    """An intrinsic reward from behaviour, read out of activity, and the policy it leads to.

    Attributes:
        solver: Of step one; it must find a reward and values.
        readout: Of step two.
        inputs: Of step two.
        own: How far a decision's reward is drawn to what was done, in [0, 1).
    """

    solver: Any = field(default_factory=lambda: IAVI(backup="soft"))
    readout: Readout = field(default_factory=Readout)
    inputs: Inputs = field(default_factory=Inputs)
    own: float = 0.5

    def __post_init__(self) -> None:
        if not 0 <= self.own < 1:
            raise InputError(f"own must lie in [0, 1); got {self.own:g}")

    def prepare(self, data: Waiting) -> "FittedNeuRL":
        """Steps one and two.

        Raises:
            InputError: The solver finds no reward or no values.
        """
        explanation, reward, policy = self._first(data)
        acts = np.eye(2)[np.where(data.acted[data.seen], data.event, 1 - data.event)]
        drawn = np.log((1 - self.own) * policy + self.own * acts) - np.log(policy)
        made = fit_readout(self.readout, self.inputs.design(data), reward + drawn)
        return FittedNeuRL(self, explanation, made)

    def _first(self, data: Waiting) -> tuple[Explanation, np.ndarray, np.ndarray]:
        """Step one, once for all settings with this solver: what explains the decisions, and the
        reward and the policy at each.
        """
        solver: Solver[Explanation] = self.solver

        def make() -> tuple[Any, Explanation, np.ndarray, np.ndarray]:
            shown = data.demonstrations
            explanation = fit(shown, solver, data.mdp)
            states, beliefs = data.states[data.seen], explanation.beliefs(shown)
            reward = _over_intentions(explanation, "reward", states, beliefs)
            return solver, explanation, reward, np.asarray(explanation.probabilities(shown))

        return data.once("first step", id(solver), make)[1:]


@dataclass(frozen=True, eq=False)
class FittedNeuRL:
    """NeuRL after its first two steps.

    Attributes:
        method: The settings.
        explanation: Of behaviour.
        readout: From activity to the reward of both actions, in nats.
    """

    method: NeuRL
    explanation: Explanation
    readout: FittedReadout

    def rewards(self, data: Waiting) -> Float[np.ndarray, "T B 2"]:
        """The intrinsic reward that activity tells of, in nats."""
        x = self.method.inputs.of(data)
        return self.readout.predict(x.reshape(-1, x.shape[2])).reshape(*x.shape[:2], 2)

    def foretell(self, data: Waiting) -> Float[np.ndarray, "T B"]:
        """Step three."""
        q = self.rewards(data) + self._onward(data)
        return q[..., data.event] - q[..., 1 - data.event]

    def _onward(self, data: Waiting) -> Float[np.ndarray, "T B 2"]:
        """Discounted values of what follows."""
        explanation = self.explanation

        def make() -> tuple[Explanation, np.ndarray]:
            beliefs = _while_waiting(explanation, data)
            found = _over_intentions(explanation, "next", data.states.ravel(), beliefs)
            return explanation, found.reshape(*data.states.shape, 2)

        return data.once("onward", id(explanation), make)[1]


@dataclass(frozen=True)
class Classifier:
    """Acting or not at each step, by logistic regression or, with a latent layer, a network.

    Attributes:
        readout: The regression.
        inputs: What it sees.
    """

    readout: Readout = field(default_factory=Readout)
    inputs: Inputs = field(default_factory=Inputs)

    def prepare(self, data: Waiting) -> "FittedClassifier":
        """Fit to the decisions."""
        acted = data.acted[data.seen][:, None].astype(float)
        made = fit_readout(self.readout, self.inputs.design(data), acted, "chances")
        return FittedClassifier(self, made)


@dataclass(frozen=True, eq=False)
class FittedClassifier:
    """A classifier that was fitted.

    Attributes:
        method: The settings.
        readout: From activity to the logit of acting.
    """

    method: Classifier
    readout: FittedReadout

    def foretell(self, data: Waiting) -> Float[np.ndarray, "T B"]:
        """Its logits."""
        x = self.method.inputs.of(data)
        return self.readout.predict(x.reshape(-1, x.shape[2])).reshape(x.shape[:2])


@dataclass(frozen=True)
class Hazard:
    """How often one acts at each time in the trial, whatever is recorded.

    Attributes:
        smoothing: Decisions of each kind that are added in each state.
        flat: Whether all times are thrown together: chance.
    """

    smoothing: float = 0.5
    flat: bool = False

    def prepare(self, data: Waiting) -> "FittedHazard":
        """Count the decisions."""
        seen = data.seen
        states, acted = data.states[seen], data.acted[seen]
        states = np.zeros_like(states) if self.flat else states
        acts, waits = (
            np.bincount(states, w, data.mdp.num_states) + self.smoothing for w in (acted, ~acted)
        )
        return FittedHazard(self, np.log(acts) - np.log(waits))


@dataclass(frozen=True, eq=False)
class FittedHazard:
    """A hazard that was counted.

    Attributes:
        method: The settings.
        by_state: `[S]` log-odds of acting.
    """

    method: Hazard
    by_state: Float[np.ndarray, " S"]

    def foretell(self, data: Waiting) -> Float[np.ndarray, "T B"]:
        """Its logits."""
        states = np.zeros_like(data.states) if self.method.flat else data.states
        return self.by_state[states]


def _over_intentions(
    explanation: Explanation,
    what: str,
    states: Int[np.ndarray, " N"],
    beliefs: Float[np.ndarray, "N K"],
) -> Float[np.ndarray, "N 2"]:
    """Rewards, or discounted values of what follows, of states, weighed by intentions."""
    total = np.zeros((len(states), 2))
    for k, one in enumerate(explanation.intentions):
        if one.reward is None or one.v is None or one.mdp is None:
            raise InputError(
                f"NeuRL needs a solver that finds a reward and values in a world; {one.solver} "
                "does not. Take IAVI, MaxEnt, IQL or Intentions of these"
            )
        onward = one.mdp.discount * one.mdp.expected(np.asarray(one.v))
        table = one.reward if what == "reward" else onward
        total += beliefs[:, k, None] * table[states]
    return total


def _while_waiting(explanation: Explanation, data: Waiting) -> Float[np.ndarray, "N K"]:
    """`[T * B, K]` what is believed of the intentions at each step of one who has waited so far."""
    if not isinstance(explanation, IntentionSolution):
        return np.ones((data.states.size, len(explanation.intentions)))
    trials, bins = data.states.shape
    columns = data.demonstrations.trajectories
    held = Demonstrations.from_arrays(
        data.states.ravel(),
        np.full(data.states.size, 1 - data.event),
        trajectory=np.repeat(np.arange(trials), bins),
        state_names=data.demonstrations.state_names,
        action_names=data.demonstrations.action_names,
    )
    return posterior(explanation, replace(held, trajectories=columns)).predicted
