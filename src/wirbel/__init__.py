"""wirbel: vertebral fractures on CT, found, named, measured, graded and reported. Research use only."""

__version__ = "0.1.0"
