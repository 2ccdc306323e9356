"""Behaviour of a fit with several intentions, on the very design of some data."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from jaxtyping import Float, Int
from scipy.special import softmax

from inverseq._core.errors import InputError
from inverseq.alignment import align
from inverseq.demonstrations import Demonstrations, Ending
from inverseq.forward.records import policy_for
from inverseq.forward.simulation import draw
from inverseq.forward.switching import with_intentions
from inverseq.intentions.contexts import PREVIOUS, STATE, find_contexts
from inverseq.intentions.solution import IntentionSolution
from inverseq.intentions.switching import DependentMarkov, Mixture
from inverseq.mdp import MDP

Switches = Callable[[np.ndarray, np.ndarray, np.ndarray, np.ndarray], np.ndarray]
"""From rows of the design, states, states before and intentions before, `[n]` each, to `[n, K]`
probabilities of intentions."""


def simulate_like(
    solution: IntentionSolution, demonstrations: Demonstrations, *, seed: int
) -> Demonstrations:
    """Behaviour drawn from a fit, with as many trajectories, as long, from the same beginnings.

    Each trajectory, and each piece of one between gaps, begins in the state in which the real one
    did and goes on for as many decisions, or until the world ends it. States, actions and
    intentions are drawn; columns on which the switching depends ("time", covariates) are those of
    the real row, as if behaviour had no influence on them. An action that is missing in the data
    is hidden here too, except where the world remembers actions.

    Args:
        solution: Of `fit` with `Intentions`, in a world.
        demonstrations: The design: N decisions in the world of the solution.
        seed: Which random choice.

    Returns:
        Demonstrations with the trajectory columns of the design and, from 0, the true intention of
        each decision in `decisions["intention"]`.

    Raises:
        InputError: The fit has no world or policies of another form than `[S, A]`, or the design
            does not fit it.
    """
    mdp, acts = _acting(solution)
    switch = _switches(solution, mdp, demonstrations)
    rng = np.random.default_rng(seed)
    leads = np.cumsum(mdp.probabilities, axis=2)
    begins = np.flatnonzero(~demonstrations.continues)
    lengths = np.diff(np.append(begins, demonstrations.num_decisions))
    chain = np.cumsum(solution.switching.begins(demonstrations)) - 1
    first = np.tile(np.cumsum(solution.numbers["initial"]), (int(chain[-1]) + 1, 1))
    intention = draw(first, rng)[chain[begins]]
    state = align(demonstrations, mdp)[begins]
    alive, before, made = np.arange(begins.size), state, []
    for step in range(int(lengths.max())):
        row = begins[alive] + step
        if step > 0:
            intention = draw(np.cumsum(switch(row, state, before, intention), axis=1), rng)
        action = draw(acts[intention, state], rng)
        reached = mdp.successors[state, action, draw(leads[state, action], rng)].astype(np.int64)
        ended = mdp.terminal[reached] | mdp.terminal[state]
        made.append(np.stack([row, state, action, reached, ended, intention]))
        kept = ~ended & (lengths[alive] > step + 1)
        alive, before = alive[kept], state[kept]
        state, intention = reached[kept], intention[kept]
        if not alive.size:
            break
    return _written(mdp, solution, demonstrations, np.concatenate(made, axis=1))


def _acting(solution: IntentionSolution) -> tuple[MDP, Float[np.ndarray, "K S A"]]:
    """The world, and running sums of the policies."""
    if solution.mdp is None:
        raise InputError("to simulate, a fit needs a world: fit(demonstrations, ..., mdp)")
    if not all(isinstance(part.policy, np.ndarray) for part in solution.intentions):
        raise InputError(
            f"the policies of {solution.intentions[0].solver} are no arrays [S, A]; behaviour is "
            "simulated from fits by IAVI(), MaxEnt() and the like"
        )
    followed = [np.cumsum(policy_for(solution.mdp, s.policy), axis=1) for s in solution.intentions]
    return solution.mdp, np.stack(followed)


def _switches(solution: IntentionSolution, mdp: MDP, design: Demonstrations) -> Switches:
    """How intentions change along the rows of the design."""
    law, numbers = solution.switching, solution.numbers
    if not isinstance(law, DependentMarkov):
        never = np.eye(solution.num_intentions)
        table = never if isinstance(law, Mixture) else numbers["transition"]
        return lambda row, state, before, intention: table[intention]
    places = [name for name in law.on if name.removeprefix(PREVIOUS) == STATE]
    columns = tuple(name for name in law.on if name not in places)
    base = np.arange(mdp.num_states) if mdp.history is None else mdp.history.base
    size = mdp.num_states if mdp.history is None else mdp.history.num_base_states
    # The weights of states come first, as in `find_contexts`.
    ends = np.cumsum([size] * len(places))
    *of_states, of_columns = np.split(numbers["weights"], ends, axis=1)
    inputs = np.zeros((design.num_decisions, 0))
    if columns:
        contexts = find_contexts(design, mdp, columns, solution.constants)
        inputs = contexts.inputs.toarray()[contexts.context]

    def switch(
        row: np.ndarray, state: np.ndarray, before: np.ndarray, intention: np.ndarray
    ) -> np.ndarray:
        scores = numbers["bias"][intention]
        for name, weights in zip(places, of_states, strict=True):
            scores = scores + weights[intention, base[state if name == STATE else before]]
        scores = scores + np.einsum("nd,ndk->nk", inputs[row], of_columns[intention])
        return softmax(scores, axis=1)

    return switch


def _written(
    mdp: MDP, solution: IntentionSolution, design: Demonstrations, made: Int[np.ndarray, "6 N"]
) -> Demonstrations:
    """The drawn rows (row of the design, state, action, next state, ended, intention)."""
    row, state, action, reached, ended, intention = made[:, np.argsort(made[0])]
    trajectory = design.trajectory_of[row]
    last = np.append(trajectory[1:] != trajectory[:-1], True)
    starts = np.append(0, np.flatnonzero(last) + 1)
    step = np.arange(row.size) - starts[trajectory]
    follows = np.append(~last[:-1] & design.continues[row[1:]] & (np.diff(row) == 1), False)
    ending = np.where(follows, int(Ending.CONTINUES), int(Ending.GAP))
    ending[last] = np.where(ended[last], int(Ending.TERMINATED), int(Ending.TRUNCATED))
    if mdp.history is None or mdp.history.of == "states":
        action = np.where(design.actions[row] >= 0, action, -1)
    drawn = with_intentions(
        mdp, [np.stack([trajectory, step, state, action, reached, ending, intention])]
    )
    law = solution.switching
    wanted = law.on if isinstance(law, DependentMarkov) else ()
    columns = {name.removeprefix(PREVIOUS) for name in wanted} & set(design.decisions)
    return replace(
        drawn,
        time=drawn.time if design.time is None else design.time[row],
        decisions={name: design.decisions[name][row] for name in sorted(columns)}
        | dict(drawn.decisions),
        trajectories=design.trajectories,
    )
