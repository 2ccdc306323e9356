"""Inverse Q-learning: what does an agent want, judging by what it does?

Here "IQL" means *inverse* Q-learning, never implicit Q-learning. Names are loaded when they are
first used, so that `import inverseq` costs next to nothing and sets nothing global.
"""

from importlib import import_module
from typing import Any

__version__ = "0.1.0"

_HOME = {
    "InputError": "_core.errors",
    "FitError": "_core.errors",
    "Outcome": "_core.status",
    "Status": "_core.status",
    "save": "_core.store",
    "load": "_core.store",
    "MDP": "mdp",
    "unite": "mdp",
    "Demonstrations": "demonstrations",
    "Ending": "demonstrations",
    "Finite": "demonstrations",
    "Box": "demonstrations",
    "concatenate": "demonstrations",
    "align": "decisions.alignment",
    "Counts": "decisions.counts",
    "count": "decisions.counts",
    "read_table": "readers",
    "read_games": "readers",
    "count_file": "decisions.files",
    "estimate_from_counts": "decisions.files",
    "diagnose": "doctor",
    "fit": "inverse.fit",
    "Solution": "inverse.solution",
    "Explanation": "inverse.explanation",
    "IAVI": "inverse.values.iavi",
    "inverse_action_values": "inverse.values.iavi",
    "Fading": "inverse.values.iql",
    "Constraint": "inverse.values.ciql",
    "IQL": "inverse.values.iql",
    "CIQL": "inverse.values.ciql",
    "MaxEnt": "inverse.maxent.causal",
    "MaxEntIRL": "inverse.maxent.paths",
    "DeepMaxEnt": "inverse.maxent.deep",
    "IQLearn": "inverse.deep.iq_learn",
    "BehaviourCloning": "inverse.deep.cloning",
    "Lessons": "training.lessons",
    "NetworkPolicy": "policies.network",
    "transition_rewards": "inverse.explanation",
    "train_iq_learn": "inverse.deep.iq_online",
    "TrainedIQLearn": "inverse.deep.iq_online",
    "CountTable": "inverse.tables.count_table",
    "BackoffTable": "policies.backoff",
    "ColumnTable": "inverse.tables.column_table",
    "ColumnPolicy": "policies.columns",
    "ColumnLogit": "inverse.tables.column_logit",
    "LogitPolicy": "policies.logit",
    "Steered": "inverse.tables.steered",
    "SteeredPolicy": "policies.steered",
    "Intentions": "intentions.solver",
    "IntentionSolution": "intentions.solution",
    "Mixture": "intentions.switching",
    "Markov": "intentions.switching",
    "DependentMarkov": "intentions.switching",
    "action_probabilities": "inverse.explanation",
    "posterior": "intentions.predict",
    "Posterior": "intentions.predict",
    "sample_intentions": "intentions.predict",
    "renumber": "intentions.labels",
    "replan": "inverse.replan",
    "bootstrap": "evaluate.bootstrap",
    "interval": "evaluate.intervals",
    "identify": "evaluate.identifiability",
    "contrast": "evaluate.identifiability",
    "expected_value_difference": "evaluate.rewards",
    "squared_value_difference": "evaluate.rewards",
    "reward_correlation": "evaluate.rewards",
    "reward_error": "evaluate.rewards",
    "log_likelihood": "evaluate.likelihood",
    "Score": "evaluate.likelihood",
    "difference": "evaluate.likelihood",
    "compare": "evaluate.compare",
    "score_all": "evaluate.compare",
    "Candidate": "evaluate.compare",
    "Comparison": "evaluate.compare",
    "Estimate": "evaluate.compare",
    "choose_intentions": "evaluate.choose_intentions",
    "Choice": "evaluate.choice",
    "Alternative": "evaluate.choice",
    "dwell_times": "evaluate.dwell",
    "Dwell": "evaluate.dwell",
    "switching_intervals": "evaluate.transitions",
    "SwitchingIntervals": "evaluate.transitions",
    "simulate_like": "evaluate.simulated",
    "check_predictions": "evaluate.predictive_checks",
    "PredictiveChecks": "evaluate.predictive_checks",
    "recover_parameters": "evaluate.recovery",
    "Recovery": "evaluate.recovery",
    "recover_models": "evaluate.confusion",
    "Confusion": "evaluate.confusion",
    "circular_shift_null": "neural.nulls",
    "permutation_null": "neural.nulls",
    "compare_with_null": "neural.nulls",
    "NullComparison": "neural.nulls",
    "adjust_p_values": "neural.nulls",
    "analyse": "analysis.analyse",
    "Plan": "analysis.plan",
    "Findings": "analysis.findings",
    "report": "reporting.report",
    "posterior_table": "evaluate.posterior_table",
    "write_posterior": "evaluate.posterior_table",
}
"""Where each public name lives."""

_MODULES = (
    "policies",
    "rewards",
    "worlds",
    "datasets",
    "networks",
    "training",
    "forward",
    "play",
    "plot",
    "studies",
)
"""Public sub-packages, used as `inverseq.worlds.labyrinth()`."""

__all__ = ["__version__", *_HOME, *_MODULES]


def __getattr__(name: str) -> Any:
    if name in _HOME:
        value = getattr(import_module(f"inverseq.{_HOME[name]}"), name)
    elif name in _MODULES:
        value = import_module(f"inverseq.{name}")
    else:
        raise AttributeError(f"module 'inverseq' has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
