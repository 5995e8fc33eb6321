"""Training of the networks, in torch."""
