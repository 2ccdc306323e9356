"""Which numbers settings take; here, so that the command line knows without loading an analysis."""

RANGES = {
    "seed": (lambda n: n >= 0, "0 or more"),
    "bootstrap": (lambda n: n >= 0, "0 (for none) or more"),
    "simulations": (lambda n: n == 0 or n >= 2, "0 (for none), or 2 or more"),
    "restarts": (lambda n: n >= 1, "1 or more"),
    "folds": (lambda n: n >= 2, "2 or more"),
    "history": (lambda n: n >= 1, "1 (no memory) or more"),
    "smoothing": (lambda n: 0 <= n < float("inf"), "a number from 0"),
    "test": (lambda n: 0 < n < 1, "a share between 0 and 1"),
    "discount": (lambda n: 0 <= n <= 1, "a number between 0 and 1"),
}
"""Setting -> whether a number will do, and what would."""
