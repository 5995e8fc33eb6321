"""Vertebrae found, segmented and named."""
