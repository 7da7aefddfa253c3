"""What one model loses on its tasks with longer inputs, other codes, fewer bits of weights, and noise."""
