"""What was done, counted or regressed, and a wish on top of such a habit."""
