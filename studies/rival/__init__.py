"""Spikes against integers: the same heads on both kinds of core, accuracy beside cycles, cells and energy."""
