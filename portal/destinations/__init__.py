"""Destination files that come with the program."""
