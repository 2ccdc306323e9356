"""Behaviour and what was recorded beside it: alignment, NeuRL, relations and their nulls."""

from inverseq._core.lazy import loading

_HOME = {
    "Activity": "activity",
    "Window": "activity",
    "activity_at": "activity",
    "activity_of": "activity",
    "Waiting": "trials",
    "waiting": "trials",
    "Readout": "readout",
    "Inputs": "foretell",
    "NeuRL": "foretell",
    "Classifier": "foretell",
    "Hazard": "foretell",
    "Reading": "matching",
    "Match": "matching",
    "choose_reading": "matching",
    "match": "matching",
    "paired": "matching",
    "METHODS": "searching",
    "Found": "searching",
    "search": "searching",
    "silenced": "silencing",
    "effect_of_means": "silencing",
    "foretold_distribution": "silencing",
    "Embedding": "embedding",
    "embed": "embedding",
    "Regressors": "series",
    "regressors": "series",
    "Relations": "relating",
    "relate": "relating",
    "read_out": "relating",
}
"""Where each public name lives."""

__all__ = [*_HOME]

__getattr__, __dir__ = loading(__name__, _HOME)
