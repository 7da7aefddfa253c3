"""Training of the CIFAR-10 networks, float and spiking. Imports golden, studies.data and training."""
