"""Softmax attention in integers of a few bits: what multiply-accumulate hardware computes for the same heads.

The rival of the spiking cores. Source of the scheme: I-BERT (ICML 2021) and its kin: symmetric quantization,
integer products, the maximum subtracted, a table of exponentials, one division per output.
"""
