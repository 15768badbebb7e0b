"""A file the EHR printed into a watched folder."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class PrintedFile:
    """One file as it was first seen, whole.

    Attributes:
        path: Where it lay, as text; for people only, never an identity.
        sha256: Hexadecimal SHA-256 of its bytes: the identity of the file.
        size_bytes: Its length.
        seen_at: When it was taken, in UTC.
        site: The clinic whose folder it lay in.
    """

    path: str
    sha256: str
    size_bytes: int
    seen_at: datetime
    site: str
