"""`onespike energy`: two accountings that are never mixed."""
