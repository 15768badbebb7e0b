"""`queue …` and `review` as they are typed, over one store with a clinic's cases."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

import click
import pytest
from typer.testing import CliRunner

from ingest import clock
from ingest.cli import application
from records.case import CaseState
from store import cases, decisions, kept_records, roster
from store.database import Database, open_existing
from store.settings import StoreSettings
from tests.unit.review.review_clinic import ROSTER, SITE, START, furnish, hand_in, identity, patient
from tests.unit.review.test_matching_anew import stale

app = application()

Run = Callable[..., tuple[int, str]]


@pytest.fixture
def database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Database]:
    furnish(tmp_path / "home")
    (tmp_path / "scorebridge.toml").write_text(
        f'home = "home"\nalerts = "none"\n[[site]]\nid = "{SITE}"\ntime_zone = "America/Chicago"\n', "utf-8"
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(clock, "now", lambda: START)
    with open_existing(StoreSettings(home=tmp_path / "home")) as opened:
        yield opened


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Run:
    """Type a command as one of two people; what they type into prompts is `said`."""

    def typed(*words: str, said: str = "", actor: str = "ida") -> tuple[int, str]:
        monkeypatch.setattr("getpass.getuser", lambda: actor)
        done = CliRunner().invoke(app, list(words), input=said)
        return done.exit_code, done.output + str(done.exception or "")

    return typed


def state(database: Database, case_id: int) -> CaseState:
    with database.reading() as session:
        return cases.get(session, case_id).state


def test_two_people_share_the_queue_and_one_takes_over(database: Database, run: Run) -> None:
    status, text = run("queue", "next", "--json")
    assert (status, json.loads(text.splitlines()[0])["case"]) == (0, 1)
    assert json.loads(run("queue", "next", "--json", actor="ben")[1].splitlines()[0])["case"] == 2
    assert "ida@terminal has case 1 open" in run("queue", "reject", "1", "--reason", "unreadable", actor="ben")[1]
    assert state(database, 1) is CaseState.OPEN
    assert "is yours" in run("queue", "take-over", "1", actor="ben")[1]
    assert "approved" in run("queue", "approve", "1", "--patient", "D1", actor="ben")[1]
    assert "There is nothing to undo" in run("queue", "undo")[1]
    assert "The approval of case 1 is taken back" in run("queue", "undo", actor="ben")[1]
    assert state(database, 1) is CaseState.OPEN


def test_a_skipped_case_comes_last_and_nothing_left_is_said(database: Database, run: Run) -> None:
    assert run("queue", "skip", "1")[0] == 0
    assert json.loads(run("queue", "next", "--json")[1].splitlines()[0])["case"] == 2
    for case_id in (1, 2, 3):
        run("queue", "reject", str(case_id), "--reason", "duplicate")
    status, text = run("queue", "next")
    assert (status, "Nothing is left" in text) == (1, True)
    assert "Case 1 has" not in text


def test_names_are_asked_for_and_never_arguments(database: Database, run: Run) -> None:
    status, text = run("queue", "correct", "1", "--set", "mrn=BH-40771")
    assert (status, "--identity" in text) == (2, True)
    assert run("queue", "correct", "1", "--identity", said="\n\nBH-40771\n")[0] == 0
    with database.reading() as session:
        assert cases.get(session, 1).match.patient_id == "D1"
        assert cases.get(session, 1).is_identity_typed
    status, text = run("queue", "find", "1", said="osei\n")
    assert "Osei, Hannah" in text
    assert "queue park" in run("queue", "find", "1", said="zzyzx\n")[1]


def test_a_parked_patient_is_listed_for_the_front_desk(database: Database, run: Run) -> None:
    assert run("queue", "registrations")[0] == 0
    assert run("queue", "park", "3")[0] == 0
    status, text = run("queue", "registrations", "--json")
    assert (status, json.loads(text.splitlines()[0])["case"]) == (1, 3)
    assert "waits for a decision again" in run("queue", "undo")[1]


def test_cases_of_one_cause_are_shown_and_then_decided_together(database: Database, run: Run) -> None:
    report_id = hand_in(database, (stale(8), stale(9), stale(10, critical=True)), now=START)
    with database.session() as session:
        roster.replace(
            session, SITE, ROSTER, as_of=clock.now(), imported_from="r", actor="s", now=clock.now(),
            max_removed_share=1.0,
        )  # fmt: skip
    listed = [json.loads(line) for line in run("queue", "groups", "--json")[1].splitlines()]
    assert {(one["cause"], one["cases"], one["critical"], one["together"]) for one in listed if one["cases"] == 3} == {
        ("reasons", 3, 1, True), ("report", 3, 1, True),
    }  # fmt: skip
    assert "Aborted" in run("queue", "bulk", "--settled", said="n\n")[1]
    status, text = run("queue", "bulk", "--settled", said="y\n")
    assert (status, "2 cases are decided" in text, "OSEI" in text.upper()) == (1, True, True)
    with database.reading() as session:
        assert [one.patient_id for one in kept_records.of_report(session, report_id)] == ["D4", "D4", None]
    assert "taken back" in run("queue", "undo")[1]
    status, text = run("queue", "bulk", "--report", str(report_id), "--yes")
    assert "no two rows" not in text
    assert "1 cases are decided" in text


def test_the_terminal_loop_has_the_keys_of_the_pages(
    database: Database, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = iter("1aau" + "saa" + "r3" + "u" + "j" + "k" + "x" + "q")
    monkeypatch.setattr(click, "getchar", lambda: next(keys))
    status, text = run("review")
    assert status == 0
    assert "1 of 3" in text
    assert "The approval of case 1 is taken back" in text
    assert list(keys) == []
    with database.reading() as session:
        kinds = [one.kind.value for one in decisions.recent(session, actor="ida@terminal", limit=10)]
    assert "skipped" in kinds


def test_the_terminal_loop_finds_a_patient_by_search(
    database: Database, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    with database.session() as session:
        people = (*ROSTER, patient("D9", "Scripta", "Eve", date(1990, 1, 2), "XY", "F"))
        roster.replace(
            session, SITE, people, as_of=START, imported_from="r", actor="s", now=START, max_removed_share=1.0
        )
    assert identity("Scripta, Eve", None, None).family == "Scripta"
    keys = iter("ss" + "n1aa" + "q")
    monkeypatch.setattr(click, "getchar", lambda: next(keys))
    text = run("review", said="scripta\n")[1]
    assert "Chosen: D9" in text
    assert "Approved." in text
    assert state(database, 3) is CaseState.APPROVED
