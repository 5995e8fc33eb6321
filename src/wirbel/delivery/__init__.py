"""Results to a folder."""
