"""What `onespike convert` and `onespike.convert` do."""
