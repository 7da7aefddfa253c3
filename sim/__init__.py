"""Cycle model, and what runs the generated RTL."""
