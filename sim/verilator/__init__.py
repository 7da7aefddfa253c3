"""What runs the generated RTL: payload packing, the Verilator build and its harness."""
