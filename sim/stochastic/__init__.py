"""Stochastic spiking attention: cycle model, engines, studies and evaluation of trained networks."""
