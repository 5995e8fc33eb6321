"""Drawn CTs with known truth."""
