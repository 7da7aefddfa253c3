"""Figures of builds: cost, clock and what a core does per second."""
