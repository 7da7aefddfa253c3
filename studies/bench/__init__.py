"""Ratios that `make bench` prints, each measured side by side in one run."""
