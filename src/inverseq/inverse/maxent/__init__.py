"""Maximum entropy: the reward under which what was done is most probable."""
