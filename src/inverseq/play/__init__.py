"""Playing: agents, the orchestrator that plays them in an environment, and what is recorded."""

from importlib import import_module
from typing import Any

from inverseq.play.agents import Agent, HumanAgent, ShortestPathAgent
from inverseq.play.orchestrator import Orchestrator
from inverseq.play.recording import Recording

__all__ = [
    "Agent",
    "DQNAgent",
    "HumanAgent",
    "IQLearnAgent",
    "Orchestrator",
    "QAgent",
    "Recording",
    "ShortestPathAgent",
    "expert_games",
]

# These need JAX, which takes most of a second to load.
_COMPILED = {
    "DQNAgent": "learners",
    "IQLearnAgent": "learners",
    "QAgent": "fitted",
    "expert_games": "experts",
}


def __getattr__(name: str) -> Any:
    if name in _COMPILED:
        return getattr(import_module(f"inverseq.play.{_COMPILED[name]}"), name)
    raise AttributeError(f"module 'inverseq.play' has no attribute {name!r}")
