"""The small networks that come with the project: weights, and how they are read."""
