"""Requests that nobody would think of, made by Schemathesis from the API's own description, against a real server.

Signed out there is nothing but a refusal; with a token of any role there is no fault of the program, every answer is
as described, and nothing of another site is in any.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from typing import Final

import pytest
import schemathesis
import uvicorn
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.transport import Response
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from review.api.application import description
from review.api.wire import PREFIX
from review.server import server_config
from review.settings import WebSettings
from store.users import Role
from tests.unit.review.review_clinic import SITE, Clinic, furnish
from tests.unit.review.two_sites import OTHER, SECRETS, furnish_second, open_both, token_for

pytestmark = [pytest.mark.acceptance, pytest.mark.xdist_group("schemathesis")]

EXAMPLES: Final = 150 if os.environ.get("SCOREBRIDGE_ACCEPTANCE") == "full" else 3
CHECKS: Final = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
# Most numbers that are made up are nobody's; these are somebody's, at this site or at the other one.
_NUMBERS: Final = st.integers(min_value=1, max_value=6)
_SITES: Final = st.sampled_from([SITE, OTHER])


@pytest.fixture(scope="module")
def clinic(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clinic]:
    home = tmp_path_factory.mktemp("api") / "home"
    furnish(home)
    opened = open_both(home)
    furnish_second(opened.database)
    yield opened
    opened.database.close()


@pytest.fixture(scope="module")
def address(clinic: Clinic) -> Iterator[str]:
    """Where the API is served."""
    server = uvicorn.Server(server_config(clinic.app, WebSettings(port=0)))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    deadline = time.monotonic() + 10
    while not server.started and time.monotonic() < deadline:
        time.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    yield f"http://127.0.0.1:{port}{PREFIX}"
    server.should_exit = True
    thread.join(10)


def answers(address: str, headers: dict[str, str]) -> Iterator[tuple[Case, Response]]:
    """Each answer to each request, of every operation."""
    # Without its own idea of tokens: which one is shown is settled here.
    schema = schemathesis.openapi.from_dict({key: part for key, part in description().items() if key != "security"})
    for found in schema.get_all_operations():
        operation = found.ok()
        heard: list[tuple[Case, Response]] = []

        @settings(
            max_examples=EXAMPLES,
            deadline=None,
            database=None,
            phases=[Phase.explicit, Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(
            case=st.one_of(
                operation.as_strategy(generation_mode=GenerationMode.POSITIVE),
                operation.as_strategy(generation_mode=GenerationMode.NEGATIVE),
            ),
            number=_NUMBERS,
            site=_SITES,
            is_real=st.booleans(),
        )
        def ask(case: Case, number: int, site: str, is_real: bool) -> None:
            if is_real:
                real = {name: site if name == "site" else number for name in case.path_parameters or {}}
                case.path_parameters = real
            heard.append((case, case.call(base_url=address, headers=headers)))  # noqa: B023

        ask()
        yield from heard


def test_without_a_token_there_is_nothing_but_a_refusal(address: str) -> None:
    statuses = set()
    for case, answer in answers(address, {}):
        statuses.add(answer.status_code)
        # An address or a body that is none is refused before anybody asks who sent it.
        assert answer.status_code in (400, 401, 405, 413, 415), case.formatted_path
        assert not _told(answer)
    assert 401 in statuses


@pytest.mark.parametrize("role", list(Role))
def test_with_a_token_of_each_role_every_answer_is_as_described_and_of_its_site(
    clinic: Clinic, address: str, role: Role
) -> None:
    headers = {"authorization": f"Bearer {token_for(clinic, role, sites={SITE})}"}
    statuses = set()
    for case, answer in answers(address, headers):
        statuses.add(answer.status_code)
        assert answer.status_code != 401, case.formatted_path
        case.validate_response(answer, checks=CHECKS)
        assert not _told(answer), case.formatted_path
    assert 200 in statuses


def _told(answer: Response) -> list[str]:
    """What an answer gives away of the other site."""
    text = answer.content.decode("utf-8", "replace")
    return [secret for secret in SECRETS if f'"{secret}' in text or f" {secret}" in text]
