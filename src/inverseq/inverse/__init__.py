"""From behaviour to reward: the verb `fit`, the solvers, and what can be done with a solution."""
