"""Deploy versions, wait for what they start, and tell what came of it."""
