"""Decisions as a table that every command reads."""

import numpy as np

from inverseq._core.arrays import names_or_numbers
from inverseq.demonstrations import Demonstrations, Ending


def decision_columns(placed: Demonstrations) -> dict[str, np.ndarray]:
    """The decisions, column by column; states by number, actions by name where they have one."""
    of = placed.trajectory_of
    called = names_or_numbers(placed.action_names, placed.num_actions)
    names = np.array([*called, ""])
    led = placed.next_states
    made = {name: values[of] for name, values in placed.trajectories.items()}
    made.setdefault("trajectory", of)
    made |= {} if placed.time is None else {"time": placed.time}
    made |= {"state": placed.states, "action": names[placed.actions], "next_state": led}
    made |= {"terminated": placed.terminated.astype(np.int64)}
    holes = placed.endings == Ending.GAP
    made |= {"gap_after": holes.astype(np.int64)} if holes.any() else {}
    return made | {n: v for n, v in placed.decisions.items() if n not in made}
