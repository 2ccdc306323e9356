"""What two worlds leave open that differ on the left only, for the page on identification."""

from pathlib import Path

import numpy as np

import inverseq as iq

board = iq.worlds.gridworld(12, 8).mdp
slippery = iq.worlds.gridworld(12, 8, slip=0.3).mdp
left = np.repeat(board.coordinates[:, 0] < 6, board.num_actions)[:, None]
rows = np.where(left, slippery.transitions.toarray(), board.transitions.toarray())
half = iq.MDP.from_dense(rows.reshape(96, 4, 96), discount=0.9)
found = iq.identify(board, also=[half]).shared
ax = iq.plot.grid_map(
    board.coordinates,
    found.openness.mean(1),
    limits=(0, 0.3),
    label="share of the reward that is open",
)
ax.figure.set_size_inches(5, 3)
ax.figure.savefig(Path(__file__).with_suffix(".png"), dpi=150, bbox_inches="tight")
