"""Inverse action values: a reward whose optimal policy is the one observed."""
