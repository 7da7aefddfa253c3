"""The attention core in Verilator, beside golden."""
