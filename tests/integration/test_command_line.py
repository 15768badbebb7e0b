"""The command line is a contract: what it prints, where it prints it, and the status it ends with."""

from __future__ import annotations

import hashlib
import io
import json
import os
import re
import shutil
import stat
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
import structlog
from reading_clinic import DEMO, FORMS, NOON, ROSTER, ReadingClinic, export, reader_pool, row

from ingest import cli
from ingest.workers import ReaderPool
from store import alert_subjects, alert_tellings, alerts, blind_audit, notices, reports, sightings
from store.alerts import raise_alert
from store.sightings import SightingState

CSV = FORMS / "lmh_measure_export"


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    status: int
    out: str
    err: str

    @property
    def lines(self) -> list[dict[str, object]]:
        """Standard output as JSON lines; anything else in it is a fault."""
        return [json.loads(line) for line in self.out.splitlines()]


Run = Callable[..., Ended]


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    yield
    structlog.reset_defaults()
    threading.excepthook = threading.__excepthook__


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Run:
    monkeypatch.delenv("SCOREBRIDGE_CONFIG", raising=False)
    monkeypatch.delenv("FORCE_COLOR", raising=False)
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.chdir(tmp_path)

    def go(*words: object) -> Ended:
        capsys.readouterr()
        monkeypatch.setattr(sys, "argv", ["scorebridge", *map(str, words)])
        status: object = 0
        try:
            cli.main()
        except SystemExit as ended:
            status = ended.code or 0
        said = capsys.readouterr()
        assert isinstance(status, int)
        return Ended(status=status, out=said.out, err=said.err)

    return go


@pytest.fixture(scope="module")
def pool() -> Iterator[ReaderPool]:
    made = reader_pool(workers=1)
    yield made
    made.close()


@pytest.fixture
def clinic(tmp_path: Path, pool: ReaderPool, monkeypatch: pytest.MonkeyPatch) -> Iterator[ReadingClinic]:
    """One record sent, one waiting, one file in quarantine; a settings file that the commands find."""
    made = ReadingClinic(home=tmp_path, pool=pool, now=datetime.now(UTC))
    made.publish("lmh_measure_export")
    made.import_rosters()
    unlike = row("P2").replace("Okonkwo", "Adeyemi").replace("02.11.1974", "30.05.1957")
    made.read(export(row("P1"), unlike))
    wrong = made.take(b"a;b\n1\n")
    with made.database.session() as session:
        reports.quarantine(session, wrong.report_id, reason="csv-malformed", now=made.now)
    (tmp_path / "print").mkdir()
    (tmp_path / "scorebridge.toml").write_text(
        """
home = "home"
alerts = "none"
[[site]]
id = "LMH"
time_zone = "America/Chicago"
roster = "roster_LMH.csv"
roster_max_age_hours = 1000000
[[source]]
site = "LMH"
folder = "print"
[[destination]]
id = "portal"
file = "generic-json.yaml"
base_url = "https://portal.example.org"
mode = "live"
token = "env:HOME"
""",
        "utf-8",
    )
    yield made
    made.database.close()


# --- init and settings


def test_init_writes_a_settings_file_first_and_then_a_database_with_a_private_key(run: Run, tmp_path: Path) -> None:
    assert run("init").status == 0
    written = (tmp_path / "scorebridge.toml").read_text("utf-8")
    assert run("init").status == 0
    [key] = [path for path in (tmp_path / "scorebridge-data").iterdir() if "key" in path.name]
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    again = run("init")
    assert again.status == 2
    assert "holds a database already" in again.err
    assert (tmp_path / "scorebridge.toml").read_text("utf-8") == written


def test_every_fault_of_the_settings_is_listed_at_once(run: Run, tmp_path: Path) -> None:
    (tmp_path / "scorebridge.toml").write_text(
        """
home = "home"
colour = "blue"
[[site]]
id = "LMH"
time_zone = "Mars/Olympus"
[[source]]
site = "LMH"
folder = "print"
quiet_seconds = -1
after = "burn"
[matching]
threshold = 2
""",
        "utf-8",
    )
    ended = run("status")
    assert ended.status == 2
    for fault in ("colour", "Mars/Olympus", "quiet_seconds", "after is leave, delete or move", "threshold"):
        assert fault in ended.err
    assert ended.out == ""


@pytest.mark.parametrize("text", ['home = "a"\nhome = "b"', "home =", '[site]\nid = "LMH"', ""])
def test_a_settings_file_that_is_wrong_ends_with_status_2_and_the_next_thing_to_try(
    run: Run, tmp_path: Path, text: str
) -> None:
    (tmp_path / "scorebridge.toml").write_text(text, "utf-8")
    ended = run("status")
    assert ended.status == 2
    assert "Mend" in ended.err


def test_a_missing_settings_file_says_how_to_make_one(run: Run) -> None:
    ended = run("status")
    assert ended.status == 2
    assert "scorebridge init" in ended.err


def test_run_refuses_to_start_and_lists_every_reason(run: Run, tmp_path: Path) -> None:
    (tmp_path / "scorebridge.toml").write_text('home = "home"\n[[site]]\nid = "LMH"\nroster = "none.csv"\n', "utf-8")
    run("init")
    ended = run("run")
    assert ended.status == 2
    for word in ("alerts", "source", "destination", "none.csv"):
        assert word in ended.err


def test_a_template_that_drifted_is_told_of_everywhere_until_it_is_released(run: Run, clinic: ReadingClinic) -> None:
    for day in range(2):
        clinic.read(export(row(), printed=f"2{day}.09.2026"))
    clinic.read(export(row("P3") + ";4", printed="22.09.2026").replace(b"MeasureDate", b"MeasureDate;Room"))
    (listed,) = run("template", "list", "--json").lines
    assert listed["state"] == "held"
    assert "“Room” is new right of “MeasureDate”." in str(listed["changes"])
    assert "“Room” is new" in run("template", "list").err
    (summary,) = run("status", "--json").lines
    assert summary["held_templates"] == 1
    (checked,) = [line for line in run("doctor", "--json").lines if line["check"] == "templates"]
    assert (checked["ok"], checked["finding"]) == (False, "On hold: lmh-measure-export@1.")
    assert run("template", "release", "lmh-measure-export").status == 0
    (after,) = run("template", "list", "--json").lines
    assert (after["state"], run("status", "--json").lines[0]["held_templates"]) == ("live", 0)
    with clinic.database.reading() as session:
        assert "template-drifted" not in [notice.kind for notice in notices.list_open(session)]


def test_a_layout_that_drifted_off_its_anchors_is_told_with_the_words_that_are_missing(
    run: Run, clinic: ReadingClinic
) -> None:
    report = clinic.read(export(row("P3")).replace(b"MeasureTotal", b"Points"))
    with clinic.database.reading() as session:
        (told,) = [n.sentence for n in notices.list_open(session) if n.kind == "layout-unknown"]
    assert "lmh-measure-export@1, misses “MeasureTotal”" in told
    run("report", "settle", report.report_id, "--note", "test print")
    with clinic.database.reading() as session:
        assert [n for n in notices.list_open(session) if n.kind == "layout-unknown"] == []


def test_a_database_whose_key_is_gone_is_unreachable(run: Run, clinic: ReadingClinic) -> None:
    clinic.settings.store.key_path.unlink()
    assert run("status").status == 3


@pytest.mark.parametrize("words", [["nonsense"], ["queue", "show"], ["queue", "reject", "1"], ["read", "--json"]])
def test_wrong_usage_ends_with_status_2(run: Run, words: list[str]) -> None:
    ended = run(*words)
    assert ended.status == 2
    assert ended.out == ""


# --- the state of the clinic


def test_status_adds_up_and_says_what_waits(run: Run, clinic: ReadingClinic) -> None:
    ended = run("status", "--json")
    assert ended.status == 1
    [said] = ended.lines
    assert said["open_cases"] == said["quarantined_files"] == said["undelivered"] == 1
    [site] = said["sites"]  # type: ignore[misc]
    assert (site["printed"], site["waiting"], site["waiting_split"]["review"]) == (2, 2, 1)
    assert run("status").status == 1


def test_doctor_names_every_fault_and_no_fault_hides_another(run: Run, clinic: ReadingClinic, tmp_path: Path) -> None:
    (tmp_path / "print").rmdir()
    ended = run("doctor", "--json")
    checks = {check["check"]: check["ok"] for check in ended.lines}
    assert ended.status == 1
    assert checks["audit trail"] is checks["templates"] is checks["balance"] is True
    assert checks["users"] is checks[f"folder {tmp_path / 'print'}"] is False
    assert all(check["next"] for check in ended.lines if not check["ok"])


def test_no_color_is_honoured(run: Run, clinic: ReadingClinic, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    for words in (["status"], ["doctor"], ["queue", "list"], ["report", "list"]):
        ended = run(*words)
        assert "\x1b[" not in ended.out + ended.err


# --- the queue


def _case(run: Run) -> int:
    [case] = run("queue", "list", "--json").lines
    assert isinstance(case["case"], int)
    return case["case"]


def test_the_queue_lists_shows_and_approves(run: Run, clinic: ReadingClinic) -> None:
    case = _case(run)
    assert run("queue", "list").status == 1
    [shown] = run("queue", "show", case, "--json").lines
    assert shown["patient_printed"]
    assert run("queue", "approve", case, "--patient", "P2").status == 0
    assert run("queue", "list", "--json") == Ended(status=0, out="", err="")
    assert [entry.submission.patient_id for entry in clinic.submissions()] == ["P1", "P2"]


def test_a_case_shown_is_in_the_audit_trail(run: Run, clinic: ReadingClinic) -> None:
    run("queue", "show", _case(run))
    assert "case.viewed" in run("audit", "export").out


def test_a_case_somebody_else_has_changed_is_not_decided(run: Run, clinic: ReadingClinic) -> None:
    case = _case(run)
    assert run("queue", "correct", case, "--set", "total=6").status == 0
    ended = run("queue", "approve", case, "--patient", "P2", "--version", 1)
    assert ended.status == 1
    assert len(clinic.submissions()) == 1
    assert run("queue", "approve", case, "--patient", "P2").status == 0


def test_a_case_is_rejected_with_a_reason(run: Run, clinic: ReadingClinic) -> None:
    case = _case(run)
    assert run("queue", "reject", case, "--reason", "no-such-reason").status == 2
    assert run("queue", "reject", case, "--reason", "not-a-patient-row").status == 0
    assert clinic.cases() == []
    assert run("queue", "reject", case, "--reason", "not-a-patient-row").status == 1


@pytest.mark.parametrize("change", ["total", "total=99", "colour=blue", "authored_on=soon"])
def test_a_correction_that_makes_no_sense_changes_nothing(run: Run, clinic: ReadingClinic, change: str) -> None:
    case = _case(run)
    ended = run("queue", "correct", case, "--set", change)
    assert ended.status in (1, 2)
    assert clinic.cases()[0].version == 1


def test_a_patient_nobody_knows_is_never_approved(run: Run, clinic: ReadingClinic) -> None:
    assert run("queue", "approve", _case(run), "--patient", "P999").status == 1
    assert len(clinic.submissions()) == 1


def test_a_case_that_does_not_exist_is_an_error_with_a_sentence(run: Run, clinic: ReadingClinic) -> None:
    ended = run("queue", "show", 4711)
    assert ended.status in (1, 3)
    assert ended.out == ""
    assert "Traceback" not in ended.err


# --- running a clinic


def test_alerts_are_listed_until_a_named_person_takes_them(run: Run, clinic: ReadingClinic) -> None:
    assert run("alert", "list").status == 0
    with clinic.database.session() as session:
        raise_alert(
            session, alert_key="k", site="LMH", report_id=1, position=0, instrument="phq-9", link_id="9", points=2,
            unverified=False, now=clinic.now,
        )  # fmt: skip
    ended = run("alert", "list", "--json")
    assert (ended.status, ended.lines[0]["points"], ended.lines[0]["acknowledged_by"]) == (1, 2, None)
    assert run("alert", "ack", 1, "--by", "nurse").status == 0
    assert run("alert", "list", "--all", "--json").lines[0]["acknowledged_by"] == "nurse"
    assert run("alert", "list").status == 0


def test_an_alert_says_who_was_told_and_takes_a_word_on_what_was_done(
    run: Run, clinic: ReadingClinic, monkeypatch: pytest.MonkeyPatch
) -> None:
    with clinic.database.session() as session:
        raise_alert(
            session, alert_key="k", site="LMH", report_id=1, position=0, instrument="phq-9", link_id="9", points=2,
            unverified=False, now=NOON,
        )  # fmt: skip
        alert_tellings.mark_told(session, 1, round_=1, channel="pager", step=1, receipt="http-204", now=NOON)
        alert_tellings.mark_failed(session, [(1, 1, 1)], channel="mail", fault="unreachable", now=NOON)
    assert "mail FAILS (unreachable, 1 tries), pager 1" in run("alert", "list").out
    told = run("alert", "list", "--json").lines[0]["told"]
    assert isinstance(told, list)
    assert {(one["channel"], one["fault"]) for one in told} == {("pager", None), ("mail", "unreachable")}
    status = run("status", "--json")
    assert (status.status, status.lines[0]["failing_alert_channels"]) == (1, 1)
    with clinic.database.reading() as session:
        shown = alert_subjects.subject_of(session, alerts.get(session, 1))
    assert shown is not None
    refused = run("alert", "not-this-patient", 1, "--patient", "NOBODY")
    assert refused.status != 0
    assert "Nothing was changed" in refused.err
    assert run("alert", "not-this-patient", 1, "--patient", shown.patient_id).status == 0
    assert run("alert", "list", "--json").lines[0]["patient_ruled_out"] is True
    monkeypatch.setattr(sys, "stdin", io.StringIO("Called, is safe\n"))
    assert run("alert", "ack", 1, "--by", "nurse", "--note").status == 0
    with clinic.database.reading() as session:
        assert [event.note for event in alerts.events(session, 1)] == ["", "Called, is safe"]


def test_an_alert_test_without_a_channel_is_a_fault_of_the_settings(run: Run, clinic: ReadingClinic) -> None:
    assert run("alert", "test").status == 2


def test_the_backlog_is_listed_and_released(run: Run, clinic: ReadingClinic, tmp_path: Path) -> None:
    assert run("backlog", "list").status == 0
    source = f"LMH:{tmp_path / 'print'}"
    with clinic.database.session() as session:
        sightings.remember(
            session, source, "/print/old \udcff.pdf", size=1, mtime_ns=1, state=SightingState.BACKLOG, now=clinic.now
        )
    ended = run("backlog", "list", "--json")
    assert (ended.status, ended.lines) == (1, [{"source": source, "file": "/print/old \udcff.pdf"}])
    assert run("backlog", "list").status == 1
    assert run("status", "--json").lines[0]["backlog_files"] == 1
    assert run("backlog", "process").status == 0
    assert run("backlog", "list").status == 0


def test_a_report_in_quarantine_is_listed_and_read_again(run: Run, clinic: ReadingClinic) -> None:
    ended = run("report", "list", "--json")
    states = {line["report"]: line["state"] for line in ended.lines}
    assert (ended.status, states) == (1, {1: "handed-over", 2: "quarantined"})
    assert run("report", "again", 2).status == 0
    assert run("report", "list").status == 0
    assert run("report", "again", 2).status == 1


def test_a_report_that_needs_a_person_is_settled(run: Run, clinic: ReadingClinic) -> None:
    unknown = clinic.read(b"Invoice;Amount\n1;20\n")
    assert run("report", "settle", unknown.report_id, "--note", "an invoice").status == 0
    assert run("report", "settle", unknown.report_id, "--note", "an invoice").status == 1


def test_submissions_are_listed_and_resent_only_if_they_are_stuck(run: Run, clinic: ReadingClinic) -> None:
    ended = run("submission", "list", "--json")
    assert (ended.status, ended.lines[0]["state"]) == (0, "pending")
    assert run("submission", "list", "--state", "dead", "--json").lines == []
    assert run("submission", "resend", 1).status != 0


def test_the_audit_trail_is_verified_and_exported_and_the_export_is_in_it(run: Run, clinic: ReadingClinic) -> None:
    assert run("audit", "verify", "--json").lines[0]["intact"] is True
    exported = run("audit", "export").lines
    assert len(exported) >= 3
    assert "audit.exported" in run("audit", "export").out
    assert run("audit", "verify").status == 0


def test_a_user_is_added_by_standard_input_and_never_by_an_argument(
    run: Run, clinic: ReadingClinic, monkeypatch: pytest.MonkeyPatch
) -> None:
    import io

    monkeypatch.setattr(sys, "stdin", io.StringIO("a long enough passphrase\n"))
    assert run("user", "add", "maren", "--role", "reviewer").status == 0
    monkeypatch.setattr(sys, "stdin", io.StringIO("short\n"))
    assert run("user", "add", "nils", "--role", "reviewer").status == 1
    assert run("user", "role", "maren", "administrator").status == 0
    assert run("user", "list", "--json").lines == [
        {"name": "maren", "role": "administrator", "sites": None, "enabled": True, "second_factor": False}
    ]
    assert run("user", "role", "nobody", "administrator").status == 1


def test_a_token_is_printed_once_and_let_in_until_it_is_revoked(
    run: Run, clinic: ReadingClinic, monkeypatch: pytest.MonkeyPatch
) -> None:
    import io

    monkeypatch.setattr(sys, "stdin", io.StringIO("a long enough passphrase\n"))
    assert run("user", "add", "robot", "--role", "reviewer").status == 0
    made = run("token", "add", "nightly", "--user", "robot", "--role", "viewer", "--read-only")
    secret = made.out.strip()
    assert secret.startswith("sbt_")
    (listed,) = run("token", "list", "--json").lines
    assert (listed["name"], listed["user"], listed["role"], listed["read_only"]) == ("nightly", "robot", "viewer", True)
    assert secret not in run("token", "list").out + run("audit", "export").out
    assert run("token", "add", "more", "--user", "robot", "--role", "administrator").status == 1
    assert run("token", "add", "more", "--user", "nobody").status == 1
    assert run("token", "add", "more", "--user", "robot", "--site", "NOWHERE").status == 2
    assert run("token", "revoke", listed["token"]).status == 0
    assert run("token", "list", "--json").lines[0]["revoked_at"] is not None
    assert run("token", "revoke", 99).status == 1


# --- rosters


def test_a_roster_with_other_headers_and_order_is_understood(run: Run, clinic: ReadingClinic, tmp_path: Path) -> None:
    odd = tmp_path / "odd.csv"
    odd.write_text(
        "Surname;Sex at birth;Portal ID;First Name;D.O.B.;Chart #;Shoe size;Clinic\n"
        "Brandtner;Female;P1;Celia;04/19/1961;LM-10001;38;LMH\nOkonkwo;M;P2;Dario;19741102;LM-20002;44;LMH\n"
        "Other;F;P9;Site;1950-01-01;X;40;NRC\nLindqvist;F;P3;Maren;1988-07-23;LM-30003;39;LMH\n",
        "cp1252",
    )
    shown = run("roster", "import", odd, "--site", "LMH", "--dry-run")
    assert (shown.status, "Shoe size" in shown.err) == (0, True)
    ended = run("roster", "import", odd, "--site", "LMH")
    assert ended.status == 0
    assert "3 patients of site LMH: 0 added, 0 changed, 0 removed" in ended.err


def test_a_roster_that_lacks_too_many_patients_is_refused(run: Run, clinic: ReadingClinic, tmp_path: Path) -> None:
    short = tmp_path / "short.csv"
    short.write_text("\n".join(ROSTER.splitlines()[:2]), "utf-8")
    assert run("roster", "import", short, "--site", "LMH").status == 1
    assert run("roster", "import", short, "--site", "LMH", "--max-removed-share", "1").status == 0


def test_the_state_of_the_rosters_is_told(run: Run, clinic: ReadingClinic) -> None:
    ended = run("roster", "status", "--json")
    assert (ended.status, ended.lines[0]["patients"], ended.lines[0]["stale"]) == (0, 3, False)


# --- read: the contract

FILE_KEYS = {"file", "sha256", "status", "reasons", "template", "pages", "balance", "records"}
RECORD_KEYS = {
    "page", "region", "patient", "instrument", "authored_on", "total", "items", "severity", "match", "decision",
    "reasons", "critical",
}  # fmt: skip


@pytest.fixture
def reading(run: Run, tmp_path: Path) -> Run:
    (tmp_path / "roster.csv").write_text(ROSTER, "utf-8")
    return lambda *paths: run("read", *paths, "--site", "LMH", "--roster", "roster.csv", "--templates", CSV, "--json")


def test_read_keeps_its_contract_field_by_field(reading: Run, tmp_path: Path) -> None:
    content = export(row("P1", total=5).replace(";;14.09", ";Mild;14.09"))
    (tmp_path / "a.csv").write_bytes(content)
    ended = reading("a.csv")
    [said] = ended.lines
    assert ended.status == 0
    assert set(said) >= FILE_KEYS
    [record] = said["records"]  # type: ignore[misc]
    assert set(record) >= RECORD_KEYS
    assert (said["file"], said["sha256"], said["status"], said["reasons"], said["template"], said["pages"]) == (
        "a.csv", hashlib.sha256(content).hexdigest(), "parsed", [], "lmh-measure-export@1", 0,
    )  # fmt: skip
    assert said["balance"] == {
        "printed": 1, "confirmed": 1, "waiting": 0, "rejected": 0, "duplicate": 0, "no_score": 0,
    }  # fmt: skip
    assert {name: record["patient"][name] for name in ("family", "given", "birth_date", "mrn", "sex")} == {
        "family": "Brandtner", "given": "Celia", "birth_date": "1961-04-19", "mrn": "LM-10001", "sex": "F",
    }  # fmt: skip
    plain = ("page", "region", "instrument", "authored_on", "total", "items", "severity", "decision", "critical")
    assert [record[name] for name in plain] == [
        None, None, "phq-9", "2026-09-14", 5, None, "Mild", "confirmed", None,
    ]  # fmt: skip
    match = record["match"]
    assert (match["grade"], match["patient_id"]) == ("certain", "P1")
    assert 0.999 < match["probability"] <= 1
    assert 0 <= match["runner_up"] < 0.001


def test_read_gives_pages_regions_items_and_critical_answers_of_a_pdf(run: Run, tmp_path: Path) -> None:
    shutil.copy(DEMO / "NRC" / "0914_phq9_sheets.pdf", tmp_path / "sheets.pdf")
    ended = run(
        "read", "sheets.pdf", "--site", "NRC", "--roster", DEMO / "roster_NRC.csv", "--templates", DEMO / "templates",
        "--json",
    )  # fmt: skip
    [said] = ended.lines
    records = said["records"]
    assert isinstance(records, list)
    assert said["pages"] == len(records)
    for number, record in enumerate(records, start=1):
        assert record["page"] == number
        x0, top, x1, bottom = record["region"]
        assert 0 <= x0 < x1
        assert 0 <= top < bottom
        assert len(record["items"]) == 9
    assert {record["critical"] for record in records} >= {True, False}


def test_read_prints_one_object_per_file_in_the_order_of_the_arguments(reading: Run, tmp_path: Path) -> None:
    (tmp_path / "b.csv").write_bytes(export(row("P1")))
    (tmp_path / "a.csv").write_bytes(export(row("P2")))
    (tmp_path / "again.csv").write_bytes(export(row("P1")))
    (tmp_path / "other.csv").write_bytes(export(row("P2", total=9)))
    (tmp_path / "unknown.csv").write_bytes(b"Invoice;Amount\n1;20\n")
    (tmp_path / "broken.csv").write_bytes(b"a\0b")
    ended = reading("b.csv", "a.csv", "again.csv", "other.csv", "unknown.csv", "broken.csv", "missing.csv")
    told = [(line["file"], line["status"]) for line in ended.lines]
    assert told == [
        ("b.csv", "parsed"), ("a.csv", "parsed"), ("again.csv", "parsed"), ("other.csv", "review"),
        ("unknown.csv", "review"), ("broken.csv", "rejected"), ("missing.csv", "rejected"),
    ]  # fmt: skip
    assert ended.status == 1
    decisions = [[record["decision"] for record in line["records"]] for line in ended.lines]  # type: ignore[union-attr]
    assert decisions == [["confirmed"], ["confirmed"], ["duplicate"], ["review"], [], [], []]
    assert [line["reasons"] for line in ended.lines[4:]] == [["no-template"], ["csv-malformed"], ["file-vanished"]]
    assert all(set(line) >= FILE_KEYS for line in ended.lines)
    assert ended.lines[6]["sha256"] is None
    assert ended.lines[3]["records"][0]["reasons"] == ["correction"]  # type: ignore[index]


@pytest.mark.parametrize("name", [b"bad\xff.csv", "Zoë.csv".encode(), b"[red]x.csv", b"new\nline.csv"])
def test_read_takes_any_file_name_and_gives_it_back(reading: Run, run: Run, tmp_path: Path, name: bytes) -> None:
    path = os.fsdecode(name)
    (tmp_path / path).write_bytes(export(row()))
    ended = reading(path)
    assert (ended.status, ended.lines[0]["file"]) == (0, path)
    table = run("read", path, "--site", "LMH", "--roster", "roster.csv", "--templates", CSV)
    assert table.status == 0


def test_read_stores_nothing(reading: Run, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(export(row()))
    before = sorted(path.name for path in tmp_path.rglob("*"))
    reading("a.csv")
    assert sorted(path.name for path in tmp_path.rglob("*")) == before


def test_read_of_a_roster_or_template_that_is_wrong_says_so_beside_the_output(run: Run, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(export(row()))
    (tmp_path / "roster.csv").write_text(ROSTER, "utf-8")
    (tmp_path / "t").mkdir()
    (tmp_path / "t" / "bad.yaml").write_text("id: x\ncolour: blue\n", "utf-8")
    missing = run("read", "a.csv", "--site", "LMH", "--roster", "none.csv", "--templates", CSV, "--json")
    wrong = run("read", "a.csv", "--site", "LMH", "--roster", "roster.csv", "--templates", "t", "--json")
    nobody = run("read", "a.csv", "--site", "ELSEWHERE", "--roster", "roster.csv", "--templates", CSV, "--json")
    assert (missing.status, wrong.status, nobody.status) == (1, 2, 1)
    assert missing.out == wrong.out == nobody.out == ""
    assert re.search(r"bad\.yaml.*colour", wrong.err, re.S)


# --- match


def test_match_decides_each_person_on_a_line_of_its_own(run: Run, tmp_path: Path) -> None:
    (tmp_path / "roster.csv").write_text(ROSTER, "utf-8")
    (tmp_path / "people.csv").write_text(
        "record_id,name,family,given,birth_date,mrn,sex\n"
        'r1,"Brandtner, Celia",,,1961-04-19,LM-10001,F\n'
        "r2,,Nobody,Known,1999-01-01,,\n"
        "r3,,Okonkwo,Dario,the second of May,LM-20002,M\n"
        "r4,,,,,,\n",
        "utf-8",
    )
    ended = run("match", "--roster", "roster.csv", "--site", "LMH", "--people", "people.csv", "--json")
    told = {line["record_id"]: line for line in ended.lines}
    assert ended.status == 1
    assert list(told) == ["r1", "r2", "r3", "r4"]
    assert all(
        set(line) >= {"record_id", "grade", "patient_id", "probability", "runner_up", "reasons"} for line in ended.lines
    )
    assert (told["r1"]["grade"], told["r1"]["patient_id"], told["r1"]["reasons"]) == ("certain", "P1", [])
    assert told["r2"]["grade"] != "certain"
    assert (told["r3"]["grade"], told["r3"]["patient_id"], told["r3"]["reasons"]) == (
        "certainly-not", None, ["birth-date-unreadable"],
    )  # fmt: skip
    assert told["r4"]["grade"] == "certainly-not"


def test_match_of_certain_people_only_ends_with_status_0(run: Run, tmp_path: Path) -> None:
    (tmp_path / "roster.csv").write_text(ROSTER, "utf-8")
    (tmp_path / "people.csv").write_text("record_id,name,birth_date,mrn\nr1,Celia Brandtner,1961-04-19,LM-10001\n")
    ended = run("match", "--roster", "roster.csv", "--site", "LMH", "--people", "people.csv", "--explain")
    assert ended.status == 0


@pytest.mark.parametrize("threshold", ["0.2", "1", "nan"])
def test_a_threshold_that_makes_no_sense_is_refused(run: Run, tmp_path: Path, threshold: str) -> None:
    (tmp_path / "roster.csv").write_text(ROSTER, "utf-8")
    ended = run("match", "--roster", "roster.csv", "--site", "LMH", "--threshold", threshold)
    assert ended.status == 2


def test_a_notice_of_a_roster_says_nothing_about_its_people(clinic: ReadingClinic, tmp_path: Path) -> None:
    (tmp_path / "roster_LMH.csv").write_text("\n".join(ROSTER.splitlines()[1:]), "utf-8")
    clinic.roster_imports.import_changed(now=NOON)
    with clinic.database.reading() as session:
        told = " ".join(notice.sentence for notice in notices.list_open(session) if notice.kind == "roster-refused")
    assert "was not imported" in told
    for word in ("Brandtner", "Celia", "LM-10001", date(1961, 4, 19).isoformat()):
        assert word not in told


# --- what people teach, and what they find


def test_an_alias_is_listed_shown_and_revoked_after_a_dry_run(run: Run, clinic: ReadingClinic) -> None:
    run("queue", "approve", _case(run), "--patient", "P2")
    [alias] = run("alias", "list", "--json").lines
    assert (alias["patient_id"], alias["state"]) == (
        "P2",
        "awaiting-second",
    )  # neither name nor birth date is the patient's
    assert run("alias", "list").status == 1
    number = alias["alias"]
    [shown] = run("alias", "show", number, "--json").lines
    assert shown["records"] == []
    assert "History" in run("alias", "show", number).out
    assert "Nothing was changed" in run("alias", "revoke", number, "--dry-run").err
    assert run("alias", "list", "--json").lines[0]["state"] == "awaiting-second"
    assert run("alias", "revoke", number, "--yes").status == 0
    assert run("alias", "list", "--state", "revoked", "--json").lines[0]["alias"] == number
    assert run("alias", "show", 99).status == 1


def test_a_blind_audit_is_answered_and_counted(run: Run, clinic: ReadingClinic) -> None:
    with clinic.database.session() as session:
        blind_audit.draw_due(session, share=1.0, per_week=0, now=clinic.now)
    [task] = run("blind-audit", "list", "--json").lines
    number = task["blind_audit"]
    [shown] = run("blind-audit", "show", number, "--json").lines
    assert {"P1", "P3"} <= {one["patient_id"] for one in shown["patients"]}  # type: ignore[attr-defined]
    assert "probability" not in run("blind-audit", "show", number).out
    assert run("blind-audit", "answer", number, "--patient", "P1", "--cannot-tell").status == 2
    assert run("blind-audit", "answer", number, "--patient", "P3").status == 1
    assert "The match was P1" in run("blind-audit", "show", number).out
    [figures] = run("blind-audit", "figures", "--json").lines
    assert (figures["checked"], figures["wrong"], figures["error_bound_95"]) == (1, 1, 1.0)
    assert run("status", "--json").lines[0]["blind_audit"] == figures
    assert run("blind-audit", "settle", number, "--found", "match-was-right").status == 1
    assert run("blind-audit", "settle", number, "--found", "match-was-wrong").status == 0
    assert "not known yet" not in run("blind-audit", "figures").out
    assert len(clinic.cases()) == 2


def test_a_calibration_needs_enough_decisions_and_can_be_taken_back(run: Run, clinic: ReadingClinic) -> None:
    [said] = run("matching", "recalibrate", "--json").lines
    assert (said["labels"], said["points"], said["to_review"]) == (0, [], 0)
    assert "too few" in run("matching", "recalibrate", "--apply").err
    assert run("matching", "recalibrate", "--revert-to", 3).status == 1
    assert run("matching", "recalibrate", "--revert-to", 0).status == 0
    assert "calibration.reverted" in run("audit", "export").out
