"""Attention core: SpikedAttention (NeurIPS 2024) in token lanes."""
