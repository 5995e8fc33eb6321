"""What the measures say: Genant grade and shape, kyphosis, warnings."""
