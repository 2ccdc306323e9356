"""Inverse Q-learning for behavioural data: what reward explains observed decisions."""

__version__ = "0.1.0"
