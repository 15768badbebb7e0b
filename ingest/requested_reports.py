"""Reports that people upload: taken as if they had been printed into the folder of their site."""

from __future__ import annotations

import hashlib
from datetime import datetime

from ingest.dry_read import kind_of
from ingest.intake import flaw_of
from ingest.requested_work import Booking, Outcome, Upload, content_of
from records.finding import sentence
from records.printed_file import PrintedFile
from store import reports
from store.archive import ArchivedDocument
from store.database import Database, Session
from store.reports import ReportState, StoredReport
from store.work_requests import WorkRequest

UPLOADS = "upload"
"""Last part of the name of the source that uploads come from; a folder's is its path."""


def source_of(site: str) -> str:
    """What the store calls the uploads of a site."""
    return f"{site}:{UPLOADS}"


class UploadedReports:
    """Takes uploaded files."""

    def __init__(self, database: Database, *, max_bytes: int) -> None:
        self._database = database
        self._max_bytes = max_bytes

    def take(self, request: WorkRequest, now: datetime) -> Outcome | Booking:
        """Keep the file as a report of its site, or set it aside with a reason; the same bytes are a duplicate."""
        content = content_of(self._database, request)
        assert request.document is not None, "content_of has refused a request without"
        assert request.site is not None, "every upload is asked for with its site"
        document_id, wrapped_key = request.document
        archived = ArchivedDocument(document_id=document_id, wrapped_key=wrapped_key, size=len(content))
        name = request.file_name or "report.pdf"
        printed = PrintedFile(
            path=f"{UPLOADS}/{request.request_id}/{name}",
            sha256=hashlib.sha256(content).hexdigest(),
            size_bytes=len(content),
            seen_at=request.asked_at,
            site=request.site,
        )
        # Nobody is still writing it, so what is not whole now never will be.
        flaw = "file-too-large" if len(content) > self._max_bytes else flaw_of(content, kind_of(name))

        def book(session: Session) -> Outcome:
            return _outcome(_booked(session, printed, name, archived, flaw, now=now))

        return book


def _booked(
    session: Session, printed: PrintedFile, name: str, archived: ArchivedDocument, flaw: str | None, *, now: datetime
) -> StoredReport:
    source = source_of(printed.site)
    if flaw is None:
        return reports.take(session, printed, source=source, file_name=name, archived=archived)
    return reports.quarantine_file(
        session, printed, source=source, file_name=name, reason=flaw, now=now, archived=archived
    )


def _outcome(report: StoredReport) -> Outcome:
    found = {"report": str(report.report_id)}
    if report.state is ReportState.DUPLICATE:
        said = f"The same file was taken before, as report {report.duplicate_of}; nothing is read twice."
        return Outcome(sentence=said, found=found, upload=Upload.GIVEN)
    if report.state is ReportState.QUARANTINED:
        said = f"It is in quarantine: {sentence(report.reasons[0])}"
        return Outcome(sentence=said, went_well=False, found=found, upload=Upload.GIVEN)
    return Outcome(sentence=f"Taken as report {report.report_id}.", found=found, upload=Upload.GIVEN)
