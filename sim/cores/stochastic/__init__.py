"""The stochastic engine in Verilator, beside golden."""
