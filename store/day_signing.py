"""A site's day as a person signs it: frozen, hashed, without patients; and what has changed since."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, tzinfo
from hashlib import sha256
from typing import Final

from pydantic import TypeAdapter
from sqlmodel import Session, col, select

from records.audit import AuditEvent
from records.errors import DecisionRefusedError
from store import audit, balance, day_drift, day_figures, day_sources, day_urgent
from store.context import stored_id
from store.day_figures import Figures, SiteDay
from store.day_sources import SourceDay, SourceState, WatchedSource
from store.day_tables import DaySignOffRow
from store.places import Place, places_by_record
from store.reports import ReportState
from store.serialised import encodable
from store.tables import RecordRow

STATEMENT: Final = (
    "I have seen these figures and what is still open. What is open stays in its list until somebody settles it; "
    "signing settles nothing."
)
_UNREAD: Final = (ReportState.WAITING, ReportState.READING)
_LONGEST: Final = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedSource:
    """One source as it was signed."""

    folder: str
    templates: tuple[str, ...]
    reports: int
    pages: int
    records: int
    automatic: int
    state: SourceState


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedRecord:
    """One record as it was signed.

    Attributes:
        mark: Digest of its values and its patient: another one means that either was changed.
    """

    record_id: int
    place: Place
    mark: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenItem:
    """Something of the day that is not at its end: a kind, how many, and in words."""

    kind: str
    count: int
    sentence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DaySnapshot:
    """Everything about a day that is signed."""

    site: str
    day: date
    reports: int
    pages: int
    figures: Figures
    no_score: int
    adds_up: bool
    sources: tuple[SignedSource, ...]
    open: tuple[OpenItem, ...]
    records: tuple[SignedRecord, ...]
    statement: str

    @property
    def text(self) -> str:
        """The same as JSON, always in the same order."""
        return _SNAPSHOT.dump_json(self).decode()

    @property
    def sha256(self) -> str:
        """Of the text: what the person who signs has before them, as one number."""
        return sha256(self.text.encode()).hexdigest()


_SNAPSHOT: Final = TypeAdapter(DaySnapshot)


@dataclass(frozen=True, slots=True, kw_only=True)
class DaySignOff:
    """A day as it was signed.

    Attributes:
        note: Why it was signed with something open; empty where nothing was.
        signed_name: The name as the person wrote it.
        signed_by: The account they were signed in with.
        intact: The text that is kept still has the hash that was signed and audited.
    """

    sign_off_id: int
    snapshot: DaySnapshot
    sha256: str
    note: str
    signed_name: str
    signed_by: str
    signed_at: datetime
    intact: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordChange:
    """What became of one record after its day was signed.

    Attributes:
        before: Where it was, or None for one that came later.
        after: Where it is, or None for one that is of another day now.
        has_other_values: Its values or its patient were changed.
    """

    record_id: int
    before: Place | None
    after: Place | None
    has_other_values: bool


def present(
    session: Session, *, site: str, day: date, zone: tzinfo, watched: Sequence[WatchedSource], now: datetime
) -> DaySnapshot:
    """A site's day as it would be signed now.

    Args:
        watched: The sources of the settings; those of other sites are left out.
    """
    told = day_figures.of_day(session, site=site, day=day, zone=zone)
    held = day_drift.held_names(session)
    sources = [day_sources.of_day(told, one, held=held, now=now) for one in watched if one.site == site]
    return snapshot(session, told, sources, alerts=day_urgent.count_open(session, sites=(site,)))


def snapshot(session: Session, day: SiteDay, sources: Sequence[SourceDay], *, alerts: int) -> DaySnapshot:
    """The day as it would be signed now.

    Args:
        alerts: Answers about self-harm at this site that nobody has taken.
    """
    return DaySnapshot(
        site=day.site,
        day=day.day,
        reports=len(day.reports),
        pages=sum(report.pages for report in day.reports),
        figures=day.figures,
        no_score=day.balance.no_score,
        adds_up=day.adds_up,
        sources=tuple(_source(one) for one in sources),
        open=tuple(_open_items(day, sources, alerts=alerts)),
        records=_records(session, day.site, day.day),
        statement=STATEMENT,
    )


def sign(
    session: Session, shown: DaySnapshot, *, name: str, note: str, sha256_seen: str, actor: str, now: datetime
) -> DaySignOff:
    """Freeze a day under a person's name.

    Args:
        shown: The day as it is in this transaction.
        name: As the person writes it.
        note: Why it is signed although something is open. No patient data: it stands in lists.
        sha256_seen: Hash of the snapshot that the person had before them.

    Raises:
        DecisionRefusedError: The name is missing, something is open and the note is missing, or what is signed is not
            what was shown.
    """
    if not name.strip():
        raise DecisionRefusedError("The name is missing.", next_step="Write your name as a signature.")
    if shown.sha256 != sha256_seen:
        raise DecisionRefusedError("The figures have changed since they were shown.", next_step="Look at them again.")
    if (shown.open or not shown.adds_up) and not note.strip():
        raise DecisionRefusedError("Something of this day is open.", next_step="Say in the note why you sign it.")
    row = DaySignOffRow(
        site=shown.site,
        day=shown.day,
        snapshot=shown.text,
        sha256=shown.sha256,
        note=encodable(note.strip()),
        signed_name=encodable(" ".join(name.split())[:_LONGEST]),
        signed_by=actor,
        signed_at=now,
    )
    session.add(row)
    session.flush()
    counts = (("records", shown.figures.records), ("open", sum(one.count for one in shown.open)))
    event = AuditEvent(
        actor=actor,
        action="day.signed",
        object_kind="day-sign-off",
        object_id=str(row.id),
        detail=(
            ("site", shown.site),
            ("day", shown.day.isoformat()),
            ("sha256", row.sha256),
            *((name, str(count)) for name, count in counts),
        ),
    )
    audit.append(session, event, now=now)
    return _sign_off(row)


def sign_offs(session: Session, *, sites: Sequence[str], day: date | None = None, limit: int = 100) -> list[DaySignOff]:
    """What was signed of these sites, newest first."""
    query = select(DaySignOffRow).where(col(DaySignOffRow.site).in_(sites))
    if day is not None:
        query = query.where(col(DaySignOffRow.day) == day)
    return [_sign_off(row) for row in session.exec(query.order_by(col(DaySignOffRow.id).desc()).limit(limit))]


def latest(session: Session, *, site: str, day: date) -> DaySignOff | None:
    """The last signature of a site's day, or None."""
    return next(iter(sign_offs(session, sites=(site,), day=day, limit=1)), None)


def sign_off(session: Session, sign_off_id: int, *, sites: Sequence[str]) -> DaySignOff:
    """What was signed under one number.

    Raises:
        DecisionRefusedError: There is none with this number at these sites.
    """
    row = session.get(DaySignOffRow, sign_off_id)
    if row is None or row.site not in sites:
        raise DecisionRefusedError(f"Nothing was signed as number {sign_off_id}.", next_step="Reload the list.")
    return _sign_off(row)


def changes_since(session: Session, signed: DaySignOff) -> tuple[RecordChange, ...]:
    """Records of the day that are elsewhere, or have other values, than when it was signed; by number."""
    before = {one.record_id: one for one in signed.snapshot.records}
    after = {one.record_id: one for one in _records(session, signed.snapshot.site, signed.snapshot.day)}
    return tuple(
        RecordChange(
            record_id=number,
            before=before[number].place if number in before else None,
            after=after[number].place if number in after else None,
            has_other_values=number in before and number in after and before[number].mark != after[number].mark,
        )
        for number in sorted(before.keys() | after.keys())
        if before.get(number) != after.get(number)
    )


def _source(one: SourceDay) -> SignedSource:
    return SignedSource(
        folder=one.source.folder,
        templates=one.templates,
        reports=one.reports,
        pages=one.pages,
        records=one.figures.records,
        automatic=one.figures.automatic,
        state=one.state,
    )


def _open_items(day: SiteDay, sources: Sequence[SourceDay], *, alerts: int) -> Iterator[OpenItem]:
    told, split = day.figures, day.split
    counts = (
        ("alerts", alerts, "urgent answer nobody has taken", "urgent answers nobody has taken"),
        ("waiting", told.waiting, "record waits for review", "records wait for review"),
        ("failed", told.failed, "record was refused by a portal", "records were refused by a portal"),
        ("held", told.held, "record is held before it is sent", "records are held before they are sent"),
        ("pending", split["pending"] + split["sending"], "record is being sent", "records are being sent"),
        ("unknown", split["unknown"], "delivery is being looked up", "deliveries are being looked up"),
        ("unreadable", _in(day, ReportState.QUARANTINED), "report could not be read", "reports could not be read"),
        ("unread", _in(day, *_UNREAD), "report is still to be read", "reports are still to be read"),
        (
            "attention",
            sum(report.attention for report in day.reports),
            "report needs a look as a whole",
            "reports need a look as a whole",
        ),
        (
            "missing",
            sum(one.state is SourceState.MISSING for one in sources),
            "source sent no report",
            "sources sent no report",
        ),
    )
    for kind, count, one, many in counts:
        if count:
            yield OpenItem(kind=kind, count=count, sentence=f"{count} {one if count == 1 else many}.")


def _in(day: SiteDay, *states: ReportState) -> int:
    return sum(report.state in states for report in day.reports)


def _records(session: Session, site: str, day: date) -> tuple[SignedRecord, ...]:
    ours = balance.records_of_day(site, day)
    places = places_by_record(session, ours)
    query = select(RecordRow.id, RecordRow.values_digest, RecordRow.patient_id).where(ours).order_by(col(RecordRow.id))
    return tuple(
        SignedRecord(record_id=stored_id(number), place=places[stored_id(number)], mark=_mark(values, patient_id))
        for number, values, patient_id in session.exec(query)
    )


def _mark(values_digest: str, patient_id: str | None) -> str:
    # The digest of the values is keyed, so that nobody can guess the patient from the two together.
    return sha256(f"{values_digest}|{patient_id or ''}".encode()).hexdigest()[:16]


def _sign_off(row: DaySignOffRow) -> DaySignOff:
    return DaySignOff(
        sign_off_id=stored_id(row.id),
        snapshot=_SNAPSHOT.validate_json(row.snapshot),
        sha256=row.sha256,
        note=row.note,
        signed_name=row.signed_name,
        signed_by=row.signed_by,
        signed_at=row.signed_at,
        intact=sha256(row.snapshot.encode()).hexdigest() == row.sha256,
    )
