"""A made-up result of a made-up person, to try a destination with; nothing of it comes from a report."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID, uuid5

from portal.offered_record import Sender, software_version
from records.assessment import ItemScore, ItemState, SymptomAssessment
from records.instrument import Instrument, ScoringRule
from records.patient import PatientIdentity
from records.submission import ResultStatus, Submission
from store.outbox import ConfirmedRecord

TEST_PATIENT = "TEST-PATIENT"
TEST_REMOTE_ID = "PORTAL-ID"
_DEPLOYMENT = UUID("5c0b1d7e-7a2f-4a4e-9a51-3f1f7f3a2a10")


def synthetic_submission(
    *,
    external_id: str,
    patient_id: str,
    status: ResultStatus,
    revision: int,
    remote_id: str | None,
    now: datetime,
    remote_version: str | None = None,
) -> Submission:
    """A message about the made-up result, without a payload yet."""
    return Submission(
        submission_id=1,
        record_id=1,
        destination="trial",
        patient_id=patient_id,
        sequence=revision,
        external_id=external_id,
        revision=revision,
        status=status,
        payload=None,
        idempotency_key=str(uuid5(_DEPLOYMENT, f"{external_id}|{revision}")),
        attempts=1,
        remote_id=remote_id,
        remote_version=remote_version,
        was_unknown=False,
        created_at=now,
    )


def synthetic_sender(instrument: Instrument) -> Sender:
    """An installation that is nobody's."""
    return Sender(
        deployment=_DEPLOYMENT, version=software_version(), instruments={instrument.instrument_id: instrument}
    )


def synthetic_record(instrument: Instrument, *, patient_id: str, now: datetime) -> ConfirmedRecord:
    """The made-up result: each answer the least points but the first, which is one more."""
    items = tuple(
        ItemScore(
            link_id=item.link_id,
            state=ItemState.ANSWERED,
            points=min(item.minimum + (1 if number == 0 else 0), item.maximum),
            source=None,
        )
        for number, item in enumerate(instrument.items)
    )
    has_total = instrument.rule is ScoringRule.SUM
    scored = {item.link_id for item in instrument.items if item.scored}
    total = sum(item.points or 0 for item in items if item.link_id in scored) if items else instrument.minimum
    band = instrument.band(total) if has_total and total is not None else None
    assessment = SymptomAssessment(
        page=1,
        line=None,
        region=None,
        patient=PatientIdentity(name="SYNTHETIC, TEST", family="SYNTHETIC", given="TEST", mrn="0", birth_date=None),
        instrument=instrument.instrument_id,
        instrument_printed=instrument.instrument_id,
        authored_on=now.date(),
        authored_time=None,
        total=total if has_total else None,
        total_printed="" if not has_total else str(total),
        result=None if has_total else instrument.levels[0],
        items=items or None,
        severity=None if band is None else band.label,
        critical=None,
    )
    return ConfirmedRecord(
        record_id=1,
        report_id=1,
        site="TRIAL",
        assessment=assessment,
        patient_id=patient_id,
        document_sha256="0" * 64,
        earlier_documents=(),
        earlier_items=False,
        file_name="synthetic.pdf",
        template="synthetic@1",
        confirmed_by="service",
        confirmed_at=now,
    )
