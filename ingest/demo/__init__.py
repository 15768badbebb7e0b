"""A day of synthetic reports of two sites, for `scorebridge demo`."""
