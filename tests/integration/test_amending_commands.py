"""`submission correct|move|reassign|withdraw|undo|cancel` and `patient trail`, as they are typed."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import typer
from delivery_cases import MORNING, assessment, confirm

from ingest import cli
from portal.sandbox import RunningSandbox, running_sandbox
from records.patient import RosterPatient
from store import notices, outbox, roster
from store.database import Database, create
from store.settings import StoreSettings


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    status: int
    out: str
    err: str

    @property
    def lines(self) -> list[dict[str, object]]:
        """Standard output as JSON lines."""
        return [json.loads(line) for line in self.out.splitlines()]


Run = Callable[..., Ended]


@pytest.fixture
def portal() -> Iterator[RunningSandbox]:
    with running_sandbox() as running:
        yield running


@pytest.fixture
def database(tmp_path: Path, portal: RunningSandbox) -> Iterator[Database]:
    (tmp_path / "scorebridge.toml").write_text(
        f"""
home = "home"
alerts = "none"
[[site]]
id = "WCP"
time_zone = "America/Chicago"
[[destination]]
id = "portal"
file = "generic-json.yaml"
base_url = "{portal.url}"
mode = "live"
token = "env:HOME"
""",
        "utf-8",
    )
    people = [RosterPatient(patient_id=one, site="WCP", family=one, given="Print") for one in ("P1", "P2")]
    with create(StoreSettings(home=tmp_path / "home"), now=MORNING) as database:
        with database.session() as session:
            roster.replace(
                session,
                "WCP",
                people,
                as_of=MORNING,
                imported_from="roster.csv",
                actor="setup",
                now=MORNING,
                max_removed_share=1.0,
            )
        yield database


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


def told(database: Database) -> list[tuple[str, str, str]]:
    with database.reading() as session:
        return [
            (one.submission.patient_id, one.submission.status.value, one.state.value)
            for one in outbox.list_submissions(session)
        ]


def test_a_confirmed_record_is_corrected_and_the_correction_undone(run: Run, database: Database) -> None:
    (number,) = confirm(database, [("P1", assessment("P1"))])
    done = run("submission", "correct", number, "--set", "total=6", "--set", "item-6=1", "--json")
    assert done.status == 0
    assert done.lines == [{"record": number, "state": "confirmed", "told": 1, "duplicate_of": None, "version": 1}]
    assert run("submission", "correct", number, "--set", "total=99").status != 0
    assert run("submission", "undo", number, "--json").lines == [{"record": number, "undone": "correction"}]
    assert "waits for review again" in run("submission", "undo", number).err
    assert [state for _, _, state in told(database)] == ["cancelled", "cancelled"]


def test_a_record_is_moved_and_both_trails_show_it(run: Run, database: Database) -> None:
    (number,) = confirm(database, [("P1", assessment("P1"))])
    assert run("submission", "move", number, "--patient", "P2", "--reason", "mixed up").status == 0
    assert told(database) == [("P1", "final", "cancelled"), ("P2", "final", "pending")]
    for patient in ("P1", "P2"):
        trail = run("patient", "trail", "--site", "WCP", "--patient", patient, "--json")
        assert [entry["what"] for entry in trail.lines if entry.get("to_patient")] == ["moved"]
        assert [entry["record"] for entry in trail.lines] == [number, number]
    stale = run("submission", "move", number, "--patient", "P1", "--version", 0)
    assert stale.status != 0
    assert "changed since" in stale.err


def test_a_trail_asks_for_the_patient_where_none_is_named(
    run: Run, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    confirm(database, [("P1", assessment("P1"))])
    monkeypatch.setattr(typer, "prompt", lambda *words, **options: " P1 ")
    shown = run("patient", "trail", "--site", "WCP")
    assert "phq-9 2026-03-02 5" in shown.out
    assert "Nothing was ever confirmed" in run("patient", "trail", "--site", "WCP", "--patient", "nobody").err


def test_another_day_is_named_by_its_option_and_something_must_be_named(run: Run, database: Database) -> None:
    (number,) = confirm(database, [("P1", assessment("P1"))])
    assert run("submission", "reassign", number).status == 2
    assert run("submission", "reassign", number, "--date", "2026-03-01").status == 0
    assert [state for _, _, state in told(database)] == ["cancelled", "pending"]


def test_a_withdrawal_closes_the_record_or_brings_it_back(run: Run, database: Database) -> None:
    first, second = confirm(database, [("P1", assessment("P1")), ("P2", assessment("P2"))])
    assert "is closed" in run("submission", "withdraw", first, "--reason", "printed twice", "--no-reopen").err
    assert "waits for review" in run("submission", "withdraw", second, "--reason", "wrong day", "--right-patient").err
    assert [case["reasons"] for case in run("queue", "list", "--json").lines] == [["taken-back"]]
    again = run("submission", "withdraw", first, "--reason", "once more")
    assert again.status != 0
    assert "not confirmed" in again.err


def test_a_portal_that_was_taken_out_of_the_settings_is_named(run: Run, database: Database, tmp_path: Path) -> None:
    (number,) = confirm(database, [("P1", assessment("P1"))], destinations=("portal", "registry"))
    done = run("submission", "correct", number, "--set", "total=6", "--set", "item-6=1")
    assert "registry is off or no longer in the settings" in done.err


def test_a_message_is_given_up_against_a_refusal_only_when_the_portal_was_put_right_by_hand(
    run: Run, database: Database, portal: RunningSandbox
) -> None:
    (number,) = confirm(database, [("P1", assessment("P1"))])
    run("submission", "correct", number, "--set", "total=6", "--set", "item-6=1")
    refused = run("submission", "cancel", 2)
    assert refused.status != 0
    assert "keep the earlier value" in refused.err
    assert run("submission", "cancel", 2, "--done-by-hand").status == 0


def test_the_list_of_submissions_shows_the_latest_and_says_what_it_leaves_out(run: Run, database: Database) -> None:
    first, last = confirm(database, [("P1", assessment("P1")), ("P2", assessment("P2"))])
    shown = run("submission", "list", "--limit", 1, "--json")
    assert ([one["record"] for one in shown.lines], "latest 1 of 2" in shown.err) == ([last], True)
    alone = run("submission", "list", "--record", first, "--json")
    assert ([one["record"] for one in alone.lines], alone.err) == ([first], "")


@pytest.mark.parametrize("words", [("submission", "resend", 77), ("alert", "ack", 77, "--by", "dr-eve")])
def test_a_number_that_is_not_there_is_a_refusal_and_no_broken_store(
    run: Run, database: Database, words: tuple[object, ...]
) -> None:
    refused = run(*words)
    assert (refused.status, "77" in refused.err) == (1, True)


def test_status_and_doctor_say_why_a_portal_is_paused_and_what_to_do(run: Run, database: Database) -> None:
    with database.session() as session:
        outbox.pause(session, "portal", reason="http-401", now=MORNING)
        notices.leave(session, "destination-paused", "portal", "Nothing is delivered there.", now=MORNING)
    told = run("status", "--json").lines[0]
    assert told["notices"] == [
        {"kind": "destination-paused", "about": "portal", "sentence": "Nothing is delivered there."}
    ]
    assert "scorebridge destination list" in " ".join(run("status").out.split())
    findings = {one["check"]: one for one in run("doctor", "--json").lines}
    assert "(http-401)" in str(findings["destinations"]["finding"])
    assert "destination probe" in str(findings["destinations"]["next"])
