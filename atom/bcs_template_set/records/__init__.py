"""Values with declared fields, and JSON as such values."""
