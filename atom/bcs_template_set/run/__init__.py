"""One run, phase by phase, and every way out of it."""
