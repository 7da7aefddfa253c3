"""Whole inferences: accuracy of a network, its images through the RTL, a timeline."""
