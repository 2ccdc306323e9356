"""econirl: maximum causal entropy on a panel, and IQ-Learn with one number per state and action."""

import numpy as np
from common import Fit, Inputs, main

FORBIDDEN = -30.0
"""Where the reward (or the value) of actions that do not exist begins."""


def mce() -> Fit:
    import jax.numpy as jnp
    from econirl.estimation.mce_irl import MCEIRLConfig, MCEIRLEstimator
    from econirl.preferences.action_reward import ActionDependentReward

    def fit(inputs: Inputs) -> dict[str, object]:
        panel, problem, transitions = _panel(inputs)
        actions = inputs.allowed.shape[1]
        features = np.repeat(inputs.features[:, None], actions, axis=1)
        first = np.zeros(features.shape[2])
        if not inputs.allowed.all():
            # No mask for worlds given by probabilities: one more weight for what does not exist.
            features = np.concatenate([features, ~inputs.allowed[:, :, None]], axis=2)
            first = np.append(first, FORBIDDEN)
        names = [f"w{i}" for i in range(features.shape[2])]
        reward = ActionDependentReward(jnp.asarray(features, dtype=float), names)
        estimator = MCEIRLEstimator(MCEIRLConfig(compute_se=False))
        # Terminal states stay where they are and have a reward like any other. The package could
        # pin their value to 0, but the gradient it then climbs does not know of that.
        found = estimator.estimate(
            panel, reward, problem, transitions, initial_params=jnp.asarray(first)
        )
        weights = np.asarray(found.parameters, dtype=float)
        return {
            "reward": inputs.features @ weights[: inputs.features.shape[1]],
            "policy": np.asarray(found.policy, dtype=float),
            "ends": np.asarray(found.value_function, dtype=float),
            "note": f"{found.convergence_message}, {found.num_iterations} iterations",
        }

    return fit


def iq_learn() -> Fit:
    import jax.numpy as jnp
    from econirl.estimation.iq_learn import IQLearnConfig, IQLearnEstimator
    from econirl.preferences.reward import LinearReward

    def fit(inputs: Inputs) -> dict[str, object]:
        panel, problem, transitions = _panel(inputs)
        names = [f"w{i}" for i in range(inputs.features.shape[1])]
        utility = LinearReward(jnp.asarray(inputs.features), names, inputs.allowed.shape[1])
        estimator = IQLearnEstimator(IQLearnConfig())
        first = np.where(inputs.allowed, 0.0, FORBIDDEN).ravel()
        found = estimator.estimate(panel, utility, problem, transitions, initial_params=first)
        return {
            "reward": np.asarray(found.metadata["reward_table"], dtype=float),
            "policy": np.asarray(found.policy, dtype=float),
            "ends": np.asarray(found.value_function, dtype=float),
            "note": f"{found.convergence_message}, {found.num_iterations} iterations",
        }

    return fit


def _panel(inputs: Inputs) -> tuple[object, object, object]:
    """The decisions, the problem and the transitions `[A, S, S]` in the package's own records."""
    import jax.numpy as jnp
    from econirl.core.types import DDCProblem, Panel

    number = np.repeat(np.arange(len(inputs.starts) - 1), np.diff(inputs.starts))
    panel = Panel.from_numpy(inputs.states, inputs.actions, inputs.next_states, number)
    states, actions = inputs.allowed.shape
    problem = DDCProblem(states, actions, discount_factor=inputs.discount, scale_parameter=1.0)
    return panel, problem, jnp.asarray(np.swapaxes(inputs.transitions, 0, 1))


if __name__ == "__main__":
    main({"mce": mce, "iq_learn": iq_learn}, ("econirl", "jax", "numpy"))
