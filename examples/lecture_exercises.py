# %% [markdown]
"""
# Value iteration and Q-learning on the 4x3 world

Seven exercises after the Freiburg lecture (Boedecker and Zhu 2023), on the world of Russell and
Norvig. Each blank is one expression: replace the three dots. The cell below each exercise checks
it and says what is wrong. Open `lecture_exercises.ipynb` in Jupyter, or the Python file of that
name in an editor that knows `# %%` cells, or run it:

    python examples/lecture_exercises.py

It stops at the first exercise that is not finished. In `lecture_solutions.py` all are.
"""

# %%
import numpy as np
from lecture_checks import check

from inverseq.worlds import four_by_three

mdp = four_by_three(step_reward=-0.04).mdp

# %% [markdown]
# The world is five arrays. Action `a` in state `s` leads to `successors[s, a, b]` with probability
# `chances[s, a, b]` and pays `rewards[s, a]`; `ends[s]` says whether the game is over in `s`.
#
#     states:   0  1  2  3      exits: 3 pays +1, 6 pays -1; the wall has no number
#               4     5  6
#               7  8  9 10      the agent starts in 7
#
# Actions: 0 up, 1 right, 2 down, 3 left. A move goes to either side with probability 0.1 each.

# %%
successors = np.asarray(mdp.successors)
chances = np.asarray(mdp.probabilities)
rewards = np.asarray(mdp.reward)
ends = np.asarray(mdp.terminal)
discount = mdp.discount  # 1

# %% [markdown]
# ## Exercise 1: what an action is worth
#
# Q(s, a) = r(s, a) + discount * sum over b of chances[s, a, b] * V(successors[s, a, b]),
# and r(s, a) alone where the game is over. Hint: `values[successors]` has the shape of `chances`.


# %%
def action_values(values):
    """Q `[11, 4]` of every action, if the states that follow are worth `values` `[11]`."""
    ahead = ...
    return np.where(ends[:, None], rewards, rewards + discount * ahead)


# %%
check("action_values", action_values)

# %% [markdown]
# ## Exercise 2: the Bellman optimality equation
#
# A state is worth what its best action is worth.


# %%
def backup(values):
    """Better values `[11]` than `values` `[11]`."""
    return ...


# %%
check("backup", backup)

# %% [markdown]
# ## Exercise 3: value iteration
#
# Repeat the backup until no value changes by more than the tolerance.


# %%
def value_iteration(tolerance=1e-10):
    """The optimal values `[11]`."""
    values = np.zeros(11)
    while True:
        better = ...
        change = ...
        values = better
        if change <= tolerance:
            return values


# %%
check("value_iteration", value_iteration)

# %% [markdown]
# ## Exercise 4: the policy that goes with it
#
# The best action of each state. Play with `step_reward` in the second cell: from which cost per
# step does the agent prefer the bad exit to walking on?


# %%
def best_actions(values):
    """The best action `[11]` of each state."""
    return ...


# %%
check("best_actions", best_actions)

# %% [markdown]
# ## Exercise 5: exploring
#
# From here on the agent does not know the world; it only sees what happens. With probability
# `exploration` it takes any action, else the best one it knows.


# %%
def choose(q, state, exploration, rng):
    """An action for `state`; `rng` is a NumPy generator."""
    if rng.random() < exploration:
        return ...
    return int(np.argmax(q[state]))


# %%
check("choose", choose)

# %% [markdown]
# ## Exercise 6: learning from one step
#
# Q(s, a) moves by a step towards r + discount * max Q(s', .), or towards r where the game is over.


# %%
def learn(q, state, action, reward, following, over, step):
    """Update `q` `[11, 4]` in place."""
    target = ...
    q[state, action] += step * (target - q[state, action])


# %%
check("learn", learn)

# %% [markdown]
# ## Exercise 7: Q-learning
#
# Play games from random states. A step that shrinks with the visits of a pair lets Q settle. The
# exits pay when the agent stands in them: there the game is over, whatever it does.


# %%
def q_learning(games, rng, exploration=0.3):
    """Q `[11, 4]` after so many games."""
    q, visits = np.zeros((11, 4)), np.zeros((11, 4))
    for _ in range(games):
        state = int(rng.integers(11))
        over = False
        while not over:
            action = ...
            over = bool(ends[state])
            following = int(rng.choice(successors[state, action], p=chances[state, action]))
            visits[state, action] += 1
            step = ...
            learn(q, state, action, rewards[state, action], following, over, step)
            state = following
    return q


# %%
check("q_learning", q_learning)

# %% [markdown]
# Done. How these curves look over many runs, and how the policy changes with the cost of a step, is
# in the figures of
#
#     inverseq study lecture
