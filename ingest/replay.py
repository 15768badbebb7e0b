"""Stored reports read again with a draft, beside what was kept: what would change. Nothing is stored or sent."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from ingest.clinic import Clinic
from ingest.confirmation import findings_for
from ingest.dry_read import kind_of
from ingest.golden import fits
from ingest.rosters import Rosters
from ingest.workers import FileToRead, ReaderPool
from matching.decision import decide
from parsers.template import Template
from records.assessment import ReportReading, SymptomAssessment
from records.decision import MatchDecision, MatchGrade
from records.errors import DocumentError
from records.finding import Finding
from records.geometry import Region
from records.patient import PatientIdentity
from store import kept_records, reports
from store.kept_records import StoredRecord
from store.reports import StoredReport

Match = Callable[[PatientIdentity], MatchDecision]

_AMBIGUOUS: Final = "ambiguous-template"


class ChangeKind(StrEnum):
    """What would become of a record."""

    GAINED = "gained"
    LOST = "lost"
    VALUES = "values"
    PATIENT = "patient"
    REASONS = "reasons"  # it would wait for other reasons, wait no longer, or begin to


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldChange:
    """One field, as it was read and as the draft reads it; None where it is blank."""

    field: str
    old: str | None
    new: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordChange:
    """One difference of one record.

    Attributes:
        record_id: The stored record; None for a gained one and for the report itself.
        page: Page from 1; None for a table file and for the report itself.
        line: Line of a table file, else None.
        region: Where it is printed, or None.
    """

    kind: ChangeKind
    report_id: int
    record_id: int | None
    page: int | None
    line: int | None
    region: Region | None
    fields: tuple[FieldChange, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayedReport:
    """One report read again.

    Attributes:
        records: Records stored of it.
        same: Those that nothing would change about.
        changes: Everything else.
    """

    report_id: int
    records: int
    same: int
    changes: tuple[RecordChange, ...]


def replay(
    clinic: Clinic, chosen: Sequence[StoredReport], draft: Template, others: Sequence[Template], *, now: datetime
) -> Iterator[ReplayedReport]:
    """Read the reports again, in their order.

    Args:
        clinic: The settings and the store; read only.
        chosen: The reports.
        draft: The template to try.
        others: The other templates in use.
        now: For the roster, which is the one of today for both sides: what differs is the draft's doing.

    Raises:
        StoreError: A report's copy cannot be read from the archive.
    """
    rosters = Rosters(clinic.database, clinic.settings)
    matches: dict[str, Match] = {}
    for site in {report.site for report in chosen}:
        matches[site] = _matching(rosters, site, now)
    pool = ReaderPool(clinic.settings.reading)
    try:
        with ThreadPoolExecutor(clinic.settings.reading.workers) as threads:
            yield from threads.map(
                lambda report: _again(clinic, report, draft, others, pool, matches[report.site]), chosen
            )
    finally:
        pool.close()


def _matching(rosters: Rosters, site: str, now: datetime) -> Match:
    roster = rosters.of(site, now=now)
    index = roster.index
    if index is None:
        return lambda _: roster.no_match
    return lambda who: decide(who, index, roster.policy)


def _again(
    clinic: Clinic,
    report: StoredReport,
    draft: Template,
    others: Sequence[Template],
    pool: ReaderPool,
    match: Match,
) -> ReplayedReport:
    with clinic.database.reading() as session:
        document = reports.document_of(session, report.report_id)
        stored = kept_records.of_report(session, report.report_id)
    assert document is not None, "only reports whose bytes are kept are chosen"
    content, kind = clinic.database.archive.get(*document), kind_of(report.file_name)
    try:
        if report.template is not None and report.template.partition("@")[0] != draft.id:
            # Another layout's report: the draft changes nothing about it, unless it claims it as well.
            reading: ReportReading | str | None = _AMBIGUOUS if pool.call(fits, content, kind, draft) else None
        else:
            today = clinic.today(report.site, report.seen_at)
            file = FileToRead(kind=kind, templates=(draft, *others), site=report.site, today=today)
            reading = pool.read(content, file)
    except DocumentError as error:
        reading = error.code or "damaged"
    if reading is None or (reading == "no-template" and report.template is None):
        return ReplayedReport(report_id=report.report_id, records=len(stored), same=len(stored), changes=())
    if isinstance(reading, str):
        changed = tuple(_refused(report, stored, reading))
    else:
        changed = differences(report, stored, reading, match)
    touched = {change.record_id for change in changed} - {None}
    return ReplayedReport(
        report_id=report.report_id, records=len(stored), same=len(stored) - len(touched), changes=changed
    )


def _refused(report: StoredReport, stored: Sequence[StoredRecord], code: str) -> Iterator[RecordChange]:
    """The draft makes the whole file unreadable: nothing of it would be left."""
    field = FieldChange(field="template", old=report.template, new=code)
    yield from (_of_stored(ChangeKind.LOST, report, record, (field,)) for record in stored)
    if not stored:
        yield _of_report(ChangeKind.REASONS, report, (field,))


def differences(
    report: StoredReport, stored: Sequence[StoredRecord], reading: ReportReading, match: Match
) -> tuple[RecordChange, ...]:
    """What a reading would change about a report, record by record. What people corrected since plays no part."""
    pairs, lost, gained = _paired(stored, reading.assessments)
    changes: list[RecordChange] = []
    for record, read in pairs:
        changes += _changed(report, record, read, reading.findings, match)
    changes += [_of_stored(ChangeKind.LOST, report, record, _one_side(record.as_read, old=True)) for record in lost]
    changes += [
        RecordChange(
            kind=ChangeKind.GAINED,
            report_id=report.report_id,
            record_id=None,
            page=read.page,
            line=read.line,
            region=read.region,
            fields=_one_side(read, old=False),
        )
        for read in gained
    ]
    if report.no_score != reading.no_score:
        counts = FieldChange(field="no_score", old=str(report.no_score), new=str(reading.no_score))
        changes.append(_of_report(ChangeKind.VALUES, report, (counts,)))
    if not stored or not reading.assessments:
        reasons = _reasons(_codes(report.findings), _codes(reading.findings))
        changes += [_of_report(ChangeKind.REASONS, report, reasons)] if reasons else []
    return tuple(changes)


def counts(replayed: Iterable[ReplayedReport]) -> Mapping[str, int]:
    """Reports, records, and how many differences of each kind."""
    found: Counter[str] = Counter()
    for report in replayed:
        found["reports"] += 1
        found["records"] += report.records
        found["same"] += report.same
        found.update(change.kind.value for change in report.changes)
    return {name: found[name] for name in ("reports", "records", "same", *ChangeKind)}


def _paired(
    stored: Sequence[StoredRecord], read: Sequence[SymptomAssessment]
) -> tuple[list[tuple[StoredRecord, SymptomAssessment]], list[StoredRecord], list[SymptomAssessment]]:
    """Records of one printed place; first those that also agree in the instrument, as a row may hold several."""
    left, rest = list(stored), list(read)
    pairs: list[tuple[StoredRecord, SymptomAssessment]] = []
    for alike in (_same_instrument, lambda *_: True):
        for record in tuple(left):
            found = next((a for a in rest if alike(record.as_read, a) and _same_place(record.as_read, a)), None)
            if found is not None:
                pairs.append((record, found))
                left.remove(record)
                # By identity: two rows of equal values are two records.
                rest = [other for other in rest if other is not found]
    return sorted(pairs, key=lambda pair: pair[0].position), left, rest


def _same_instrument(one: SymptomAssessment, other: SymptomAssessment) -> bool:
    return one.instrument == other.instrument


def _same_place(one: SymptomAssessment, other: SymptomAssessment) -> bool:
    """Whether both were read from one printed row or card: the middle of the one lies within the other."""
    if one.region is None or other.region is None:
        return one.line is not None and one.line == other.line
    mine, yours = one.region, other.region
    return mine.page == yours.page and (yours.holds(*mine.center) or mine.holds(*yours.center))


def _changed(
    report: StoredReport,
    record: StoredRecord,
    read: SymptomAssessment,
    file_findings: Sequence[Finding],
    match: Match,
) -> Iterator[RecordChange]:
    old, new = _values(record.as_read), _values(read)
    values = tuple(
        FieldChange(field=name, old=old.get(name), new=new.get(name))
        for name in dict.fromkeys([*old, *new])
        if old.get(name) != new.get(name)
    )
    if values:
        yield _of_stored(ChangeKind.VALUES, report, record, values)
    before, after = _patient(match(record.as_read.patient)), _patient(match(read.patient))
    if before != after:
        yield _of_stored(ChangeKind.PATIENT, report, record, (FieldChange(field="patient_id", old=before, new=after),))
    reasons = _reasons(
        _codes([*record.as_read.findings, *findings_for(record.as_read, report.findings)]),
        _codes([*read.findings, *findings_for(read, file_findings)]),
    )
    if reasons:
        yield _of_stored(ChangeKind.REASONS, report, record, reasons)


def _patient(match: MatchDecision) -> str | None:
    """Whom the record would go to without a person, or None."""
    return match.patient_id if match.grade is MatchGrade.CERTAIN else None


def _codes(findings: Iterable[Finding]) -> frozenset[str]:
    return frozenset(finding.code for finding in findings if finding.blocking)


def _reasons(old: frozenset[str], new: frozenset[str]) -> tuple[FieldChange, ...]:
    """The reasons of which one side only speaks."""
    return tuple(
        FieldChange(field=code, old="waits" if code in old else None, new="waits" if code in new else None)
        for code in sorted(old ^ new)
    )


def _one_side(read: SymptomAssessment, *, old: bool) -> tuple[FieldChange, ...]:
    return tuple(
        FieldChange(field=name, old=value if old else None, new=None if old else value)
        for name, value in _values(read).items()
        if value is not None
    )


def _values(read: SymptomAssessment) -> dict[str, str | None]:
    who = read.patient
    values: dict[str, object] = {
        "name": who.name or None,
        "family": who.family,
        "given": who.given,
        "middle": who.middle,
        "suffix": who.suffix,
        "birth_date": who.birth_date,
        "mrn": who.mrn,
        "sex": who.sex,
        "phone": who.phone,
        "clinician": who.clinician,
        "visit_date": who.visit_date,
        "instrument": read.instrument,
        "authored_on": read.authored_on,
        "authored_time": read.authored_time,
        "total": read.total,
        "result": read.result,
        "severity": read.severity,
        "critical": read.critical,
        **{f"item-{item.link_id}": item.points for item in read.items or ()},
    }
    return {name: None if value is None else str(value) for name, value in values.items()}


def _of_stored(
    kind: ChangeKind, report: StoredReport, record: StoredRecord, fields: tuple[FieldChange, ...]
) -> RecordChange:
    read = record.as_read
    return RecordChange(
        kind=kind,
        report_id=report.report_id,
        record_id=record.record_id,
        page=read.page,
        line=read.line,
        region=read.region,
        fields=fields,
    )


def _of_report(kind: ChangeKind, report: StoredReport, fields: tuple[FieldChange, ...]) -> RecordChange:
    return RecordChange(
        kind=kind, report_id=report.report_id, record_id=None, page=None, line=None, region=None, fields=fields
    )
