"""Text -> Kubernetes documents: YAML, names, routes, kinds, Secrets, differences."""
