"""Settings and arguments: their limits, checks and defaults."""
