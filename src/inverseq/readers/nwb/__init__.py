"""NWB files: decisions and recordings in, fitted series back out. Needs the extra `nwb`."""
