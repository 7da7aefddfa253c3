"""NumPy golden model: what is computed. Imports nothing else of the project."""
