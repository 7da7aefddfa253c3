"""Stochastic spiking attention: plans, accuracy of the trained networks, the demonstration."""
