"""Cycle models: when it happens. Imports golden only, and shares nothing with the hardware."""
