"""Matches that people play in the page, and the agents that play beside them."""
