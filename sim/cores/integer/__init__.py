"""The integer attention core in Verilator, beside golden."""
