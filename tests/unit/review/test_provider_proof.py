"""Proving at the identity provider who one is, before a sensitive act."""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import parse_qsl, urlsplit

import pytest

from store import audit
from store.users import Role
from tests.unit.review.provider_pair import Pair, require_second_factor, take_down, user_of
from tests.unit.review.review_browser import Browser
from tests.unit.review.review_clinic import PASSWORD


def _ada_by_provider(pair: Pair) -> Browser:
    """An administrator who signed in by the provider, a quarter of an hour ago."""
    pair.behave(claims={"email": "ada"})
    ada, _ = pair.sign_in()
    pair.clinic.clock.advance(timedelta(minutes=8))
    ada.open("/users")
    pair.clinic.clock.advance(timedelta(minutes=7))
    pair.behave(claims={"email": "ada"})
    ada.open("/users/1")
    assert ada.submit("/users/1/role", role="viewer").headers["location"] == "/prove?next=/kept"
    return ada


def test_who_signs_in_by_the_provider_proves_it_there(pair: Pair) -> None:
    ada = _ada_by_provider(pair)
    page = ada.open("/prove?next=/kept").text
    assert "Confirm with Clinic account" in page
    assert 'href="/prove/provider?next=/kept"' in page
    before = ada.http.cookies["scorebridge"]
    away = dict(parse_qsl(urlsplit(ada.open("/prove/provider?next=/kept").headers["location"]).query))
    assert (away["prompt"], away["max_age"]) == ("login", "0")
    answer = ada.open(pair.callback(ada, start="/prove/provider?next=/kept"))
    assert (answer.status_code, answer.headers["refresh"]) == (200, "0; url=/kept")
    assert ada.http.cookies["scorebridge"] != before
    ada.open("/users/1")
    assert ada.submit("/users/1/role", role="viewer").status_code == 303
    assert user_of(pair).role is Role.VIEWER
    with pair.clinic.database.reading() as session:
        (proved,) = [one.event for one in audit.events(session, limit=1000) if one.event.action == "user.proved"]
    assert (proved.actor, proved.detail) == ("ada", (("by", "provider"),))


@pytest.mark.parametrize("auth_time", [None, "now", True, -3600, -61, 61])
def test_a_provider_that_has_not_asked_again_proves_nothing(pair: Pair, auth_time: float | str | None) -> None:
    ada = _ada_by_provider(pair)
    now = pair.clinic.clock().timestamp()
    said = auth_time if auth_time in (None, "now", True) else now + float(auth_time)
    pair.behave(claims={"email": "ada", "auth_time": said})
    answer = ada.open(pair.callback(ada, start="/prove/provider?next=/users/1"))
    assert (answer.status_code, "did not confirm" in answer.text) == (403, True)
    assert 'href="/prove?next=/users/1"' in answer.text
    ada.open("/users/1")
    assert ada.submit("/users/1/role", role="viewer").headers["location"].startswith("/prove")


def test_somebody_else_at_the_provider_proves_nothing(pair: Pair) -> None:
    pair.sign_in()
    pair.behave(claims={"sub": "s-2", "email": "ada"})
    ada, _ = pair.sign_in()
    before = ada.http.cookies["scorebridge"]
    pair.behave()
    answer = ada.open(pair.callback(ada, start="/prove/provider"))
    assert (answer.status_code, "Somebody else signed in" in answer.text) == (403, True)
    assert ada.http.cookies["scorebridge"] == before


def test_a_session_that_ended_on_the_way_is_not_brought_back_by_a_proof(pair: Pair) -> None:
    ada = _ada_by_provider(pair)
    callback = pair.callback(ada, start="/prove/provider")
    ada.open("/account")
    ada.submit("/sign-out")
    answer = ada.open(callback)
    assert (answer.status_code, "has ended meanwhile" in answer.text) == (403, True)
    assert ada.open("/users").status_code == 303


def test_where_a_second_factor_is_required_the_proof_has_one_too(pair: Pair) -> None:
    pair.behave(claims={"amr": ["mfa"]})
    require_second_factor(pair)
    rosa, _ = pair.sign_in()
    pair.behave()
    assert "did not ask you for a second factor" in rosa.open(pair.callback(rosa, start="/prove/provider")).text
    pair.behave(claims={"amr": ["mfa"]})
    assert rosa.open(pair.callback(rosa, start="/prove/provider")).status_code == 200


def test_who_signs_in_with_a_password_is_asked_for_that(pair: Pair) -> None:
    page = Browser(pair.clinic.app).signed_in("ada").open("/prove").text
    assert "Clinic account" not in page
    assert 'name="password"' in page


def test_while_the_provider_is_down_a_proof_says_so_and_a_password_proves(pair: Pair) -> None:
    ada = _ada_by_provider(pair)
    take_down(pair)
    down = ada.open("/prove/provider?next=/users/1")
    assert (down.status_code, "cannot be reached" in down.text) == (403, True)
    ada.open("/prove?next=/users/1")
    assert ada.submit("/prove", password=PASSWORD).headers["location"] == "/users/1"


def test_a_sign_in_is_no_answer_to_a_proof_nor_a_proof_one_to_a_sign_in(pair: Pair) -> None:
    """The departure in the browser says which it was; the last one counts, and its state with it."""
    ada = _ada_by_provider(pair)
    to_prove = pair.callback(ada, start="/prove/provider")
    pair.callback(ada)
    assert ada.open(to_prove).status_code == 403
