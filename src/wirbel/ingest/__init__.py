"""Inputs as hospitals have them, to volumes."""
