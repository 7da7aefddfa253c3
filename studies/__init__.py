"""What measures: one folder per command of `onespike`."""
