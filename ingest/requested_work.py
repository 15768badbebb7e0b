"""What people asked for on the pages, done one after the other, with what became of each written into its row."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum
from typing import Final

import structlog

from ingest.logs import fault_place
from records.errors import ScorebridgeError
from store import work_requests
from store.database import Database, Session
from store.work_requests import WorkKind, WorkRequest

_log = structlog.get_logger()
_LOOK_SECONDS: Final = 5.0
# What was uploaded, shown and never imported is not kept for longer.
_UPLOADS_KEPT: Final = timedelta(hours=24)
_TIDY_EVERY: Final = timedelta(hours=1)


class Upload(Enum):
    """What becomes of the file that came with a request."""

    FORGET = "forget"
    KEEP = "keep"  # the next request needs it
    GIVEN = "given"  # another row owns it now


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of a request.

    Attributes:
        sentence: For people, without patient data.
        found: Figures and texts by name, without patient data.
    """

    sentence: str
    went_well: bool = True
    found: Mapping[str, str] = field(default_factory=dict)
    upload: Upload = Upload.FORGET


# Work that must happen exactly once is booked in the transaction that writes the outcome.
Booking = Callable[[Session], Outcome]
Work = Callable[[WorkRequest, datetime], Outcome | Booking]


class RequestedWork:
    """Does what waits. Several threads may run it: each request is claimed by one of them."""

    def __init__(
        self, database: Database, works: Mapping[WorkKind, Work], *, ended: Callable[[], None] = lambda: None
    ) -> None:
        """`ended` is called after each request, for whoever goes on with what it has left."""
        self._database = database
        self._works = works
        self._ended = ended
        self._tidied: datetime | None = None
        self._wake = threading.Event()

    def wake(self) -> None:
        """Look for requests now."""
        self._wake.set()

    def give_back(self) -> None:
        """What was under way when the service stopped waits again; at the start, before any thread runs."""
        with self._database.session() as session:
            work_requests.give_back_all(session)

    def run(self, stop: threading.Event, clock: Callable[[], datetime]) -> None:
        """Work until told to stop; whatever goes wrong is logged, and the next request is done."""
        while not stop.is_set():
            self._wake.clear()
            try:
                while not stop.is_set() and self.step(clock()):
                    pass
                self._tidy(clock())
            except Exception as error:  # noqa: BLE001 - the one loop of this worker: it never dies
                _log.error("work.stuck", error=type(error).__name__, place=fault_place(error))
            self._wake.wait(_LOOK_SECONDS)

    def step(self, now: datetime) -> bool:
        """Do the oldest request; False if none waits."""
        with self._database.reading() as session:
            if not work_requests.is_any_waiting(session):
                return False
        with self._database.session() as session:
            request = work_requests.claim_next(session, now=now)
        if request is None:
            return False
        done = self._done(request, now)
        with self._database.session() as session:
            outcome = done if isinstance(done, Outcome) else done(session)
            released = work_requests.finish(
                session,
                request.request_id,
                went_well=outcome.went_well,
                outcome=outcome.sentence,
                found=outcome.found,
                keeps_document=outcome.upload is Upload.KEEP,
                now=now,
            )
        if released is not None and outcome.upload is Upload.FORGET:
            self._database.archive.forget(released)
        self._ended()
        _log.info("work.ended", request=request.request_id, kind=request.kind.value, went_well=outcome.went_well)
        return True

    def _done(self, request: WorkRequest, now: datetime) -> Outcome | Booking:
        work = self._works.get(request.kind)
        if work is None:
            return Outcome(sentence="This service does not do that.", went_well=False)
        try:
            return work(request, now)
        except ScorebridgeError as error:
            return Outcome(sentence=error.message, went_well=False)
        except Exception as error:  # noqa: BLE001 - one request must never keep the others waiting
            _log.error("work.failed", kind=request.kind.value, error=type(error).__name__, place=fault_place(error))
            return Outcome(sentence="The program failed on this. The log names the place.", went_well=False)

    def _tidy(self, now: datetime) -> None:
        if self._tidied is not None and now - self._tidied < _TIDY_EVERY:
            return
        self._tidied = now
        with self._database.session() as session:
            late = work_requests.outdated(session, before=now - _UPLOADS_KEPT)
            released = [work_requests.let_go(session, request_id) for request_id in late]
        for document_id in released:
            if document_id is not None:
                self._database.archive.forget(document_id)


def content_of(database: Database, request: WorkRequest) -> bytes:
    """The file that came with a request.

    Raises:
        StoreError: It is gone or was altered.
    """
    if request.document is None:
        raise work_requests.without_file(request.request_id)
    return database.archive.get(*request.document)
