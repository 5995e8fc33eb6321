"""A vertebra's own frame, its heights and its density."""
