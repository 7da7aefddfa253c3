"""Transformers in NumPy whose attention and linear layers run in floats or in spikes."""
