"""Stochastic spiking attention (AICAS 2024, arXiv 2402.09109): what is computed, spike for spike."""
