"""Energy of networks under two accountings that are never mixed: the paper's, and the hardware's."""
