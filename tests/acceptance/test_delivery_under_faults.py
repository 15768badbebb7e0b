"""A portal that refuses, loses answers, restarts and lets tokens expire, and a sender that is killed time after time:
each assessment is there once, in order, and so are its corrections and withdrawals."""

from __future__ import annotations

import json
import random
import time
from collections import Counter, defaultdict
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import pytest

from records.patient import RosterPatient
from records.submission import DeliveryState
from store import audit, outbox, roster
from store.database import Database
from tests.acceptance.clinic import FULL, wait_for
from tests.acceptance.faulty_portals import FaultyPortal, Shown, fhir_portal, json_portal, start_sender
from tests.integration.delivery_cases import MORNING, assessment, confirm, new_store

PATIENTS, DAYS, KILLS = (200, 5, 30) if FULL else (20, 5, 3)
CORRECTIONS, WITHDRAWALS = (50, 20) if FULL else (5, 2)
FIRST_DAY = date(2026, 2, 1)
BORN = date(1980, 1, 2)


@dataclass(frozen=True, slots=True)
class Confirmed:
    """One confirmed record."""

    record_id: int
    patient_id: str
    day: date
    total: int


@pytest.mark.acceptance
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("portal_of", [json_portal, fhir_portal], ids=["json", "fhir"])
def test_each_assessment_arrives_once_and_in_order_whatever_fails(
    tmp_path: Path, portal_of: Callable[[Path, list[str]], AbstractContextManager[FaultyPortal]]
) -> None:
    chance, people = random.Random(30), [f"P{number}" for number in range(PATIENTS)]
    with new_store(tmp_path) as database, portal_of(tmp_path, people) as portal:
        _list_patients(database, people)
        records = _confirmed(database, people, chance)
        portal.misbehave(seed=17)
        run = _Run(database, portal, folder=tmp_path, chance=chance)
        run.until_delivered(kills=KILLS, restarts=1)
        first = portal.shown()
        expected = {(one.patient_id, one.day.isoformat()): (one.total, "final") for one in records}
        assert _as_expected(first, expected) == {"missing": 0, "duplicated": 0, "wrong": 0, "out of order": 0}
        run.tell("first values")

        chosen = chance.sample(records, CORRECTIONS + WITHDRAWALS)
        for record in chosen[:CORRECTIONS]:
            _correct(database, record)
            expected[record.patient_id, record.day.isoformat()] = (record.total + 1, "corrected")
        for record in chosen[CORRECTIONS:]:
            _withdraw(database, record)
            expected[record.patient_id, record.day.isoformat()] = (record.total, "entered-in-error")
        run.until_delivered(kills=max(KILLS // 10, 1), restarts=0)
        run.tell("corrections and withdrawals")
        last = portal.shown()
        assert _as_expected(last, expected) == {"missing": 0, "duplicated": 0, "wrong": 0, "out of order": 0}
        assert Counter(one.status for one in last) == Counter(status for _, status in expected.values())
        assert portal.companions() == []
        with database.reading() as session:
            assert audit.verify(session, anchor_file=database.anchor_file).intact
            assert outbox.paused(session) == {}


def _list_patients(database: Database, people: list[str]) -> None:
    listed = tuple(
        RosterPatient(patient_id=one, site="WCP", family="Print", given=one, mrn=f"M{one}", birth_date=BORN)
        for one in people
    )
    with database.session() as session:
        roster.replace(
            session,
            "WCP",
            listed,
            as_of=MORNING,
            imported_from="roster.csv",
            actor="ida",
            now=MORNING,
            max_removed_share=1.0,
        )


def _confirmed(database: Database, people: list[str], chance: random.Random) -> list[Confirmed]:
    records = []
    for day in (FIRST_DAY + timedelta(days=7 * week) for week in range(DAYS)):
        totals = {one: chance.randrange(0, 9) for one in people}
        ids = confirm(database, [(one, assessment(one, day=day, total=totals[one])) for one in people])
        records += [Confirmed(record_id, one, day, totals[one]) for record_id, one in zip(ids, people, strict=True)]
    return records


def _correct(database: Database, record: Confirmed) -> None:
    changed = assessment(record.patient_id, day=record.day, total=record.total + 1)
    with database.session() as session:
        outbox.enqueue_correction(
            session, record.record_id, assessment=changed, actor="anna", now=MORNING, destinations=["portal"]
        )


def _withdraw(database: Database, record: Confirmed) -> None:
    with database.session() as session:
        outbox.enqueue_withdrawal(
            session, record.record_id, reason="wrong-patient", actor="anna", now=MORNING, reopen=False
        )


def _as_expected(shown: list[Shown], expected: dict[tuple[str, str], tuple[int, str]]) -> dict[str, int]:
    found = Counter((one.patient_id, one.day) for one in shown)
    values = {(one.patient_id, one.day): (one.score, one.status) for one in shown}
    days = defaultdict(list)
    for one in shown:
        days[one.patient_id].append(one.day)
    return {
        "missing": sum(found[key] == 0 for key in expected),
        "duplicated": sum(count - 1 for count in found.values()),
        "wrong": sum(key not in expected or not _same(value, expected[key]) for key, value in values.items()),
        "out of order": sum(came != sorted(came) for came in days.values()),
    }


def _same(value: tuple[int | None, str], expected: tuple[int, str]) -> bool:
    # A withdrawn value may be shown without its score.
    withdrawn = value[0] is None and value[1] == expected[1] == "entered-in-error"
    return value == expected or withdrawn


class _Run:
    """Starts the sender, kills it, restarts the portal once, until everything is delivered."""

    def __init__(self, database: Database, portal: FaultyPortal, *, folder: Path, chance: random.Random) -> None:
        self._database = database
        self._portal = portal
        self._folder = folder
        self._chance = chance
        self._kills = self._under_way = 0
        self._before: Counter[str] = Counter()
        self._messages = 0

    def until_delivered(self, *, kills: int, restarts: int) -> None:
        """Deliver everything that is queued."""
        waiting = self._waiting()
        self._messages = waiting
        # Each kill comes while there is work: after a share of it, or soon after the start.
        marks = [waiting - waiting * (number + 1) // (kills + 1) for number in range(kills)]
        for number, mark in enumerate(marks):
            sender = self._start()
            wait_for(lambda mark=mark: self._waiting() <= mark, seconds=60, step=0.02)
            time.sleep(self._chance.uniform(0, 0.1))
            sender.kill()
            sender.wait()
            self._kills += 1
            self._under_way += self._count(DeliveryState.SENDING)
            if restarts and number == len(marks) // 2:
                self._portal.restart()
        sender = self._start()
        try:
            assert wait_for(lambda: self._waiting() == 0, seconds=900 if FULL else 120), self._states()
        finally:
            sender.kill()
            sender.wait()

    def tell(self, what: str) -> None:
        """Print what it took."""
        requests = self._portal.requests()
        since = requests - self._before
        self._before = requests
        total = since["requests"] or sum(since[method] for method in ("GET", "POST", "PUT"))
        print(
            f"{what}: {self._messages} messages, {self._kills} kills with {self._under_way} messages under way, "
            f"{total} requests, {total / self._messages:.2f} a message; {dict(since)}"
        )

    def _start(self):
        settings = self._folder / "destination.json"
        settings.write_text(json.dumps(self._portal.settings))
        return start_sender(self._database.settings.home, settings, self._folder / "sender.log")

    def _states(self) -> dict[str, int]:
        with self._database.reading() as session:
            return {state: count for state, count in outbox.counts(session).items() if count}

    def _count(self, state: DeliveryState) -> int:
        return self._states().get(state, 0)

    def _waiting(self) -> int:
        return sum(count for state, count in self._states().items() if state not in ("delivered", "cancelled"))
