"""Data sets and random inputs, as arrays."""
