"""Whole networks: accuracy of a conversion, cycle model, timeline and the engine that runs the RTL."""
