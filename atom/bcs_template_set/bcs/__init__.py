"""The client: calls as values, what an answer means, the gateway."""
