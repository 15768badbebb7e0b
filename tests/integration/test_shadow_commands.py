"""`scorebridge shadow`: from the file with what staff typed, or the portal itself, to the signature."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import httpx
import pytest
from delivery_cases import MORNING, assessment, confirm

from ingest import clock
from ingest.cli import main
from ingest.settings import load_settings
from parsers.instrument_library import load_instruments
from portal.connections import configure
from portal.delivery import DeliveryWorker
from portal.sandbox import RunningSandbox, running_sandbox
from records.patient import RosterPatient
from store import audit, roster, shadow_values
from store import database as databases
from store.database import Database

HEADER = "Portal ID,Questionnaire,Date completed,Score\n"
FILE = HEADER + "".join(f"P{n},PHQ-9,2026-03-02,{25 if n == 3 else 5}\n" for n in range(1, 10))


@dataclass
class Ended:
    """How a command ended."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.out)
        return found


Run = Callable[..., Ended]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "250")
    monkeypatch.delenv("SCOREBRIDGE_CONFIG", raising=False)

    def go(*arguments: object) -> Ended:
        monkeypatch.setattr(sys, "argv", ["scorebridge", *map(str, arguments)])
        status = 0
        try:
            main()
        except SystemExit as ended:
            status = int(ended.code or 0)
        said = capsys.readouterr()
        return Ended(status=status, out=said.out, err=said.err)

    return go


@pytest.fixture
def sandbox() -> Iterator[RunningSandbox]:
    with running_sandbox() as running:
        yield running


def opened(folder: Path) -> Database:
    return databases.open_existing(load_settings(folder / "scorebridge.toml").store)


@pytest.fixture
def folder(tmp_path: Path, run: Run, sandbox: RunningSandbox) -> Path:
    """A clinic in shadow mode with ten confirmed records."""
    (tmp_path / "token").write_text("secret-token-of-the-test")
    (tmp_path / "scorebridge.toml").write_text(
        'home = "home"\nalerts = "none"\n[[site]]\nid = "WCP"\n[[destination]]\nid = "portal"\nmode = "shadow"\n'
        f'file = "generic-json.yaml"\nbase_url = "{sandbox.url}"\ntoken = "file:{tmp_path}/token"\n',
        "utf-8",
    )
    assert run("init").status == 0
    with opened(tmp_path) as database:
        people = [RosterPatient(patient_id=f"P{n}", site="WCP", family=f"P{n}", given="Print") for n in range(1, 12)]
        with database.session() as session:
            roster.replace(
                session, "WCP", people, as_of=MORNING, imported_from="roster.csv", actor="ida", now=MORNING,
                max_removed_share=1.0,
            )  # fmt: skip
        confirm(database, [(f"P{n}", assessment(f"P{n}")) for n in range(1, 11)])
    (tmp_path / "typed.csv").write_text(FILE, "utf-8")
    return tmp_path


def test_a_file_is_imported_compared_settled_signed_and_deleted(run: Run, folder: Path) -> None:
    found = run("shadow", "import", "typed.csv", "--site", "WCP", "--json")
    assert (found.status, found.json["added"], found.json["columns"]["total"]) == (0, 9, "Score")
    assert run("shadow", "import", "typed.csv", "--site", "WCP", "--json").json["added"] == 0
    report = run("shadow", "report", "--json")
    assert (report.status, report.json["unsettled"], report.json["compared"]) == (1, 2, 9)
    differing = {one["field"]: one for one in report.json["differences"]}
    assert (differing["total"]["scorebridge"], differing["total"]["staff"]) == ("5", "25")
    assert differing["presence"]["standing"] == "only-read"
    assert run("shadow", "sign", "--name", "Ida Synthetic", "--yes").status == 1
    unasked = run("shadow", "sign", "--name", "Ida Synthetic")
    assert (unasked.status, "Sign this?" in unasked.err) == (1, False)
    for one in differing.values():
        command = ("shadow", "settle", one["record"], one["typed"], "--found", "scorebridge-right")
        assert run(*command).status == 0
    told = run("shadow", "report")
    assert told.status == 0
    assert "2 wrong of 10, 2.52 % to 55.61 %" in told.out
    assert run("shadow", "delete", "--site", "WCP", "--yes").status == 1
    signed = run("shadow", "sign", "--name", "Ida Synthetic", "--yes")
    assert (signed.status, "Signed as number 1; SHA-256" in signed.err) == (0, True)
    deleted = run("shadow", "delete", "--site", "WCP", "--yes")
    assert (deleted.status, "9 values are deleted" in deleted.err) == (0, True)
    with opened(folder) as database, database.reading() as session:
        actions = [one.event.action for one in audit.events(session, limit=1000)]
        assert audit.verify(session, anchor_file=None).intact
    assert [one for one in actions if one.startswith(("typed", "shadow"))] == [
        "typed-values.imported",
        "typed-values.imported",
        "shadow.settled",
        "shadow.settled",
        "shadow.signed",
        "typed-values.deleted",
    ]


def test_a_finding_is_taken_back(run: Run, folder: Path) -> None:
    run("shadow", "import", "typed.csv", "--site", "WCP")
    one = next(d for d in run("shadow", "report", "--json").json["differences"] if d["field"] == "total")
    run("shadow", "settle", one["record"], one["typed"], "--field", "total", "--found", "staff-right")
    assert run("shadow", "report", "--json").json["rates"]["total"]["scorebridge"]["wrong"] == 1
    assert run("shadow", "settle", one["record"], one["typed"], "--take-back").status == 0
    assert run("shadow", "report", "--json").json["unsettled"] == 2
    assert run("shadow", "settle", one["record"], one["typed"]).status == 2


def test_a_crooked_file_changes_nothing(run: Run, folder: Path) -> None:
    (folder / "typed.csv").write_text(FILE + "P-SECRET,PHQ-9,2026-03-02,many\n", "utf-8")
    refused = run("shadow", "import", "typed.csv", "--site", "WCP")
    assert refused.status == 1
    assert "line 11: the total is no whole number" in refused.err
    assert "SECRET" not in refused.err + refused.out
    assert run("shadow", "imports", "--json").out == ""


def test_a_wrong_file_is_taken_back_by_its_number(run: Run, folder: Path) -> None:
    run("shadow", "import", "typed.csv", "--site", "WCP")
    assert json.loads(run("shadow", "imports", "--json").out)["import"] == 1
    assert run("shadow", "delete", "--site", "WCP", "--import", 1, "--yes").status == 0
    assert run("shadow", "imports", "--json").out == ""


def test_another_site_than_those_of_the_settings_is_refused(run: Run, folder: Path) -> None:
    assert run("shadow", "import", "typed.csv", "--site", "XYZ").status == 2


def type_in(sandbox: RunningSandbox, patient_id: str, number: str, **changes: object) -> None:
    body = {
        "externalId": f"staff-{number}", "instrument": "phq-9", "loinc": None, "score": 5,
        "administeredOn": "2026-03-02", "status": "final", "items": [],
    }  # fmt: skip
    answer = httpx.post(
        f"{sandbox.url}/v1/patients/{patient_id}/outcome-measures",
        json=body | changes,
        headers={"Authorization": "Bearer secret-token-of-the-test", "Idempotency-Key": number},
    )
    answer.raise_for_status()


def test_values_are_read_from_the_portal_itself(run: Run, folder: Path, sandbox: RunningSandbox) -> None:
    type_in(sandbox, "P1", "1")
    type_in(sandbox, "P2", "2", score=15)
    type_in(sandbox, "P3", "3", status="entered-in-error")
    type_in(sandbox, "P4", "4", administeredOn="2019-03-02")
    type_in(sandbox, "P5", "5", instrument="house-scale")
    with opened(folder) as database, database.reading() as session:
        ours = sorted(shadow_values.sent_by_us(session))[0]
    type_in(sandbox, "P6", "6", externalId=ours)
    said = run("shadow", "read", "portal", "--site", "WCP")
    assert said.status == 0, said.err
    assert "2 of 2 values are new. Left out: 1 of our own, 3 others." in said.err
    assert "0 of 2 values are new" in run("shadow", "read", "portal", "--site", "WCP").err
    report = run("shadow", "report", "--json").json
    assert report["compared"] == 2
    assert [one["staff"] for one in report["differences"] if one["field"] == "total"] == ["15"]
    assert run("shadow", "import", "typed.csv", "--site", "WCP").status == 1, "each would count as typed twice"


def test_a_portal_that_cannot_be_read_whole_is_not_read(run: Run, folder: Path, sandbox: RunningSandbox) -> None:
    type_in(sandbox, "P1", "1")
    httpx.post(f"{sandbox.url}/_sandbox/faults", json={"unauthorized": 1.0, "methods": ["GET"]}).raise_for_status()
    refused = run("shadow", "read", "portal", "--site", "WCP")
    assert refused.status == 3
    assert "P1" not in refused.err
    assert run("shadow", "imports", "--json").out == ""


def test_the_day_of_a_record_is_the_first_that_is_read(run: Run, folder: Path, sandbox: RunningSandbox) -> None:
    type_in(sandbox, "P1", "1", administeredOn="2026-03-01")
    assert "0 of 0 values" in run("shadow", "read", "portal", "--site", "WCP").err
    assert "1 of 1 values" in run("shadow", "read", "portal", "--site", "WCP", "--from", date(2026, 3, 1)).err


def test_the_list_of_destinations_says_since_when_and_how_much_went_today(
    run: Run, folder: Path, sandbox: RunningSandbox
) -> None:
    (before,) = [json.loads(line) for line in run("destination", "list", "--json").out.splitlines()]
    assert (before["mode"], before["since"], before["sent_today"]) == ("shadow", None, 0)
    text = (folder / "scorebridge.toml").read_text("utf-8").replace('"shadow"', '"live"\ndaily_limit = 4')
    (folder / "scorebridge.toml").write_text(text, "utf-8")
    settings = load_settings(folder / "scorebridge.toml")
    with opened(folder) as database:
        worker = DeliveryWorker(
            database=database,
            destinations=configure(settings.destination, folder=folder),
            instruments=load_instruments(),
        )
        worker.step(clock.now())
    after = json.loads(run("destination", "list", "--json").out.splitlines()[-1])  # after the worker's own log
    assert (after["mode"], after["since"]) == ("live", clock.now().date().isoformat())
    assert (after["sent_today"], after["held_by_daily_limit"]) == (4, 6)
