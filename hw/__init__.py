"""Amaranth components: how it is built."""
