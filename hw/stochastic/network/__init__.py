"""Whole networks with stochastic attention: how they are built."""
