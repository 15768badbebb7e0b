"""A site's day: what came and what should have, what was signed and what changed, its letter."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from store_cases import DAY, NOW, SITE, assessment, outcome, printed_file, record, taken, with_roster

from parsers.drift import least_usual
from records.decision import Decision
from records.errors import DecisionRefusedError
from store import balance, cases, day_figures, day_letters, day_list, day_signing, day_sources, notices, outbox, reports
from store.database import Database, Session
from store.day_figures import Figures, SiteDay, middle_and_most
from store.day_letter_words import body_of, subject_of
from store.day_list import Kind
from store.day_signing import DaySignOff
from store.day_sources import SourceState, WatchedSource
from store.handover import hand_over
from store.places import Place
from store.reports import ReportState

MONDAY = WatchedSource(
    name="wcp", site=SITE, folder="print", zone=UTC, expected_by=time(6, 30), expected_days=frozenset({0})
)


def printed_day(session: Session) -> int:
    """Two confirmed records, one that waits; returns the report."""
    with_roster(session, "D1", "D2")
    report = taken(session)
    other = record(made=assessment(total=3), patient_id="D2")
    waits = record(Decision.REVIEW, made=assessment(total=4), patient_id="D1", reasons=("mrn-near",))
    hand_over(session, report.report_id, outcome(record(), other, waits), now=NOW)
    return report.report_id


def present(session: Session) -> day_signing.DaySnapshot:
    return day_signing.present(session, site=SITE, day=DAY, zone=UTC, watched=(MONDAY,), now=NOW)


def signed(session: Session, *, note: str = "tomorrow") -> DaySignOff:
    shown = present(session)
    return day_signing.sign(
        session, shown, name=" Ida  Invented ", note=note, sha256_seen=shown.sha256, actor="ida", now=NOW
    )


def day_of(session: Session) -> SiteDay:
    return day_figures.of_day(session, site=SITE, day=DAY, zone=UTC)


def test_figures_that_do_not_agree_cannot_be_made() -> None:
    with pytest.raises(ValueError, match="2 \\+ 0 decided records are in 1 places"):
        Figures(automatic=2, delivered=1)


def test_a_day_whose_records_are_gone_does_not_add_up(database: Database) -> None:
    with database.session() as session:
        printed_day(session)
        told = day_of(session)
        assert told.adds_up
        lost = dict(told.counted)
        spot = next(iter(lost))
        lost[spot] -= 1
        assert not replace(told, counted=lost).adds_up
        assert not replace(told, counted={}).adds_up
        assert not replace(told, reports=()).adds_up


def test_the_look_at_all_reports_is_kept(database: Database) -> None:
    with database.session() as session:
        printed_day(session)
        assert balance.last_check(session) is None
        wrong, count = balance.look_at_all(session)
        assert (wrong, count) == ([], 1)
        balance.keep_check(session, wrong=[7], reports=2, now=NOW)
        balance.keep_check(session, wrong=wrong, reports=count, now=NOW)
        assert balance.last_check(session) == balance.BalanceCheck(checked_at=NOW, reports=1, wrong=())


def test_a_file_that_is_not_read_belongs_to_the_local_day_on_which_it_came(database: Database) -> None:
    chicago = ZoneInfo("America/Chicago")
    with database.session() as session:
        came = datetime(2026, 3, 3, 4, 0, tzinfo=UTC)  # ten in the evening of the day before
        reports.quarantine_file(
            session, printed_file(seen_at=came), source="wcp", file_name="x.pdf", reason="damaged", now=came
        )
        (found,) = day_figures.reports_of_day(session, site=SITE, day=DAY, zone=chicago)
        assert found.state is ReportState.QUARANTINED
        assert day_figures.reports_of_day(session, site=SITE, day=DAY, zone=UTC) == ()
        assert day_figures.reports_of_day(session, site="EAST", day=DAY, zone=chicago) == ()


@pytest.mark.parametrize(
    ("now", "day", "state"),
    [
        (time(6, 29), DAY, SourceState.EXPECTED),
        (time(6, 30), DAY, SourceState.MISSING),
        (time(23, 0), DAY + timedelta(days=1), SourceState.NOTHING),
        (time(23, 0), DAY + timedelta(days=7), SourceState.NOTHING),
        (time(3, 0), DAY - timedelta(days=7), SourceState.MISSING),
    ],
)
def test_a_report_is_missing_only_when_and_where_it_should_have_come(
    database: Database, now: time, day: date, state: SourceState
) -> None:
    source = replace(MONDAY, closed_on=frozenset({DAY + timedelta(days=7)}))
    moment = datetime.combine(max(day, DAY), now, tzinfo=UTC)
    with database.reading() as session:
        told = day_figures.of_day(session, site=SITE, day=day, zone=UTC)
    assert day_sources.of_day(told, source, held=(), now=moment).state is state


def test_a_source_tells_what_it_brought(database: Database) -> None:
    with database.session() as session:
        printed_day(session)
        told = day_of(session)
    one = day_sources.of_day(told, MONDAY, held=(), now=NOW)
    assert (one.reports, one.pages, one.templates, one.state) == (1, 1, ("listing@1",), SourceState.HEALTHY)
    assert (one.figures.records, one.figures.automatic, one.figures.waiting) == (3, 2, 1)
    assert day_sources.of_day(told, MONDAY, held={"listing@1"}, now=NOW).state is SourceState.LAYOUT_HELD


def test_the_first_file_usually_comes_when_it_came_before(database: Database) -> None:
    with database.session() as session:
        printed_day(session)
        assert day_figures.usual_first_arrival(session, site=SITE, day=DAY, zone=UTC) is None
        assert day_figures.usual_first_arrival(session, site=SITE, day=DAY + timedelta(days=3), zone=UTC) == time(12)


def test_ninety_five_of_a_hundred_need_at_most_the_second_figure() -> None:
    assert middle_and_most([float(n) for n in range(1, 101)]) == (50.5, 95.0)
    assert middle_and_most([7.0]) == (7.0, 7.0)
    assert middle_and_most([]) is None


def test_a_share_is_out_of_its_range_below_every_earlier_one_and_the_mean() -> None:
    assert least_usual([0.9] * 4) is None
    assert least_usual([0.9] * 5) == pytest.approx(0.75)
    assert least_usual([0.95, 0.95, 0.95, 0.95, 0.5]) == pytest.approx(0.4)


def test_the_lists_hold_as_many_records_as_the_figures_say(database: Database) -> None:
    with database.session() as session:
        printed_day(session)
        told = day_of(session).figures
        listed = {kind: day_list.records(session, site=SITE, day=DAY, kind=kind) for kind in Kind}
        (waiting,) = day_list.with_reasons(session, listed[Kind.WAITING])
    counts = {kind: len(found) for kind, found in listed.items()}
    assert counts == {
        Kind.RECORDS: told.records, Kind.AUTOMATIC: told.automatic, Kind.REVIEWED: told.reviewed,
        Kind.WAITING: told.waiting, Kind.DELIVERED: told.delivered, Kind.FAILED: told.failed,
    }  # fmt: skip
    assert counts[Kind.RECORDS] == 3
    assert (waiting.position, waiting.reasons, waiting.by_person) == (2, ("mrn-near",), True)


def test_a_day_is_signed_with_what_is_open_only_with_a_note(database: Database) -> None:
    with database.session() as session:
        printed_day(session)
        assert [item.kind for item in present(session).open] == ["waiting", "pending"]
        with pytest.raises(DecisionRefusedError, match="Something of this day is open"):
            signed(session, note=" ")
        done = signed(session)
        assert (done.signed_name, done.note, done.intact) == ("Ida Invented", "tomorrow", True)
        assert day_signing.latest(session, site=SITE, day=DAY) == done
        assert day_signing.sign_off(session, done.sign_off_id, sites=(SITE,)) == done
        with pytest.raises(DecisionRefusedError, match="Nothing was signed as number"):
            day_signing.sign_off(session, done.sign_off_id, sites=("EAST",))
        assert day_signing.sign_offs(session, sites=("EAST",)) == []


def test_nobody_signs_what_they_have_not_seen_or_without_a_name(database: Database) -> None:
    with database.session() as session:
        printed_day(session)
        shown = present(session)
        for name, seen, told in (("", shown.sha256, "name is missing"), ("Ida", "0" * 64, "figures have changed")):
            with pytest.raises(DecisionRefusedError, match=told):
                day_signing.sign(session, shown, name=name, note="x", sha256_seen=seen, actor="ida", now=NOW)


def test_what_changes_after_the_signature_is_listed_record_by_record(database: Database) -> None:
    with database.session() as session:
        report_id = printed_day(session)
        done = signed(session)
        assert day_signing.changes_since(session, done) == ()
        (case,) = cases.list_open(session)
        cases.approve(
            session, case.case_id, version=case.version, patient_id="D2", actor="ida", now=NOW,
            destinations=("portal",), as_="second-administration",
        )  # fmt: skip
        (changed,) = day_signing.changes_since(session, done)
        assert (changed.before, changed.after, changed.has_other_values) == (Place.REVIEW, Place.PENDING, True)
        first = next(one for one in done.snapshot.records if one.place is Place.PENDING)
        outbox.enqueue_correction(
            session, first.record_id, assessment=assessment(total=20), actor="ida", now=NOW, destinations=("portal",)
        )
        numbers = [one.record_id for one in day_signing.changes_since(session, done)]
        assert numbers == sorted({first.record_id, changed.record_id})
        assert len(numbers) == 2
        assert balance.of_report(session, report_id).printed == 3


def test_what_is_signed_names_no_patient(database: Database) -> None:
    with database.session() as session:
        printed_day(session)
        text = present(session).text
    for word in ("Vander", "Ada", "M-1", "1980", "D1", "D2"):
        assert word not in text


def test_a_letter_is_written_once_and_sent_once(database: Database) -> None:
    with database.session() as session:
        assert day_letters.write(session, site=SITE, day=DAY, subject="s", body="b", now=NOW)
        assert not day_letters.write(session, site=SITE, day=DAY, subject="other", body="b", now=NOW)
        (letter,) = day_letters.due(session, now=NOW)
        day_letters.mark_failed(session, letter, fault="unreachable", now=NOW)
        assert day_letters.due(session, now=NOW) == []
        assert [one.kind for one in notices.list_open(session)] == [day_letters.FAILED]
        (again,) = day_letters.due(session, now=NOW + timedelta(minutes=1))
        assert (again.reference, again.attempts) == (letter.reference, 1)
        day_letters.mark_sent(session, again, refused=0, now=NOW)
        assert day_letters.due(session, now=NOW + timedelta(days=1)) == []
        assert notices.list_open(session) == []
        latest = day_letters.latest(session, site=SITE)
        assert latest is not None
        assert latest.sent_at == NOW


def test_the_subject_of_the_letter_says_whether_everything_arrived(database: Database) -> None:
    with database.session() as session:
        empty, nothing = day_of(session), present(session)
        missing = [day_sources.of_day(empty, MONDAY, held=(), now=NOW)]
        assert subject_of(nothing, missing) == f"[{SITE}] 02-Mar: 1 report MISSING, 0 records, 0 waiting"
        printed_day(session)
        told, shown = day_of(session), present(session)
        sources = [day_sources.of_day(told, MONDAY, held=(), now=NOW)]
    assert subject_of(shown, sources) == f"[{SITE}] 02-Mar: everything arrived, 3 records, 1 waiting"
    assert "THE SUM DOES NOT ADD UP" in subject_of(replace(shown, adds_up=False), sources)
    body = body_of(shown, sources, paused={"portal"}, address="https://x.example", now=NOW)
    assert "3 records = 2 automatic + 0 decided by a person + 1 waiting + 0 failed" in body
    assert "Nothing is sent to portal: it is paused." in body
    assert "https://x.example/?site=WCP&day=2026-03-02" in body
    for word in ("Vander", "Ada", "M-1", "1980"):
        assert word not in body
