"""Both attention schemes side by side."""
