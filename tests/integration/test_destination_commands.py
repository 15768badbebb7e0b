"""`destination try` and `destination probe` as somebody types them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from ingest.cli import application
from portal.sandbox import running_sandbox
from records.errors import SettingsError
from tests.portals.fhir_portal import patient, running_fhir_portal

app = application()

ROOT = Path(__file__).parents[2]
SECRET = "secret-token-of-the-test"


def run(*words: str) -> tuple[int, str]:
    done = CliRunner().invoke(app, list(words))
    if isinstance(done.exception, SettingsError):
        return 2, str(done.exception)
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done.exit_code, done.stdout


def settings(
    folder: Path, *, url: str = "https://portal.example.org", more: str = "", file: str = "generic-json.yaml"
) -> list[str]:
    (folder / "token").write_text(SECRET)
    (folder / "scorebridge.toml").write_text(
        f'home = "data"\nalerts = "none"\n[[destination]]\nid = "portal"\nfile = "{file}"\n'
        f'base_url = "{url}"\ntoken = "file:{folder / "token"}"\n{more}'
    )
    return ["--config", str(folder / "scorebridge.toml")]


def test_a_trial_shows_the_exact_request_and_no_secret(tmp_path: Path) -> None:
    status, text = run("destination", "try", "portal", "--status", "final", *settings(tmp_path))
    head, body, rest = text.split("\n\n", 2)
    assert status == 0
    assert head.splitlines()[0] == "POST https://portal.example.org/v1/patients/TEST-PATIENT/outcome-measures"
    assert "Authorization: Bearer …" in head
    assert SECRET not in text
    assert json.loads(body)["externalId"] == "SYNTHETIC-RESULT"
    assert body.startswith('{"externalId":"SYNTHETIC-RESULT","instrument":"phq-9"')
    assert rest == ""


def test_a_trial_shows_all_three_messages_as_json(tmp_path: Path) -> None:
    status, text = run("destination", "try", "portal", "--json", *settings(tmp_path))
    lines = [json.loads(line) for line in text.splitlines()]
    assert status == 0
    assert [(line["status"], line["method"]) for line in lines] == [
        ("final", "POST"), ("corrected", "PUT"), ("entered-in-error", "PUT")
    ]  # fmt: skip
    assert all(json.loads(line["body"])["status"] == line["status"] for line in lines)


def test_a_record_that_would_be_held_is_told(tmp_path: Path) -> None:
    status, text = run("destination", "try", "portal", "--instrument", "c-ssrs", "--json", *settings(tmp_path))
    assert status == 1
    assert {json.loads(line)["held"] for line in text.splitlines()} == {"missing-total"}


@pytest.mark.parametrize("name", ["generic-json.yaml", "csv-drop.yaml", "healthie-graphql.yaml"])
def test_a_file_can_be_tried_without_any_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SCOREBRIDGE_CONFIG", raising=False)
    assert run("destination", "try", name)[0] == 0


def test_variables_of_a_file_are_set_by_hand(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    text = (ROOT / "portal/destinations/generic-json.yaml").read_text()
    text = text.replace(
        "headers:\n", 'variables: {tenant: null, deep: true}\nheaders:\n  X-Tenant: "=variables.tenant"\n', 1
    )
    (tmp_path / "mine.yaml").write_text(text)
    status, shown = run("destination", "try", "mine.yaml", "--set", "tenant=north", "--set", "deep=false")
    assert status == 0
    assert "X-Tenant: north" in shown
    status, said = run("destination", "try", "mine.yaml")
    assert (status, "tenant must be set" in said) == (2, True)


def test_a_portal_is_probed(tmp_path: Path) -> None:
    with running_sandbox() as sandbox:
        given = settings(tmp_path, url=sandbox.url, more='probe_patient = "TESTER"\n')
        status, text = run("destination", "probe", "portal", "--write", "--json", *given)
        assert status == 0
        assert {json.loads(line)["verdict"] for line in text.splitlines()} == {"ok", "warning"}
        assert len(sandbox.values.all()) == 1
        assert "ok       reached" in run("destination", "probe", "portal", *given)[1]


def test_a_portal_that_is_not_there_is_exit_status_3(tmp_path: Path) -> None:
    assert run("destination", "probe", "portal", *settings(tmp_path, url="http://127.0.0.1:9"))[0] == 3


def test_a_fhir_portal_is_probed_and_keeps_one_withdrawn_result(tmp_path: Path) -> None:
    with running_fhir_portal(tmp_path, patients=[patient("TESTER")]) as portal:
        given = settings(tmp_path, url=portal.url, more='probe_patient = "TESTER"\n', file="fhir-r4.yaml")
        status, text = run("destination", "probe", "portal", "--write", "--json", *given)
        verdicts = {line["check"]: line["verdict"] for line in map(json.loads, text.splitlines())}
        assert status == 0, text
        assert (
            verdicts | {"patient": "ok", "create": "ok", "repeat": "ok", "correct": "ok", "withdraw": "ok"} == verdicts
        )
        (result,) = portal.resources("Observation")
        assert result["status"] == "entered-in-error"
        assert len(portal.resources("Patient")) == 1
