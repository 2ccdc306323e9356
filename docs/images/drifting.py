"""The weights of a mouse over the trials of a session, for the page on rewards that drift."""

from dataclasses import replace
from pathlib import Path

import numpy as np

import inverseq as iq


def spouts() -> tuple[iq.Demonstrations, iq.MDP]:
    """Trials of mice with their number in the session, and a world of what moves a choice."""
    mice = iq.datasets.load("bandit")
    data, mdp = mice.demonstrations, mice.mdp
    features = np.zeros((mdp.num_states, 2, 3))
    features[:, 1, 0] = 1
    for state, name in enumerate(mdp.state_names):
        if name != "start":
            choice, water = name.split("|")
            features[state, int(choice), 1 if water == "1" else 2] = 1
    world = replace(mdp, features=features, discount=0.0)
    sessions = data.trajectories["session"]
    began = dict(zip(sessions[::2], data.starts[:-1:2], strict=True))
    first = np.array([began[session] for session in sessions])
    trial = np.arange(data.num_decisions) - first[data.trajectory_of]
    return replace(data, decisions={**data.decisions, "trial": trial}), world


data, world = spouts()
solver = iq.Drifting(iq.MaxEnt("features"), over="trial", of="session")
found = iq.fit(data.select(split="train"), solver, world)
session = "2024-02-01_18-06-43"
walk = iq.drift_of(found)[session]
shown = data.select(session=session, split="train")
column = {name: shown.decisions[name] for name in ("trial", "p_left", "reward")}
changes = column["trial"][1:][np.diff(column["p_left"]) != 0]
figure, (ax,) = iq.plot.canvas(6.5, 3.4)
iq.plot.walk(
    walk.times,
    walk.weights,
    walk.spread,
    names=("right", "again after water", "again after none"),
    events={"new block": changes, "water": column["trial"][column["reward"] > 0]},
    when="trial",
    ax=ax,
)
Path(__file__).with_suffix(".png").write_bytes(iq.plot.to_png(figure))
