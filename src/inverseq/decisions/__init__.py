"""Where decisions stand in a world, and how often each was taken."""
