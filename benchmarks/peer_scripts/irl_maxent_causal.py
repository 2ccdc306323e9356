"""irl-maxent: maximum causal entropy by gradient ascent, its policy discounted."""

import numpy as np
from common import Fit, Inputs, Refused, main


def causal() -> Fit:
    from irl_maxent import maxent, optimizer, trajectory

    def fit(inputs: Inputs) -> dict[str, np.ndarray]:
        if not inputs.terminal.any():
            raise Refused(
                "needs terminal states: its expected visits are not discounted, so in a world "
                "without end they grow without bound and its loop never stops"
            )
        if not inputs.allowed[~inputs.terminal].all():
            raise Refused("knows no actions that do not exist")
        rows = zip(inputs.states, inputs.actions, inputs.next_states, strict=True)
        steps = [tuple(int(x) for x in row) for row in rows]
        demonstrations = [trajectory.Trajectory(steps[part]) for part in inputs.trajectories()]
        transitions = np.swapaxes(inputs.transitions, 1, 2)  # [from, to, action]
        ends = np.flatnonzero(inputs.terminal).tolist()
        # Its documentation steps in the exponent, which keeps every weight positive; rewards here
        # have both signs.
        reward = maxent.irl_causal(
            transitions,
            inputs.features,
            ends,
            demonstrations,
            optimizer.Sga(lr=optimizer.linear_decay(lr0=0.2)),
            optimizer.Constant(0.0),
            inputs.discount,
        )
        policy = maxent.local_causal_action_probabilities(
            transitions, ends, reward, inputs.discount
        )
        return {"reward": reward, "policy": policy, "ends": _ends(reward, inputs)}

    return fit


def _ends(reward: np.ndarray, inputs: Inputs) -> np.ndarray:
    """The package's value of a terminal state: stop for 0, or take an action and stay."""
    value = np.zeros_like(reward)
    for _ in range(10_000):
        stay = np.log(inputs.allowed.shape[1]) + reward + inputs.discount * value
        value = np.logaddexp(0.0, stay)
    return value


if __name__ == "__main__":
    main({"causal": causal}, ("irl-maxent", "numpy"))
