"""Probing a portal: what it finds, and that it leaves nothing behind but a withdrawn value of a test patient."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from parsers.instrument_library import load_instruments
from portal.connections import ConfiguredDestination, configure
from portal.probing import Verdict, probe
from portal.sandbox import RunningSandbox, SandboxOptions
from portal.settings import DestinationSettings

Configured = Callable[..., ConfiguredDestination]
PHQ9 = load_instruments()["phq-9"]


def probed(
    destination: ConfiguredDestination, *, write: bool = False, now: datetime | None = None
) -> dict[str, tuple[Verdict, str]]:
    checks = probe(destination, PHQ9, write=write, clock=lambda: now or datetime.now(UTC))
    found = {check.name: (check.verdict, f"{check.message} {check.next_step}") for check in checks}
    assert all(text.strip() for _, text in found.values())
    return found


def verdicts(found: dict[str, tuple[Verdict, str]]) -> dict[str, Verdict]:
    return {name: verdict for name, (verdict, _) in found.items()}


def test_a_portal_that_keeps_its_word_has_no_fault(sandbox: RunningSandbox, configured: Configured) -> None:
    found = probed(configured(sandbox.url, probe_patient="TESTER", mode="shadow"), write=True)
    assert verdicts(found) == {
        "credential": Verdict.OK,
        "reached": Verdict.OK,
        "encryption": Verdict.WARNING,
        "clock": Verdict.OK,
        "sign-in": Verdict.OK,
        "search": Verdict.OK,
        "create": Verdict.OK,
        "repeat": Verdict.OK,
        "correct": Verdict.OK,
        "withdraw": Verdict.OK,
    }
    (value,) = sandbox.values.all()
    assert (value.patientId, value.status, value.version) == ("TESTER", "entered-in-error", "3")


def test_without_write_nothing_is_changed(sandbox: RunningSandbox, configured: Configured) -> None:
    probed(configured(sandbox.url, probe_patient="TESTER"))
    assert sandbox.values.writes == 0


def test_nobody_is_written_to_unless_a_test_patient_is_named(sandbox: RunningSandbox, configured: Configured) -> None:
    found = probed(configured(sandbox.url), write=True)
    assert found["write"][0] is Verdict.FAULT
    assert "probe_patient" in found["write"][1]
    assert sandbox.values.writes == 0


def test_a_portal_that_does_not_answer_ends_the_probe(configured: Configured) -> None:
    checks = list(probe(configured("http://127.0.0.1:9"), PHQ9, write=True, clock=lambda: datetime.now(UTC)))
    assert [(check.name, check.unreachable) for check in checks] == [("credential", False), ("reached", True)]


def test_a_missing_secret_is_named_by_its_place(configured: Configured, tmp_path: Path) -> None:
    found = probed(configured("http://127.0.0.1:9", mode="shadow", token="file:/nowhere/token"))
    assert found.keys() == {"credential"}
    assert "file:/nowhere/token" in found["credential"][1]


def test_a_refused_credential_ends_the_probe(
    start_sandbox: Callable[..., RunningSandbox], configured: Configured
) -> None:
    found = probed(configured(start_sandbox(SandboxOptions(token="another")).url, probe_patient="TESTER"), write=True)
    assert found["sign-in"][0] is Verdict.FAULT
    assert "search" not in found


@pytest.mark.parametrize(
    ("seconds", "verdict"), [(0, Verdict.OK), (50, Verdict.OK), (70, Verdict.WARNING), (-70, Verdict.WARNING)]
)
def test_a_clock_that_is_more_than_a_minute_off_is_told(
    sandbox: RunningSandbox, configured: Configured, seconds: int, verdict: Verdict
) -> None:
    now = datetime.now(UTC) + timedelta(seconds=seconds)
    assert probed(configured(sandbox.url), now=now)["clock"][0] is verdict


def test_a_portal_without_a_date_is_told(scripted, configured: Configured) -> None:
    scripted.will_answer(200, [], Date="soon")
    assert probed(configured(scripted.url))["clock"][0] in (Verdict.OK, Verdict.WARNING)


@pytest.mark.parametrize(
    ("status", "body", "verdict"),
    [
        (200, [], Verdict.OK),
        (200, {"results": []}, Verdict.OK),
        (200, [{"externalId": "EXT1", "id": "r1"}], Verdict.FAULT),
        (200, [{"id": "r1"}], Verdict.FAULT),
        (200, {"text": "hello"}, Verdict.FAULT),
        (200, b"<html>", Verdict.FAULT),
        (404, None, Verdict.WARNING),
        (400, None, Verdict.FAULT),
        (500, None, Verdict.FAULT),
        (302, None, Verdict.FAULT),
    ],
)
def test_a_search_for_what_is_not_there_must_find_nothing(
    scripted, configured: Configured, status: int, body: object, verdict: Verdict
) -> None:
    scripted.will_answer(status, body)
    assert probed(configured(scripted.url))["search"][0] is verdict


def test_no_such_result_of_a_known_patient_is_a_good_answer(scripted, configured: Configured) -> None:
    scripted.will_answer(404)
    assert probed(configured(scripted.url, probe_patient="TESTER"))["search"][0] is Verdict.OK


def test_a_portal_that_stores_a_repetition_is_told_and_what_to_remove(
    scripted, configured: Configured, tmp_path: Path
) -> None:
    destination = configured(scripted.url, probe_patient="TESTER")
    stored: list[dict[str, object]] = []
    answers = scripted.answers

    class Storing(list):  # type: ignore[type-arg]
        """Answers as a portal without keys would."""

        def __bool__(self) -> bool:
            return True

        def pop(self, _: int = 0) -> tuple[int, dict[str, str], bytes]:
            method, _path, _headers, body = scripted.requests[-1]
            if method == "POST":
                stored.append({"id": f"r{len(stored)}", **json.loads(body)})
                return 201, {}, json.dumps(stored[-1]).encode()
            return 200, {}, json.dumps(stored).encode()

    scripted.answers = Storing(answers)
    found = probed(destination, write=True)
    assert found["stored twice"][0] is Verdict.WARNING
    assert str(stored[0]["externalId"]) in found["stored twice"][1]
    assert "correct" not in found


def test_a_value_that_is_stored_otherwise_is_a_fault(sandbox: RunningSandbox, configured: Configured) -> None:
    httpx.post(f"{sandbox.url}/_sandbox/faults", json={"next": ["none", "wrong_echo"]})
    found = probed(configured(sandbox.url, probe_patient="TESTER"), write=True)
    assert found["create"][0] is Verdict.FAULT
    assert "portal-differs" in found["create"][1]


def test_the_probe_looks_even_where_delivery_does_not(sandbox: RunningSandbox, configured: Configured) -> None:
    httpx.post(f"{sandbox.url}/_sandbox/faults", json={"next": ["none", "none", "wrong_echo"]})
    found = probed(configured(sandbox.url, probe_patient="TESTER", read_back=False), write=True)
    assert found["create"][0] is Verdict.FAULT


def test_no_secret_is_in_what_it_says(sandbox: RunningSandbox, configured: Configured) -> None:
    found = probed(configured(sandbox.url, probe_patient="TESTER"), write=True)
    assert "secret-token" not in str(found)
    assert "TESTER" not in str(found)


def test_a_folder_is_prepared_by_write_alone(tmp_path: Path) -> None:
    given = {"id": "portal", "file": "csv-drop.yaml", "folder": "in"}
    (destination,) = configure([DestinationSettings.model_validate(given)], folder=tmp_path)
    assert verdicts(probed(destination)) == {"folder": Verdict.FAULT}
    (tmp_path / "in").mkdir()
    assert verdicts(probed(destination)) == {"folder": Verdict.OK, "prepared": Verdict.FAULT}
    assert list((tmp_path / "in").iterdir()) == []
    everything = {"folder": Verdict.OK, "prepared": Verdict.OK, "write": Verdict.OK}
    assert verdicts(probed(destination, write=True)) == everything
    assert sorted(path.name for path in (tmp_path / "in").rglob("*")) == [".ready", ".sent", ".writing"]
