"""The template commands, with real reports, a real store and real reading processes."""

from __future__ import annotations

import json
import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from ingest.commands import authoring
from ingest.golden import golden_cases
from ingest.settings import load_settings
from parsers.template_file import parse_template
from records.errors import TemplateError
from store import database

_FORMS = Path(__file__).parents[3] / "fixtures" / "forms"
_APP = typer.Typer()
authoring.register(_APP)


def _run(*arguments: str | Path) -> tuple[int, str, BaseException | None]:
    result = CliRunner().invoke(_APP, ["template", *(str(argument) for argument in arguments)])
    return result.exit_code, result.stdout, result.exception


def _form(folder: Path, name: str, case: str) -> Path:
    form = folder / name
    (form / "cases").mkdir(parents=True)
    shutil.copy(_FORMS / name / "template.yaml", form)
    shutil.copytree(_FORMS / name / "cases" / case, form / "cases" / case)
    return form


@pytest.fixture
def clinic(tmp_path: Path) -> Path:
    config = tmp_path / "scorebridge.toml"
    config.write_text('home = "home"\nalerts = "none"\n[reading]\nworkers = 1\n', encoding="utf-8")
    database.create(load_settings(config).store, now=datetime(2026, 5, 1, tzinfo=UTC)).close()
    return config


def test_a_form_passes_its_own_cases(tmp_path: Path) -> None:
    form = _form(tmp_path, "lmh_measure_export", "short")
    assert _run("test", form)[0] == 0


def test_a_form_read_otherwise_is_shown_as_a_diff(tmp_path: Path) -> None:
    form = _form(tmp_path, "lmh_measure_export", "short")
    expected = form / "cases" / "short" / "expected.json"
    written = json.loads(expected.read_text("utf-8"))
    written["records"][0]["total"] = 3
    expected.write_text(json.dumps(written), encoding="utf-8")
    status, printed, _ = _run("test", form)
    assert status == 1
    assert '- "total": 3' in printed
    assert '+ "total": 14' in printed


def test_a_case_without_its_site_says_what_to_do(tmp_path: Path) -> None:
    form = _form(tmp_path, "lmh_measure_export", "short")
    (form / "cases" / "short" / "expected.json").write_text("{}", encoding="utf-8")
    with pytest.raises(TemplateError) as refused:
        golden_cases(form)
    assert "site" in refused.value.next_step


def test_a_draft_is_a_template_and_never_overwrites_one(tmp_path: Path) -> None:
    sample = _FORMS / "lmh_measure_export" / "cases" / "short" / "report.csv"
    target = tmp_path / "export.yaml"
    _run("draft", sample, "--site", "LMH", "-o", target)
    assert parse_template(target.read_text("utf-8"), source="export.yaml").id == "export"
    assert isinstance(_run("draft", sample, "--site", "LMH", "-o", target)[2], TemplateError)


def test_explain_shows_fields_with_their_places_and_draws_the_page(tmp_path: Path) -> None:
    form, picture = _FORMS / "lmh_result_cards", tmp_path / "page.png"
    report = form / "cases" / "three_pages" / "report.pdf"
    status, printed, _ = _run(
        "explain", report, "--template", form / "template.yaml", "--site", "LMH", "--json", "--masked", "--png", picture
    )
    shown = json.loads(printed)
    assert status == 1
    assert shown["fits"]
    assert all(field["region"] for record in shown["records"] for field in record["fields"] if field["text"])
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_explain_says_which_anchor_is_missing(tmp_path: Path) -> None:
    report = _FORMS / "lmh_measure_export" / "cases" / "short" / "report.csv"
    template = tmp_path / "other.yaml"
    text = (_FORMS / "lmh_measure_export" / "template.yaml").read_text("utf-8")
    template.write_text(text.replace("Measure export,", "Another export,"), encoding="utf-8")
    status, printed, _ = _run("explain", report, "--template", template, "--site", "LMH", "--json")
    assert status == 1
    assert json.loads(printed)["missing_anchors"] == ["Another export"]


def test_masking_leaves_no_name_in_the_output() -> None:
    form = _FORMS / "lmh_measure_export"
    report = form / "cases" / "short" / "report.csv"
    _, printed, _ = _run("explain", report, "--template", form / "template.yaml", "--site", "LMH", "--json")
    assert "Featherstone" not in printed
    assert "Xxxxxxxxxxxx" in printed
    _, printed, _ = _run(
        "explain", report, "--template", form / "template.yaml", "--site", "LMH", "--json", "--unmasked"
    )
    assert "Featherstone" in printed


def test_every_field_says_where_it_was_looked_for_and_why_it_is_not_read(tmp_path: Path) -> None:
    form = _FORMS / "nrc_outcome_register"
    report = form / "cases" / "two_pages_doubtful" / "report.pdf"
    template = tmp_path / "template.yaml"
    text = (form / "template.yaml").read_text("utf-8")
    template.write_text(text.replace("field: birth_date}", "field: birth_date, dates: ['%d.%m.%Y']}"), encoding="utf-8")
    _, printed, _ = _run("explain", report, "--template", template, "--site", "NRC", "--json")
    fields = [field for record in json.loads(printed)["records"] for field in record["fields"]]
    assert all(field["looked_for"].startswith("column “") for field in fields)
    by_name = {name: [field for field in fields if field["field"] == name] for name in ("birth_date", "total", "mrn")}
    assert "No format of %d.%m.%Y reads the cell." in {field["remark"] for field in by_name["birth_date"]}
    assert any(field["remark"].startswith("No whole number") for field in by_name["total"])
    assert all(field["readers_agree"] for field in by_name["mrn"])


def test_a_twin_is_a_golden_case_that_passes(tmp_path: Path) -> None:
    form = _form(tmp_path, "nrc_item_sheet_gad7", "five_sheets")
    report = _FORMS / "nrc_item_sheet_gad7" / "cases" / "five_sheets" / "report.pdf"
    case = form / "cases" / "twin"
    options = ("--template", form / "template.yaml", "--site", "NRC")
    assert _run("twin", report, *options, "-o", tmp_path / "twin.pdf", "--case", case)[0] == 0
    assert (case / "report.pdf").read_bytes() == (tmp_path / "twin.pdf").read_bytes()
    assert _run("test", form)[0] == 0
    refused = _run("twin", report, *options, "-o", tmp_path / "twin.pdf", "--case", case)[2]
    assert isinstance(refused, TemplateError)


def test_a_twin_needs_its_template_for_a_case(tmp_path: Path) -> None:
    report = _FORMS / "nrc_item_sheet_gad7" / "cases" / "five_sheets" / "report.pdf"
    refused = _run("twin", report, "--site", "NRC", "-o", tmp_path / "twin.pdf", "--case", tmp_path / "case")[2]
    assert isinstance(refused, TemplateError)
    assert not (tmp_path / "twin.pdf").exists()


def test_a_twin_is_made_with_a_published_template(tmp_path: Path, clinic: Path) -> None:
    form = _form(tmp_path / "forms", "lmh_measure_export", "short")
    _run("publish", form / "template.yaml", "--config", clinic)
    report = form / "cases" / "short" / "report.csv"
    target = tmp_path / "twin.csv"
    options = ("--template", "lmh-measure-export", "--site", "LMH", "--config", clinic)
    assert _run("twin", report, *options, "-o", target)[0] == 0
    assert b"Featherstone" not in target.read_bytes()
    assert isinstance(
        _run("twin", report, "--template", "nobody", "--site", "LMH", "-o", tmp_path / "x.csv")[2], Exception
    )


def test_a_template_is_published_held_and_released(tmp_path: Path, clinic: Path) -> None:
    form = _form(tmp_path / "forms", "lmh_measure_export", "short")
    assert _run("publish", form / "template.yaml", "--shadow", "--config", clinic)[2] is None
    assert _state(clinic) == "shadow"
    _run("release", "lmh-measure-export", "--config", clinic)
    assert _state(clinic) == "live"
    _run("hold", "lmh-measure-export@1", "--config", clinic)
    assert _state(clinic) == "held"


def test_a_template_whose_case_reads_otherwise_is_not_published(tmp_path: Path, clinic: Path) -> None:
    form = _form(tmp_path / "forms", "lmh_measure_export", "short")
    template = form / "template.yaml"
    template.write_text(
        template.read_text("utf-8").replace("no_score: [declined]", "no_score: ['14']"), encoding="utf-8"
    )
    assert isinstance(_run("publish", template, "--config", clinic)[2], TemplateError)
    assert _state(clinic) is None


def test_a_template_that_fits_another_forms_report_is_not_published(tmp_path: Path, clinic: Path) -> None:
    _form(tmp_path / "forms", "lmh_measure_export", "short")
    greedy = tmp_path / "forms" / "greedy" / "template.yaml"
    greedy.parent.mkdir()
    text = (_FORMS / "lmh_measure_export" / "template.yaml").read_text("utf-8")
    greedy.write_text(text.replace("id: lmh-measure-export", "id: greedy"), encoding="utf-8")
    refused = _run("publish", greedy, "--config", clinic)[2]
    assert isinstance(refused, TemplateError)
    assert "also fits" in refused.message


def test_an_unknown_template_cannot_be_held(clinic: Path) -> None:
    assert isinstance(_run("hold", "nothing", "--config", clinic)[2], TemplateError)


def _state(clinic: Path) -> str | None:
    _, printed, _ = _run("list", "--json", "--config", clinic)
    lines = [json.loads(line) for line in printed.splitlines() if line.startswith("{")]
    return str(lines[0]["state"]) if lines else None
