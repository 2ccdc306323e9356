"""Deep maximum entropy (Wulfmeier, Ondruska and Posner 2015): a network from features to a reward.

The reward is r(s, a) = f(features of s and a) with a small fully connected network f. Its gradient
is that of maximum entropy, observed minus expected visits of each state and action, propagated back
through the network (their Equations 9 to 11). Here the likelihood is that of `MaxEnt`, causal
entropy over a discounted horizon, and its gradient in the reward is exact (`maxent_objective`).
"""

from dataclasses import asdict, dataclass

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from inverseq._core.ascent import ascend
from inverseq._core.errors import InputError
from inverseq.inverse.maxent.objective import Model, log_likelihood_and_gradient
from inverseq.inverse.planning import SoftOptimum
from inverseq.inverse.problem import Problem
from inverseq.inverse.solution import Solution
from inverseq.mdp import MDP
from inverseq.policies import TabularPolicy
from inverseq.rewards.linear import make_design
from inverseq.rewards.network import Layers, NetworkReward, as_parameters, forward, random_layers


@dataclass(frozen=True)
class DeepMaxEnt:
    """Maximum causal entropy with a reward that is a network of the features of the world.

    The fit maximises the log-likelihood of the decisions minus strength / 2 * the sum of the
    squares of all weights and biases, from a random beginning. A network has many maxima: another
    seed may find another, and the status says no more than that one was reached.

    Attributes:
        seed: Which random network to begin with; there is no default.
        hidden: Units of each hidden layer.
        strength: Weight of the prior, in decisions.
        tolerance: Largest gradient per decision at which the fit has converged.
        max_steps: Evaluations of likelihood and gradient at most.

    Raises:
        InputError: A number is out of range.
    """

    seed: int
    hidden: tuple[int, ...] = (32, 32)
    strength: float = 1.0
    tolerance: float = 1e-3
    max_steps: int = 3000

    def __post_init__(self) -> None:
        if not self.hidden or min(self.hidden) < 1:
            raise InputError(f"hidden must be layers of 1 unit or more; got {self.hidden}")
        if not 0 <= self.strength < np.inf:
            raise InputError(
                f"strength must be a number of decisions, 0 or more; got {self.strength}"
            )

    def solve(self, problem: Problem) -> Solution:
        """The solution of `problem`; `fit` calls this.

        Raises:
            InputError: The world has no features, or a decision does not fit it.
        """
        mdp, counts = problem.mdp, problem.counts.state_action
        chain = _Chain(mdp, counts)
        layers = self.begin(chain.inputs.shape[1], mdp)
        sizes, total = [w.shape for w, _ in layers], max(float(counts.sum()), 1e-300)

        def objective(numbers: np.ndarray) -> tuple[float, np.ndarray]:
            value, slope = chain(_unpacked(numbers, sizes))
            value -= 0.5 * self.strength * float(numbers @ numbers)
            return value / total, (_packed(slope) - self.strength * numbers) / total

        report, progress = None, problem.progress
        if progress is not None:
            report = lambda made: progress("network", made, self.max_steps)  # noqa: E731
        numbers, status, trace = ascend(
            objective,
            _packed(layers),
            tolerance=self.tolerance,
            max_steps=self.max_steps,
            report=report,
        )
        layers = _unpacked(numbers, sizes)
        reward = chain.reward(layers)
        plan = chain.model.plan(reward[mdp.allowed])
        parameters = as_parameters(layers, chain.centre, chain.scale)
        return Solution(
            solver="DeepMaxEnt",
            settings=asdict(self) | {"discount": mdp.discount},
            policy=TabularPolicy(plan.policy),
            status=status,
            mdp=mdp,
            reward_function=NetworkReward(parameters),
            planning=SoftOptimum(),
            q=plan.q,
            v=plan.v,
            visits=counts.sum(1),
            parameters=parameters,
            num_parameters=numbers.size,
            trace=trace,
        )

    def log_prior(self, solution: Solution) -> float:
        """Logarithm of the prior of a solution, up to a constant."""
        numbers = [
            v for k, v in solution.parameters.items() if k.startswith(("weights_", "biases_"))
        ]
        return -0.5 * self.strength * sum(float((v**2).sum()) for v in numbers)

    def begin(self, inputs: int, mdp: MDP) -> Layers:
        """The network before learning; at discount 1, one that makes every step cost."""
        layers = random_layers(np.random.default_rng(self.seed), inputs, self.hidden)
        if mdp.discount == 1:
            weights, _ = layers[-1]
            layers[-1] = (weights, np.full(1, -2.0 * np.log(max(mdp.num_actions, 2))))
        return layers


class _Chain:
    """From the network to the likelihood and back, with memory of the last plan."""

    def __init__(self, mdp: MDP, counts: Float[np.ndarray, "S A"]) -> None:
        if mdp.features is None:
            raise InputError(
                "this world has no features; give MDP(features=[S, A, F]), or use "
                'MaxEnt(reward="states")'
            )
        self.mdp, self.counts = mdp, counts
        self.model = Model(mdp, make_design(mdp, "state-actions", "gaussian"))
        rows = mdp.features[mdp.allowed]
        self.centre, spread = rows.mean(0), rows.std(0)
        # A feature that never varies carries nothing; it must not be blown up by rounding either.
        self.scale = np.where(spread > 1e-9 * np.maximum(np.abs(self.centre), 1), spread, 1.0)
        # Rewards on states repeat their features for each action: each is put through once.
        self.inputs, inverse = np.unique(rows, axis=0, return_inverse=True)
        self.inputs, self.row = (self.inputs - self.centre) / self.scale, inverse.ravel()
        self.last = None

    def reward(self, layers: Layers) -> Float[np.ndarray, "S A"]:
        """What the network gives for each state and action; 0 at actions that do not exist."""
        made = np.zeros(self.mdp.allowed.shape)
        made[self.mdp.allowed] = forward(layers, self.inputs)[self.row]
        return made

    def __call__(self, layers: Layers) -> tuple[float, Layers]:
        """Log-likelihood and its gradient in the layers."""
        pairs = forward(layers, self.inputs)[self.row]
        value, slope, plan = log_likelihood_and_gradient(self.model, self.counts, pairs, self.last)
        self.last = plan if np.isfinite(value) else self.last
        back = np.bincount(self.row, slope, minlength=len(self.inputs))
        with jax.enable_x64(True):
            found = _pulled_back(layers, self.inputs, back)
            return value, [(np.asarray(w), np.asarray(b)) for w, b in found]


@jax.jit
def _pulled_back(layers: Layers, inputs: jax.Array, slope: jax.Array) -> Layers:
    """Gradient in the layers of slope @ outputs."""
    _, back = jax.vjp(lambda given: forward(given, inputs, jnp.tanh), layers)
    return back(slope)[0]


def _packed(layers: Layers) -> Float[np.ndarray, " F"]:
    """All numbers of a network in a row."""
    return np.concatenate([part.ravel() for layer in layers for part in layer])


def _unpacked(numbers: Float[np.ndarray, " F"], sizes: list[tuple[int, int]]) -> Layers:
    """The layers whose weights have these shapes."""
    layers, place = [], 0
    for after, before in sizes:
        weights = numbers[place : place + after * before].reshape(after, before)
        place += after * before
        layers.append((weights, numbers[place : place + after]))
        place += after
    return layers
