"""`onespike dev`: commands of those who develop Onespike."""
