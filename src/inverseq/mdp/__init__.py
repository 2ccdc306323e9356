"""What a world is: the finite Markov decision process and the ways to make one."""

from inverseq.mdp.history import History
from inverseq.mdp.parts import divided, looking_at, without_history
from inverseq.mdp.record import MDP, Worlds
from inverseq.mdp.union import as_one, unite

__all__ = [
    "MDP",
    "History",
    "Worlds",
    "as_one",
    "divided",
    "looking_at",
    "unite",
    "without_history",
]
