"""What several cores use."""
