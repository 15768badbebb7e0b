"""The sandbox portal keeps its own promises, or the other tests would prove nothing."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from portal.sandbox import RunningSandbox, SandboxOptions

ROOT = Path(__file__).parents[3]
BODY = {
    "externalId": "EXT1",
    "instrument": "phq-9",
    "loinc": None,
    "score": 3,
    "administeredOn": "2026-03-02",
    "status": "final",
    "items": [{"linkId": "1", "value": None}],
}
PLACE = "/v1/patients/P1/outcome-measures"


@pytest.fixture
def http(sandbox: RunningSandbox) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=sandbox.url, headers={"Authorization": "Bearer any"}, timeout=10) as client:
        yield client


def post(client: httpx.Client, key: str = "k1", **other: object) -> httpx.Response:
    return client.post(PLACE, json=BODY | other, headers={"Idempotency-Key": key})


def test_the_same_key_and_body_again_is_the_same_answer(http: httpx.Client, sandbox: RunningSandbox) -> None:
    first = post(http)
    assert (first.status_code, first.json()["id"], first.json()["version"]) == (201, "om-1", "1")
    assert post(http).json() == first.json()
    assert sandbox.values.writes == 1


def test_the_same_key_with_another_body_is_refused(http: httpx.Client) -> None:
    post(http)
    assert post(http, score=4).status_code == 422


def test_another_key_is_another_result_so_that_a_senders_mistake_shows(http: httpx.Client) -> None:
    post(http)
    post(http, "k2")
    assert len(http.get(PLACE, params={"externalId": "EXT1"}).json()) == 2


def test_a_key_whose_first_request_is_under_way_is_in_conflict(http: httpx.Client, sandbox: RunningSandbox) -> None:
    http.post("/_sandbox/faults", json={"next": ["hang"], "hang_seconds": 1.5})
    with ThreadPoolExecutor(1) as other:
        first = other.submit(lambda: post(http).status_code)
        while not sandbox.values.under_way:
            assert not first.done(), "the first request was over before the second could meet it"
            time.sleep(0.01)
        second = post(http).status_code
        assert (first.result(), second) == (201, 409)
    assert post(http).status_code == 201
    assert sandbox.values.writes == 1


@pytest.mark.parametrize(
    "wrong",
    [{"score": "3"}, {"score": None}, {"status": "amended"}, {"extra": 1}, {"loinc": "x"},
     {"administeredOn": "2026-02-30"}, {"items": None}, {"items": [{"linkId": "1"}]}, {"externalId": "a b"}],
)  # fmt: skip
def test_a_body_that_breaks_the_contract_is_refused(http: httpx.Client, wrong: dict[str, object]) -> None:
    assert post(http, **wrong).status_code == 422


def test_no_key_or_no_token_is_refused(http: httpx.Client) -> None:
    assert http.post(PLACE, json=BODY).status_code == 422
    assert http.get(PLACE, headers={"Authorization": ""}).status_code == 401


def test_a_correction_counts_the_version_up_and_reaches_one_patient_only(http: httpx.Client) -> None:
    post(http)
    corrected = BODY | {"score": 4, "status": "corrected"}
    answer = http.put(f"{PLACE}/om-1", json=corrected, headers={"Idempotency-Key": "k2"})
    assert (answer.status_code, answer.json()["version"]) == (200, "2")
    elsewhere = PLACE.replace("P1", "P2")
    assert http.put(f"{elsewhere}/om-1", json=corrected, headers={"Idempotency-Key": "k3"}).status_code == 404
    assert http.get(f"{PLACE}/om-1").json()["score"] == 4


def test_committed_and_cut_leaves_a_value_and_no_answer(http: httpx.Client, sandbox: RunningSandbox) -> None:
    http.post("/_sandbox/faults", json={"next": ["commit_then_cut", "cut_before_commit"]})
    for key in ("k1", "k2"):
        with pytest.raises(httpx.TransportError):
            post(http, key)
    assert [measure.externalId for measure in sandbox.values.all()] == ["EXT1"]


def test_the_same_seed_gives_the_same_faults(http: httpx.Client) -> None:
    seen = []
    for _ in range(2):
        http.post("/_sandbox/faults", json={"unavailable": 0.3, "too_many": 0.3, "seed": 4})
        seen.append([http.get(PLACE).status_code for _ in range(30)])
    assert seen[0] == seen[1]
    assert set(seen[0]) == {200, 429, 503}


def test_a_wrong_echo_is_stored_right(http: httpx.Client, sandbox: RunningSandbox) -> None:
    http.post("/_sandbox/faults", json={"next": ["wrong_echo"]})
    assert post(http).json()["score"] == -1
    assert sandbox.values.all()[0].score == 3


def test_the_interface_describes_itself(http: httpx.Client) -> None:
    paths = http.get("/openapi.json").json()["paths"]
    assert set(paths["/v1/patients/{patient_id}/outcome-measures"]) == {"get", "post"}


def test_values_and_keys_survive_a_killed_process_and_a_torn_last_line(
    tmp_path: Path, start_sandbox: Callable[..., RunningSandbox]
) -> None:
    state = tmp_path / "values.jsonl"
    process = subprocess.Popen(
        [sys.executable, "-m", "portal.sandbox", "--state", str(state)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    with process.stdout, httpx.Client(headers={"Authorization": "Bearer any"}) as client:
        client.base_url = json.loads(process.stdout.readline())["url"]
        first = post(client).json()
        process.send_signal(signal.SIGKILL)
        process.wait()
    with state.open("a") as file:
        file.write('{"measure": {"ext')
    again = start_sandbox(SandboxOptions(state=state))
    with httpx.Client(base_url=again.url, headers={"Authorization": "Bearer any"}) as client:
        assert post(client).json() == first
        assert post(client, "k2", externalId="EXT2").json()["id"] == "om-2"
    assert [measure.id for measure in again.values.all()] == ["om-1", "om-2"]
