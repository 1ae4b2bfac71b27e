"""BCS behind its gateway: calls as values, one decision table, and what a template space holds."""
