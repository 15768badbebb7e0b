"""A first template out of sample reports: what stands where, what it probably means, and how sure that is."""
