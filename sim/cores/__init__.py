"""What runs each core: beats of its streams, and the integers that come back."""
