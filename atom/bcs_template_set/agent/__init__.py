"""BK-CI's agent: files, build API, log, progress. `open_agent` leads to it."""
