"""The datasheet of generated Verilog."""
