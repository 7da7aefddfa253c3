"""What is consumed: one table of prices and one ledger; a paper's own prices for its own headline."""
