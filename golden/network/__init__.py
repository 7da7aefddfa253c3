"""Whole spiking networks in integers: linear layers, norms and attention."""
