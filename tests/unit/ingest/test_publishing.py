"""Published revisions never change, only rise, fit their own reports alone, and can be rolled back."""

from __future__ import annotations

import json
import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from ingest.commands import authoring
from ingest.published_templates import PublishedTemplates
from ingest.settings import load_settings
from records.errors import TemplateError
from store import audit, database, notices, signatures
from store.database import Database

_FORMS = Path(__file__).parents[3] / "fixtures" / "forms"
_ID = "lmh-measure-export"
_APP = typer.Typer()
authoring.register(_APP)


def _run(config: Path, *arguments: str | Path) -> BaseException | None:
    words = ["template", *(str(argument) for argument in arguments), "--config", str(config)]
    exception = CliRunner().invoke(_APP, words).exception
    return None if isinstance(exception, SystemExit) else exception


def _refusal(config: Path, *arguments: str | Path) -> TemplateError:
    refused = _run(config, *arguments)
    assert isinstance(refused, TemplateError)
    return refused


@pytest.fixture
def clinic(tmp_path: Path) -> Path:
    config = tmp_path / "scorebridge.toml"
    config.write_text('home = "home"\nalerts = "none"\n[reading]\nworkers = 1\n', encoding="utf-8")
    database.create(load_settings(config).store, now=datetime(2026, 5, 1, tzinfo=UTC)).close()
    return config


@pytest.fixture
def form(tmp_path: Path) -> Path:
    """A form without cases, so that publishing takes no reading."""
    folder = tmp_path / "forms" / "export"
    folder.mkdir(parents=True)
    shutil.copy(_FORMS / "lmh_measure_export" / "template.yaml", folder)
    return folder / "template.yaml"


def _with(form: Path, **changes: str) -> Path:
    text = form.read_text("utf-8")
    for line in text.splitlines():
        name = line.partition(":")[0]
        if name in changes:
            text = text.replace(line, f"{name}: {changes[name]}")
    form.write_text(text, "utf-8")
    return form


def _opened(config: Path) -> Database:
    return database.open_existing(load_settings(config).store)


def _published(config: Path, revision: int) -> str:
    return (load_settings(config).templates_folder / _ID / f"{revision}.yaml").read_text("utf-8")


def _in_use(config: Path) -> tuple[str, tuple[str, ...]]:
    with _opened(config) as store:
        now = PublishedTemplates(store, load_settings(config).templates_folder).current()
    (template,) = now.templates
    return template.title, now.reasons(template.name)


def test_a_revision_that_was_published_cannot_be_published_with_other_contents(clinic: Path, form: Path) -> None:
    assert _run(clinic, "publish", form) is None
    refused = _refusal(clinic, "publish", _with(form, title="Another"))
    assert "other contents" in refused.message
    assert "revision: 2" in refused.next_step


def test_a_revision_that_would_never_be_used_is_refused(clinic: Path, form: Path) -> None:
    _run(clinic, "publish", _with(form, revision="3"))
    refused = _refusal(clinic, "publish", _with(form, revision="2"))
    assert "revision: 4" in refused.next_step


def test_a_template_that_fits_another_forms_report_names_both_and_the_case(clinic: Path, form: Path) -> None:
    other = form.parents[1] / "other"
    shutil.copytree(_FORMS / "lmh_measure_export", other)
    refused = _refusal(clinic, "publish", _with(form, id="greedy"))
    assert "greedy@1 also fits the case “short” of lmh-measure-export@1" in refused.message
    assert "case “day”" in refused.message


def test_forms_elsewhere_are_tried_where_they_are_named(clinic: Path, form: Path) -> None:
    _with(form, id="greedy")
    assert "also fits" in _refusal(clinic, "publish", form, "--forms", _FORMS / "lmh_measure_export").message
    assert _run(clinic, "publish", form, "--forms", _FORMS / "nrc_outcome_register") is None


def test_going_back_publishes_the_old_contents_under_a_new_number_at_once(clinic: Path, form: Path) -> None:
    for revision in (1, 2, 3, 4):
        assert _run(clinic, "publish", _with(form, revision=str(revision), title=f"Edition {revision}")) is None
    assert _in_use(clinic) == ("Edition 4", ())
    assert _run(clinic, "rollback", _ID, "--to", "3") is None
    assert _in_use(clinic) == ("Edition 3", ())
    assert _published(clinic, 5) == _published(clinic, 3).replace("revision: 3", "revision: 5")
    assert "Edition 4" in _published(clinic, 4)


def test_going_back_is_in_the_audit_trail_and_ends_what_was_told_of_the_drift(clinic: Path, form: Path) -> None:
    for revision in (1, 2):
        _run(clinic, "publish", _with(form, revision=str(revision), title=f"Edition {revision}"))
    _run(clinic, "hold", _ID)
    with _opened(clinic) as store, store.session() as session:
        notices.leave(session, signatures.DRIFTED, f"{_ID}@2", "It moved.", now=datetime(2026, 5, 2, tzinfo=UTC))
    _run(clinic, "rollback", _ID, "--to", "1")
    with _opened(clinic) as store, store.reading() as session:
        assert notices.list_open(session) == []
        done = [event.event for event in audit.events(session, object_kind="template")]
    assert (done[-1].action, done[-1].object_id) == ("template.rolled-back", f"{_ID}@2")
    assert dict(done[-1].detail) == {"to": "1", "published-as": "3"}
    assert _in_use(clinic)[1] == ()


@pytest.mark.parametrize("to", ["2", "7", "0"])
def test_there_is_no_going_back_to_the_highest_revision_or_to_none(clinic: Path, form: Path, to: str) -> None:
    for revision in (1, 2):
        _run(clinic, "publish", _with(form, revision=str(revision), title=f"Edition {revision}"))
    assert "no earlier revision" in _refusal(clinic, "rollback", _ID, "--to", to).message


def test_a_revision_whose_file_was_altered_cannot_be_gone_back_to(clinic: Path, form: Path) -> None:
    for revision in (1, 2):
        _run(clinic, "publish", _with(form, revision=str(revision), title=f"Edition {revision}"))
    path = load_settings(clinic).templates_folder / _ID / "1.yaml"
    path.write_text(path.read_text("utf-8") + "# harmless?\n", "utf-8")
    assert "not the file that was published" in _refusal(clinic, "rollback", _ID, "--to", "1").message
    assert _in_use(clinic)[0] == "Edition 2"


def test_a_rolled_back_template_on_trial_sends_nothing(clinic: Path, form: Path) -> None:
    for revision in (1, 2):
        _run(clinic, "publish", _with(form, revision=str(revision), title=f"Edition {revision}"))
    _run(clinic, "rollback", _ID, "--to", "1", "--shadow")
    assert _in_use(clinic)[1] == ("template-shadow",)


def test_a_held_template_says_what_changed_where_it_is_listed(clinic: Path, form: Path) -> None:
    _run(clinic, "publish", form)
    _run(clinic, "hold", _ID)
    listed = CliRunner().invoke(_APP, ["template", "list", "--json", "--config", str(clinic)])
    (line,) = [json.loads(line) for line in listed.stdout.splitlines() if line.startswith("{")]
    assert (line["state"], line["changes"], listed.exit_code) == ("held", [], 1)
