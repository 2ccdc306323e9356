"""Mice in the labyrinth: tables and rewards side by side."""

from inverseq.studies.mice.study import mice

__all__ = ["mice"]
