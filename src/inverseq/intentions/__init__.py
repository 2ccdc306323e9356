"""Several intentions: which reward is pursued when, and how one gives way to another."""
