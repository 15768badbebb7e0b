"""Package data: the pages of the review application. "Template" always means a report template elsewhere."""
