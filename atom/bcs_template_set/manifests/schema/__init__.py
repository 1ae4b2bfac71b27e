"""Which fields and apiVersions each Kubernetes takes: compact data, and the walk that compares with it."""
