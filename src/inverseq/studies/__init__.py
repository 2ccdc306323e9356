"""Published figures and tables, made again: one module each, with a function of the same name."""
