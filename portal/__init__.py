"""Deliver confirmed records, and nothing else; the only place with outgoing HTTP."""
