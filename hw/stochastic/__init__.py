"""Stochastic spiking attention (AICAS 2024, arXiv 2402.09109): how it is built."""
