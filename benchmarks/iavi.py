"""IAVI: one linear solve against the paper's sweeps, state by state and vectorised."""

from typing import Any

import numpy as np

from benchmarks.grids import some_policy, windy_grid
from benchmarks.measure import cpu_seconds, cpu_seconds_fresh, row, seconds
from inverseq.inverse.values.iavi import inverse_action_values
from inverseq.mdp import MDP

TOLERANCE = 1e-8
DISCOUNT = 0.9


def run(small: bool = False) -> list[dict[str, Any]]:
    width = 8 if small else 32
    mdp = windy_grid(width, DISCOUNT)
    policy = some_policy(mdp)
    ours = cpu_seconds_fresh(
        lambda: windy_grid(width, DISCOUNT), lambda m: inverse_action_values(policy, m), 30
    )
    exact = inverse_action_values(policy, mdp)
    assert exact.status.residual <= TOLERANCE
    name = f"IAVI, {width} x {width} windy grid, 5 actions, discount {DISCOUNT:g}"
    rows = []
    for loop, what, tolerance, least in (
        (state_by_state, "least squares per state, change of r <= 1e-2", 1e-2, None),
        (state_by_state, "least squares per state, error <= 1e-8", TOLERANCE, 10_000),
        (vectorised, "all states at once, error <= 1e-8", TOLERANCE, 8),
        (values_alone, "our equation, iterated, error <= 1e-8", TOLERANCE, None),
    ):
        made: list[tuple[np.ndarray, int]] = []
        other = cpu_seconds(
            lambda loop=loop, tolerance=tolerance, made=made: made.append(
                loop(policy, mdp, tolerance)
            ),
            1 if loop is state_by_state else 5,
        )
        reward, sweeps = made[-1]
        # A change of r of 1e-2 leaves an error of up to 1e-2 * gamma / (1 - gamma) and twice that.
        assert np.abs(reward - exact.reward).max() <= 20 * tolerance
        ratio = other / ours
        rows.append(
            row(
                f"{name}, against sweeps: {what}",
                seconds(ours),
                other=f"{seconds(other)} ({sweeps} sweeps)",
                ratio=ratio,
                target="" if least is None else f">= {least:,}x",
                met=None if small or least is None else ratio >= least,
            )
        )
    return rows


def state_by_state(policy: np.ndarray, mdp: MDP, tolerance: float) -> tuple[np.ndarray, int]:
    """Equations 5 to 7 of Kalweit and others 2020, one least-squares problem per state.

    As there: states from last to first, new values used at once, until no reward changes by more
    than the tolerance (1e-2), or, for an error of `tolerance`, by (1 - gamma) times it.
    """
    states, actions = policy.shape
    transitions = mdp.transition_matrix.toarray().reshape(states, actions, states)
    reward, q = np.zeros((states, actions)), np.zeros((states, actions))
    stop = tolerance if tolerance >= 1e-2 else tolerance * (1 - mdp.discount)
    change, sweeps = np.inf, 0
    while change > stop:
        change, sweeps = 0.0, sweeps + 1
        for s in reversed(range(states)):
            ahead = np.empty(actions)
            for a in range(actions):
                ahead[a] = mdp.discount * np.sum(transitions[s, a] * np.max(q, axis=1))
            eta = np.log(policy[s]) - ahead
            matrix, right = np.eye(actions), np.empty(actions)
            for a in range(actions):
                rest = [b for b in range(actions) if b != a]
                matrix[a, rest] = -1 / (actions - 1)
                right[a] = eta[a] - eta[rest].sum() / (actions - 1)
            found = np.linalg.lstsq(matrix, right, rcond=None)[0]
            change = max(change, float(np.abs(found - reward[s]).max()))
            reward[s] = found
            q[s] = found + ahead
    return reward, sweeps


def vectorised(policy: np.ndarray, mdp: MDP, tolerance: float) -> tuple[np.ndarray, int]:
    """The same sweep for all states at once, with the smallest solution written down."""
    matrix = mdp.discount * mdp.transition_matrix
    log_policy = np.log(policy)
    reward, v = np.zeros(policy.shape), np.zeros(len(policy))
    change, sweeps = np.inf, 0
    while change > tolerance * (1 - mdp.discount):
        ahead = (matrix @ v).reshape(policy.shape)
        eta = log_policy - ahead
        reward = eta - eta.mean(axis=1, keepdims=True)
        following = (reward + ahead).max(axis=1)
        change, sweeps = np.abs(following - v).max(), sweeps + 1
        v = following
    return reward, sweeps


def values_alone(policy: np.ndarray, mdp: MDP, tolerance: float) -> tuple[np.ndarray, int]:
    """The fixed point of V = b + gamma P_uniform V: what is left when one knows it is linear."""
    states, actions = policy.shape
    log_policy = np.log(policy)
    mean = mdp.discount * mdp.under_policy(np.full(policy.shape, 1 / actions))
    b = log_policy.max(axis=1) - log_policy.mean(axis=1)
    v, change, sweeps = np.zeros(states), np.inf, 0
    while change > tolerance * (1 - mdp.discount):
        following = b + mean @ v
        change, sweeps = np.abs(following - v).max(), sweeps + 1
        v = following
    eta = log_policy - mdp.discount * mdp.expected(v)
    return eta - eta.mean(axis=1, keepdims=True), sweeps
