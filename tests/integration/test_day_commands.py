"""`day …` and `status` as they are typed, over a clinic with two sites."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from ingest import clock
from ingest.cli import application
from store import audit, cases
from store.database import Database, open_existing
from store.settings import StoreSettings
from tests.unit.review.day_clinic import EAST, EASTERN, EIGHT, LISTING, WEEKLY, automatic, print_report, waits
from tests.unit.review.review_clinic import SITE, TODAY, furnish

app = application()

NOW = EIGHT + timedelta(hours=1)
Run = Callable[..., tuple[int, str]]


@pytest.fixture
def database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Database]:
    furnish(tmp_path / "home")
    sources = "".join(
        f'[[source]]\nsite = "{name[:4].rstrip(":")}"\nfolder = "{name.partition(":")[2]}"\nexpected_by = "{by}"\n'
        for name, by in ((LISTING, "06:30"), (WEEKLY, "07:00"), (EASTERN, "23:00"))
    )
    (tmp_path / "scorebridge.toml").write_text(
        f'home = "home"\nalerts = "none"\n[[site]]\nid = "{SITE}"\ntime_zone = "America/Chicago"\n'
        f'[[site]]\nid = "{EAST}"\ntime_zone = "America/Denver"\n{sources}',
        "utf-8",
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "250")
    monkeypatch.delenv("SCOREBRIDGE_CONFIG", raising=False)
    monkeypatch.setattr(clock, "now", lambda: NOW)
    monkeypatch.setattr("getpass.getuser", lambda: "ida")
    with open_existing(StoreSettings(home=tmp_path / "home")) as opened:
        print_report(opened, [automatic(1), automatic(2), waits(3)], source=LISTING, seen_at=EIGHT)
        yield opened


@pytest.fixture
def run() -> Run:
    def typed(*words: str) -> tuple[int, str]:
        done = CliRunner().invoke(app, list(words))
        return done.exit_code, done.output + str(done.exception or "")

    return typed


def shown(run: Run) -> dict[str, object]:
    status, said = run("day", "sign", "--site", SITE, "--name", "Ida Invented", "--json")
    assert status == 1
    found: dict[str, object] = json.loads(said.splitlines()[0])
    return found


def sign(run: Run, *, sha256: str, note: str = "The rest is for tomorrow.") -> tuple[int, str]:
    return run("day", "sign", "--site", SITE, "--name", "Ida Invented", "--note", note, "--sha256", sha256)


def test_nothing_is_signed_until_the_hash_of_what_was_shown_is_given(database: Database, run: Run) -> None:
    status, said = run("day", "sign", "--site", SITE, "--name", "Ida Invented")
    sha256 = str(shown(run)["sha256"])
    assert status == 1
    assert "Nothing is signed yet" in said
    assert f"--sha256 {sha256}" in said
    assert run("day", "list", "--json") == (0, "")
    assert sign(run, sha256="0" * 64)[0] != 0
    assert sign(run, sha256=sha256, note="")[0] != 0
    assert run("day", "list", "--json") == (0, "")
    status, said = sign(run, sha256=sha256)
    assert (status, f"{TODAY} of {SITE} is signed as number 1." in said) == (0, True)
    (signed,) = (json.loads(line) for line in run("day", "list", "--json")[1].splitlines())
    assert (signed["signed_name"], signed["sha256"], signed["intact"]) == ("Ida Invented", sha256, True)
    assert "Ida Invented" in run("day", "list", "--site", SITE)[1]
    assert "Ida Invented" not in run("day", "list", "--site", EAST)[1]


def test_what_changes_after_the_signature_is_shown_with_exit_status_one(database: Database, run: Run) -> None:
    sign(run, sha256=str(shown(run)["sha256"]))
    status, said = run("day", "show", "1")
    assert (status, "The rest is for tomorrow." in said) == (0, True)
    with database.reading() as session:
        waiting = cases.list_open(session, site=SITE)[-1]
    assert run("queue", "reject", str(waiting.case_id), "--reason", "unreadable")[0] == 0
    status, said = run("day", "show", "1", "--json")
    changed = json.loads(said.splitlines()[0])["changes"]
    assert (status, [(one["before"], one["after"]) for one in changed]) == (1, [("review", "rejected")])
    assert run("day", "show", "99")[0] != 0


def test_the_letter_is_printed_and_neither_kept_nor_sent(database: Database, run: Run) -> None:
    status, said = run("day", "letter", "--site", SITE)
    assert status == 0
    assert f"Subject: [{SITE}] 20-Nov: 1 report MISSING" in said
    assert "weekly: NO REPORT CAME, expected by 07:00" in said
    assert "listing: 1 report, 3 records" in said
    for word in ("Synthetic", "Kowals", "M-1"):
        assert word not in said
    with database.reading() as session:
        assert "letter" not in "".join(audit.export(session))


@pytest.mark.parametrize("words", [("--site", "NOWHERE"), ("--site", SITE, "--day", "yesterday")])
def test_a_site_or_day_that_is_none_is_refused_with_the_next_thing_to_try(
    database: Database, run: Run, words: tuple[str, ...]
) -> None:
    status, said = run("day", "letter", *words)
    assert status != 0
    assert "There is no site NOWHERE" in said or "This is no day" in said


def test_the_status_tells_the_days_figures_of_each_site_and_which_report_is_missing(
    database: Database, run: Run
) -> None:
    status, said = run("status", "--json")
    told = json.loads(said.splitlines()[0])
    first = next(one for one in told["sites"] if one["site"] == SITE)
    figures = first["figures"]
    assert status == 1
    assert figures["records"] == sum(figures[name] for name in ("automatic", "reviewed", "in_review", "failed"))
    assert first["printed"] == figures["records"] == 6
    states = {one["folder"]: one["state"] for one in told["sources"]}
    assert states == {"listing": "healthy", "weekly": "missing", "east": "expected"}
    assert told["missing_reports"] == 1
    said = run("status")[1]
    for words in ("The day in figures", "Sources today", "No report yet, expected by 07:00", "Expected by 23:00"):
        assert words in said
    for word in ("Synthetic", "Kowals", "M-1"):
        assert word not in said
