"""What holds for all tests."""

from __future__ import annotations

from hypothesis import settings

# How long an example takes is the machine's affair, which other tests keep busy: times are measured in `bench/`.
settings.register_profile("scorebridge", deadline=None)
settings.load_profile("scorebridge")
