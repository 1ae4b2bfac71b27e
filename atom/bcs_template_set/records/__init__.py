"""Classes of values that cost a start next to nothing, and JSON as such values."""
