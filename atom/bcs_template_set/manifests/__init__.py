"""Values and templates -> checked Kubernetes manifests. Reads only the files it is given."""
