"""Behaviour and what was recorded beside it: alignment, NeuRL, relations and their nulls."""
