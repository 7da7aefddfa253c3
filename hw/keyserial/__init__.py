"""Spiked attention with scores one after the other."""
