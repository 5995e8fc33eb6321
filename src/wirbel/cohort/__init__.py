"""Cohorts on disk."""
