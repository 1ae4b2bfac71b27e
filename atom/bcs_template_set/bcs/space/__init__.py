"""What a template space holds, as values, and reading it."""
