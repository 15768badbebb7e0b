"""The history of the tables; each revision is written out and never changed after a release."""
