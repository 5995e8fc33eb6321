"""Statistics by which readers and software are compared: arrays in, small records out."""
