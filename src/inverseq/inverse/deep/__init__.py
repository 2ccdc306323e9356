"""Solvers that learn networks, or read them; those that need JAX are loaded when they are used."""

from inverseq._core.lazy import loading

_HOME = {
    "BehaviourCloning": "cloning",
    "DCIQL": "dciql",
    "DIQL": "diql",
    "SQIL": "sqil",
}

__all__ = [*_HOME]

__getattr__, __dir__ = loading(__name__, _HOME)
