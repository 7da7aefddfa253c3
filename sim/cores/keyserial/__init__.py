"""The key-serial attention core."""
