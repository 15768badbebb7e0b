"""Package data: the style sheet of the review pages."""
