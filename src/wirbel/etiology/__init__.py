"""Osteoporotic, malignant or uncertain: the place for a classifier."""
