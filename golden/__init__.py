"""NumPy golden model: what is computed, in integers. Imports nothing else of the project."""
