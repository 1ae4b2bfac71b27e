"""A BK-CI step that publishes Kubernetes manifests as BCS template versions, as one user.

No work at import.
"""
