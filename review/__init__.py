"""Show what waits to a person, and take the decision."""
