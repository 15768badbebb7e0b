"""Digests of printed files that are not kept beside them, for destinations that ask."""

from __future__ import annotations

import hashlib
import threading
from base64 import b64encode
from typing import Final

from store import reports
from store.database import Database, Session

_REMEMBERED: Final = 64


class DocumentDigests:
    """SHA-1 of archived files. A report has many records, so that the latest few digests are remembered."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._lock = threading.Lock()
        self._known: dict[int, str | None] = {}

    def sha1(self, session: Session, report_id: int) -> str | None:
        """SHA-1 of a report's file in base64, as FHIR R4 has it in `Attachment.hash`; None once it is forgotten."""
        with self._lock:
            if report_id not in self._known:
                if len(self._known) >= _REMEMBERED:
                    del self._known[next(iter(self._known))]
                self._known[report_id] = self._digest(session, report_id)
            return self._known[report_id]

    def _digest(self, session: Session, report_id: int) -> str | None:
        document = reports.document_of(session, report_id)
        if document is None:
            return None
        return b64encode(hashlib.sha1(self._database.archive.get(*document), usedforsecurity=False).digest()).decode()
