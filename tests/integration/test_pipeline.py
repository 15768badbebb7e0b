"""A report's way through the stages: alerts first, every doubt to a person, nothing twice, nothing lost."""

from __future__ import annotations

import io
import os
import threading
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from pypdfium2 import PdfDocument
from reading_clinic import DEMO, FORMS, ReadingClinic, export, reader_pool, row

from ingest.rosters import Rosters, SiteRoster
from ingest.workers import FileToRead, ReaderPool, ReadingStoppedError
from records.assessment import ReportReading
from records.errors import StoreError
from store import balance, kept_records, reports, templates
from store.reports import ReportState
from store.templates import TemplateState

SHEETS = (DEMO / "NRC" / "0914_phq9_sheets.pdf").read_bytes()


@pytest.fixture(scope="module")
def pool() -> Iterator[ReaderPool]:
    made = reader_pool()
    made.warm()
    yield made
    made.close()


@pytest.fixture
def clinic(tmp_path: Path, pool: ReaderPool) -> Iterator[ReadingClinic]:
    made = ReadingClinic(home=tmp_path / "clinic", pool=pool)
    yield made
    made.database.close()


@pytest.fixture
def ready(clinic: ReadingClinic) -> ReadingClinic:
    clinic.publish("lmh_measure_export")
    clinic.import_rosters()
    return clinic


# --- the straight way


def test_a_record_without_any_doubt_is_handed_over_to_the_portal(ready: ReadingClinic) -> None:
    report = ready.read(export(row("P1"), row("P2", form="GAD7", total=8)))
    assert (report.state, report.printed, report.template) == (ReportState.HANDED_OVER, 2, "lmh-measure-export@1")
    assert [entry.submission.patient_id for entry in ready.submissions()] == ["P1", "P2"]
    assert ready.cases() == []
    assert ready.confirmed


def test_a_report_is_handed_over_once(ready: ReadingClinic) -> None:
    report = ready.read(export(row()))
    ready.step(3, after=timedelta(hours=1))
    with ready.database.reading() as session:
        assert len(kept_records.of_report(session, report.report_id)) == 1
    assert len(ready.submissions()) == 1


def test_a_report_whose_reader_was_slow_and_whose_lease_ran_out_is_still_handed_over_once(
    ready: ReadingClinic,
) -> None:
    ready.take(export(row()))
    begun, go_on = threading.Event(), threading.Event()
    slow = ready.another_pipeline(pool=_slow(ready, begun, go_on))
    first = threading.Thread(target=slow.step, args=(ready.now,))
    first.start()
    assert begun.wait(30)
    ready.step(after=timedelta(minutes=11))
    go_on.set()
    first.join()
    assert len(ready.submissions()) == 1


# --- doubts


@pytest.mark.parametrize(
    ("state", "reason"),
    [
        (TemplateState.HELD, "template-held"),
        (TemplateState.SHADOW, "template-shadow"),
        (TemplateState.DRAFT, "template-shadow"),
    ],
)
def test_a_template_that_may_not_send_leaves_its_records_to_a_person(
    clinic: ReadingClinic, state: TemplateState, reason: str
) -> None:
    clinic.import_rosters()
    clinic.publish("lmh_measure_export", state)
    clinic.read(export(row()))
    assert [case.reasons for case in clinic.cases()] == [(reason,)]
    assert clinic.submissions() == []


def test_a_template_put_on_hold_holds_from_the_next_report_on(ready: ReadingClinic) -> None:
    ready.read(export(row("P1")))
    with ready.database.session() as session:
        templates.set_state(session, "lmh-measure-export", 1, TemplateState.HELD, actor="test", now=ready.now)
    ready.read(export(row("P2")))
    assert len(ready.submissions()) == 1
    assert [case.reasons for case in ready.cases()] == [("template-held",)]


def test_a_published_revision_that_somebody_altered_is_held(ready: ReadingClinic) -> None:
    path = ready.settings.templates_folder / "lmh-measure-export" / "1.yaml"
    path.write_text(path.read_text("utf-8").replace("no_score: [declined]", "no_score: [declined, refused]"), "utf-8")
    ready.read(export(row()))
    assert [case.reasons for case in ready.cases()] == [("template-held",)]


def test_a_template_that_was_never_published_sends_nothing(clinic: ReadingClinic) -> None:
    clinic.import_rosters()
    clinic.publish("lmh_measure_export")
    path = clinic.settings.templates_folder / "lmh-measure-export" / "1.yaml"
    (path.parent / "2.yaml").write_text(path.read_text("utf-8").replace("revision: 1", "revision: 2"), "utf-8")
    clinic.read(export(row()))
    assert [case.reasons for case in clinic.cases()] == [("template-shadow",)]


def test_a_folder_of_templates_that_became_wrong_keeps_the_last_good_ones(ready: ReadingClinic) -> None:
    ready.read(export(row("P1")))
    (ready.settings.templates_folder / "broken.yaml").write_text("id: [", "utf-8")
    ready.read(export(row("P2")))
    assert len(ready.submissions()) == 2


def test_a_site_without_a_roster_leaves_everything_to_a_person(clinic: ReadingClinic) -> None:
    clinic.publish("lmh_measure_export")
    clinic.read(export(row()))
    assert [case.reasons for case in clinic.cases()] == [("roster-missing",)]


def test_a_roster_older_than_allowed_confirms_nobody(tmp_path: Path, pool: ReaderPool) -> None:
    clinic = ReadingClinic(home=tmp_path / "clinic", pool=pool, stale_after_hours=24)
    clinic.publish("lmh_measure_export")
    clinic.import_rosters()
    clinic.read(export(row("P1")))
    clinic.now += timedelta(hours=25)
    clinic.read(export(row("P2")))
    assert [case.reasons for case in clinic.cases()] == [("roster-stale",)]
    assert [entry.submission.patient_id for entry in clinic.submissions()] == ["P1"]
    clinic.database.close()


def test_a_layout_nobody_knows_is_kept_for_a_person(ready: ReadingClinic) -> None:
    report = ready.read(b"Invoice;Amount\n1;20\n")
    assert (report.state, report.reasons, report.attention) == (ReportState.HANDED_OVER, ("no-template",), True)


def test_a_report_in_the_folder_of_another_clinic_goes_to_a_person(ready: ReadingClinic) -> None:
    ready.read(export(row()), site="NRC")
    assert ready.submissions() == []
    assert "other-site" in ready.cases()[0].reasons


def test_a_picture_among_the_pages_of_a_report_asks_for_a_look_whatever_else_waits(ready: ReadingClinic) -> None:
    ready.publish("nrc_item_sheet_gad7")
    sheets = PdfDocument((FORMS / "nrc_item_sheet_gad7/cases/five_sheets/report.pdf").read_bytes())
    sheets.import_pages(PdfDocument((FORMS.parent / "broken/scan.pdf").read_bytes()))
    mixed = io.BytesIO()
    sheets.save(mixed)
    report = ready.read(mixed.getvalue(), name="mixed.pdf", site="NRC")
    assert (report.state, report.printed, report.attention) == (ReportState.HANDED_OVER, 5, True)
    assert "scanned-page" in report.reasons


def test_a_scan_is_kept_with_its_reason(ready: ReadingClinic) -> None:
    report = ready.read((FORMS.parent / "broken/scan.pdf").read_bytes(), name="scan.pdf", site="NRC")
    assert (report.state, report.reasons) == (ReportState.QUARANTINED, ("no-text",))


# --- known already


def test_the_same_scores_printed_again_are_duplicates_and_are_not_sent(ready: ReadingClinic) -> None:
    ready.read(export(row("P1"), row("P2")))
    again = ready.read(export(row("P1"), row("P2"), printed="15.09.2026"))
    with ready.database.reading() as session:
        assert {r.state.value for r in kept_records.of_report(session, again.report_id)} == {"duplicate"}
        assert balance.of_report(session, again.report_id).duplicate == 2
    assert len(ready.submissions()) == 2
    assert ready.cases() == []


def test_a_row_printed_twice_in_one_report_counts_twice_and_is_sent_once(ready: ReadingClinic) -> None:
    report = ready.read(export(row(), row()))
    with ready.database.reading() as session:
        sums = balance.of_report(session, report.report_id)
    assert (sums.printed, sums.duplicate, len(ready.submissions())) == (2, 1, 1)


def test_other_values_for_a_known_assessment_are_a_correction_that_a_person_decides(ready: ReadingClinic) -> None:
    ready.read(export(row(total=5)))
    ready.read(export(row(total=15)))
    assert [case.reasons for case in ready.cases()] == [("correction",)]
    assert len(ready.submissions()) == 1


def test_two_values_for_one_assessment_in_one_report_are_not_both_sent(ready: ReadingClinic) -> None:
    ready.read(export(row(total=5), row(total=15)))
    assert len(ready.submissions()) == 1
    assert [case.reasons for case in ready.cases()] == [("correction",)]


@pytest.mark.parametrize("second_total", [5, 15])
def test_two_reports_that_race_send_one_value(ready: ReadingClinic, second_total: int) -> None:
    for _ in range(3):
        ready.take(export(row(total=5), printed="14.09.2026"))
        ready.take(export(row(total=second_total), printed="15.09.2026"))
        ready.read_at_once([ready.pipeline, ready.another_pipeline()])
    assert len(ready.submissions()) == 1
    assert len(ready.cases()) == (second_total != 5)


def test_many_reports_read_by_many_threads_all_arrive_once(ready: ReadingClinic) -> None:
    days = [f"{n:02d}.08.2026" for n in range(1, 13)]
    for day in days:
        ready.take(export(row("P1", day=day), row("P2", day=day), printed=day))
    pipelines = [ready.pipeline, *(ready.another_pipeline() for _ in range(3))]
    for _ in range(len(days) // len(pipelines)):
        ready.read_at_once(pipelines)
    assert len(ready.submissions()) == 2 * len(days)


# --- answers about self-harm


def test_an_answer_about_self_harm_is_told_though_there_is_no_roster(clinic: ReadingClinic) -> None:
    clinic.publish("nrc_item_sheet_phq9")
    clinic.read(SHEETS, name="sheets.pdf", site="NRC")
    assert clinic.alerts()
    assert clinic.alerted
    assert all(alert.record_id is not None for alert in clinic.alerts())


@pytest.mark.parametrize("state", [TemplateState.HELD, TemplateState.SHADOW])
def test_an_answer_about_self_harm_is_told_though_the_template_may_not_send(
    clinic: ReadingClinic, state: TemplateState
) -> None:
    clinic.import_rosters()
    clinic.publish("nrc_item_sheet_phq9", state)
    clinic.read(SHEETS, name="sheets.pdf", site="NRC")
    assert clinic.alerts()


class _NoRosters(Rosters):
    """Matching breaks down."""

    def of(self, site: str, *, now: datetime, source: str | None = None) -> SiteRoster:
        """Never an answer."""
        raise StoreError("the roster cannot be read")


def test_an_answer_about_self_harm_is_told_once_though_matching_breaks_down(clinic: ReadingClinic) -> None:
    clinic.publish("nrc_item_sheet_phq9")
    clinic.take(SHEETS, name="sheets.pdf", site="NRC")
    broken = clinic.another_pipeline(rosters=_NoRosters(clinic.database, clinic.settings))
    with pytest.raises(StoreError):
        broken.step(clinic.now)
    told = [alert.alert_id for alert in clinic.alerts()]
    assert told
    clinic.import_rosters()
    clinic.step()
    assert [alert.alert_id for alert in clinic.alerts()] == told


# --- what goes wrong


class _DyingPool(ReaderPool):
    """Every file kills its process."""

    def read(self, content: bytes, file: FileToRead) -> ReportReading:
        """Never an answer."""
        self.call(os._exit, 3)
        raise AssertionError("the process lives")


def test_a_file_that_kills_its_reader_is_set_aside_and_its_neighbours_are_read(ready: ReadingClinic) -> None:
    bad = ready.take(export(row("P1")))
    dying = _DyingPool(ready.settings.reading)
    ready.another_pipeline(pool=dying).step(ready.now)
    dying.close()
    ready.read(export(row("P2")))
    assert (ready.report(bad.report_id).state, ready.report(bad.report_id).reasons) == (
        ReportState.QUARANTINED,
        ("reader-died",),
    )
    assert [entry.submission.patient_id for entry in ready.submissions()] == ["P2"]


def test_a_file_that_took_the_service_down_three_times_is_not_read_a_fourth_time(ready: ReadingClinic) -> None:
    bad = ready.take(export(row()))
    for _ in range(reports.MAX_ATTEMPTS):
        with ready.database.session() as session:
            assert reports.claim_unread(session, now=ready.now, lease=timedelta(minutes=10), limit=1)
        ready.now += timedelta(minutes=11)
    ready.step()
    assert ready.report(bad.report_id).reasons == ("reader-died",)
    assert ready.submissions() == []


def test_a_quarantined_report_can_be_read_again(ready: ReadingClinic) -> None:
    bad = ready.take(export(row()))
    with ready.database.session() as session:
        reports.quarantine(session, bad.report_id, reason="reader-timeout", now=ready.now)
        reports.process_again(session, bad.report_id, actor="test", now=ready.now)
    ready.step()
    assert len(ready.submissions()) == 1


def test_a_fault_of_the_store_leaves_the_report_to_be_read_again_at_once(ready: ReadingClinic) -> None:
    taken = ready.take(export(row()))
    broken = ready.another_pipeline(rosters=_NoRosters(ready.database, ready.settings))
    with pytest.raises(StoreError):
        broken.step(ready.now)
    assert ready.report(taken.report_id).state is ReportState.WAITING
    ready.step()
    assert len(ready.submissions()) == 1


def test_a_report_the_store_keeps_failing_on_does_not_keep_the_others_waiting(ready: ReadingClinic) -> None:
    lost = ready.take(export(row("P1")))
    for document in (ready.settings.home / "archive").rglob(lost.document_id or "none"):
        document.unlink()
    ready.take(export(row("P2")))
    for _ in range(5):
        try:
            ready.pipeline.step(ready.now)
        except StoreError:
            continue
    assert [entry.submission.patient_id for entry in ready.submissions()] == ["P2"]


def _slow(clinic: ReadingClinic, begun: threading.Event, go_on: threading.Event) -> ReaderPool:
    """A pool whose reading says that it has begun, and ends only when it is told to."""

    class Slow(ReaderPool):
        def read(self, content: bytes, file: FileToRead) -> ReportReading:
            begun.set()
            assert go_on.wait(60)
            return clinic.pool.read(content, file)

    return Slow(clinic.settings.reading)


def test_a_file_being_read_when_the_service_stops_is_given_back_unblamed(ready: ReadingClinic) -> None:
    class Endless(ReaderPool):
        def read(self, content: bytes, file: FileToRead) -> ReportReading:
            self.call(time.sleep, 60)
            raise AssertionError("slept to the end")

    taken = ready.take(export(row()))
    endless = Endless(ready.settings.reading)
    reading = threading.Thread(target=ready.another_pipeline(pool=endless).step, args=(ready.now,))
    reading.start()
    while not endless.under_way:
        assert reading.is_alive(), "the reading ended before it could be stopped"
        time.sleep(0.01)
    endless.close()
    reading.join(timeout=10)
    assert not reading.is_alive()
    report = ready.report(taken.report_id)
    assert (report.state, report.attempts) == (ReportState.WAITING, 0)
    ready.step()
    assert len(ready.submissions()) == 1


def test_a_closed_pool_starts_no_new_processes() -> None:
    pool = reader_pool(workers=1)
    pool.close()
    with pytest.raises(ReadingStoppedError):
        pool.call(os.getpid)
