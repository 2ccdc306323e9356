"""Inverse soft Q-learning and imitation, by networks and by tables."""
