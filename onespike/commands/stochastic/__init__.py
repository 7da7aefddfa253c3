"""`onespike stochastic`: what can be learnt about stochastic attention besides running it."""
