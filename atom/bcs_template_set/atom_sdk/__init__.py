"""BK-CI's agent: what it hands to a step, and what the step hands back. `agent.open_agent` leads to it."""
