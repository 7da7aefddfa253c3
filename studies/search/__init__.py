"""Search of codes on real activations: error, score and energy against T and base, as figures."""
