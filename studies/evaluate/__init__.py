"""Scores of converted models over data sets: floats, attention in spikes, every dense input in spikes."""
