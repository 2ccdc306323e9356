"""What every layer may use: errors, array checks, status, files, the fixed-point loop."""
