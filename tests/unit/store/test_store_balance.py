"""Printed = sent + waiting + rejected + duplicate, whatever happens in whatever order."""

from __future__ import annotations

from datetime import UTC, timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from store_cases import DAY, NOW, SITE, assessment, outcome, receipt, record, taken, with_roster

from records.balance import Balance
from records.case import RejectReason
from records.decision import Decision
from records.errors import DecisionRefusedError
from records.submission import DeliveryState
from store import audit, balance, cases, day_figures, kept_records, outbox, reports
from store.database import Database, Session
from store.day_figures import Figures
from store.handover import hand_over
from store.kept_records import RecordState

PEOPLE = ("D1", "D2")
PLACES = ("portal", "registry")
ME = "sender"

prints = st.builds(
    lambda decision, person, total: record(
        decision,
        made=assessment(total=total),
        patient_id=person,
        repeats=None,
    ),
    st.sampled_from(list(Decision)),
    st.sampled_from(PEOPLE),
    st.integers(1, 3),
)
steps = st.lists(
    st.one_of(
        st.tuples(st.just("print"), st.lists(prints, max_size=3)),
        st.tuples(st.sampled_from(["approve", "reject"]), st.integers(0, 3), st.sampled_from(PEOPLE)),
        st.tuples(st.just("approve-as"), st.integers(0, 3), st.sampled_from(["correction", "second-administration"])),
        st.tuples(st.just("deliver"), st.sampled_from(["ok", "dead", "held", "unknown", "deferred", "lost"])),
        st.tuples(st.sampled_from(["cancel", "resend", "withdraw", "reopen", "correct"]), st.integers(0, 5)),
    ),
    max_size=14,
)


class Clinic:
    """Does one step after another; steps that the store refuses are fine, as long as they change nothing."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.printed = 0
        self.now = NOW

    def print(self, records: list[object]) -> None:
        report = taken(self.session)
        hand_over(
            self.session,
            report.report_id,
            outcome(*records, destinations=PLACES, no_score=1),  # type: ignore[arg-type]
            now=self.now,
        )
        self.printed += len(records)

    def decide(self, step: str, which: int, how: str) -> None:
        waiting = cases.list_open(self.session)
        if not waiting:
            return
        case = waiting[which % len(waiting)]
        if step == "reject":
            cases.reject(
                self.session,
                case.case_id,
                version=case.version,
                reason=RejectReason.OTHER,
                note="",
                actor="ida",
                now=self.now,
            )
            return
        cases.approve(
            self.session,
            case.case_id,
            version=case.version,
            patient_id=how if step == "approve" else "D1",
            actor="ida",
            now=self.now,
            destinations=PLACES,
            as_="confirmation" if step == "approve" else how,
        )

    def deliver(self, how: str) -> None:
        self.now += timedelta(minutes=5)
        claimed = outbox.claim_due(
            self.session, now=self.now, lease=timedelta(minutes=1), limit=2, owner=ME, destinations=PLACES
        )
        for one in claimed:
            number, later = one.submission_id, self.now + timedelta(minutes=1)
            if how == "ok":
                outbox.mark_delivered(self.session, number, receipt(), owner=ME, now=self.now)
            elif how == "dead":
                outbox.mark_dead(self.session, number, reason="422", owner=ME, now=self.now)
            elif how == "held":
                outbox.mark_held(self.session, number, reason="404", owner=ME, now=self.now)
            elif how == "unknown":
                outbox.mark_unknown(self.session, number, reason="cut", due_at=later, owner=ME, now=self.now)
            elif how == "deferred":
                outbox.mark_deferred(self.session, number, reason="503", due_at=later, owner=ME, now=self.now)

    def change(self, step: str, which: int) -> None:
        queued = outbox.list_submissions(self.session, limit=1000)
        if not queued:
            return
        chosen = queued[which % len(queued)].submission
        if step == "cancel":
            outbox.cancel(self.session, chosen.submission_id, actor="ida", now=self.now)
        elif step == "resend":
            outbox.resend(self.session, chosen.submission_id, actor="ida", now=self.now)
        elif step == "correct":
            outbox.enqueue_correction(
                self.session,
                chosen.record_id,
                assessment=assessment(total=20 + which),
                actor="ida",
                now=self.now,
                destinations=PLACES,
            )
        else:
            outbox.enqueue_withdrawal(
                self.session, chosen.record_id, reason="x", actor="ida", now=self.now, reopen=step == "reopen"
            )


@given(steps)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_balance_adds_up_after_every_step(database: Database, done: list[tuple[object, ...]]) -> None:
    class UndoneError(Exception):
        pass

    try:
        with database.session() as session:
            with_roster(session, *PEOPLE)
            clinic = Clinic(session)
            for step, *rest in done:
                with session.begin_nested() as savepoint:
                    try:
                        match step:
                            case "print":
                                clinic.print(*rest)  # type: ignore[arg-type]
                            case "approve" | "approve-as" | "reject":
                                clinic.decide(step, *rest)  # type: ignore[arg-type]
                            case "deliver":
                                clinic.deliver(*rest)  # type: ignore[arg-type]
                            case _:
                                clinic.change(str(step), *rest)  # type: ignore[arg-type]
                    except DecisionRefusedError:
                        savepoint.rollback()
                check(session, clinic)
            raise UndoneError
    except UndoneError:
        pass


def check(session: Session, clinic: Clinic) -> None:
    day = balance.of_day(session, site=SITE, day=DAY)
    assert day.printed == clinic.printed
    assert sum(balance.split_of_day(session, site=SITE, day=DAY).values()) == day.waiting
    parts = [balance.of_report(session, one.report_id) for one in reports.recent(session, limit=1000)]
    assert sum(part.sent for part in parts) == day.sent
    assert sum(part.rejected for part in parts) == day.rejected
    assert balance.mismatches(session) == []
    check_figures(session, clinic)
    assert audit.verify(session, anchor_file=None).intact
    in_flight = [
        (one.submission.destination, one.submission.patient_id)
        for one in outbox.list_submissions(session, state=DeliveryState.SENDING, limit=1000)
    ]
    assert len(in_flight) == len(set(in_flight))
    check_standing(session)


def check_figures(session: Session, clinic: Clinic) -> None:
    """The seven figures add up among each other, and with what a count record by record finds."""
    day = day_figures.of_day(session, site=SITE, day=DAY, zone=UTC)
    told = day.figures
    rows = [
        kept for one in reports.recent(session, limit=1000) for kept in kept_records.of_report(session, one.report_id)
    ]
    asked = [(row, cases.of_record(session, row.record_id)) for row in rows]
    seen = {row.record_id for row, case in asked if case or row.confirmed_by not in (None, "service")}
    last = [
        {one.submission.destination: one.state for one in outbox.list_submissions(session, record_id=row.record_id)
         if one.state is not DeliveryState.CANCELLED}
        for row in rows
    ]  # fmt: skip
    waiting = {row.record_id for row in rows if row.state is RecordState.REVIEW}
    failed = {
        row.record_id for row, state in zip(rows, last, strict=True) if DeliveryState.DEAD in state.values()
    } - waiting
    assert (told.waiting, told.failed) == (len(waiting), len(failed))
    assert told.reviewed == len(seen - waiting - failed)
    assert told.automatic == len({row.record_id for row in rows} - seen - waiting - failed)
    assert told.records == told.automatic + told.reviewed + told.waiting + told.failed == clinic.printed == day.printed
    assert day.adds_up
    assert day.balance == balance.of_day(session, site=SITE, day=DAY)
    assert sum(day.by_hour.values(), Figures()) == told
    assert day.of_source("wcp") == told
    assert len(day.seconds_to_chart) >= told.delivered
    assert all(seconds >= 0 for seconds in day.seconds_to_chart)


def check_standing(session: Session) -> None:
    """Of each assessment at most one record stands, and every open review record has an open case."""
    rows = [
        kept for one in reports.recent(session, limit=1000) for kept in kept_records.of_report(session, one.report_id)
    ]
    replaced = {row.corrects for row in rows if row.state is RecordState.CONFIRMED}
    standing = [row.external_id for row in rows if row.state is RecordState.CONFIRMED and row.record_id not in replaced]
    assert len(standing) == len(set(standing))
    assert sum(row.state is RecordState.REVIEW for row in rows) == cases.count_open(session)


def test_a_day_without_reports_is_empty(database: Database) -> None:
    with database.reading() as session:
        assert balance.of_day(session, site=SITE, day=DAY) == Balance()
        assert set(balance.split_of_day(session, site=SITE, day=DAY).values()) == {0}


def test_a_confirmed_record_without_a_destination_waits_in_the_shadow(database: Database) -> None:
    with database.session() as session:
        report = taken(session)
        hand_over(session, report.report_id, outcome(record(), destinations=()), now=NOW)
        assert balance.of_report(session, report.report_id) == Balance(waiting=1)
        assert balance.split_of_day(session, site=SITE, day=DAY)["shadow"] == 1
        assert balance.of_day(session, site="EAST", day=DAY) == Balance()
