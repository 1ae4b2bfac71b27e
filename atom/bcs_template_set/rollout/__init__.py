"""Deploy, watch, name the cause, restore, fetch pages."""
