"""EM for intentions as one would first write it: trajectory by trajectory, decision by decision."""

import numpy as np
from scipy.special import logsumexp

from inverseq.demonstrations import Demonstrations
from inverseq.worlds import labyrinth

_SWEEPS = 100
"""Of soft value iteration, and of its gradient."""
_CLIMBS = 10
"""Steps up the gradient of the reward in one M-step."""


class Loop:
    """One EM iteration after another: forward, backward, counts, rewards."""

    def __init__(self, train: Demonstrations, k: int, *, planned: bool, by_state: bool) -> None:
        self.train, self.planned, self.by_state = train, planned, by_state
        self.mdp = labyrinth().mdp
        rng = np.random.default_rng(0)
        states, actions = self.mdp.num_states, self.mdp.num_actions
        self.rewards = rng.normal(0, 0.1, (k, states))
        self.policies = np.stack([self.plan(reward)[0] for reward in self.rewards])
        tables = states if by_state else 1
        stay = np.where(np.eye(k, dtype=bool), 0.95, 0.05 / (k - 1))
        self.switch = np.repeat(np.log(stay)[None], tables, axis=0)
        self.initial = np.full(k, -np.log(k))
        self.shape = (k, states, actions)

    def step(self) -> float:
        """One iteration; the log-likelihood before it."""
        k, states, actions = self.shape
        counts = np.zeros((k, states, actions))
        pairs = np.zeros_like(self.switch)
        first, total = np.zeros(k), 0.0
        logs = np.log(np.maximum(self.policies, 1e-300))
        for number in range(self.train.num_trajectories):
            rows = slice(self.train.starts[number], self.train.starts[number + 1])
            s, a = self.train.states[rows], self.train.actions[rows]
            likely = logs[:, s, a].T
            tables = self.switch[s] if self.by_state else np.repeat(self.switch, s.size, axis=0)
            forward, backward = np.zeros((s.size, k)), np.zeros((s.size, k))
            forward[0] = self.initial + likely[0]
            for t in range(1, s.size):
                forward[t] = logsumexp(forward[t - 1][:, None] + tables[t], axis=0) + likely[t]
            for t in range(s.size - 2, -1, -1):
                ahead = likely[t + 1] + backward[t + 1]
                backward[t] = logsumexp(tables[t + 1] + ahead, axis=1)
            evidence = logsumexp(forward[-1])
            total += evidence
            belief = np.exp(forward + backward - evidence)
            first += belief[0]
            for t in range(s.size):
                counts[:, s[t], a[t]] += belief[t]
                if t:
                    joint = forward[t - 1][:, None] + tables[t] + likely[t] + backward[t] - evidence
                    pairs[s[t] if self.by_state else 0] += np.exp(joint)
        self.initial = np.log(first / first.sum())
        self.switch = np.log((pairs + 1) / (pairs + 1).sum(axis=-1, keepdims=True))
        for i in range(k):
            self.policies[i] = self.explain(i, counts[i])
        return float(total)

    def explain(self, intention: int, counts: np.ndarray) -> np.ndarray:
        """The policy of one intention: shares, or those of a better reward on nodes."""
        if not self.planned:
            smoothed = np.where(self.mdp.allowed, counts + 0.5, 0.0)
            return smoothed / smoothed.sum(axis=1, keepdims=True)
        for _ in range(_CLIMBS):
            policy, following = self.plan(self.rewards[intention])
            excess = counts - counts.sum(axis=1, keepdims=True) * policy
            reached = np.zeros(self.mdp.num_states)
            for _ in range(_SWEEPS):  # what the values of later states owe to these decisions
                flow = excess + policy * reached[:, None]
                reached = self.mdp.discount * np.bincount(
                    following.ravel(), flow.ravel(), reached.size
                )
            slope = (excess + policy * reached[:, None]).sum(axis=1) - self.rewards[intention]
            self.rewards[intention] += 0.5 * slope / max(counts.sum(), 1.0)
        return self.plan(self.rewards[intention])[0]

    def plan(self, reward: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The soft policy of a reward per node, and where each action leads."""
        following = self.mdp.successors[:, :, 0]
        value = np.zeros(self.mdp.num_states)
        q = np.zeros(following.shape)
        for _ in range(_SWEEPS):
            q = reward[:, None] + self.mdp.discount * value[following]
            q = np.where(self.mdp.allowed, q, -np.inf)
            value = logsumexp(q, axis=1)
        return np.exp(q - value[:, None]), following
