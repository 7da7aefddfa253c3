"""Reports of `onespike attention`, and its stochastic scheme."""
