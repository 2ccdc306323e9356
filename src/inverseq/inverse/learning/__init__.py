"""Animals that learn: what they want and what they know are fitted together."""
