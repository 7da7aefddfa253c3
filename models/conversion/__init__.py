"""Trained models in, spiking models out: readers, calibration, conversion, verdicts."""
