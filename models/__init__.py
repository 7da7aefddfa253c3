"""Trained floats become integers: float networks, their files, their conversion. Imports golden only."""
