"""Boards from the host's side: the driver of the link, and a board that is simulated pin by pin."""
