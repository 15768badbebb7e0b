"""What a destination file says of requests and answers, against a portal that answers as it is told."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from portal.client import PortalClient
from portal.connections import connected
from portal.destination_file import read_yaml
from portal.destination_files import load_destination, read_destination
from portal.record_shape import RECORD_FIELDS
from records.errors import (
    DeliveryDeferredError,
    DeliveryError,
    DeliveryHeldError,
    DeliveryRefusedError,
    DeliveryUnknownError,
    SettingsError,
)
from records.submission import ResultStatus, Submission

Submissions = Callable[..., Submission]
Describe = Callable[..., PortalClient]

GENERIC = (Path(__file__).parents[3] / "portal/destinations/generic-json.yaml").read_text()
FILE = """
language: 2
record: 2
id: small
revision: 1
variables: {tenant: null, unit: score}
headers: {Content-Type: application/json}
body: {id: "=external_id", score: "=total", status: "=status"}
create: {method: POST, url: "{base_url}/r"}
update: {method: PUT, url: "{base_url}/r/{remote_id}"}
withdraw: {method: PUT, url: "{base_url}/r/{remote_id}"}
search: {url: "{base_url}/r?id={external_id}", results: "@"}
answer: {remote_id: no, external_id: id, same: [score, status]}
"""


@pytest.fixture
def client_with(configured: Callable[..., object], tmp_path: Path) -> Iterator[Callable[..., PortalClient]]:
    with ExitStack() as stack:

        def client(url: str, *changes: tuple[str, str], read_back: bool = False, **variables: str) -> PortalClient:
            text = FILE
            for old, new in changes:
                assert old in text
                text = text.replace(old, new)
            (tmp_path / "small.yaml").write_text(text)
            given = {"tenant": "north"} | variables
            destination = configured(url, file="small.yaml", read_back=read_back, variables=given)
            clock = datetime(2026, 3, 2, tzinfo=UTC)
            return stack.enter_context(connected(destination, clock=lambda: clock, read_seconds=5))

        yield client


def small(submission: Submission, **body: object) -> Submission:
    given = {"id": submission.external_id, "score": 14, "status": submission.status.value} | body
    return replace(submission, payload=json.dumps(given).encode())


def stored(submission: Submission, **other: object) -> dict[str, object]:
    assert submission.payload is not None
    return {"no": "r1", **json.loads(submission.payload), **other}


def test_a_variable_of_the_settings_is_part_of_address_and_header(scripted, client_with, submission) -> None:
    client = client_with(
        scripted.url,
        ('"{base_url}/r"}', '"{base_url}/{variables.tenant}/r", headers: {X-Unit: "=variables.unit"}}'),
        tenant="a/b",
    )
    scripted.will_answer(201, {"no": "r1"})
    client.deliver(small(submission()))
    assert scripted.requests[0][1] == "/a%2Fb/r"
    assert scripted.requests[0][2]["x-unit"] == "score"


def test_an_unset_unknown_or_strange_variable_stops_the_start(configured, tmp_path: Path) -> None:
    (tmp_path / "small.yaml").write_text(FILE)
    for given, said in (
        ({}, "tenant must be set"),
        ({"tenant": "a", "x": 1}, "no x"),
        ({"tenant": "a", "unit": 1}, "kind"),
    ):
        with pytest.raises(SettingsError, match=said):
            configured("https://p.org", file="small.yaml", variables=given)


def test_a_header_may_be_an_expression_and_is_left_out_when_null(scripted, client_with, submission) -> None:
    headers = """headers: {If-Match: "?=remote_version && join('', ['W/', remote_version])", X: "=idempotency_key"}}"""
    client = client_with(
        scripted.url, ('url: "{base_url}/r/{remote_id}"}\nw', f'url: "{{base_url}}/r/{{remote_id}}", {headers}\nw')
    )
    corrected = small(submission(status=ResultStatus.CORRECTED, remote_id="r1"))
    for version in ("7", None):
        scripted.will_answer(200, stored(corrected))
        client.deliver(replace(corrected, remote_version=version))
    assert [request[2].get("if-match") for request in scripted.requests] == ["W/7", None]
    assert scripted.requests[0][2]["x"] == "key-1-1"


def test_an_id_may_be_part_of_a_header_or_a_longer_text(scripted, client_with, submission) -> None:
    client = client_with(
        scripted.url,
        (
            '"{base_url}/r"}',
            '"{base_url}/r", remote_id: {header: Location, match: "/r/([^/]+)"}, version: {at: v, match: "v(.+)"}}',
        ),
    )
    scripted.will_answer(201, {"v": "v3"}, Location="https://p.org/r/77/_history/1")
    receipt = client.deliver(small(submission()))
    assert (receipt.remote_id, receipt.version) == ("77", "3")
    scripted.will_answer(201, None, Location="/r/78")
    assert client.deliver(small(submission())).remote_id == "78"
    scripted.will_answer(201, None, Location="/elsewhere")
    with pytest.raises(DeliveryUnknownError):
        client.deliver(small(submission()))


ACCEPTED = (
    '"{base_url}/r"}',
    '"{base_url}/r", accepted: "!errors && data", shows: data, error_code: "errors[0].code",\n'
    "  later: \"errors[0].code == 'BUSY'\"}",
)


@pytest.mark.parametrize(
    ("said", "kind", "code"),
    [
        ({"errors": [{"code": "BAD_FORM"}], "data": {"no": "r1"}}, DeliveryRefusedError, "portal-errors-BAD_FORM"),
        ({"errors": [{"message": "Jane Doe"}]}, DeliveryRefusedError, "portal-errors"),
        ({"errors": [{"code": "Jane Doe is unknown"}]}, DeliveryRefusedError, "portal-errors"),
        ({"errors": [{"code": "MRN-4711-0815"}]}, DeliveryRefusedError, "portal-errors"),
        ({"errors": [{"code": "E123456789"}]}, DeliveryRefusedError, "portal-errors"),
        ({"errors": [{"code": "x" * 61}]}, DeliveryRefusedError, "portal-errors"),
        ({"data": None}, DeliveryRefusedError, "portal-errors"),
        ({"errors": [{"code": "BUSY"}]}, DeliveryDeferredError, "portal-later"),
        ({"data": {"other": 1}}, DeliveryUnknownError, "unclear"),
    ],
)
def test_errors_under_a_success_status_are_no_success(
    scripted, client_with, submission, said: dict[str, object], kind: type[DeliveryError], code: str
) -> None:
    client = client_with(scripted.url, ACCEPTED)
    for _ in range(3):
        scripted.will_answer(200, said)
    with pytest.raises(kind) as caught:
        client.deliver(small(submission()))
    assert caught.value.code == code
    assert "Jane" not in str(caught.value) + caught.value.code


def test_an_accepted_answer_is_compared_where_it_shows_the_result(scripted, client_with, submission) -> None:
    client = client_with(scripted.url, ACCEPTED)
    scripted.will_answer(200, {"data": stored(small(submission()))})
    assert client.deliver(small(submission())).remote_id == "r1"
    scripted.will_answer(200, {"data": stored(small(submission()), score=3)})
    with pytest.raises(DeliveryRefusedError):
        client.deliver(small(submission()))


def test_the_portals_own_code_stands_behind_a_refusal_by_status(scripted, client_with, submission) -> None:
    client = client_with(scripted.url, ('"{base_url}/r"}', '"{base_url}/r", error_code: "issue[0].code"}'))
    scripted.will_answer(422, {"issue": [{"code": "required"}]})
    with pytest.raises(DeliveryRefusedError) as caught:
        client.deliver(small(submission()))
    assert caught.value.code == "http-422-required"


def test_a_value_that_was_there_already_is_looked_at_before_it_counts(scripted, client_with, submission) -> None:
    change = ('"{base_url}/r"}', '"{base_url}/r", existed: "was == \'there\'", shows: nowhere, remote_id: no}')
    client = client_with(scripted.url, change)
    scripted.will_answer(200, {"was": "there", "no": "r1"})
    scripted.will_answer(200, [stored(small(submission()))])
    receipt = client.deliver(small(submission()))
    assert (receipt.found, [request[0] for request in scripted.requests]) == (True, ["POST", "GET"])
    scripted.will_answer(200, {"was": "there", "no": "r1"})
    scripted.will_answer(200, [stored(small(submission()), score=3)])
    with pytest.raises(DeliveryRefusedError):
        client.deliver(small(submission()))
    scripted.will_answer(201, {"no": "r1"})
    assert not client.deliver(small(submission())).found


def test_a_search_may_be_a_post_with_a_body(scripted, client_with, submission) -> None:
    search = (
        'search: {method: POST, url: "{base_url}/_search", body: {q: "=external_id"}, accepted: "!errors",\n'
        '  results: [hits, "[hit][?@]"]}'
    )
    client = client_with(scripted.url, ('search: {url: "{base_url}/r?id={external_id}", results: "@"}', search))
    again = small(submission(attempts=2, was_unknown=True))
    scripted.will_answer(200, {"hits": [stored(again)]})
    assert client.deliver(again).found
    assert scripted.requests[0][0] == "POST"
    assert json.loads(scripted.requests[0][3]) == {"q": "EXT1"}
    scripted.will_answer(200, {"hit": stored(again)})
    assert client.deliver(again).found
    scripted.will_answer(200, {"errors": ["x"], "hits": []})
    with pytest.raises(DeliveryUnknownError) as caught:
        client.deliver(again)
    assert caught.value.code == "look-search-unclear"


def test_what_is_shown_may_have_another_shape_than_what_is_sent(scripted, client_with, submission) -> None:
    shape = "same: [{shown: \"value.n\", sent: score}, {shown: \"join('', [state, 'al'])\", sent: status}]"
    client = client_with(scripted.url, ("same: [score, status]", shape))
    scripted.will_answer(201, {"no": "r1", "value": {"n": 14}, "state": "fin"})
    assert client.deliver(small(submission())).remote_id == "r1"
    for lie in ({"value": {"n": 15}}, {"state": "gener"}):
        scripted.will_answer(201, {"no": "r1"} | lie)
        with pytest.raises(DeliveryRefusedError):
            client.deliver(small(submission()))


DELETE = (
    'withdraw: {method: PUT, url: "{base_url}/r/{remote_id}"}',
    'withdraw: {method: DELETE, url: "{base_url}/r/{remote_id}", success: [200, 204], gone: [404, 410]}',
)


def test_a_withdrawal_may_be_a_delete(scripted, client_with, submission) -> None:
    client = client_with(scripted.url, DELETE, read_back=True)
    withdrawn = replace(submission(status=ResultStatus.ENTERED_IN_ERROR, remote_id="r1"), payload=b"")
    scripted.will_answer(204)
    scripted.will_answer(200, [])
    assert client.deliver(withdrawn).remote_id == "r1"
    assert [request[:2] for request in scripted.requests] == [("DELETE", "/r/r1"), ("GET", "/r?id=EXT1")]


def test_what_is_still_shown_after_a_delete_is_not_withdrawn(scripted, client_with, submission) -> None:
    client = client_with(scripted.url, DELETE, read_back=True)
    withdrawn = replace(submission(status=ResultStatus.ENTERED_IN_ERROR, remote_id="r1"), payload=b"")
    scripted.will_answer(204)
    scripted.will_answer(200, [{"no": "r1", "id": "EXT1", "score": 14}])
    with pytest.raises(DeliveryUnknownError) as caught:
        client.deliver(withdrawn)
    assert caught.value.code == "not-withdrawn"


def test_what_is_gone_already_is_withdrawn_only_if_it_is_not_shown(scripted, client_with, submission) -> None:
    client = client_with(scripted.url, DELETE)
    withdrawn = replace(submission(status=ResultStatus.ENTERED_IN_ERROR, remote_id="r1"), payload=b"")
    scripted.will_answer(404)
    scripted.will_answer(200, [])
    assert client.deliver(withdrawn).found
    scripted.will_answer(404)
    scripted.will_answer(200, [{"no": "r2", "id": "EXT1", "score": 14}])
    with pytest.raises(DeliveryUnknownError):
        client.deliver(withdrawn)


def test_a_withdrawn_result_that_is_still_shown_is_known_by_its_mark(scripted, client_with, submission) -> None:
    client = client_with(
        scripted.url, DELETE, ("same: [score, status]", "same: [score, status], withdrawn: deleted_at"), read_back=True
    )
    withdrawn = replace(submission(status=ResultStatus.ENTERED_IN_ERROR, remote_id="r1"), payload=b"")
    scripted.will_answer(200, {"no": "r1"})
    scripted.will_answer(200, [{"no": "r1", "id": "EXT1", "score": None, "deleted_at": "2026-03-02"}])
    assert client.deliver(withdrawn).remote_id == "r1"
    value = small(submission(attempts=2, was_unknown=True))
    scripted.will_answer(200, [stored(value, deleted_at="2026-03-02")])
    with pytest.raises(DeliveryRefusedError):
        client.deliver(value)


def test_a_body_made_for_another_request_is_not_sent(scripted, client_with, submission) -> None:
    update = 'update: {method: PUT, url: "{base_url}/r", body: {no: "=remote_id", score: "=total", status: "=status"}}'
    client = client_with(scripted.url, ('update: {method: PUT, url: "{base_url}/r/{remote_id}"}', update))
    corrected = small(submission(status=ResultStatus.CORRECTED, revision=2))
    scripted.will_answer(200, [stored(small(submission()))])
    with pytest.raises(DeliveryHeldError) as caught:
        client.deliver(corrected)
    assert caught.value.code == "other-request"
    other_id = replace(
        corrected, remote_id="r9", attempts=2, payload=b'{"no": "r9", "score": 14, "status": "corrected"}'
    )
    scripted.will_answer(200, [stored(small(submission()))])
    with pytest.raises(DeliveryHeldError):
        client.deliver(other_id)
    assert {request[0] for request in scripted.requests} == {"GET"}


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('"{base_url}/r"}', '"{base_url}/{tenant}"}', "create.url: there is no {tenant} here"),
        ('"{base_url}/r"}', '"{base_url}/{remote_id}"}', "create.url: there is no {remote_id} here"),
        ('"{base_url}/r"}', '"{base_url}/{variables.x}"}', "create.url: there is no {variables.x} here"),
        ('"{base_url}/r"}', '"{base_url}.evil.org/r"}', "create.url: begins with"),
        ('"{base_url}/r"}', '"{base_url}/r", accepted: "a b"}', "create.accepted: no JMESPath"),
        ('"{base_url}/r"}', '"{base_url}/r", accepted: "!a.b"}', "create.accepted: the ! takes the next name only"),
        ('"{base_url}/r"}', '"{base_url}/r", accepted: "lenght(a)"}', "create.accepted: there is no function"),
        ('"{base_url}/r"}', '"{base_url}/r", remote_id: {at: a, match: "x"}}', "create.remote_id.match: a pattern"),
        ('"{base_url}/r"}', '"{base_url}/r", remote_id: {at: a, match: "("}}', "create.remote_id.match:"),
        ('"{base_url}/r"}', '"{base_url}/r", remote_id: {at: a, header: b}}', "create.remote_id: either at or header"),
        ('"{base_url}/r"}', '"{base_url}/r", headers: {X: "=score"}}', "create.headers.X: there is no field 'score'"),
        ('"{base_url}/r"}', '"{base_url}/r", success: [404]}', "create.success: Value error, statuses"),
        ("?id={external_id}", "", "search: must look for external_id"),
        ("same: [score, status]", "same: [scor]", "answer.same: the body of create has nothing at scor"),
        ("same: [score, status]", "same: [{shown: a, sent: b, x: 1}]", "answer.same.0.x"),
        ("body: {id:", "schema: {type: 3}\nbody: {id:", "schema:"),
        ("body: {id:", "schema: nowhere.json\nbody: {id:", "schema: nowhere.json beside the file cannot be read"),
        ("body: {id:", "schema: {$ref: 'https://evil.org/x'}\nbody: {id:", "schema:"),
        ('body: {id: "=external_id", score: "=total", status: "=status"}', "", "create.body: there is none"),
        ("revision: 1", "revision: 1\nkind: ftp", "kind"),
        ("variables: {tenant: null", "variables: {tenant: [1]", "variables.tenant"),
        ("tenant: null", "Tenant: null", "variables"),
    ],
)  # fmt: skip
def test_a_fault_is_refused_with_its_path(old: str, new: str, said: str) -> None:
    assert old in FILE
    with pytest.raises(SettingsError) as caught:
        read_destination(FILE.replace(old, new), file_name="x.yaml")
    assert said in caught.value.message


def test_a_body_that_breaks_the_schema_is_held_in_words_without_values(tmp_path: Path) -> None:
    schema = {"type": "object", "properties": {"score": {"type": "integer", "maximum": 27}}, "required": ["id"]}
    (tmp_path / "schema.json").write_text(json.dumps(schema))
    (tmp_path / "x.yaml").write_text(FILE.replace("body: {id:", "schema: schema.json\nbody: {id:"))
    destination = load_destination("x.yaml", folder=tmp_path).with_variables({"tenant": "a"})
    record = dict.fromkeys(RECORD_FIELDS) | {"external_id": "EXT1", "total": 27, "status": "final"}
    assert destination.body(record, status=ResultStatus.FINAL, remote_id=None)
    with pytest.raises(DeliveryHeldError) as caught:
        destination.body(record | {"total": 4711}, status=ResultStatus.FINAL, remote_id=None)
    assert caught.value.code == "schema"
    assert "score is too high for the portal" in caught.value.message
    assert "4711" not in str(caught.value)


@pytest.mark.parametrize(
    ("written", "value"),
    [
        *((word, word) for word in ("no", "yes", "on", "010", "0x1f", "1_000", "12:30", "2026-03-02", ".nan", "1e3")),
        *((word, None) for word in ("null", "~", "")),
        ("true", True),
        ("10", 10),
        ("-3", -3),
        ("2.5", 2.5),
        ("'10'", "10"),
    ],
)
def test_text_that_only_looks_like_something_else_stays_text(written: str, value: object) -> None:
    assert read_yaml(f"a: {written}") == {"a": value}


def test_the_supplied_file_is_still_read_when_a_batch_is_left_out() -> None:
    assert read_destination(GENERIC[: GENERIC.index("\nbatch:")], file_name="x.yaml")
