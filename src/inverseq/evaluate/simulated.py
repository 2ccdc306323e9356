"""Behaviour of a fit, on the very design of some data."""

from collections.abc import Callable
from dataclasses import replace
from typing import Literal

import numpy as np
from jaxtyping import Float, Int
from scipy.special import softmax

from inverseq._core.errors import InputError
from inverseq.decisions.alignment import align
from inverseq.demonstrations import Demonstrations, Ending
from inverseq.forward.records import policy_for
from inverseq.forward.simulation import draw, outcomes, written
from inverseq.intentions.chains import chains
from inverseq.intentions.contexts import PREVIOUS, STATE, find_contexts
from inverseq.intentions.solution import switching_of
from inverseq.intentions.switching import DependentMarkov, Mixture
from inverseq.inverse.explanation import Explanation, check_arguments
from inverseq.mdp import MDP

Switches = Callable[[np.ndarray, np.ndarray, np.ndarray, np.ndarray], np.ndarray]
"""From rows of the design, states, states before and intentions before, `[n]` each, to `[n, K]`
probabilities of intentions."""


def simulate_like(
    solution: Explanation,
    demonstrations: Demonstrations,
    *,
    seed: int,
    states: Literal["drawn", "observed"] = "drawn",
) -> Demonstrations:
    """Behaviour drawn from a fit, with as many trajectories, as long, from the same beginnings.

    Each trajectory, and each piece of one between gaps, begins in the state in which the real one
    did and goes on for as many decisions, or until the world ends it. States, actions and
    intentions are drawn; columns on which the switching depends ("time", covariates) are those of
    the real row, as if behaviour had no influence on them. An action that is missing in the data
    is hidden here too, except where the world remembers actions.

    With `states="observed"` every decision stays where it was really made, after what really came
    before, and only intentions and actions are drawn. That needs no world, so it serves
    observations, and habits whose contexts no world can make.

    Args:
        solution: What `fit` returned.
        demonstrations: The design: N decisions.
        seed: Which random choice.
        states: Whether states are drawn from the world or stay as observed.

    Returns:
        Demonstrations with the trajectory columns of the design and, from 0, the true intention of
        each decision in `decisions["intention"]`.

    Raises:
        InputError: States are to be drawn, but the fit has no world or its policies depend on more
            than the state; or the design does not fit it.
    """
    check_arguments(solution, demonstrations, "simulate_like")
    if states not in ("drawn", "observed"):
        raise InputError(f'states must be "drawn" or "observed"; got {states!r}')
    rng = np.random.default_rng(seed)
    if states == "observed":
        return _where_it_was(solution, demonstrations, rng)
    mdp, acts = _acting(solution)
    law, numbers, _ = switching_of(solution)
    switch = _switches(solution, mdp, demonstrations)
    lead = outcomes(mdp)
    begins = np.flatnonzero(~demonstrations.continues)
    lengths = np.diff(np.append(begins, demonstrations.num_decisions))
    chain = np.cumsum(law.begins(demonstrations)) - 1
    first = np.tile(np.cumsum(numbers["initial"]), (int(chain[-1]) + 1, 1))
    intention = draw(first, rng)[chain[begins]]
    state = align(demonstrations, mdp)[begins]
    alive, before, made = np.arange(begins.size), state, []
    for step in range(int(lengths.max())):
        row = begins[alive] + step
        if step > 0:
            intention = draw(np.cumsum(switch(row, state, before, intention), axis=1), rng)
        action = draw(acts[intention, state], rng)
        reached = lead(state, action, rng)
        ended = mdp.terminal[reached] | mdp.terminal[state]
        made.append(np.stack([row, state, action, reached, ended, intention]))
        kept = ~ended & (lengths[alive] > step + 1)
        alive, before = alive[kept], state[kept]
        state, intention = reached[kept], intention[kept]
        if not alive.size:
            break
    return _written(mdp, solution, demonstrations, np.concatenate(made, axis=1))


def can_draw_states(solution: Explanation) -> bool:
    """Whether behaviour can go its own way: there is a world, in which the state alone decides."""
    try:
        _acting(solution)
    except InputError:
        return False
    return True


def _where_it_was(
    solution: Explanation, design: Demonstrations, rng: np.random.Generator
) -> Demonstrations:
    """Intentions and actions drawn at the decisions of the design."""
    law, numbers, constants = switching_of(solution)
    chain = chains(law.begins(design))
    contexts = law.contexts(design, solution.mdp, constants or None)
    stacked = {name: value[None] for name, value in numbers.items()}
    changes = np.cumsum(np.exp(law.log_transition(stacked, contexts)[:, 0]), axis=2)
    intention = np.zeros(design.num_decisions, dtype=np.int64)
    first = np.tile(np.cumsum(numbers["initial"]), (chain.num_chains, 1))
    now = draw(first, rng)
    for step in range(chain.num_steps):
        row = chain.rows[chain.at(step)]
        if step > 0:
            now = draw(changes[contexts.context[row], now[: row.size]], rng)
        intention[row] = now
    each = np.stack([part.act(rng, design) for part in solution.intentions])
    drawn = each[intention, np.arange(design.num_decisions)]
    known = design.acted.reshape(-1, *[1] * (drawn.ndim - 1))
    return replace(
        design,
        actions=np.where(known, drawn, design.actions),
        decisions=dict(design.decisions) | {"intention": intention},
    )


def _acting(solution: Explanation) -> tuple[MDP, Float[np.ndarray, "K S A"]]:
    """The world, and running sums of the policies."""
    hint = 'or give states="observed" to draw the actions alone'
    if solution.mdp is None:
        raise InputError(
            f"to draw states a fit needs a world: fit(demonstrations, ..., mdp), {hint}"
        )
    try:
        tables = [part.policy.per_state(solution.mdp) for part in solution.intentions]
    except InputError as error:
        raise InputError(f"{error}; {hint}") from error
    return solution.mdp, np.stack(
        [np.cumsum(policy_for(solution.mdp, table), axis=1) for table in tables]
    )


def _switches(solution: Explanation, mdp: MDP, design: Demonstrations) -> Switches:
    """How intentions change along the rows of the design."""
    law, numbers, constants = switching_of(solution)
    if not isinstance(law, DependentMarkov):
        never = np.eye(len(solution.intentions))
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
        contexts = find_contexts(design, mdp, columns, constants)
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
    mdp: MDP, solution: Explanation, design: Demonstrations, made: Int[np.ndarray, "6 N"]
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
    drawn = written(mdp, [np.stack([trajectory, step, state, action, reached, ending, intention])])
    law = switching_of(solution)[0]
    wanted = law.on if isinstance(law, DependentMarkov) else ()
    columns = {name.removeprefix(PREVIOUS) for name in wanted} & set(design.decisions)
    return replace(
        drawn,
        time=drawn.time if design.time is None else design.time[row],
        decisions={name: design.decisions[name][row] for name in sorted(columns)}
        | dict(drawn.decisions),
        trajectories=design.trajectories,
    )
