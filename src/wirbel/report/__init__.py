"""Pages, figures, texts and tables of a result."""
