"""A plain recursive logit, one destination after the other, dense: obviously right and slow."""

import numpy as np


def choices(mdp, values, goal):
    """Values z = exp(V) of each state and chances [S, A] of each move, on the way to one goal."""
    size = mdp.num_states
    led = mdp.transition_matrix.toarray().reshape(size, mdp.num_actions, size)
    lifted = np.zeros((size, size))
    for s in range(size):
        for a in range(mdp.num_actions):
            if led[s, a].any() and s != goal:
                lifted[s, led[s, a].argmax()] += np.exp(values[s, a])
    z = np.linalg.solve(np.eye(size) - lifted, np.eye(size)[goal])
    chance = np.zeros((size, mdp.num_actions))
    for s in range(size):
        for a in range(mdp.num_actions):
            if led[s, a].any() and s != goal and z[s] > 0:
                chance[s, a] = np.exp(values[s, a]) * z[led[s, a].argmax()] / z[s]
    return z, chance


def log_likelihood(mdp, values, states, actions, goals):
    """Of decisions on the way to the goal of each."""
    total = 0.0
    for goal in np.unique(goals):
        rows = goals == goal
        chance = choices(mdp, values, goal)[1]
        total += np.log(chance[states[rows], actions[rows]]).sum()
    return total
