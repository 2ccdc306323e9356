"""inverseq itself, in a process of its own like the others."""

from typing import Any

import numpy as np
from common import Fit, Inputs, main


def iavi() -> Fit:
    from inverseq.inverse.values.iavi import IAVI

    return _fit(lambda inputs: IAVI(smoothing=inputs.smoothing))


def iql() -> Fit:
    from inverseq.inverse.values.iql import IQL

    return _fit(lambda _: IQL())


def iql_exact() -> Fit:
    from inverseq.inverse.values.iql import IQL

    return _fit(lambda _: IQL(method="exact"))


def maxent() -> Fit:
    from inverseq.inverse.maxent.causal import MaxEnt

    return _fit(lambda _: MaxEnt(strength=0.01))


def maxent_chosen() -> Fit:
    from inverseq.inverse.maxent.causal import MaxEnt

    return _fit(lambda _: MaxEnt())


def _fit(solver: Any) -> Fit:
    from inverseq.demonstrations import Demonstrations
    from inverseq.inverse.fit import fit as fit_solver
    from inverseq.mdp import MDP

    def fit(inputs: Inputs) -> dict[str, Any]:
        mdp = MDP.from_dense(
            inputs.transitions,
            discount=inputs.discount,
            initial=inputs.initial,
            terminal=inputs.terminal,
            allowed=inputs.allowed,
        )
        last = inputs.starts[1:] - 1
        terminated = np.zeros(len(inputs.states), bool)
        terminated[last] = inputs.terminal[inputs.next_states[last]]
        demonstrations = Demonstrations.from_arrays(
            inputs.states,
            inputs.actions,
            next_states=inputs.next_states,
            trajectory=np.repeat(np.arange(len(last)), np.diff(inputs.starts)),
            terminated=terminated,
        )
        found = fit_solver(demonstrations, solver(inputs), mdp, accept_failure=True)
        note = "" if found.status.ok else str(found.status.outcome)
        if found.solver == "MaxEnt":
            note = f"strength {found.settings['strength']:g}" + (note and f"; {note}")
        return {
            "reward": found.reward,
            "policy": np.asarray(found.policy),
            "ends": found.v,
            "note": note,
        }

    return fit


if __name__ == "__main__":
    methods = {
        "iavi": iavi,
        "iql": iql,
        "iql_exact": iql_exact,
        "maxent": maxent,
        "maxent_chosen": maxent_chosen,
    }
    main(methods, ("inverseq", "numpy", "scipy"))
