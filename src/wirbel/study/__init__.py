"""The whole method on one page, and its result."""
