"""Behaviour of a fit, on the very design of some data."""

from dataclasses import replace
from typing import Literal

import numpy as np
from jaxtyping import Float, Int

from inverseq._core.errors import InputError
from inverseq.decisions.alignment import align
from inverseq.demonstrations import Demonstrations, Ending
from inverseq.forward.records import policy_for
from inverseq.forward.simulation import draw, walk, written
from inverseq.intentions.chains import chains
from inverseq.intentions.contexts import PREVIOUS
from inverseq.intentions.law import transitions_in
from inverseq.intentions.solution import switching_of
from inverseq.inverse.explanation import Explanation, check_arguments
from inverseq.mdp import MDP


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
    law, numbers, constants = switching_of(solution)
    chances = law.chances(numbers, demonstrations, mdp, constants)
    begins = np.flatnonzero(~demonstrations.continues)
    lengths = np.diff(np.append(begins, demonstrations.num_decisions))
    chain = np.cumsum(law.begins(demonstrations)) - 1
    first = np.tile(np.cumsum(numbers["initial"]), (int(chain[-1]) + 1, 1))

    def intend(
        step: int,
        which: np.ndarray,
        state: np.ndarray,
        before: np.ndarray,
        intention: np.ndarray,
        _: np.ndarray,
    ) -> np.ndarray:
        if step == 0:
            return draw(first, rng)[chain[begins]]
        here = chances(begins[which] + step, state, before, intention)
        return draw(np.cumsum(here, axis=1), rng)

    rows = walk(mdp, acts, intend, rng, align(demonstrations, mdp)[begins], lengths)
    rows[0] = begins[rows[0]] + rows[1]
    return _written(mdp, solution, demonstrations, rows)


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
    changes = np.cumsum(transitions_in(law, numbers, contexts), axis=2)
    intention = np.zeros(design.num_decisions, dtype=np.int64)
    first = np.tile(np.cumsum(numbers["initial"]), (chain.num_chains, 1))
    now = draw(first, rng)
    for step in range(chain.num_steps):
        row = chain.rows[chain.at[step]]
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


def _written(
    mdp: MDP, solution: Explanation, design: Demonstrations, made: Int[np.ndarray, "7 N"]
) -> Demonstrations:
    """The drawn rows, as of `walk`, with the row of the design in place of the trajectory."""
    row, _, state, action, reached, ending, intention = made[:, np.argsort(made[0])]
    ended = ending == int(Ending.TERMINATED)
    trajectory = design.trajectory_of[row]
    last = np.append(trajectory[1:] != trajectory[:-1], True)
    starts = np.append(0, np.flatnonzero(last) + 1)
    step = np.arange(row.size) - starts[trajectory]
    follows = np.append(~last[:-1] & design.continues[row[1:]] & (np.diff(row) == 1), False)
    ending = np.where(follows, int(Ending.CONTINUES), int(Ending.GAP))
    ending[last] = np.where(ended[last], int(Ending.TERMINATED), int(Ending.TRUNCATED))
    if mdp.history is None or mdp.history.of == "states":
        action = np.where(design.actions[row] >= 0, action, -1)
    drawn = written(mdp, np.stack([trajectory, step, state, action, reached, ending, intention]))
    wanted = {name.removeprefix(PREVIOUS) for name in switching_of(solution)[0].on}
    columns = wanted & set(design.decisions)
    return replace(
        drawn,
        time=drawn.time if design.time is None else design.time[row],
        decisions={name: design.decisions[name][row] for name in sorted(columns)}
        | dict(drawn.decisions),
        trajectories=design.trajectories,
    )
