"""What a code of few steps costs: scores of one model's networks of integers, code by code."""
