"""Maximum entropy over paths (Ziebart, Maas, Bagnell and Dey 2008), the first of its kind.

Among paths of the same length from the same first state, one is more probable by what it earns,

    P(path) proportional to prod_t P(s_t+1 | s_t, a_t) exp r(s_t, a_t)          (Equation 4),

with a reward linear in features. Sums over all paths are products of local sums (Algorithm 1):
with k decisions to go, Z_k(s, a) = exp r(s, a) sum_s' P(s' | s, a) Z_k-1(s'), Z_k(s) = sum_a
Z_k(s, a), Z_0 = 1; a choice has probability Z_k(s, a) / Z_k(s).

It is not `MaxEnt`. In logarithms the agent here plans with log E exp V where causal entropy has
E V: it counts on luck. The path is distributed as if the agent also chose what the world does,
P(s' | s, a) Z_k-1(s') / sum P Z_k-1, so that in a stochastic world a gamble is worth its best
outcome rather than its mean. Where every action has one outcome the two agree.
"""

from dataclasses import asdict, dataclass

import numpy as np
from jaxtyping import Float, Int

from inverseq._core.ascent import ascend
from inverseq._core.errors import InputError
from inverseq.decisions.alignment import align, check_existing
from inverseq.decisions.counts import decision_weights
from inverseq.inverse.planning import SoftOptimum
from inverseq.inverse.problem import Problem
from inverseq.inverse.solution import Solution
from inverseq.inverse.values.iql_transitions import next_states
from inverseq.mdp import MDP
from inverseq.mdp.backup import only, soft_value
from inverseq.policies import TabularPolicy
from inverseq.rewards.linear import Prior, RewardOn, make_design


@dataclass(frozen=True, eq=False)
class Pieces:
    """Decisions as parts of paths; M of them.

    Attributes:
        states: `[M]` where each was made.
        actions: `[M]`.
        to_go: `[M]` decisions until the end of its piece, itself included: k.
        next_states: `[M]` where it led; -1 where nothing more is counted on.
        weights: `[M]`.
    """

    states: Int[np.ndarray, " M"]
    actions: Int[np.ndarray, " M"]
    to_go: Int[np.ndarray, " M"]
    next_states: Int[np.ndarray, " M"]
    weights: Float[np.ndarray, " M"]

    @property
    def longest(self) -> int:
        """K, decisions in the longest piece."""
        return int(self.to_go.max(initial=0))


@dataclass(frozen=True, eq=False)
class PathSums:
    """Logarithms of the sums over paths, by how many decisions are to go.

    Attributes:
        v: `[K + 1, S]` log Z_k(s); at terminal states log sum_a exp r(s, a), for every k.
        q: `[K, S, A]` log Z_k(s, a), for k from 1.
        policy: `[K, S, A]` exp(q - v).
        leads: `[K, S, A, B]` probability, in the distribution over paths, of each successor.
    """

    v: Float[np.ndarray, "K1 S"]
    q: Float[np.ndarray, "K S A"]
    policy: Float[np.ndarray, "K S A"]
    leads: Float[np.ndarray, "K S A B"]


@dataclass(frozen=True)
class MaxEntIRL:
    """Maximum entropy inverse reinforcement learning over paths (Ziebart and others 2008).

    A baseline; for stochastic worlds `MaxEnt` (causal entropy) is the sound one. There is no
    discount: what limits foresight is the length of the path. The fit maximises the likelihood of
    the observed paths given their first states, minus strength / 2 * (what the prior charges). The
    policy of the solution is that of an agent with the longest piece of a path ahead.

    Attributes:
        reward: "features" of the world, "states" or "state-actions", as in `MaxEnt`.
        horizon: Decisions that are planned at a time; longer trajectories are cut into pieces of
            this length. None: whole trajectories, each known to the agent to be as long as it is.
        prior: "gaussian" or "smooth", as in `MaxEnt`.
        strength: Weight of the prior, in decisions.
        tolerance: Largest gradient per decision at which the fit has converged.
        max_steps: Evaluations at most.

    Raises:
        InputError: The horizon or the strength is out of range.
    """

    reward: RewardOn = "features"
    horizon: int | None = None
    prior: Prior = "gaussian"
    strength: float = 1.0
    tolerance: float = 1e-6
    max_steps: int = 2000

    def __post_init__(self) -> None:
        if self.horizon is not None and self.horizon < 1:
            raise InputError(f"horizon must be 1 decision or more, or None; got {self.horizon}")
        if not 0 <= self.strength < np.inf:
            raise InputError(
                f"strength must be a number of decisions, 0 or more; got {self.strength}"
            )

    def solve(self, problem: Problem) -> Solution:
        """The solution of `problem`; `fit` calls this.

        Raises:
            InputError: Only counts were given, no action is known, a decision does not fit the
                world, or the world lacks what the reward depends on.
        """
        mdp = problem.mdp
        pieces = pieces_of(problem, self.horizon)
        design = make_design(mdp, self.reward, self.prior)
        penalty, total = self.strength * design.penalty, pieces.weights.sum()
        progress = problem.progress

        def objective(weights: np.ndarray) -> tuple[float, np.ndarray]:
            reward = design.reward(weights, mdp)
            value, slope = path_likelihood(mdp, reward, pieces)
            pull = penalty @ weights
            slope = design.matrix.T @ slope.ravel() - pull
            return (value - 0.5 * float(weights @ pull)) / total, slope / total

        report = None
        if progress is not None:
            report = lambda made: progress("paths", made, self.max_steps)  # noqa: E731
        weights, status, trace = ascend(
            objective,
            np.zeros(design.num_weights),
            tolerance=self.tolerance,
            max_steps=self.max_steps,
            report=report,
        )
        reward = design.reward(weights, mdp)
        sums = path_sums(mdp, reward, pieces.longest)
        return Solution(
            solver="MaxEntIRL",
            settings=asdict(self) | {"planned": pieces.longest},
            policy=TabularPolicy(sums.policy[-1]),
            status=status,
            mdp=mdp,
            reward_function=design.function(weights, mdp),
            planning=SoftOptimum(),
            q=np.where(mdp.allowed, sums.q[-1], 0.0),
            v=sums.v[-1],
            visits=problem.counts.visits,
            parameters={"weights": weights},
            num_parameters=weights.size,
            trace=trace,
        )


def pieces_of(problem: Problem, horizon: int | None) -> Pieces:
    """The decisions of a problem as parts of paths.

    A path ends with its trajectory or where the recording has a hole, and after `horizon`
    decisions. Decisions whose action is missing take their time but are not scored.

    Raises:
        InputError: Only counts were given, or nothing can be scored.
    """
    demonstrations, mdp = problem.decisions, problem.mdp
    states = align(demonstrations, mdp)
    check_existing(demonstrations, mdp, states)
    weights = decision_weights(problem.weights, demonstrations.num_decisions)
    begins = np.flatnonzero(~demonstrations.continues)
    lengths = np.diff(np.append(begins, states.size))
    place = np.arange(states.size) - np.repeat(begins, lengths)
    left = np.repeat(lengths, lengths) - place
    to_go = left if horizon is None else np.minimum(left, horizon - place % horizon)
    used = demonstrations.acted & (weights > 0)
    if not used.any():
        raise InputError("no decision has a known action and a weight, so there is no path to fit")
    # What comes after the last decision of a piece earns nothing, unless it is the end of it all.
    goes_on = np.append(demonstrations.continues[1:], False)
    arrival = next_states(demonstrations, mdp, states)
    arrival = np.where((arrival >= 0) & mdp.terminal[arrival], arrival, -1)
    following = np.where(goes_on & (to_go > 1), np.append(states[1:], -1), arrival)
    following = np.where(mdp.terminal[states], -1, following)
    fields = (states, demonstrations.actions, to_go, following, weights)
    return Pieces(*(field[used] for field in fields))


def path_sums(mdp: MDP, reward: Float[np.ndarray, "S A"], longest: int) -> PathSums:
    """Backward pass: sums over all paths of up to `longest` decisions.

    Args:
        mdp: The world; its own reward and discount are not used.
        reward: `[S, A]`, received also in terminal states.
        longest: K, 1 or more.
    """
    live = mdp.allowed & ~mdp.terminal[:, None]
    chance = np.where(live[:, :, None], mdp.probabilities, 0.0)
    ending = soft_value(reward, mdp.allowed)
    v = [np.where(mdp.terminal, ending, 0.0)]
    qs, leads = [], []
    for _ in range(longest):
        ahead = np.where(chance > 0, v[-1][mdp.successors], -np.inf)
        top = np.where(live, ahead.max(2), 0.0)
        mass = chance * np.exp(ahead - top[:, :, None])
        sums = np.where(live, mass.sum(2), 1.0)
        qs.append(reward + np.where(live, top + np.log(sums), 0.0))
        leads.append(mass / sums[:, :, None])
        v.append(soft_value(qs[-1], mdp.allowed))
    q, values = np.stack(qs), np.stack(v)
    policy = np.exp(np.stack([only(part, mdp.allowed) for part in q]) - values[1:, :, None])
    return PathSums(values, q, policy, np.stack(leads))


def path_likelihood(
    mdp: MDP, reward: Float[np.ndarray, "S A"], pieces: Pieces
) -> tuple[float, Float[np.ndarray, "S A"]]:
    """Weighted log-likelihood of choices and outcomes, and its gradient in the reward.

    A decision with k to go contributes log pi_k(a | s) + log of how much more probable its outcome
    is than in the world, r(s, a) + V_k-1(s') - V_k(s); over a path these add up to what it earns
    minus log Z of its first state. The gradient is observed minus expected visits, the latter
    flowing forward from where paths begin (Algorithm 1's forward pass, in the distribution over
    paths).

    Returns:
        Nats, up to what does not depend on the reward; and `[S, A]`.
    """
    longest = pieces.longest
    sums = path_sums(mdp, reward, longest)
    here = (pieces.to_go, pieces.states)
    known = pieces.next_states >= 0
    there = (pieces.to_go[known] - 1, pieces.next_states[known])
    observed = np.zeros(mdp.allowed.shape)
    np.add.at(observed, (pieces.states, pieces.actions), pieces.weights)
    value = float((observed * reward).sum() - pieces.weights @ sums.v[here])
    value += float(pieces.weights[known] @ sums.v[there])
    begin = np.zeros_like(sums.v)
    np.add.at(begin, here, pieces.weights)
    np.add.at(begin, there, -pieces.weights[known])
    expected, arriving = np.zeros_like(reward), np.zeros(mdp.num_states)
    ended = np.zeros(mdp.num_states)
    target = mdp.successors.ravel()
    for k in range(longest, 0, -1):
        visits = begin[k] + arriving
        ended += np.where(mdp.terminal, visits, 0.0)
        taken = np.where(mdp.terminal, 0.0, visits)[:, None] * sums.policy[k - 1]
        expected += taken
        flow = taken[:, :, None] * sums.leads[k - 1]
        arriving = np.bincount(target, flow.ravel(), minlength=mdp.num_states)
    ended += np.where(mdp.terminal, begin[0] + arriving, 0.0)
    return value, observed - expected - ended[:, None] * sums.policy[0]
