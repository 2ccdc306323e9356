"""Objectworld: rewards from 1 to 2,048 trajectories."""

from inverseq.studies.objectworld.study import objectworld

__all__ = ["objectworld"]
