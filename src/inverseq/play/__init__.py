"""Playing: agents, the orchestrator that plays them in an environment, and what is recorded."""

from inverseq._core.lazy import loading
from inverseq.play.agents import Agent, HumanAgent, ShortestPathAgent
from inverseq.play.orchestrator import Orchestrator
from inverseq.play.recording import Recording

# These need JAX, which takes most of a second to load.
_HOME = {
    "DQNAgent": "learners",
    "IQLearnAgent": "learners",
    "QAgent": "fitted",
    "expert_games": "experts",
    "export_policy": "export",
    "play_side_by_side": "side_by_side",
}

__all__ = ["Agent", "HumanAgent", "Orchestrator", "Recording", "ShortestPathAgent", *_HOME]

__getattr__, __dir__ = loading(__name__, _HOME)
