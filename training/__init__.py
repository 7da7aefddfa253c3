"""Training scripts; they need the extra `train` (torch), the shipped weights do not."""
