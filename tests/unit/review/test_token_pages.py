"""Tokens on the page: shown once, never further than who makes them, gone when revoked."""

from __future__ import annotations

import re

import pytest

from store import tokens
from tests.unit.review.api_caller import Caller
from tests.unit.review.review_browser import Browser
from tests.unit.review.review_clinic import SITE, Clinic


@pytest.fixture
def ada(clinic: Clinic) -> Browser:
    return Browser(clinic.app).signed_in("ada")


def make(ada: Browser, **fields: str) -> str:
    ada.open("/settings/tokens")
    answer = ada.submit("/settings/tokens", **{"name": "nightly", "role": "reviewer", **fields})
    assert answer.status_code == 200, answer.text
    found = re.search(r"sbt_[\w-]{43}", answer.text)
    assert found is not None
    return found[0]


def test_a_token_is_shown_once_and_lets_its_program_in(clinic: Clinic, ada: Browser) -> None:
    secret = make(ada)
    assert Caller(clinic.app, secret).get("/cases").status_code == 200
    page = ada.open("/settings/tokens").text
    assert "nightly" in page
    assert secret not in page


def test_a_revoked_token_is_good_for_nothing(clinic: Clinic, ada: Browser) -> None:
    secret = make(ada)
    ada.open("/settings/tokens")
    assert ada.submit("/settings/tokens/1/revoke").headers["location"] == "/settings/tokens?said=token-revoked"
    assert Caller(clinic.app, secret).get("/cases").status_code == 401
    assert "revoked" in ada.open("/settings/tokens").text


def test_what_is_not_ticked_is_not_granted(clinic: Clinic, ada: Browser) -> None:
    ada.open("/settings/tokens")
    form = ada.forms()["/settings/tokens"] | {"name": "nightly", "role": "reviewer"}
    assert (form["days"], form["read_only"], form[f"site-{SITE}"]) == ("90", "on", "on")
    secret = make(ada)
    answer = Caller(clinic.app, secret).post(f"/cases/{clinic.case_ids[0]}/reopen")
    assert answer.json()["code"] == "read-only-token"
    del form[f"site-{SITE}"]
    refused = ada.http.post("/settings/tokens", data=form | {"name": "none"}, headers={"sec-fetch-site": "same-origin"})
    assert refused.status_code == 409
    assert "one at least" in refused.text
    with clinic.database.reading() as session:
        assert len(tokens.list_tokens(session)) == 1


def test_a_form_made_by_hand_gets_no_other_role_and_no_longer_time(clinic: Clinic, ada: Browser) -> None:
    for wrong in ({"role": "owner"}, {"days": "9999"}, {"days": ""}, {"name": " "}):
        ada.open("/settings/tokens")
        assert ada.submit("/settings/tokens", **({"name": "x", "role": "viewer"} | wrong)).status_code == 409
    with clinic.database.reading() as session:
        assert tokens.list_tokens(session) == []


def test_only_administrators_see_or_make_tokens(clinic: Clinic) -> None:
    for name in ("rosa", "carla", "vera", "tom", "odo"):
        assert Browser(clinic.app).signed_in(name).open("/settings/tokens").status_code == 403
