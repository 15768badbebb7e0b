"""A synthetic twin of a real report: the same print with invented people and scores."""
