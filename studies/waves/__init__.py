"""Waveforms as a viewer shows them, read by what lies beside the Verilog, and drawn."""
