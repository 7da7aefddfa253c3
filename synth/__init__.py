"""Boards, synthesis, place and route, bitstreams: what it costs."""
