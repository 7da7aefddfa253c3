"""`onespike energy`: two tables of prices that are never mixed."""
