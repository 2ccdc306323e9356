"""Rewards that walk over trials or sessions."""
