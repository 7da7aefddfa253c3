"""SpikedAttention (NeurIPS 2024): what is computed, from floats to a job of integers and to spikes."""
