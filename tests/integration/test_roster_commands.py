"""`scorebridge roster`: what a person at the terminal sees before, and can do after, a list is imported."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from ingest import clock, terminal
from ingest.cli import main
from ingest.settings import load_settings
from records.errors import SettingsError
from store import audit, roster_layouts
from store import database as databases
from store.roster_layouts import ListLayout
from tests.unit.portal.fhir_server import fhir_server, person

HEADER = "Patient ID;Last Name;First Name;MRN;DOB;Shoe size\n"
FIRST = HEADER + "".join(f"P{n};Brandtner;Celia{n};LM-{n:03};04/{n + 1}/1961;38\n" for n in range(20))
SHIFTED = HEADER + "".join(f"P{n};Brandtner;Celia{(n + 1) % 20};LM-{n:03};04/{n + 1}/1961;38\n" for n in range(20))


@dataclass
class Ended:
    """How a command ended."""

    status: int
    out: str
    err: str

    @property
    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.out.splitlines()]


Run = Callable[..., Ended]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
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
def folder(tmp_path: Path, run: Run) -> Path:
    """A clinic with a database, whose settings name a roster file that was never imported."""
    (tmp_path / "scorebridge.toml").write_text(
        'home = "home"\nalerts = "none"\n[[site]]\nid = "LMH"\nroster = "roster.csv"\n', "utf-8"
    )
    (tmp_path / "roster.csv").write_text(FIRST, "utf-8")
    assert run("init").status == 0
    return tmp_path


def test_a_preview_shows_the_mapping_and_what_is_missing_before_there_is_any_clinic(run: Run, tmp_path: Path) -> None:
    (tmp_path / "list.csv").write_text(FIRST, "utf-8")
    ended = run("roster", "import", "list.csv", "--site", "LMH", "--preview")
    assert ended.status == 0
    for shown in ("Patient ID", "birth_date", "Not in the file", "nothing tells a namesake of the other sex apart"):
        assert shown in ended.out
    for said in ("Shoe size", "month first", "everybody counts as new", "nothing was changed"):
        assert said in ended.err
    assert "Brandtner" not in ended.out + ended.err


def test_a_preview_changes_nothing_and_counts_every_field(run: Run, folder: Path) -> None:
    run("roster", "import", "--site", "LMH")
    (folder / "roster.csv").write_text(FIRST.replace("Celia3;", "Zoe;").replace("38", "41"), "utf-8")
    (shown,) = run("roster", "import", "--site", "LMH", "--preview", "--json").lines
    assert (shown["added"], shown["changed"], shown["removed"], shown["unchanged"]) == (0, 1, 0, 19)
    assert (shown["fields"], shown["reidentified"], shown["refused"], shown["version"]) == ({"given": 1}, 1, None, None)
    assert run("roster", "history", "--site", "LMH", "--json").lines[0]["version"] == 1


def test_columns_that_were_chosen_on_the_pages_count_at_the_terminal_too(run: Run, folder: Path) -> None:
    (folder / "roster.csv").write_text(FIRST.replace("Patient ID", "Kd.-Id"), "utf-8")
    assert run("roster", "import", "--site", "LMH", "--preview").status == 1
    columns = {"patient_id": "Kd.-Id", "family": "Last Name", "given": "First Name"}
    with databases.open_existing(load_settings(folder / "scorebridge.toml").store) as made, made.session() as session:
        roster_layouts.keep(session, "LMH", ListLayout(columns=columns), actor="ada", now=clock.now())
    (shown,) = run("roster", "import", "--site", "LMH", "--preview", "--json").lines
    assert shown["added"] == 20
    assert run("roster", "import", "--site", "LMH", "--preview", "--column", "patient_id=MRN").status == 0


def test_patients_are_shown_on_a_terminal_only(run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = ("roster", "import", "--site", "LMH", "--preview", "--show-patients")
    ended = run(*asked)
    assert ("Celia3" in ended.out, "terminal only" in ended.err) == (False, True)
    monkeypatch.setattr(terminal.out, "_force_terminal", True)
    assert "Celia3" in run(*asked).out
    with databases.open_existing(load_settings(folder / "scorebridge.toml").store) as made, made.reading() as session:
        assert [e.event.action for e in audit.events(session, object_kind="roster")] == ["roster.compared"]


def test_names_in_other_charts_are_refused_and_rolled_back_when_forced(run: Run, folder: Path) -> None:
    run("roster", "import", "--site", "LMH")
    (folder / "roster.csv").write_text(SHIFTED, "utf-8")
    preview = run("roster", "import", "--site", "LMH", "--preview")
    assert (preview.status, "It would be refused" in preview.err) == (1, True)
    refused = run("roster", "import", "--site", "LMH")
    assert (refused.status, "20 of 20 patients another name" in refused.err) == (1, True)
    assert run("roster", "import", "--site", "LMH", "--max-identity-share", "1").status == 0
    (change,) = run("roster", "history", "--site", "LMH", "--patient", "P3", "--json").lines
    assert (change["version"], change["before"], change["after"]) == (2, {"given": "Celia3"}, {"given": "Celia4"})
    assert run("roster", "rollback", "--site", "LMH", "--to", "1").status == 0
    (status,) = run("roster", "status", "--json").lines
    assert (status["state"], status["version"], status["stale"]) == ("held", 3, False)
    (newest, *_) = run("roster", "history", "--site", "LMH", "--json").lines
    assert (newest["restores"], newest["changed"]) == (1, 20)
    (folder / "roster.csv").write_text(FIRST, "utf-8")
    assert run("roster", "import", "--site", "LMH").status == 0
    assert run("roster", "status", "--json").lines[0]["state"] == "fresh"


def test_who_looked_at_a_patient_s_history_is_noted(run: Run, folder: Path) -> None:
    run("roster", "import", "--site", "LMH")
    assert run("roster", "history", "--site", "LMH", "--patient", "P3").status == 0
    assert run("roster", "history", "--site", "LMH", "--version", "1").status == 0
    with databases.open_existing(load_settings(folder / "scorebridge.toml").store) as made, made.reading() as session:
        events = [e.event for e in audit.events(session, object_kind="roster") if e.event.action == "roster.viewed"]
    assert [event.detail for event in events] == [(("patient", "P3"),), (("version", "1"),)]


def test_columns_and_dates_can_be_said_for_once(run: Run, folder: Path) -> None:
    (folder / "odd.csv").write_text("No.,Last,First,Born\nP1,Brandtner,Celia,04/03/1961\n", "utf-8")
    assert "lacks columns: patient_id" in run("roster", "import", "odd.csv", "--site", "LMH").err
    said = ("roster", "import", "odd.csv", "--site", "LMH", "--column", "patient_id=No.")
    assert "roster_date_format" in run(*said).err
    assert run(*said, "--date-format", "%d/%m/%Y").status == 0
    assert run("roster", "import", "odd.csv", "--site", "LMH", "--column", "shoe=No.").status == 2


def test_a_roster_is_imported_from_a_fhir_server_by_hand(run: Run, folder: Path) -> None:
    with fhir_server() as server:
        server.patients = [person(number) for number in range(3)]
        (folder / "scorebridge.toml").write_text(
            'home = "home"\nalerts = "none"\n[[site]]\nid = "LMH"\n'
            f'[site.roster_fhir]\nbase_url = "{server.url}"\nidentifier_system = "urn:mrn"\n',
            "utf-8",
        )
        (shown,) = run("roster", "import", "--site", "LMH", "--json").lines
        assert (shown["added"], shown["version"], shown["source"]) == (3, 1, server.url.split("/")[2])
        server.statuses[0] = [500, 500, 500]
        failed = run("roster", "import", "--site", "LMH")
    assert (failed.status, "did not come" in failed.err) == (1, True)


def test_a_missing_and_an_old_roster_are_told_in_plain_words(run: Run, folder: Path) -> None:
    ended = run("roster", "status")
    assert (ended.status, "there is none" in ended.err) == (1, True)
    assert run("status", "--json").lines[0]["rosters_not_fresh"] == 1
    run("roster", "import", "--site", "LMH")
    text = (folder / "scorebridge.toml").read_text("utf-8")
    (folder / "scorebridge.toml").write_text(f"{text}roster_max_age_hours = 0.0000001\n", "utf-8")
    ended = run("roster", "status")
    assert (ended.status, "too old, every record of this site waits for a person" in ended.err) == (1, True)
    (check,) = [line for line in run("doctor", "--json").lines if line["check"] == "roster of LMH"]
    assert (check["ok"], "20 patients (20 active), version 1 from roster.csv" in check["finding"]) == (False, True)


@pytest.mark.parametrize(
    ("setting", "fault"),
    [
        ('roster_columns = { shoe = "x" }', "there is no field shoe"),
        ('roster_date_format = "%m/%Y"', "day, month and year"),
        ('roster_fhir = { base_url = "https://x.example" }', "exclude each other"),
        ("roster_max_identity_share = 2", "less than or equal to 1"),
    ],
)
def test_settings_of_rosters_that_cannot_work_stop_the_start(folder: Path, setting: str, fault: str) -> None:
    path = folder / "scorebridge.toml"
    path.write_text(f"{path.read_text('utf-8')}{setting}\n", "utf-8")
    with pytest.raises(SettingsError, match=fault):
        load_settings(path)
