"""A draft tried on days that were read already: what would change is listed, and nothing does."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer
from reading_clinic import FORMS, ReadingClinic, export, reader_pool, row
from typer.testing import CliRunner

from ingest.commands import authoring
from ingest.workers import ReaderPool
from store import audit, kept_records
from store.audit import ChainedEvent

EXPORT = (FORMS / "lmh_measure_export" / "template.yaml").read_text("utf-8")
_APP = typer.Typer()
authoring.register(_APP)


@pytest.fixture(scope="module")
def pool() -> Iterator[ReaderPool]:
    made = reader_pool(workers=1)
    yield made
    made.close()


@pytest.fixture
def clinic(tmp_path: Path, pool: ReaderPool) -> Iterator[ReadingClinic]:
    made = ReadingClinic(home=tmp_path, pool=pool)
    made.publish("lmh_measure_export")
    made.import_rosters()
    made.read(export(row("P1", total=5), row("P2", form="GAD7", total=8), row("P3", form="PHQ9", total=3)))
    (tmp_path / "scorebridge.toml").write_text(
        'home = "home"\nalerts = "none"\n[reading]\nworkers = 1\n[[site]]\nid = "LMH"\ntime_zone = "America/Chicago"\n'
        'roster_max_age_hours = 1000000\n[[site]]\nid = "NRC"\n',
        "utf-8",
    )
    yield made
    made.database.close()


def replay(clinic: ReadingClinic, draft: str, *options: str) -> tuple[int, list[dict[str, object]], str]:
    """Exit status, JSON lines (none for a table), and everything on standard output."""
    file = clinic.home / "draft.yaml"
    file.write_text(draft, "utf-8")
    words = ["template", "replay", str(file), "--config", str(clinic.home / "scorebridge.toml"), *options]
    ended = CliRunner().invoke(_APP, words, catch_exceptions=False)
    lines = [json.loads(line) for line in ended.stdout.splitlines() if line.startswith("{")]
    return ended.exit_code, lines, ended.stdout


def events(clinic: ReadingClinic) -> list[ChainedEvent]:
    with clinic.database.reading() as session:
        return audit.events(session, limit=1000)


def summary(lines: list[dict[str, object]]) -> dict[str, object]:
    found = lines[-1]["summary"]
    assert isinstance(found, dict)
    return found


def test_the_published_template_changes_nothing(clinic: ReadingClinic) -> None:
    status, lines, _ = replay(clinic, EXPORT, "--json")
    assert status == 0
    assert summary(lines) == {
        "template": "lmh-measure-export@1", "reports": 1, "records": 3, "same": 3,
        "gained": 0, "lost": 0, "values": 0, "patient": 0, "reasons": 0,
    }  # fmt: skip


def test_a_draft_that_reads_a_row_as_having_no_score_loses_it(clinic: ReadingClinic) -> None:
    status, lines, _ = replay(clinic, EXPORT.replace("no_score: [declined]", "no_score: ['3']"), "--json")
    assert status == 1
    assert (summary(lines)["lost"], summary(lines)["same"]) == (1, 2)
    assert [line["change"] for line in lines[:-1]] == ["lost", "values"]
    assert lines[1]["fields"] == ["no_score"]


def test_a_draft_that_takes_another_column_for_the_number_changes_values_and_patients(clinic: ReadingClinic) -> None:
    draft = EXPORT.replace("{header: CaseNo, field: mrn}", "{header: CaseNo, field: ignore}")
    status, lines, _ = replay(clinic, draft, "--json")
    assert status == 1
    assert (summary(lines)["values"], summary(lines)["same"]) == (3, 0)
    assert {str(line["fields"]) for line in lines if line.get("change") == "values"} == {"['mrn']"}


def test_a_draft_that_leaves_one_identifier_only_loses_the_patients(clinic: ReadingClinic) -> None:
    draft = EXPORT.replace("field: mrn", "field: ignore").replace("field: birth_date", "field: ignore")
    _, lines, _ = replay(clinic, draft, "--json", "--details")
    lost = [line["fields"] for line in lines if line.get("change") == "patient"]
    assert lost == [[{"field": "patient_id", "old": old, "new": None}] for old in ("P1", "P2", "P3")]


def test_the_json_holds_no_name_even_with_details_and_the_counts_hold_no_value(clinic: ReadingClinic) -> None:
    draft = EXPORT.replace("header: Surname, field: family", "header: Surname, field: middle").replace(
        "header: MI, field: middle", "header: MI, field: family"
    )
    _, _, detailed = replay(clinic, draft, "--json", "--details")
    _, _, plain = replay(clinic, draft, "--json")
    _, _, table = replay(clinic, draft)
    for name in ("Brandtner", "Okonkwo", "Lindqvist"):
        assert name not in detailed + plain + table
    assert "Xxxxxxxxx" in detailed
    assert "LM-10001" not in plain + table


def test_a_person_with_access_sees_both_values_and_the_place(clinic: ReadingClinic) -> None:
    draft = EXPORT.replace("{header: CaseNo, field: mrn}", "{header: CaseNo, field: ignore}")
    _, _, shown = replay(clinic, draft, "--details")
    assert "LM-10001" in shown
    assert "line 5" in shown
    assert ("details", "True") in events(clinic)[-1].event.detail


def test_a_report_that_had_no_template_is_gained(clinic: ReadingClinic) -> None:
    renamed = export(row("P1", day="15.09.2026")).replace(b"MeasureTotal", b"MeasureResult")
    report = clinic.read(renamed, name="new.csv")
    assert report.reasons == ("no-template",)
    draft = EXPORT.replace("MeasureTotal", "MeasureResult").replace("revision: 1", "revision: 2")
    status, lines, _ = replay(clinic, draft, "--json")
    assert status == 1
    assert (summary(lines)["gained"], summary(lines)["lost"]) == (1, 3)
    assert {line["report_id"] for line in lines if line.get("change") == "gained"} == {report.report_id}


def test_a_draft_that_fits_another_layouts_reports_would_lose_them(clinic: ReadingClinic) -> None:
    status, lines, _ = replay(clinic, EXPORT.replace("id: lmh-measure-export", "id: greedy"), "--json", "--details")
    assert status == 1
    assert summary(lines)["lost"] == 3
    assert lines[0]["fields"] == [{"field": "template", "old": "lmh-measure-export@1", "new": "ambiguous-template"}]


def test_only_the_days_and_the_site_that_were_asked_for_are_read(clinic: ReadingClinic) -> None:
    for options in (("--to", "2026-09-13"), ("--from", "2026-09-15"), ("--site", "NRC"), ("--source", "other")):
        assert summary(replay(clinic, EXPORT, "--json", *options)[1])["reports"] == 0
    chosen = ("--from", "2026-09-14", "--to", "2026-09-14", "--site", "LMH", "--source", "LMH:/print")
    assert summary(replay(clinic, EXPORT, "--json", *chosen)[1])["reports"] == 1


def test_nothing_is_stored_or_sent_but_the_question_itself(clinic: ReadingClinic) -> None:
    before = (len(events(clinic)), clinic.submissions(), clinic.cases())
    with clinic.database.reading() as session:
        records = kept_records.of_report(session, 1)
    replay(clinic, EXPORT.replace("no_score: [declined]", "no_score: ['3']"))
    assert (len(events(clinic)) - 1, clinic.submissions(), clinic.cases()) == before
    with clinic.database.reading() as session:
        assert kept_records.of_report(session, 1) == records
    asked = events(clinic)[-1].event
    assert (asked.action, asked.object_id) == ("template.replayed", "lmh-measure-export@1")
    assert dict(asked.detail)["lost"] == "1"
