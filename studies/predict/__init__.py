"""Cycles of whole networks by the cycle models."""
