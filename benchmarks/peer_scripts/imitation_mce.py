"""imitation: tabular maximum causal entropy with a finite horizon, written with PyTorch.

Two ways to ask for a discount. "argument" hands it over as the package's documentation says.
"ending" writes it into the world, as an end with probability 1 - discount after each step: the
same problem, without using the package's own discount.
"""

import math

import numpy as np
from common import Fit, Inputs, Refused, main

TAIL = 1e-4
"""What is left of a reward's weight at the horizon."""

FORBIDDEN = -40.0
"""Reward of the trap to which actions that do not exist lead."""

STEPS = 3000


def argument() -> Fit:
    return _fit(ending=False)


def ending() -> Fit:
    return _fit(ending=True)


def _fit(ending: bool) -> Fit:
    import torch
    from imitation.algorithms.mce_irl import MCEIRL
    from imitation.rewards.reward_nets import RewardNet
    from seals.base_envs import TabularModelPOMDP

    torch.set_num_threads(1)

    class StateReward(RewardNet):
        """One weight per feature of a state, and a fixed reward per state."""

        def __init__(self, env: TabularModelPOMDP, width: int) -> None:
            super().__init__(env.observation_space, env.action_space)
            self.weights = torch.nn.Parameter(torch.zeros(width))

        def forward(self, state, action, next_state, done):  # type: ignore[no-untyped-def]
            return state[:, :-1] @ self.weights + state[:, -1]

    def fit(inputs: Inputs) -> dict[str, object]:
        horizon = math.ceil(math.log(TAIL) / math.log(inputs.discount))
        transitions, observations = _world(inputs, ending)
        start, visits = _visits(inputs, horizon, len(transitions), ending)
        env = TabularModelPOMDP(
            transition_matrix=transitions,
            observation_matrix=observations.astype(np.float32),
            reward_matrix=np.zeros(len(transitions)),
            horizon=horizon,
            initial_state_dist=start,
        )
        net = StateReward(env, inputs.features.shape[1])
        solver = MCEIRL(
            visits,
            env,
            net,
            rng=np.random.default_rng(0),
            discount=1.0 if ending else inputs.discount,
            log_interval=None,
        )
        reached = solver.train(max_iter=STEPS)
        gap = float(np.abs(reached - visits)[: len(inputs.terminal)].max())
        weights = net.weights.detach().numpy().astype(np.float64)
        reward = inputs.features @ weights
        actions = inputs.allowed.shape[1]
        return {
            "reward": reward,
            "policy": solver.policy.pi[0, : len(inputs.terminal)],
            "ends": (reward + math.log(actions)) / (1 - inputs.discount),
            "note": f"largest gap of expected visits {gap:.2g}",
        }

    return fit


def _world(inputs: Inputs, ending: bool) -> tuple[np.ndarray, np.ndarray]:
    """Transitions and observations (features, fixed reward) with a trap and, if wanted, an end."""
    states, actions, _ = inputs.transitions.shape
    traps = 0 if inputs.allowed.all() else 1
    size = states + traps + (1 if ending else 0)
    made = np.zeros((size, actions, size))
    made[:states, :, :states] = inputs.transitions
    made[range(states, size), :, range(states, size)] = 1.0
    if traps:
        s, a = np.nonzero(~inputs.allowed)
        made[s, a] = 0.0
        made[s, a, states] = 1.0
    if ending:
        # The trap ends as well, or it would last longer than any other state.
        made[: size - 1] *= inputs.discount
        made[: size - 1, :, size - 1] += 1 - inputs.discount
    observations = np.zeros((size, inputs.features.shape[1] + 1))
    observations[:states, :-1] = inputs.features
    if traps:
        observations[states, -1] = FORBIDDEN
    return made, observations


def _visits(inputs: Inputs, horizon: int, size: int, ending: bool) -> tuple[np.ndarray, np.ndarray]:
    """First states, and mean discounted visits over the horizon.

    Every decision begins a stretch of `horizon` steps, or the weight of all but the first few
    decisions of a trajectory would vanish. A trajectory that ended stays where it ended; of others
    only stretches that were observed whole are used.
    """
    weights = inputs.discount ** np.arange(horizon + 1)
    start, visits, count = np.zeros(size), np.zeros(size), 0
    for part in inputs.trajectories():
        path = np.append(inputs.states[part], inputs.next_states[part][-1])
        first = len(path) - 1
        if inputs.terminal[path[-1]]:
            path = np.append(path, np.full(horizon, path[-1]))
        for t in range(min(first, len(path) - horizon)):
            start[path[t]] += 1
            visits += np.bincount(path[t : t + horizon + 1], weights, size)
            count += 1
    if count == 0:
        raise Refused(f"no trajectory lasts the {horizon} steps of the horizon")
    start, visits = start / count, visits / count
    if ending:
        visits[-1] = (1 - weights).sum()
    return start, visits


if __name__ == "__main__":
    main(
        {"argument": argument, "ending": ending},
        ("imitation", "seals", "stable-baselines3", "torch", "numpy"),
    )
