"""The step under attack: faults at every request, kills at every moment, canaries for secrets."""
