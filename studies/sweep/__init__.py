"""Grids of configurations: error, cycles, energy and area of each point, resumable."""
