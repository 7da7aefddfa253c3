"""The network core in Verilator, beside golden."""
