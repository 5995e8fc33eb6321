"""Training of the classifiers that tell osteoporotic from malignant vertebrae: torch, from crops to a bundle."""
