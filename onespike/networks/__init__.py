"""The cores of whole networks that --network names, a file per scheme."""
