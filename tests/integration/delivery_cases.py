"""A store with confirmed records in the outbox, and destinations on loopback; all values are synthetic."""

from __future__ import annotations

import hashlib
import itertools
import random
import time
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from parsers.instrument_library import load_instruments
from portal.connections import ConfiguredDestination, configure
from portal.delivery import DeliverySettings, DeliveryWorker
from portal.settings import DestinationSettings
from records.assessment import ItemScore, ItemState, SymptomAssessment
from records.decision import DecidedRecord, Decision, MatchDecision, MatchGrade
from records.patient import PatientIdentity
from records.printed_file import PrintedFile
from records.submission import DeliveryState
from store import outbox, reports
from store.database import Database, create
from store.handover import ReadOutcome, RecordToStore, hand_over
from store.settings import StoreSettings

MORNING = datetime(2026, 3, 3, 6, 0, tzinfo=UTC)
_numbers = itertools.count(1)


def new_store(folder: Path) -> Database:
    return create(StoreSettings(home=folder / "home"), now=MORNING)


def assessment(
    patient_id: str,
    *,
    total: int | None = 5,
    day: date = date(2026, 3, 2),
    instrument: str = "phq-9",
    result: str | None = None,
) -> SymptomAssessment:
    items = tuple(
        ItemScore(link_id=str(number), state=ItemState.ANSWERED, points=1 if number <= (total or 0) else 0, source=None)
        for number in range(1, 10)
    )
    return SymptomAssessment(
        page=None,
        line=1,
        region=None,
        patient=PatientIdentity(name=f"Print {patient_id}", family=patient_id, given="Print", mrn=f"MRN{patient_id}"),
        instrument=instrument,
        instrument_printed=instrument,
        authored_on=day,
        authored_time=None,
        total=total,
        total_printed="" if total is None else str(total),
        result=result,
        items=None if total is None else items,
        severity=None,
        critical=None,
    )


def confirm(
    database: Database, prints: Sequence[tuple[str, SymptomAssessment]], *, destinations: Sequence[str] = ("portal",)
) -> tuple[int, ...]:
    """Hand over one report with these confirmed records; their row ids."""
    number = next(_numbers)
    records = tuple(
        RecordToStore(
            decided=DecidedRecord(
                assessment=printed,
                match=MatchDecision(
                    grade=MatchGrade.CERTAIN,
                    patient_id=patient_id,
                    probability=1.0,
                    runner_up=0.0,
                    candidates=(),
                    reasons=(),
                ),
                decision=Decision.CONFIRMED,
                reasons=(),
            ),
            fingerprint=f"fp-{patient_id}",
        )
        for patient_id, printed in prints
    )
    printed_file = PrintedFile(
        path=f"/print/{number}.csv",
        sha256=hashlib.sha256(str(number).encode()).hexdigest(),
        size_bytes=100,
        seen_at=MORNING,
        site="WCP",
    )
    archived = database.archive.put(str(number).encode())
    with database.session() as session:
        report = reports.take(session, printed_file, source="wcp", file_name=f"{number}.csv", archived=archived)
        outcome = ReadOutcome(
            template="t@1",
            pages=0,
            no_score=0,
            findings=(),
            records=records,
            destinations=tuple(destinations),
            day=MORNING.date(),
        )
        return hand_over(session, report.report_id, outcome, now=MORNING).records


def destination(folder: Path, url: str, **settings: object) -> ConfiguredDestination:
    token = folder / "token"
    token.write_text("secret-token-of-the-test")
    given: dict[str, object] = {
        "id": "portal",
        "file": "generic-json.yaml",
        "base_url": url,
        "mode": "live",
        "token": f"file:{token}",
        "rate_per_second": 1000,
    }
    return configure([DestinationSettings.model_validate(given | settings)], folder=folder)[0]


def delivery_worker(
    database: Database,
    *destinations: ConfiguredDestination,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    **settings: object,
) -> DeliveryWorker:
    """A worker whose first pause after a failing portal is short."""
    return DeliveryWorker(
        database=database,
        destinations=destinations,
        instruments=load_instruments(),
        settings=DeliverySettings(**{"first_pause": timedelta(milliseconds=50), **settings}),  # type: ignore[arg-type]
        clock=clock,
        chance=random.Random(7),
    )


def states(database: Database) -> dict[DeliveryState, int]:
    with database.reading() as session:
        return {state: count for state, count in outbox.counts(session).items() if count}


def reasons(database: Database) -> set[str | None]:
    with database.reading() as session:
        return {entry.reason for entry in outbox.list_submissions(session, limit=1000)}


def wait_until(condition: Callable[[], bool], *, seconds: float = 60) -> None:
    """Return as soon as it holds; fail if it does not in time."""
    ends = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < ends, "it did not happen in time"
        time.sleep(0.02)
