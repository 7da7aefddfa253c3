"""A component as files for others: Verilog with a manifest, AXI4-Stream IP."""
