"""Read a report: bytes in, assessments with findings out. Pure; PDF libraries live in `parsers.readers` only."""
