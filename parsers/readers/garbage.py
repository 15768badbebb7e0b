"""How often Python looks for reference cycles while a document is read."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

# A page makes some 20,000 objects and hardly a cycle; Python's own threshold would walk all libraries loaded in the
# process once in a few pages, a fifth of the time that reading takes.
_NEW_OBJECTS = 100_000


@contextmanager
def seldom_collected() -> Iterator[None]:
    """Look for cycles once in a few pages instead of many times a page; the memory they hold stays bounded."""
    before = gc.get_threshold()
    if 0 < before[0] < _NEW_OBJECTS:  # 0 means never
        gc.set_threshold(_NEW_OBJECTS, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)
