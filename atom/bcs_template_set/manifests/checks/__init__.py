"""What Kubernetes or BCS would refuse."""
