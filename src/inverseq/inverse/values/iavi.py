"""Inverse action-value iteration (Kalweit, Huegle, Werling and Boedecker 2020), solved exactly.

The paper's Equations 3 to 7 ask, in every state, for the reward of the smallest norm under which
the action values Q have the observed log-ratios, log pi(a | s) - log pi(b | s) = Q(s, a) - Q(s, b).
Its solution is r(s, a) = eta(s, a) - mean_b eta(s, b) with eta = log pi - gamma E[V(next state)]: a
reward of zero mean over actions. Hence Q(s, a) = log pi(a | s) + c(s), and V = max Q obeys a linear
system,

    (I - gamma P_uniform) V = max_a log pi(a | .) - mean_a log pi(a | .),

with P_uniform the transitions when every action is equally likely. The matrix does not depend on
the behaviour: one factorisation serves every animal, fold and bootstrap replicate. With the soft
backup V = log sum exp Q the maximum becomes 0. Sweeps over the states, as in the paper, reach the
same point (`method="iterate"`).
"""

from dataclasses import asdict, dataclass, replace
from typing import Literal

import numpy as np
from jaxtyping import Float

from inverseq._core.errors import InputError, argument
from inverseq._core.iterate import fixed_point
from inverseq._core.status import Status
from inverseq.inverse.hierarchy.expansion import Explained
from inverseq.inverse.planning import HardOptimum, SoftOptimum
from inverseq.inverse.problem import Problem, Refitted
from inverseq.inverse.solution import Solution
from inverseq.inverse.values.logits import LogitExpansion
from inverseq.mdp import MDP
from inverseq.mdp.backup import hard_value, over_pairs, soft_value
from inverseq.policies import TabularPolicy
from inverseq.rewards import StateActionReward
from inverseq.rewards.gauges import Gauge, GaugeName, gauge_values, over_states, per_state

Backup = Literal["hard", "soft"]

_ROUNDING = 64 * float(np.finfo(np.float64).eps)


@dataclass(frozen=True, eq=False)
class InverseValues:
    """A reward that explains a policy, and its values; 0 at actions that do not exist.

    Attributes:
        reward: `[S, A, *R]` in nats (units of the temperature of a Boltzmann policy).
        q: `[S, A, *R]` action values, reward + discount * E[v(next state)]; their Boltzmann policy
            is the policy.
        v: `[S, *R]` state values: the maximum of q, or its log sum exp.
        status: How it went; the residual bounds the error of v (see `gauge_values`).
        trace: `[sweeps]` largest change at each sweep; empty for the exact solution.
        misfit: `[*R]` root mean square of what is left of the reward's dependence on the action, in
            nats; 0 says that a reward of states alone explains the behaviour. For the gauge
            "state-only", else None.
    """

    reward: Float[np.ndarray, "S A *R"]
    q: Float[np.ndarray, "S A *R"]
    v: Float[np.ndarray, "S *R"]
    status: Status
    trace: Float[np.ndarray, " sweeps"]
    misfit: Float[np.ndarray, "*R"] | None = None


def inverse_action_values(
    policy: Float[np.ndarray, "S A *R"],
    mdp: MDP,
    *,
    backup: Backup = "hard",
    method: Literal["solve", "iterate"] = "solve",
    gauge: Gauge | GaugeName = "zero-mean",
    terminal_value: float | tuple[float, ...] | Float[np.ndarray, " S"] = 0.0,
    tolerance: float = 1e-10,
    max_steps: int = 100_000,
) -> InverseValues:
    """The reward under which `policy` is the Boltzmann policy of its own action values.

    Args:
        policy: `[S, A]` probabilities, or `[S, A, R]` for R policies at the cost of little more
            than one. At terminal states a row of zeros stands for no behaviour.
        mdp: The world; its reward is not read.
        backup: "hard", V = max Q (the paper), or "soft", V = log sum exp Q.
        method: "solve" (exact) or "iterate" (the paper's sweeps, all states at once; for the gauges
            "zero-mean" and "anchor").
        gauge: Which of the equivalent rewards, by name, or a `Gauge` for "anchor".
        terminal_value: V at terminal states, one number or `[S]`. Nothing is done after them, so no
            behaviour can tell it: it is a boundary condition, in nats.
        tolerance: Largest error of v, in nats.
        max_steps: Sweeps at most.

    Returns:
        Reward, action values, state values, and how it went.

    Raises:
        InputError: A setting has no such value, or the policy is not one of this world, or gives an
            action that exists a probability of zero.
    """
    rule = gauge if isinstance(gauge, Gauge) else Gauge(gauge)
    for name, value, choices in (
        ("backup", backup, ("hard", "soft")),
        ("method", method, ("solve", "iterate")),
    ):
        if value not in choices:
            raise InputError(f"{name} must be {' or '.join(choices)}; got {value!r}")
    log_policy = _log_policy(policy, mdp)
    boundary = per_state(terminal_value, np.float64, "terminal_value", mdp)
    if backup == "hard":
        top = hard_value(log_policy, mdp.allowed)
    else:
        top = np.zeros_like(log_policy[:, 0])
    if method == "solve":
        v, status = gauge_values(mdp, log_policy, top, rule, boundary, tolerance)
        trace = np.zeros(0)
    else:
        v, status, trace = _sweeps(
            mdp, log_policy, backup, rule, boundary, tolerance=tolerance, max_steps=max_steps
        )
    q = log_policy + (v - top)[:, None]
    reward = q - mdp.discount * mdp.expected(v)
    if not mdp.allowed.all():
        exists = over_pairs(mdp.allowed, q)
        q, reward = np.where(exists, q, 0.0), np.where(exists, reward, 0.0)
    misfit = _misfit(reward, mdp) if rule.name == "state-only" else None
    return InverseValues(reward, q, v, status, trace, misfit)


@dataclass(frozen=True)
class IAVI:
    """Inverse action-value iteration: the reward behind the smoothed empirical policy.

    The Boltzmann policy of the result is exactly (n(s, a) + smoothing) / (n(s) + smoothing * k(s)),
    with counts n and the k(s) actions that exist: it predicts what a count table predicts, and adds
    a reward. States that were never visited are marked by `Solution.visits`.

    Attributes:
        smoothing: Decisions added to each action that exists (0.5: Krichevsky and Trofimov). It
            decides the reward wherever data are thin; 0 takes the shares as they are.
        backup: "hard" (the paper) or "soft".
        gauge: Which of the equivalent rewards; see `inverseq.rewards.gauges`.
        method: "solve" or "iterate".
        anchor: For the gauge "anchor": the action whose reward is known, one or one per state.
        anchor_reward: Its reward, in nats, one or one per state.
        terminal_value: V at terminal states, in nats, one or one per state.
        tolerance: Largest error of the values, in nats.
        max_steps: Sweeps at most.
    """

    smoothing: float = 0.5
    backup: Backup = "hard"
    gauge: GaugeName = "zero-mean"
    method: Literal["solve", "iterate"] = "solve"
    anchor: int | tuple[int, ...] | None = None
    anchor_reward: float | tuple[float, ...] = 0.0
    terminal_value: float | tuple[float, ...] = 0.0
    tolerance: float = 1e-10
    max_steps: int = 100_000

    @property
    def _planning(self) -> SoftOptimum | HardOptimum:
        """How the agent plans."""
        return SoftOptimum() if self.backup == "soft" else HardOptimum()

    @property
    def picks(self) -> Gauge:
        """Which of the equivalent rewards it reports."""
        return Gauge(self.gauge, self.anchor, self.anchor_reward)

    def solve(self, problem: Problem) -> Solution:
        """The reward behind the counts of `problem`; `fit` calls this.

        Raises:
            InputError: The decisions do not fit the world, or smoothing is 0 and some action that
                exists was never taken.
        """
        mdp, counts = problem.mdp, problem.counts
        policy = self.policy_of(counts.state_action, mdp)
        made = self.explain(policy, mdp)
        visited = counts.visits > 0
        free = int((mdp.allowed.sum(axis=1) - 1)[visited].sum())
        notes = {} if made.misfit is None else {"misfit": float(made.misfit)}
        return Solution(
            solver="IAVI",
            settings=asdict(self) | notes,
            policy=TabularPolicy(policy),
            status=made.status,
            mdp=mdp,
            reward_function=StateActionReward(made.reward),
            planning=self._planning,
            q=made.q,
            v=made.v,
            visits=counts.visits,
            num_parameters=free,
            trace=made.trace,
        )

    def policy_of(
        self, counts: Float[np.ndarray, "S A *R"], mdp: MDP
    ) -> Float[np.ndarray, "S A *R"]:
        """The policy of the solution for R counts at once, without looking for the rewards."""
        return smoothed_policy(counts, mdp, self.smoothing)

    def log_prior_of(
        self, policy: Float[np.ndarray, "S A *R"], mdp: MDP
    ) -> Float[np.ndarray, "*R"]:
        """Logarithm of the prior under which that policy is the most likely one, up to a constant:
        `smoothing` decisions of each kind were seen before.
        """
        exists = over_pairs(mdp.allowed, policy)
        if self.smoothing == 0:
            return np.zeros(policy.shape[2:])
        return self.smoothing * np.log(np.where(exists, policy, 1.0)).sum(axis=(0, 1))

    def refit(self, counts: Float[np.ndarray, "S A R"], estimate: Solution) -> Refitted:
        """The rewards for R counts: right-hand sides of one factorisation."""
        mdp = estimate.mdp
        assert mdp is not None  # it was fitted in one
        made = self.explain(self.policy_of(counts, mdp), mdp)
        return Refitted(made.reward, {}, np.full(counts.shape[2], made.status.ok))

    def counts_of(self, solution: Solution) -> Float[np.ndarray, "S A"]:
        """The decisions behind a solution, read back from its smoothed policy."""
        mdp, policy, visits = solution.mdp, solution.policy, solution.visits
        assert mdp is not None  # it was fitted in one
        assert visits is not None  # it says where
        assert isinstance(policy, TabularPolicy)  # it is a table
        total = visits + self.smoothing * mdp.allowed.sum(axis=1)
        counts = policy.table * total[:, None] - self.smoothing
        return np.where(mdp.allowed, np.maximum(counts, 0.0), 0.0)

    def bare(self) -> "IAVI":
        """The same without smoothing."""
        return replace(self, smoothing=0.0)

    def expand(self, problem: Problem) -> LogitExpansion:
        """The likelihood of behaviour as a quadratic in log-odds of actions, for `Hierarchical`.

        Raises:
            InputError: There are too many, or there is no world.
        """
        return LogitExpansion(problem.mdp, self._explained, self._planning)

    def _explained(self, policy: Float[np.ndarray, "S A"], mdp: MDP) -> Explained:
        """What a policy says."""
        made = self.explain(policy, mdp)
        return Explained(StateActionReward(made.reward), policy, made.q, made.v)

    def explain(self, policy: Float[np.ndarray, "S A *R"], mdp: MDP) -> InverseValues:
        """`inverse_action_values` of a policy that is already known, with these settings."""
        return inverse_action_values(
            policy,
            mdp,
            backup=self.backup,
            method=self.method,
            gauge=self.picks,
            terminal_value=self.terminal_value,
            tolerance=self.tolerance,
            max_steps=self.max_steps,
        )


def smoothed_policy(
    counts: Float[np.ndarray, "S A *R"], mdp: MDP, smoothing: float
) -> Float[np.ndarray, "S A *R"]:
    """(counts + smoothing) / their sum over the actions that exist.

    Args:
        counts: `[S, A, *R]` weight of the decisions.
        mdp: The world. Without smoothing, terminal states that were never visited get the uniform
            policy, which says nothing.
        smoothing: Decisions added to each action that exists.

    Raises:
        InputError: Smoothing is negative, or 0 with a state that was never visited.
    """
    if not (np.isfinite(smoothing) and smoothing >= 0):
        raise InputError(f"smoothing must be a number of decisions, 0 or more; got {smoothing}")
    exists = over_pairs(mdp.allowed, counts)
    weight = (counts + smoothing) * exists
    total = weight.sum(axis=1, keepdims=True)
    silent = over_states(mdp.terminal, counts) & (total == 0)
    if silent.any():
        weight = np.where(silent, exists, weight)
        total = weight.sum(axis=1, keepdims=True)
    if (total <= 0).any():
        s = int(np.argwhere(total <= 0)[0][0])
        raise InputError(
            f"state {s} was never visited, so that nothing is known of it without smoothing; use "
            "smoothing=0.5, say"
        )
    return weight / total


def _log_policy(policy: np.ndarray, mdp: MDP) -> np.ndarray:
    """Logarithm of a checked policy, 0 at actions that do not exist."""
    shape = (mdp.num_states, mdp.num_actions)
    if policy.shape[:2] != shape:
        raise InputError(f"policy must have shape [S, A] = {shape}; got {policy.shape}")
    exists = over_pairs(mdp.allowed, policy)
    total = policy.sum(axis=1)
    silent = over_states(mdp.terminal, total) & (total == 0)
    if silent.any():
        uniform = exists / exists.sum(axis=1, keepdims=True)
        policy, total = np.where(silent[:, None], uniform, policy), np.where(silent, 1.0, total)
    if not (np.abs(total - 1) <= 1e-6).all():
        s = int(np.argwhere(~(np.abs(total - 1) <= 1e-6))[0][0])
        raise InputError(f"policy must sum to 1 in every state; it sums to {total[s]} in state {s}")
    if (policy < 0).any() or (policy * ~exists).any():
        s, a = (int(i) for i in np.argwhere((policy < 0) | (~exists & (policy != 0)))[0][:2])
        raise InputError(
            f"policy[{s}, {a}] is {policy[s, a]}; probabilities are not negative, and 0 where the "
            "action does not exist"
        )
    positive = np.where(exists, policy, 1.0)
    if (positive == 0).any():
        s, a = (int(i) for i in np.argwhere(positive == 0)[0][:2])
        raise InputError(
            f"policy[{s}, {a}] is 0: an action never taken has no finite reward. Smooth the "
            f"policy: {argument('smoothing', 0.5)}, say; or mark the action as not allowed."
        )
    return np.log(positive)


def _sweeps(
    mdp: MDP,
    log_policy: np.ndarray,
    backup: str,
    gauge: Gauge,
    boundary: np.ndarray,
    *,
    tolerance: float,
    max_steps: int,
) -> tuple[np.ndarray, Status, np.ndarray]:
    """The paper's sweep, all states at once, until V is within `tolerance`.

    Each sweep computes eta = log pi - gamma E[V(next state)], the reward that differs from eta by
    one number per state and obeys the gauge, and from it Q and V.
    """
    if not gauge.is_statewise:
        raise InputError(
            f"method='iterate' knows the gauges zero-mean and anchor; use method='solve' for "
            f"{gauge.name}"
        )
    weights, value = gauge.weights(mdp), hard_value if backup == "hard" else soft_value
    target = over_states(gauge.target(mdp), log_policy[:, 0])
    ends = over_states(boundary, log_policy[:, 0])[mdp.terminal]

    def sweep(v: np.ndarray) -> np.ndarray:
        ahead = mdp.discount * mdp.expected(v)
        eta = log_policy - ahead
        shift = np.einsum("sa,sa...->s...", weights, eta) - target
        reward = eta - shift[:, None]
        following = value(reward + ahead, mdp.allowed)
        following[mdp.terminal] = ends
        return following

    # The error is at most gamma / (1 - gamma) times the last change.
    factor = mdp.discount / (1 - mdp.discount) if mdp.discount < 1 else 1.0
    size = float(np.abs(log_policy).max()) * max(factor, 1.0)
    goal = max(tolerance / max(factor, 1e-3), _ROUNDING * size)
    start = np.zeros_like(log_policy[:, 0])
    v, status, trace = fixed_point(sweep, start, tolerance=goal, max_steps=max_steps)
    return v, replace(status, residual=status.residual * factor), trace


def _misfit(reward: np.ndarray, mdp: MDP) -> np.ndarray:
    """Root mean square of what the reward's mean over a state's actions leaves."""
    exists = over_pairs(mdp.allowed, reward)
    mean = reward.sum(axis=1, keepdims=True) / exists.sum(axis=1, keepdims=True)
    rest = np.where(exists & ~over_states(mdp.terminal, reward), reward - mean, 0)
    pairs = int((mdp.allowed & ~mdp.terminal[:, None]).sum())
    return np.asarray(np.sqrt((rest**2).sum(axis=(0, 1)) / max(pairs, 1)))
