"""Values and templates -> text."""
