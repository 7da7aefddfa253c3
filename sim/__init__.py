"""When it happens, and what runs the generated RTL."""
