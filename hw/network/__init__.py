"""Accumulate-only neuron cores, spike memories and the units that run a whole network."""
