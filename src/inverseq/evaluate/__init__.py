"""How good, how sure and how settled a fit is."""
